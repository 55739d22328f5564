"""On a local Ray cluster of two workers: the bytes are those of a local run, and a worker that is killed loses nothing.

Run by `make test-cluster`, since Ray is large and slow to start.
"""

import importlib.util
import json
import os
import sys

import pytest
from doing import Copy, sources
from typer.testing import CliRunner

from quietlight.batch import Folder, run
from quietlight.batch.cluster import on_cluster
from quietlight.batch.places import JOURNAL
from quietlight.batch.remote import Store
from quietlight.cli import app
from quietlight.frames import UnusableInput

ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is missing: pip install .[distributed]")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Workers find what this process finds: the task of the tests, too."""
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else nothing moves where other things run
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))


@ray
def test_the_bytes_are_those_of_a_local_run(shoot, tmp_path):
    paths = [str(shoot(tmp_path / "in" / name, size=(200, 264))) for name in ("a.dng", "b.png")]
    for name, how in [("two", []), ("ray", ["--cluster", "local"])]:
        result = CliRunner().invoke(app, ["denoise", *paths, "--out", str(tmp_path / name), "--jobs", "2", *how])
        assert result.exit_code == 0, result.output
        assert "2 done" in result.output
    two, cluster = ({p.name: p.read_bytes() for p in (tmp_path / n).glob("[!.]*")} for n in ("two", "ray"))
    assert len(two) == 2
    assert two == cluster
    states = [json.loads(line)["state"] for line in (tmp_path / "ray" / JOURNAL).read_text().splitlines()]
    assert states == ["begun", "begun", "done", "done"]


@ray
def test_a_worker_that_is_killed_loses_nothing(tmp_path):
    said = {"one": "1", "two": "die once", "three": "bad", "four": "4", "five": "5", "six": "die", "seven": "7"}
    jobs, task, place = sources(tmp_path, **said), Copy(log=tmp_path / "log"), Folder(tmp_path / "out")
    outcomes = run(jobs, task, place, runner=on_cluster("local", 2))
    assert [o.state for o in outcomes] == ["done", "done", "failed", "done", "done", "failed", "done"]
    assert "3 workers died of it" in outcomes[5].message
    assert (tmp_path / "log").read_text() == "died"
    assert (tmp_path / "out" / "two.out").read_text() == "die once"
    again = run(jobs[:5], task, place)  # here, by the same journal
    assert [o.state for o in again] == ["kept", "kept", "failed", "kept", "kept"]


@ray
def test_a_cluster_and_a_store(tmp_path):
    """`local` is a store to fsspec, on the disk of this machine, so that all processes see it."""
    jobs, place = sources(tmp_path, one="1", two="2"), Store(f"local://{tmp_path}/out")
    assert [o.state for o in run(jobs, Copy(), place, runner=on_cluster("local", 2))] == ["done", "done"]
    assert (tmp_path / "out" / "two.out").read_text() == "2"
    assert [o.state for o in run(jobs, Copy(), place)] == ["kept", "kept"]


@ray
def test_a_cluster_that_is_not_there(tmp_path):
    with pytest.raises(UnusableInput, match="no Ray cluster answers"):
        run(sources(tmp_path, one="1"), Copy(), Folder(tmp_path / "out"), runner=on_cluster("127.0.0.1:1", 2))


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is there")
def test_without_ray_it_is_said_what_to_install(tmp_path):
    with pytest.raises(UnusableInput, match=r"pip install 'quietlight\[distributed\]'"):
        run(sources(tmp_path, one="1"), Copy(), Folder(tmp_path / "out"), runner=on_cluster("local", 2))
