"""The page needs nothing but itself, and the command writes what it printed."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image as PillowImage
from typer.testing import CliRunner

from quietlight.analysis.judgement import Judgement
from quietlight.cli.evaluate import evaluate as command
from quietlight.evaluate.confusion import CLASSES
from quietlight.evaluate.page import page
from quietlight.evaluate.pictures import SIDE, crop_of, liveliest
from quietlight.evaluate.run import evaluate
from quietlight.evaluate.table import Measurement, Report, Row, Table

VOID = {"meta", "img"}
TOOL = Path(__file__).parents[2] / "tools" / "benchmark_tables.py"


class Balance(HTMLParser):
    """Fails where a tag is closed that was not the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("benchmark", ["bsd68-mixture", "bsd68-spatial", "polyu"])
def test_the_page_is_whole(benchmark, data):
    report = evaluate(benchmark, data, systems=["noisy", "wavelet", "classical", "e2e-dncnn"])
    text = page(report)
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert not re.search(r"https?:|src=\"(?!data:)|<script|<link|@import|url\(", text)
    shown = 1 if len(report.tables) > 1 else 3
    able = sum(bool(row.means) for row in report.tables[0].rows)
    assert text.count("<img") == len(report.tables) * shown * (able + 1)
    assert text.count("<svg") == len(report.tables)
    assert text.count('class="box"') == len(report.tables) * able
    for row in report.tables[0].rows:
        assert row.system in text


def test_the_page_shows_what_classifiers_confuse(data, enter):
    def judge(sample):
        """Right, but that clean pictures are gaussian for it."""
        found = 0 if sample.info["nature"] == "" else sample.info["class"]
        return Judgement(CLASSES, tuple(float(i == found) for i in range(len(CLASSES))), (0.0,) * len(CLASSES))

    enter("<judge>", judge)
    report = evaluate("noisebreaker-classes", data, systems=["<judge>", "mobilenet"], limit=22)
    text = page(report)
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert "<judge>" not in text
    assert "<img" not in text
    assert text.count("<svg") == len(report.tables)
    classes, *single = text.split("<h2")[1:]
    assert classes.count('class="cell"') == classes.count('class="right"') == 11
    assert classes.count(">100%</td>") == 1  # all errors are clean pictures taken for low noise
    assert all("<td>29%</td>" in classes and "29%" not in part for part in single)


def test_names_are_escaped_and_equal_scores_can_be_drawn():
    row = Row("<b>", "a & b", "", {"psnr": 30.0}, {"psnr": [30.0] * 5}, 0.1)
    table = Table("<p>", 1, 1, None, (row,))
    report = Report("bsd68-mixture", "x < y", "0", 1, (table,), (Measurement("<b>", "<p>", "s", {"psnr": 30.0}, 0.1),))
    text = page(report)
    assert "<b>" not in text
    assert "<p>:" not in text
    assert "nan" not in text


def test_crops_show_the_lively_part():
    picture = np.full((3 * SIDE, 2 * SIDE, 1), 0.5, np.float32)
    picture[2 * SIDE :, :SIDE] += np.random.default_rng(0).normal(0, 0.2, (SIDE, SIDE, 1)).astype(np.float32)
    place = liveliest(picture)
    assert place == (2 * SIDE, 0)
    decoded = np.asarray(PillowImage.open(io.BytesIO(base64.b64decode(crop_of(picture, place)))))
    np.testing.assert_array_equal(decoded, np.rint(picture[2 * SIDE :, :SIDE, 0].clip(0, 1) * 255))
    assert liveliest(picture[:20, :30]) == (0, 0)


def test_the_command(data, tmp_path, monkeypatch):
    app = typer.Typer()
    app.command()(command)
    monkeypatch.setenv("QUIETLIGHT_DATA", str(data))
    files = [tmp_path / name for name in ("r.json", "r.html")]
    arguments = ["bsd68-mixture", "--systems", "noisy,classical", "--json", str(files[0]), "--html", str(files[1])]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    report = Report.read_json(files[0])
    for row in report.tables[0].rows:
        assert f"{row.means['psnr']:.2f}" in result.output
        assert f"{row.means['psnr']:.2f}" in files[1].read_text()
    assert len(files[0].with_suffix(".jsonl").read_text().splitlines()) == 6
    assert "THE FIXED INPUTS" in result.output  # made pictures are not BSD68, and the table says so

    out = tmp_path / "docs" / "benchmarks.md"
    subprocess.run([sys.executable, TOOL, files[0], "--out", out], check=True)
    text = out.read_text()
    assert report.about in text
    for row in report.tables[0].rows:
        assert f"| {row.system} | {row.means['psnr']:.2f} |" in text

    # A later report of another benchmark leaves this section as it is.
    other = evaluate("polyu", data, systems=["noisy"])
    other.write_json(tmp_path / "other.json")
    subprocess.run([sys.executable, TOOL, tmp_path / "other.json", "--out", out], check=True)
    assert text.partition("\n## ")[2].rstrip() in out.read_text()
    assert other.about in out.read_text()
