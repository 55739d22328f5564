"""Speed is measured in processes of their own, told as multiples of rawpy's, and of the peak of matrix products."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from quietlight.cli import app
from quietlight.evaluate import speed as measuring
from quietlight.evaluate import speed_cases, speed_frames, speed_process, speed_programs
from quietlight.frames import UnusableInput
from quietlight.systems import LOOKS, OF_BURSTS, SYSTEMS

TINY = 0.02


@pytest.fixture
def asked(monkeypatch):
    """What would be measured; all take a second per megapixel and network, and rawpy half of it."""
    calls = []

    def ask(threads, **wanted):
        calls.append(wanted)
        if "peak" in wanted:
            return {"peak": 50.0}
        if wanted["case"] == "classical":
            raise UnusableInput("its process ended with code -9")
        cpu = wanted["megapixels"] * (0.5 if wanted["case"] == speed_cases.BASE else 1.0)
        networks = {"gflop": 100.0, "network": 4.0} if wanted["case"] == "fan" else {"gflop": 0.0, "network": 0.0}
        return {"cpu": cpu, "wall": cpu / 2, "memory": 600.0, **networks}

    monkeypatch.setattr(measuring, "_ask", ask)
    monkeypatch.setattr(measuring, "ENGINES", {"torch": ""})
    return calls


def test_a_table_of_what_was_measured(asked, tmp_path):
    told = []
    found = measuring.speed(["fan", "neutral", "classical"], [12, 24], lambda *state: told.append(state))
    assert [call.get("case", call.get("peak")) for call in asked] == [
        "float32", "bfloat16", *["rawpy", "fan", "classical", "neutral"] * 2,
    ]  # fmt: skip
    assert told[-1][:2] == (7, 8)
    rows = {(row.name, row.megapixels): row for row in found.rows}
    assert rows["fan", 24].ratio == 2
    assert rows["fan", 12].rate == 25
    assert rows["fan", 12].engine
    assert not rows["neutral", 12].engine
    text = found.as_text()
    assert "| fan | denoise, raw | torch | 12 | 1.000 | 0.500 | 2.0 | 600 | 50 | 50% | 50% |" in text
    assert "its process ended with code -9" in text
    found.write_json(tmp_path / "speed.json")
    assert json.loads((tmp_path / "speed.json").read_text())["peaks"] == {"float32": 50, "bfloat16": 50}


def test_unknown_names_and_sizes_are_refused(asked):
    with pytest.raises(UnusableInput, match="unknown system 'warp'"):
        measuring.speed(["warp"])
    for wrong in (["--parts", "large"], ["--html", "a.html"], ["--submission", "a"]):
        assert isinstance(CliRunner().invoke(app, ["evaluate", "speed", *wrong]).exception, UnusableInput)
    assert not asked


def test_every_system_and_look_has_a_case():
    known = speed_cases.cases()
    for name in {*SYSTEMS, *LOOKS}:
        assert name in known
    assert all("burst" in known[name].about for name in OF_BURSTS)


@pytest.mark.parametrize("name", [speed_cases.BASE, "neutral", "analyze"])
def test_cases_run_on_pictures_of_any_size(tmp_path, monkeypatch, name):
    monkeypatch.setattr(speed_cases, "_SMALL", TINY)
    speed_cases.cases()[name].prepare(TINY, tmp_path)()


def test_frames_have_the_noise_that_they_say():
    frame = speed_frames.raw(0.2)
    assert frame.mosaic.shape == speed_frames.sides(0.2)
    clean = speed_frames._scene(0, 0, *frame.mosaic.shape)
    standard = (frame.mosaic - clean) / np.sqrt(frame.noise.variance(clean))
    assert np.std(standard) == pytest.approx(1, rel=0.02)
    assert len(speed_frames.burst(TINY, 3).frames) == 3
    assert speed_frames.photo(0.2).pixels.std() > speed_frames.SIGMA


def test_a_process_measures_itself(capsys, monkeypatch):
    """In a process of its own, as it is called: what a network did is counted."""
    monkeypatch.setattr(sys, "argv", ["speed_process", json.dumps({"peak": "float32"})])
    monkeypatch.setattr(speed_process, "_SECONDS", 0.01)
    speed_process.main()
    assert json.loads(capsys.readouterr().out)["peak"] > 0
    found = measuring._ask(1, case="fan", megapixels=0.1, engine="torch")
    assert 0 < found["network"] < found["cpu"] + 0.1
    assert found["gflop"] > 0.1
    assert 50 < found["memory"] < 4000
    with pytest.raises(UnusableInput, match="no-such"):
        measuring._ask(1, case="no-such", megapixels=0.1, engine="torch")


def test_programs_are_called_and_asked_for_a_jpeg(tmp_path, monkeypatch):
    """A stand-in on the path writes what it was called with; no database of darktable is there to be changed."""
    for name in ("darktable-cli", "rawtherapee-cli"):
        stand_in = tmp_path / name
        stand_in.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/{name}.called\n')
        stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    known = speed_programs.programs()
    assert not any(program.absent for program in known.values())
    known["darktable"].run(Path("a.dng"), tmp_path)
    assert "a.dng" in (tmp_path / "darktable-cli.called").read_text()
    known["rawtherapee-denoised"].run(Path("b.dng"), tmp_path)
    assert "-p" in (tmp_path / "rawtherapee-cli.called").read_text()
    assert "Enabled=true" in (tmp_path / "denoise.pp3").read_text()
    monkeypatch.setenv("PATH", "/nowhere")
    assert all("is not installed" in program.absent for program in speed_programs.programs().values())
