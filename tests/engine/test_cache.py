"""What is kept comes back whole, or not at all."""

import os

import pytest

from quietlight.engine import cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("QUIETLIGHT_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_an_entry_comes_back_by_all_of_its_key(folder):
    assert cache.read("a", "b") is None
    cache.write(b"content", "a", "b")
    assert cache.read("a", "b") == b"content"
    assert cache.read("a", "c") is None
    assert [p.suffix for p in folder.iterdir()] == [".bin"]


def test_a_damaged_entry_is_none(folder):
    cache.write(b"content", "a")
    (path,) = folder.iterdir()
    data = path.read_bytes()
    for damaged in (data[:-1], data[:5], b"", data[:-1] + b"x"):
        path.write_bytes(damaged)
        assert cache.read("a") is None
    cache.write(b"content", "a")
    assert cache.read("a") == b"content"


def test_what_was_not_used_for_longest_makes_room(folder, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 300)
    for age, name in enumerate("abc"):
        cache.write(bytes(50), name)
        os.utime(max(folder.iterdir(), key=lambda path: path.stat().st_mtime), (age, age))
    assert cache.read("a") is not None  # used now
    cache.write(bytes(50), "d")
    assert [cache.read(name) is None for name in "abcd"] == [False, True, False, False]


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUIETLIGHT_CACHE", str(tmp_path / "file" / "below"))
    cache.write(b"content", "a")
    assert cache.read("a") is None
