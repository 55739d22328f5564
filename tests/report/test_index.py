"""The page of all reports leads to each of them, and names what failed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from quietlight.frames import Image
from quietlight.report.index import write_index
from quietlight.report.making import Making
from quietlight.report.sheet import report_files, write_report
from quietlight.systems import Result


def reported(folder: Path, name: str) -> None:
    photo = Image(np.full((30, 40, 3), 90, np.uint8))
    files = report_files(folder, name, overwrite=False)
    write_report(
        files, photo, Result(photo, {"system": "classical"}), Making(seconds={"reading": 1.0, "denoising": 2.5})
    )


def test_every_report_is_led_to(tmp_path: Path) -> None:
    reported(tmp_path, "one.png")
    reported(tmp_path / "deep <b>", "two #2.png")
    page = write_index(tmp_path, [("bad.jpg", "bad.jpg: <empty>")], "quietlight denoise in --out out")
    assert page == tmp_path / "index.html"
    text = page.read_text(encoding="utf-8")
    links = re.findall(r'class="card" href="([^"]+)"', text)
    assert [(tmp_path / unquote(link)).is_file() for link in links] == [True, True]
    assert "2 results, 1 failed" in text
    assert "bad.jpg: &lt;empty&gt;" in text
    assert "<b>two" not in text
    assert text.count("data:image/jpeg") == 4
    assert "7 s of work" in text
    told = json.loads((tmp_path / "index.json").read_text())
    assert told["failed"] == [{"file": "bad.jpg", "error": "bad.jpg: <empty>"}]
    assert [entry["title"] for entry in told["reports"]] == ["Denoised by classical."] * 2
    assert told["reports"][0]["seconds"] == 3.5


def test_one_file_needs_no_index(tmp_path: Path) -> None:
    reported(tmp_path, "one.png")
    assert write_index(tmp_path) is None
    assert not (tmp_path / "index.html").exists()


def test_files_that_only_look_like_reports_are_left_out(tmp_path: Path) -> None:
    reported(tmp_path, "one.png")
    reported(tmp_path, "two.png")
    for name, text in {"a": "{", "b": "[]", "c": "{}", "d": '{"making": 3}'}.items():
        (tmp_path / f"{name}.report.json").write_text(text)
    page = write_index(tmp_path)
    assert page is not None
    assert page.read_text(encoding="utf-8").count('class="card"') == 2
