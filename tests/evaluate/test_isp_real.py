"""The ColorChecker: errors are those of the published formulas, and a raw of the very chart has hardly any."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from quietlight.camera.tone import srgb_decode
from quietlight.camera.unprocess import mosaic
from quietlight.evaluate.isp_real import CHART, INDOOR, PATCHES, REACH, chart_errors, lab
from quietlight.evaluate.page import page
from quietlight.evaluate.run import evaluate

COLORS = np.array(CHART) / 255


def test_lab_is_that_of_scikit_image():
    np.testing.assert_allclose(lab(srgb_decode(COLORS)), rgb2lab(COLORS), atol=0.05)


def test_exposure_does_not_count_and_colours_do():
    light = srgb_decode(COLORS)
    darker = chart_errors(light * 2**-0.5, light)
    assert darker["color error"] == pytest.approx(0, abs=1e-6)
    assert darker["fitted EV"] == pytest.approx(0.5)
    warm = chart_errors(light * [1.1, 1, 0.9], light)
    assert warm["largest error"] > warm["color error"] > 2
    assert warm["gray error"] > 2
    one = light.copy()
    one[3] = light[4]
    assert chart_errors(one, light)["color error"] == pytest.approx(np.linalg.norm(lab(light[3]) - lab(light[4])) / 24)


def test_patches_are_apart_and_in_the_picture():
    places = np.array(PATCHES)
    apart = np.abs(places[:, None] - places[None]).max(axis=2)
    assert apart[~np.eye(24, dtype=bool)].min() > 2 * REACH
    assert (places > REACH).all()
    assert (places < np.array([INDOOR.height, INDOOR.width]) - REACH).all()


def test_a_raw_of_the_chart_keeps_its_colours(tmp_path):
    scene = np.full((INDOOR.height, INDOOR.width, 3), 0.2, np.float32)
    for (y, x), color in zip(PATCHES, srgb_decode(COLORS), strict=True):
        scene[y - 30 : y + 30, x - 30 : x + 30] = color
    camera = 0.6 * scene @ np.linalg.inv(INDOOR.camera_to_srgb).T / np.array(INDOOR.white_balance)
    stored = 12.5 + (255 - 12.5) * mosaic(camera, INDOOR.cfa)
    dithered = stored + np.random.default_rng(0).normal(0, 1, stored.shape)
    folder = tmp_path / "raw" / "infinite_isp"
    folder.mkdir(parents=True)
    (folder / "Indoor1_2592x1536_8bit_GRBG.raw").write_bytes(np.rint(dithered.clip(0, 255)).astype(np.uint8).tobytes())
    report = evaluate("isp-real", tmp_path, systems=["libraw-linear", "neutral-linear", "cameranet"])
    theirs, ours, absent = report.tables[0].rows
    assert ours.means["color error"] < 1
    assert theirs.means["color error"] < 1.5
    assert absent.absent or absent.means
    text = page(report)
    assert "1 picture<" in text
    assert text.count('class="strip"') >= 2
    best = min((theirs, ours), key=lambda row: row.means["color error"])
    assert f'{best.system}</td><td class="best">' in text
