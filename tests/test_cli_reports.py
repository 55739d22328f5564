"""`--report` on the command line: pages of all results, one that leads to them, and a command that makes a result again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quietlight.cli import app


def run(*arguments: object, code: int = 0) -> None:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output


@pytest.fixture
def folder(tmp_path: Path, shoot: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shoot(Path("in/deep/a b.dng"), scene=0)
    shoot(Path("in/c.dng"), scene=1)
    Path("in/bad.dng").write_bytes(b"II*\0garbage")
    return tmp_path


def test_the_command_of_a_report_makes_the_same_result_again(folder: Path) -> None:
    run("denoise", "in", "--out", "out", "--report", "why", "--strength", "0.5", "--burst", "off", code=1)
    index = json.loads(Path("why/index.json").read_text())
    assert [report["name"] for report in index["reports"]] == ["c_clean.dng", "deep/a b_clean.dng"]
    assert [failed["file"] for failed in index["failed"]] == [str(Path("in/bad.dng"))]
    made = json.loads(Path("why/deep/a b_clean.dng.report.json").read_text())["making"]
    assert set(made["seconds"]) == {"reading", "denoising", "writing"}
    assert list(made["models"]) == ["fan-plus"]
    result = Path("out/deep/a b_clean.dng")
    before = result.read_bytes()
    result.unlink()
    command = shlex.split(made["command"])
    assert command[-1] == "--overwrite"
    run(*command[command.index("denoise") :])
    assert result.read_bytes() == before


def test_pictures_of_reports_are_no_inputs(folder: Path) -> None:
    for _ in range(2):
        run("denoise", ".", "--out", "out", "--report", "why", "--burst", "off", "--overwrite", code=1)
    assert not list(Path("out").rglob("*.report_clean.png"))


def test_developing_tells_the_noise_of_the_raw(folder: Path) -> None:
    run("develop", "in/c.dng", "--out", "out", "--report", "why")
    record = json.loads(Path("why/c.jpg.report.json").read_text())
    assert record["noise_curve"]["profile"]["shot"]
    assert "How the noise grows" in Path("why/c.jpg.report.html").read_text(encoding="utf-8")
    assert not Path("why/index.html").exists()


def test_analyze_reports_without_results(folder: Path) -> None:
    run("analyze", "in/c.dng", "in/deep", "--report", "why", "--burst", "off")
    made = json.loads(Path("why/c.dng.report.json").read_text())["making"]
    assert made["target"] == ""
    assert made["command"].endswith("analyze in/c.dng --burst off --report why --overwrite")
    assert Path("why/index.html").is_file()
