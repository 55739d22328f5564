"""Which files are taken, where results go, and that one failure stops nothing."""

from pathlib import Path

import pytest

from quietlight.batch import Job, copy_sidecars, find_inputs, run, target_of
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
    assert target_of(job, Path("out"), "{stem}_clean{suffix}", ".dng") == Path("out/deep/IMG_clean.dng")
    for template in ["{name}", "{stem.foo}", "../{stem}", "{}", "", "{stem", "a/{stem}"]:
        with pytest.raises(UnusableInput, match="template"):
            target_of(job, Path("out"), template, ".dng")


def test_no_source_is_ever_a_target(tmp_path: Path) -> None:
    """Neither its own nor another one's, even where overwriting is wanted."""
    jobs = [Job(tmp_path / "y.crw"), Job(tmp_path / "y.dng")]
    for job in jobs:
        job.source.write_text("source")
    outcomes = run(jobs, lambda j: target_of(j, tmp_path, "{stem}{suffix}", ".dng"), write_name, overwrite=True)
    assert [o.state for o in outcomes] == ["failed", "failed"]
    assert [job.source.read_text() for job in jobs] == ["source", "source"]


def write_name(job: Job, target: Path) -> dict[str, object]:
    source = job.source
    if "bad" in source.name:
        raise UnusableInput(f"{source}: is bad")
    if "gone" in source.name:
        source.read_bytes()
    if "fault" in source.name:
        raise ZeroDivisionError("oh")
    if "huge" in source.name:
        raise MemoryError
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(source.name)
    return {"name": source.name}


def test_failures_are_told_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    jobs = [Job(tmp_path / f"{name}.png") for name in ("one", "bad", "gone", "huge", "fault", "two")]
    told: list[str] = []
    outcomes = run(
        jobs,
        lambda j: target_of(j, tmp_path / "out", "{stem}{suffix}", ".png"),
        write_name,
        report=lambda o: told.append(o.state),
    )
    assert told == [o.state for o in outcomes] == ["done", "failed", "failed", "failed", "failed", "done"]
    assert all("\n" not in o.message for o in outcomes)
    assert "No such file" in outcomes[2].message
    assert "memory" in outcomes[3].message
    assert "report it: ZeroDivisionError oh" in outcomes[4].message


def test_existing_results_are_skipped_unless_overwritten(tmp_path: Path) -> None:
    job, out = Job(tmp_path / "one.png"), tmp_path / "out"
    target = target_of(job, out, "{stem}{suffix}", ".png")
    out.mkdir()
    target.write_text("old")
    assert run([job], lambda _: target, write_name)[0].state == "skipped"
    assert target.read_text() == "old"
    assert run([job], lambda _: target, write_name, overwrite=True)[0].state == "done"
    assert target.read_text() == "one.png"


def test_two_sources_never_share_a_target(tmp_path: Path) -> None:
    jobs = [Job(tmp_path / "a" / "one.png"), Job(tmp_path / "b" / "one.png")]
    outcomes = run(jobs, lambda j: target_of(j, tmp_path / "out", "{stem}{suffix}", ".png"), write_name)
    assert [o.state for o in outcomes] == ["done", "failed"]


def test_sidecars_follow_and_never_replace(tmp_path: Path) -> None:
    (tmp_path / "IMG.xmp").write_text("rating")
    (tmp_path / "IMG.CR3.xmp").write_text("edits")
    target = tmp_path / "out" / "IMG_clean.dng"
    target.parent.mkdir()
    (tmp_path / "out" / "IMG_clean.xmp").write_text("mine")
    copy_sidecars(tmp_path / "IMG.CR3", target, overwrite=False)
    assert (tmp_path / "out" / "IMG_clean.xmp").read_text() == "mine"
    copy_sidecars(tmp_path / "IMG.CR3", target, overwrite=True)
    assert (tmp_path / "out" / "IMG_clean.xmp").read_text() == "rating"
    copy_sidecars(tmp_path / "IMG.CR3", target.with_suffix(".jpg"), overwrite=True)
    assert not (tmp_path / "out" / "IMG_clean.jpg.xmp").exists()
    assert (tmp_path / "out" / "IMG_clean.dng.xmp").read_text() == "edits"
