"""Photon transfer recovers the noise of simulated flats and darks; the file that keeps it is checked."""

import json
import math

import numpy as np
import pytest

from quietlight.analysis.calibrate import Calibration, Entry, calibrate, dark_noise
from quietlight.analysis.profile_file import FORMAT, load, to_json
from quietlight.frames import NoiseProfile, RawFrame, UnusableInput
from quietlight.noise.sensor import Row, ShotRead

SHOT, READ, ROW = 1.5e-3, 6e-6, 6e-7


def vignette(level, height=256, width=384):
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return level * (1 - 0.3 * (x**2 + y**2) / 2)


def frame(level, seed, shot=SHOT, read=READ, row=0.0, **known):
    """A flat (a dark at level 0) with a fixed pattern, that pairs must cancel."""
    pattern = 1 + 0.02 * np.random.default_rng(99).standard_normal((256, 384))
    rng = np.random.default_rng(seed)
    noisy = ShotRead(shot, read - row).sample(vignette(level) * pattern, rng)
    return RawFrame(Row(row).sample(noisy, rng).astype(np.float32), "RGGB", **known)


def flats(levels=(0.05, 0.15, 0.3, 0.5), **kwargs):
    return [frame(level, 10 * i + j, exposure_time=level, **kwargs) for i, level in enumerate(levels) for j in (0, 1)]


def test_flats_and_darks_give_shot_and_read_within_five_percent():
    darks = [frame(0, 100 + i, row=ROW) for i in range(2)]
    (entry,) = calibrate([*flats(row=ROW), *flats((0.95,))], darks).entries
    assert np.allclose(entry.noise.shot, SHOT, rtol=0.05) and np.allclose(entry.noise.read, READ, rtol=0.05)
    assert entry.row == pytest.approx(ROW, rel=0.3)


def test_without_darks_read_is_the_intercept():
    (entry,) = calibrate(flats((0.01, 0.02, 0.3), read=1e-4)).entries
    assert np.allclose(entry.noise.shot, SHOT, rtol=0.05) and np.allclose(entry.noise.read, 1e-4, rtol=0.1)


def test_each_camera_and_iso_is_an_entry_of_its_own():
    frames = [*flats(iso=100, camera="A"), *flats(iso=400, camera="A", shot=4 * SHOT, read=16 * READ)]
    calibration = calibrate(
        frames, [frame(0, 7, iso=100, camera="A"), frame(0, 8, read=16 * READ, iso=400, camera="A")]
    )
    assert [(e.camera, e.iso) for e in calibration.entries] == [("A", 100), ("A", 400)]
    between = calibration.profile("A", 200)
    assert np.allclose(between.shot, 2 * SHOT, rtol=0.05) and np.allclose(between.read, 4 * READ, rtol=0.1)
    assert np.allclose(calibration.profile("", 800).shot, 8 * SHOT, rtol=0.05)
    with pytest.raises(UnusableInput, match="ISO is unknown"):
        calibration.profile("A", None)


def test_one_dark_gives_read_and_rows_despite_hot_pixels_and_glow():
    dark = frame(0, 3, row=ROW).mosaic + vignette(0.004).astype(np.float32)
    dark[::37, ::41] = 0.7
    read, row = dark_noise([RawFrame(dark, "BGGR")])
    assert np.allclose(read, READ, rtol=0.05) and row == pytest.approx(ROW, rel=0.3)


SIGMA = 1.8e-3


def quantised_dark(step):
    noisy = np.random.default_rng(0).normal(1.5 * SIGMA, SIGMA, (256, 384))
    return (np.round(noisy / step) * step).astype(np.float32)


@pytest.mark.parametrize("step", [2 * SIGMA, SIGMA / 8])
def test_darks_of_coarse_steps_are_measured(step):
    """They put many pixels at the lowest value without any clipping."""
    read, _ = dark_noise([RawFrame(quantised_dark(step), "RGGB")])
    assert np.allclose(np.sqrt(read), math.sqrt(SIGMA**2 + step**2 / 12), rtol=0.06)


@pytest.mark.parametrize(
    "dark", [np.maximum(quantised_dark(SIGMA / 8) - np.float32(1.5 * SIGMA), 0), np.zeros((64, 64), np.float32)]
)
def test_darks_clipped_at_black_are_refused(dark):
    with pytest.raises(UnusableInput, match="clipped at black"):
        dark_noise([RawFrame(dark, "RGGB")])


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "needs flats"),
        (flats()[:-1], "no partner"),
        ([frame(0.1, 0), frame(0.3, 1)], "no partner"),
        ([RawFrame(np.zeros((64, 64), np.float32), "MONO")] * 2, "only Bayer"),
        (flats((1.5, 2.0)), "too bright"),
    ],
)
def test_flats_that_cannot_be_used_are_refused(frames, message):
    with pytest.raises(UnusableInput, match=message):
        calibrate(frames)


def test_a_file_gives_back_the_calibration(tmp_path):
    calibration = Calibration(
        (Entry("A", 100, NoiseProfile((1e-3,) * 3, (1e-6,) * 3), 1e-7), Entry("", None, NoiseProfile((1e-3,), (0.0,))))
    )
    path = tmp_path / "profile.json"
    path.write_text(to_json(calibration))
    assert load(path) == calibration


GOOD = {"camera": "A", "iso": 100, "shot": [1e-3], "read": [1e-6], "row": 0}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps({"entries": [GOOD]}),
        json.dumps({"format": FORMAT, "entries": []}),
        json.dumps({"format": FORMAT, "entries": [GOOD], "more": 1}),
        *(
            json.dumps({"format": FORMAT, "entries": [GOOD | change]})
            for change in (
                {"iso": -1},
                {"iso": 1.5},
                {"camera": None},
                {"shot": [-1.0]},
                {"shot": [1e-3] * 2, "read": [1e-6] * 2},
                {"shot": "x"},
                {"read": [True]},
                {"row": float("nan")},
                {"more": 1},
            )
        ),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, text):
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=r"odd\.json"):
        load(path)
    with pytest.raises(UnusableInput, match="missing"):
        load(tmp_path / "missing.json")
