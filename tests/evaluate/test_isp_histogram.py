"""Histograms: no operation that changes nothing changes them, and what is measured picture by picture is drawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image as PillowImage

from quietlight.evaluate import BENCHMARKS, OPERATORS
from quietlight.evaluate.page import page
from quietlight.evaluate.peers import peer
from quietlight.evaluate.run import evaluate
from quietlight.frames import Image, UnusableInput
from quietlight.registry import resolve

TOOL = Path(__file__).parents[2] / "tools" / "benchmark_tables.py"


def score(before, after):
    """Of a made result, as if an operator had given it for a picture."""
    benchmark = resolve(BENCHMARKS, "isp-histogram", "benchmark")()
    sample = type("Made", (), {"truth": after / np.float32(255), "name": "made"})
    return benchmark.score(Image(before), sample)["change"]


def test_the_change_is_that_of_shares():
    picture = np.zeros((4, 6, 3), np.uint8)
    other = picture.copy()
    other[:2, :, 0] = 200  # half of red
    assert score(picture, picture) == 0
    assert score(other, picture) == pytest.approx(1 / 3)
    assert score(np.full_like(picture, 9), picture) == 2
    assert score(picture[::2, ::2], picture) == 0


def test_every_operator_changes_pictures_in_its_way(data):
    makers = resolve(BENCHMARKS, "isp-histogram", "benchmark")().parts[0].samples(data)
    for index, make in enumerate(makers):
        sample = make()
        height, width = sample.input.pixels.shape[:2]
        made = {name: peer(name, "operators").run(sample) for name in OPERATORS}
        np.testing.assert_array_equal(made["demosaicking"].mosaic[1::2, 1::2], sample.truth[1::2, 1::2, 2])
        assert made["super-resolution"].pixels.shape == (height // 4, width // 4, 3)
        noise = np.rint(
            20 * np.random.default_rng([20190820, index]).standard_normal((height, width, 3)).astype(np.float32)
        )
        difference = made["denoising"].pixels.astype(int) - sample.input.pixels
        assert np.corrcoef(difference.ravel(), noise.ravel())[0, 1] > 0.95
        assert made["enhancement"].pixels.std() != sample.input.pixels.std()


def test_a_picture_of_one_value_is_demosaicked_without_change(tmp_path):
    (tmp_path / "cbsd68").mkdir()
    PillowImage.new("RGB", (21, 13), (10, 200, 77)).save(tmp_path / "cbsd68" / "a.png")
    rows = evaluate("isp-histogram", tmp_path).tables[0].rows
    means = {row.system: row.means["change"] for row in rows}
    assert means["demosaicking"] == means["super-resolution"] == 0
    assert means["denoising"] > 1


def test_it_is_drawn_on_the_page_and_beside_the_tables(data, tmp_path):
    report = evaluate("isp-histogram", data)
    assert page(report).count("<polyline") == len(OPERATORS)
    assert 'class="best"' not in page(report)
    report.write_json(tmp_path / "r.json")
    subprocess.run([sys.executable, TOOL, tmp_path / "r.json", "--out", tmp_path / "b.md"], check=True)
    assert "![every picture](isp-histogram.svg)" in (tmp_path / "b.md").read_text()
    lines = ElementTree.parse(tmp_path / "isp-histogram.svg").getroot().findall("{*}polyline")
    assert [len(line.get("points").split()) for line in lines] == [3] * len(OPERATORS)


def test_operators_take_no_weights(data):
    for spec in ("denoising=a.safetensors", "a.safetensors"):
        with pytest.raises(UnusableInput, match="takes no weights"):
            evaluate("isp-histogram", data, systems=[spec])
