"""What the machine says of itself is plausible, and what limits us counts."""

import os

import pytest

from quietlight import machine


def test_cores_are_those_that_one_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = machine.cores()
    assert 1 <= every <= (os.cpu_count() or 1)
    for wanted, cores in [("1", 1), ("100000", every), ("0", 1), ("some", every), ("", every)]:
        monkeypatch.setenv("OMP_NUM_THREADS", wanted)
        assert machine.cores() == cores


def test_the_machine_has_memory():
    free = machine.free_memory()
    assert free is None or free > 1 << 20


def test_memory_is_given_back_wherever_that_can_be_asked_for(monkeypatch):
    machine.give_back()
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda _: object())
    machine.give_back()


def test_a_container_has_less(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    whole = machine.free_memory()
    (tmp_path / "memory.current").write_text("1000000\n")
    for limit, free in [("3000000\n", 2_000_000), ("500000\n", 0)]:
        (tmp_path / "memory.max").write_text(limit)
        assert machine.free_memory() == free
    (tmp_path / "memory.max").write_text("max\n")
    assert (machine.free_memory() is None) == (whole is None)


@pytest.mark.parametrize(
    ("platform", "expected"), [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")]
)
def test_what_is_kept_lies_where_the_platform_keeps_such_things(platform, expected, tmp_path, monkeypatch):
    for name in ("QUIETLIGHT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine.sys, "platform", platform)
    monkeypatch.setattr(machine.Path, "home", lambda: tmp_path)
    assert machine.cache_folder() == tmp_path / expected / "quietlight"
