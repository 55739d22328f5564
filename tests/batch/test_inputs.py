"""Which files are taken, and what their results are called."""

from pathlib import Path, PurePosixPath

import pytest
from doing import Copy, sources

from quietlight.batch import Folder, Job, find_inputs, run, target_of
from quietlight.frames import UnusableInput
from quietlight.io import PHOTO_SUFFIXES, RAW_SUFFIXES, read_file

KNOWN = PHOTO_SUFFIXES | RAW_SUFFIXES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ["b.png", "a.DNG", "notes.txt", ".hidden.png", "deep/c.jpg", "out/old.png"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_folders_are_searched_and_sorted(folder: Path) -> None:
    jobs = find_inputs([str(folder)], KNOWN, without=folder / "out")
    assert [(j.source.name, str(j.folder)) for j in jobs] == [("a.DNG", "."), ("b.png", "."), ("c.jpg", "deep")]


def test_globs_and_files_are_taken_once(folder: Path) -> None:
    jobs = find_inputs([str(folder / "b.png"), str(folder / "*.png"), str(folder / "**" / "*.jpg")], KNOWN)
    assert [j.source.name for j in jobs] == ["b.png", "c.jpg"]


def test_inputs_that_lead_nowhere_become_jobs_that_fail(folder: Path) -> None:
    (folder / "empty").mkdir()
    jobs = find_inputs([str(folder / name) for name in ["*.nef", "empty", "b.png"]], KNOWN)
    assert [j.source.name for j in jobs] == ["*.nef", "empty", "b.png"]
    for job in jobs[:2]:
        with pytest.raises(UnusableInput, match=r"no such file|no raw file or photo"):
            read_file(job.source)


def test_files_of_other_kinds_are_left_out_of_globs(folder: Path) -> None:
    assert [j.source.name for j in find_inputs([str(folder / "*")], KNOWN)] == ["a.DNG", "b.png"]
    assert [j.source.name for j in find_inputs([str(folder / "notes.txt")], KNOWN)] == ["notes.txt"]


def test_unknown_suffixes_are_taken_where_asked_for(folder: Path) -> None:
    assert "notes.txt" in [j.source.name for j in find_inputs([str(folder)], None)]


def test_templates() -> None:
    job = Job(Path("in/IMG.CR3"), Path("deep"))
    assert target_of(job, "{stem}_clean{suffix}", ".dng") == PurePosixPath("deep/IMG_clean.dng")
    for template in ["{name}", "{stem.foo}", "../{stem}", "{}", "", "{stem", "a/{stem}"]:
        with pytest.raises(UnusableInput, match="template"):
            target_of(job, template, ".dng")


def test_results_among_the_inputs_are_no_inputs(tmp_path: Path) -> None:
    """Where both lie in one folder, and where the results lie in a folder below."""
    jobs = sources(tmp_path, one="1", two="2")
    run(jobs, Copy(suffix=".png"), Folder(tmp_path))
    run(jobs, Copy(suffix=".png"), Folder(tmp_path / "out"))
    (tmp_path / "mine.png").write_bytes(b"x")
    assert [job.source.name for job in find_inputs([str(tmp_path)], KNOWN, tmp_path)] == [
        "mine.png",
        "one.png",
        "two.png",
    ]
    found = find_inputs([str(tmp_path)], KNOWN, tmp_path / "out")
    assert [job.source.name for job in found] == ["mine.png", "one.png", "two.png"]
    assert len(find_inputs([str(tmp_path / "one.png")], KNOWN, tmp_path)) == 1  # named by itself
