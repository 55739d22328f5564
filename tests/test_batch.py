"""Which files are taken, where results go, and that one failure stops nothing."""

from pathlib import Path

import pytest

from quietlight.batch import Job, copy_sidecars, find_inputs, run, target_of
from quietlight.frames import UnusableInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ["b.png", "a.DNG", "notes.txt", ".hidden.png", "deep/c.jpg", "out/old.png"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_folders_are_searched_and_sorted(folder: Path) -> None:
    jobs = find_inputs([str(folder)], without=folder / "out")
    assert [(j.source.name, str(j.folder)) for j in jobs] == [("a.DNG", "."), ("b.png", "."), ("c.jpg", "deep")]


def test_globs_and_files_are_taken_once(folder: Path) -> None:
    jobs = find_inputs([str(folder / "b.png"), str(folder / "*.png"), str(folder / "**" / "*.jpg")])
    assert [j.source.name for j in jobs] == ["b.png", "c.jpg"]


def test_inputs_that_lead_nowhere_are_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    for name in ["*.nef", "empty"]:
        with pytest.raises(UnusableInput, match="no raw file or photo"):
            find_inputs([str(folder / name)])


def test_unknown_suffixes_are_taken_where_asked_for(folder: Path) -> None:
    assert "notes.txt" in [j.source.name for j in find_inputs([str(folder)], any_suffix=True)]


def test_templates() -> None:
    job = Job(Path("in/IMG.CR3"), Path("deep"))
    assert target_of(job, Path("out"), "{stem}_clean{suffix}", ".dng") == Path("out/deep/IMG_clean.dng")
    for template in ["{name}", "../{stem}", "{}", "", "{stem", "a/{stem}"]:
        with pytest.raises(UnusableInput, match="template"):
            target_of(job, Path("out"), template, ".dng")


def test_the_source_is_never_the_target() -> None:
    with pytest.raises(UnusableInput, match="overwritten by its own output"):
        target_of(Job(Path("in/IMG.dng")), Path("in"), "{stem}{suffix}", ".dng")


def write_name(source: Path, target: Path) -> dict[str, object]:
    if "bad" in source.name:
        raise UnusableInput(f"{source}: is bad")
    if "gone" in source.name:
        source.read_bytes()
    if "huge" in source.name:
        raise MemoryError
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(source.name)
    return {"name": source.name}


def test_failures_are_told_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    jobs = [Job(tmp_path / f"{name}.png") for name in ("one", "bad", "gone", "huge", "two")]
    told: list[str] = []
    outcomes = run(
        jobs,
        lambda j: target_of(j, tmp_path / "out", "{stem}{suffix}", ".png"),
        write_name,
        report=lambda o: told.append(o.state),
    )
    assert told == [o.state for o in outcomes] == ["done", "failed", "failed", "failed", "done"]
    assert all("\n" not in o.message for o in outcomes)
    assert "No such file" in outcomes[2].message
    assert "memory" in outcomes[3].message


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
    copy_sidecars(tmp_path / "IMG.CR3", target)
    assert (tmp_path / "out" / "IMG_clean.xmp").read_text() == "mine"
    assert (tmp_path / "out" / "IMG_clean.dng.xmp").read_text() == "edits"
