"""Several processes give what one gives, and what happens to one of them costs nobody else."""

import multiprocessing
import os

from doing import Copy, sources

from quietlight.batch import Folder, Job, run
from quietlight.batch.denoise import Denoise
from quietlight.batch.places import JOURNAL
from quietlight.batch.workers import in_processes


def test_the_bytes_are_those_of_one_process(shoot, tmp_path, monkeypatch):
    """A raw and a photo, with all threads in one process and with a share of them in each of two."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    jobs = [Job(shoot(tmp_path / "in" / name, size=(200, 264))) for name in ("a.dng", "b.png")]
    for name, how in [("one", {}), ("two", {"runner": in_processes(2)})]:
        assert {o.state for o in run(jobs, Denoise(), Folder(tmp_path / name), **how)} == {"done"}
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).glob("[!.]*")} for n in ("one", "two"))
    assert len(one) == 2
    assert one == two


def test_a_worker_that_dies_costs_its_own_job_alone(tmp_path, capfd):
    said = {"one": "1", "two": "die", "three": "bad", "four": "4", "five": "die", "six": "6"}
    jobs, told = sources(tmp_path, **said), []
    outcomes = run(
        jobs,
        Copy(),
        Folder(tmp_path / "out"),
        runner=in_processes(2),
        progress=lambda share, title: told.append(share),
    )
    assert [o.state for o in outcomes] == ["done", "failed", "failed", "done", "failed", "done"]
    assert "ended with code -9" in outcomes[1].message
    assert "fewer --jobs" in outcomes[4].message
    assert told[-1] == 1
    assert not multiprocessing.active_children()
    assert not capfd.readouterr().err
    assert (tmp_path / "out" / JOURNAL).read_text().count("begun") == 6


def test_workers_share_the_cores_and_leave_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    (outcome,) = run(sources(tmp_path, one="1"), Copy(), Folder(tmp_path / "out"), runner=in_processes(8))
    assert outcome.record["threads"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "1"
    assert "MKL_NUM_THREADS" not in os.environ
