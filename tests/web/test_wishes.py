"""What the page makes is, byte for byte, what the command line makes that it shows beside it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import quietlight as ql
from quietlight.batch import Job
from quietlight.cli import app
from quietlight.web.wishes import Wishes, command, formats_of, limited, make


def by_command(job: Job, wishes: Wishes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the shown command writes, run where the files lie."""
    monkeypatch.chdir(job.source.parent)
    program, *arguments = shlex.split(command(job, wishes))
    assert program == "quietlight"
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (made,) = (job.source.parent / "clean").glob("[!.]*")
    return made


@pytest.mark.parametrize(
    ("suffix", "strength", "chroma"), [(".png", 1, 1), (".png", 0.45, 0.8), (".tif", 0.45, 0.45), (".jpg", 1, 0.5)]
)
def test_of_a_photo(noisy_photo, tmp_path, monkeypatch, suffix, strength, chroma):
    job, wishes = Job(noisy_photo), Wishes(suffix, strength, chroma)
    expected = by_command(job, wishes, monkeypatch)
    made, record = make(job, wishes, tmp_path / "page", lambda share: None)
    assert made.name == expected.name == f"photo_clean{suffix}"
    assert made.read_bytes() == expected.read_bytes()
    assert record["steps"]


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        (Wishes(".jpg"), "raw.jpg"),
        (Wishes(".tif", 0.7, 1.0, -0.65), "raw.tif"),
        (Wishes(".png", 1.0, 0.3, 1.25), "raw.png"),
        (Wishes(".dng", 0.7, 0.7), "raw_clean.dng"),
    ],
)
def test_of_a_raw(raw, tmp_path, monkeypatch, wishes, name):
    job = Job(raw)
    expected = by_command(job, wishes, monkeypatch)
    made, _ = make(job, wishes, tmp_path / "page", lambda share: None)
    assert made.name == expected.name == name
    assert made.read_bytes() == expected.read_bytes()
    if wishes.suffix in (".tif", ".png"):
        assert ql.read(made).pixels.dtype == "uint16"


@pytest.mark.parametrize(("kind", "suffix"), [(".dng", ".dng"), (".dng", ".jpg"), (".jpg", ".jpg")])
def test_of_a_burst(shoot, tmp_path, monkeypatch, kind, suffix):
    shots = tuple(shoot(tmp_path / f"shot{i}{kind}", moved=(i, 2 * i)) for i in range(3))
    job, wishes = Job(shots[0], frames=shots), Wishes(suffix)
    expected = by_command(job, wishes, monkeypatch)
    made, record = make(job, wishes, tmp_path / "page", lambda share: None)
    assert made.name == expected.name
    assert made.read_bytes() == expected.read_bytes()
    assert record["frames"] == 3


def test_formats_begin_with_what_the_command_line_would_choose(noisy_photo, raw, shoot, tmp_path):
    assert next(iter(formats_of(Job(noisy_photo)))) == ".png"
    assert list(formats_of(Job(raw))) == [".jpg", ".tif", ".png", ".dng"]
    assert list(formats_of(Job(shoot(tmp_path / "UPPER.JPG")))) == [".JPG", ".tif", ".png"]


def test_progress_only_grows_and_may_end_it(noisy_photo, tmp_path):
    told: list[float] = []
    make(Job(noisy_photo), Wishes(".png"), tmp_path / "page", told.append)
    assert told == sorted(told)

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(Job(noisy_photo), Wishes(".png"), tmp_path / "stopped", stop)
    assert not list((tmp_path / "stopped").glob("*"))


def test_wishes_are_bounded_and_round():
    assert limited(".jpg", 2, -1, 99) == Wishes(".jpg", 1.0, 0.0, 4.0)
    assert limited(".jpg", 0.30000000000000004, 0.5, 0.1 + 0.2) == Wishes(".jpg", 0.3, 0.5, 0.3)
