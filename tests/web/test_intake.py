"""Names of strangers' files become plain ones, and files are refused before they are decoded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import quietlight as ql
from quietlight.io import photo
from quietlight.web.intake import check, in_one_line, plain_names


@given(st.lists(st.text(max_size=200), max_size=8))
def test_names_are_plain_and_each_is_there_once(names):
    plain = plain_names(names)
    assert len({name.casefold() for name in plain}) == len(names)
    for name in plain:
        assert Path(name).name == name
        assert not name.startswith(".")
        assert len(name.encode()) < 255 or len(name) < 110
        assert not set(name) & set('/\\:*?"<>|\0\n')


@pytest.mark.parametrize("name", ["../../x.jpg", "..\\..\\x.jpg", "/etc/x.jpg", "C:\\x.jpg", "a/b/../x.jpg"])
def test_no_name_leads_elsewhere(name):
    assert plain_names([name]) == ["x.jpg"]


def test_what_is_too_large_is_refused_by_its_header(tmp_path, limits, monkeypatch):
    path = tmp_path / "large.png"
    ql.write(ql.Image(np.zeros((600, 700, 1), np.uint8)), path)
    monkeypatch.setattr(photo, "read_photo", pytest.fail)
    with pytest.raises(ql.UnusableInput, match="700 x 600 pixels are more"):
        check(path, limits)
    check(path, replace(limits, pixels=420_000))
    with pytest.raises(ql.UnusableInput, match="MB"):
        check(path, replace(limits, file_bytes=100))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.dng", b"II*\0garbage"),
        ("a.jpg", b""),
        ("a.html", b"<script>"),
        ("a.safetensors", b"x" * 64),
        ("a.gif", b"GIF89a"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, limits, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ql.UnusableInput):
        check(tmp_path / name, limits)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ql.UnusableInput("{folder}/ab-c/photo one.png: is\n  damaged"), "photo one.png: is damaged"),
        (FileNotFoundError(2, "No such file", "{folder}/x"), "No such file"),
        (KeyError("x"), "a fault in quietlight, please report it: KeyError 'x'"),
        (MemoryError(), "there is not enough memory for it"),
    ],
)
def test_an_error_is_one_line_without_our_folders(tmp_path, error, said):
    error.args = tuple(str(a).replace("{folder}", str(tmp_path)) for a in error.args) if error.args else ()
    if isinstance(error, OSError):
        error = FileNotFoundError(2, "No such file", str(tmp_path / "x"))
    assert in_one_line(error, tmp_path) == said
