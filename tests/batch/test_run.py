"""Every job is done, whatever happens to the others; what is done is not done again; nothing is ever replaced by accident."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from doing import Copy, sources

from quietlight.batch import Folder, Job, copy_sidecars, run
from quietlight.batch.denoise import Denoise
from quietlight.batch.fingerprint import fingerprint
from quietlight.batch.places import JOURNAL
from quietlight.frames import NoiseProfile, RawFrame


def states(outcomes) -> list[str]:
    return [outcome.state for outcome in outcomes]


def entries(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / JOURNAL).read_text().splitlines()]


def test_failures_are_told_and_do_not_stop_the_rest(tmp_path):
    jobs = sources(tmp_path, one="1", bad="bad", huge="huge", fault="fault", two="2")
    jobs.insert(2, Job(tmp_path / "gone.in"))
    told = []
    outcomes = run(jobs, Copy(), Folder(tmp_path / "out"), report=lambda outcome: told.append(outcome.state))
    assert states(outcomes) == ["done", "failed", "failed", "failed", "failed", "done"]
    assert sorted(told) == sorted(states(outcomes))
    assert all("\n" not in o.message and str(tmp_path) in o.message for o in outcomes if o.state == "failed")
    assert "no such file" in outcomes[2].message
    assert "memory" in outcomes[3].message
    assert "report it: ZeroDivisionError oh dear" in outcomes[4].message
    assert outcomes[0].record["read"] == "one.in"
    assert (tmp_path / "out" / "two.out").read_text() == "2"


def test_what_is_done_is_kept_and_what_failed_is_tried_again(tmp_path):
    jobs, out = sources(tmp_path, one="1", two="bad"), Folder(tmp_path / "out")
    assert states(run(jobs, Copy(), out)) == ["done", "failed"]
    sources(tmp_path, two="2")
    for overwrite in (False, True):
        assert states(run(jobs, Copy(), out, overwrite=overwrite)) == ["kept", "kept" if overwrite else "done"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_not_ours_or_not_this_is_replaced_only_when_asked(tmp_path, overwrite):
    jobs = sources(tmp_path, theirs="1", options="2", source="3", touched="4")
    out = tmp_path / "out"
    run(jobs[1:2], Copy(text="other"), Folder(out))
    run(jobs[2:], Copy(), Folder(out))
    (out / "theirs.out").write_text("mine")
    (tmp_path / "source.in").write_text("new")
    (out / "touched.out").write_text("edited")
    outcomes = run(jobs, Copy(), Folder(out), overwrite=overwrite)
    if overwrite:
        assert set(states(outcomes)) == {"done"}
        assert (out / "touched.out").read_text() == "4"
        return
    assert set(states(outcomes)) == {"skipped"}
    reasons = ["exists", "made with other options", "another file, or of this one before it changed", "was changed"]
    assert all(why in outcome.message for why, outcome in zip(reasons, outcomes, strict=True))
    assert (out / "theirs.out").read_text() == "mine"
    assert (out / "touched.out").read_text() == "edited"


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    """The job that it was at is done again, even where its result is there, and what it left beside is removed."""
    jobs, out = sources(tmp_path, one="1", two="stop", three="3"), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(jobs, Copy(), Folder(out))
    assert [(entry["state"], entry["result"]) for entry in entries(out)][:3] == [
        ("begun", "one.out"), ("done", "one.out"), ("begun", "two.out"),
    ]  # fmt: skip
    sources(tmp_path, two="2")
    (out / "two.out").write_text("half")
    (out / ".two-abcdefgh.out").write_text("half")
    (out / ".two-mine.out").write_text("not of ours")
    text = (out / JOURNAL).read_text()
    (out / JOURNAL).write_text(text.replace(f":{os.getpid()}", ":99999999"))  # of a process that is gone
    assert states(run(jobs, Copy(), Folder(out))) == ["kept", "done", "done"]
    assert (out / "two.out").read_text() == "2"
    assert sorted(path.name for path in out.iterdir() if path.name.startswith(".two")) == [".two-mine.out"]


def test_a_line_cut_short_costs_only_itself(tmp_path):
    jobs, out = sources(tmp_path, one="1", two="2"), tmp_path / "out"
    run(jobs[:1], Copy(), Folder(out))
    with (out / JOURNAL).open("a") as file:
        file.write('{"state": "done", "result": "tw')
    assert states(run(jobs, Copy(), Folder(out))) == ["kept", "done"]
    assert states(run(jobs, Copy(), Folder(out))) == ["kept", "kept"]
    with (out / JOURNAL).open("a") as file:
        file.write('[1]\n{"state": 5}\n{"state": "done", "result": {}}\n\x00\n')
    assert states(run(jobs, Copy(), Folder(out))) == ["kept", "kept"]


def test_without_a_journal_what_exists_is_skipped(tmp_path):
    (job,), out = sources(tmp_path, one="1"), tmp_path / "out"
    assert states(run([job], Copy(), Folder(out), journal=False)) == ["done"]
    assert not (out / JOURNAL).exists()
    assert states(run([job], Copy(), Folder(out), journal=False)) == ["skipped"]
    assert states(run([job], Copy(), Folder(out), journal=False, overwrite=True)) == ["done"]


def test_no_source_is_ever_a_target(tmp_path):
    """Neither its own nor another one's, even where overwriting is wanted."""
    for name in ("y.crw", "y.out"):
        (tmp_path / name).write_text("source")
    jobs = [Job(tmp_path / "y.crw"), Job(tmp_path / "y.out")]
    assert states(run(jobs, Copy(), Folder(tmp_path), overwrite=True)) == ["failed", "failed"]
    assert {job.source.read_text() for job in jobs} == {"source"}


def test_two_sources_never_share_a_target(tmp_path):
    jobs = sources(tmp_path / "a", one="1") + sources(tmp_path / "b", one="2")
    outcomes = run(jobs, Copy(), Folder(tmp_path / "out"))
    assert states(outcomes) == ["done", "failed"]
    assert "would replace" in outcomes[1].message


def test_progress_is_that_of_the_whole_by_size(tmp_path):
    jobs, told = sources(tmp_path, small="1", large="2" * 99, bad="bad"), []
    run(jobs[:1], Copy(), Folder(tmp_path / "out"))
    run(jobs, Copy(), Folder(tmp_path / "out"), progress=lambda share, title: told.append((share, title)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert {title for _, title in told} == {"large.in", "bad.in"}  # not what was there
    assert any(share == pytest.approx(0.5 * 99 / 102) for share in shares)


def test_tasks_that_give_the_same_have_the_same_fingerprint():
    noise = NoiseProfile((1e-3,), (1e-5,))
    frame = RawFrame(np.zeros((4, 4), np.float32), "RGGB", noise=noise)
    same = [
        Denoise(dark=frame),
        Denoise(dark=RawFrame(np.zeros((4, 4), np.float32), "RGGB", noise=noise), template="x"),
    ]
    other = [Denoise(), Denoise(strength=0.5), Denoise(dark=RawFrame(np.ones((4, 4), np.float32), "RGGB", noise=noise))]
    assert len({fingerprint(task) for task in same}) == 1
    assert len({fingerprint(task) for task in same + other}) == 4


def test_sidecars_follow_and_never_replace(tmp_path):
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
