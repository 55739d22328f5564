"""The noise profile follows every operation on a frame; frames refuse what they cannot be."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quietlight.camera.bayer import amplify, average, crop
from quietlight.frames import Burst, Finding, Image, NoiseProfile, NoiseReport, RawFrame, UnusableInput

SHOT, READ = 4e-3, 2e-4
LEVEL = 0.3


def flat_noisy(seed: int, cfa: str = "RGGB") -> RawFrame:
    profile = NoiseProfile((SHOT,), (READ,))
    noise = np.random.default_rng(seed).normal(0, np.sqrt(profile.variance(LEVEL)), (256, 256))
    return RawFrame((LEVEL + noise).astype(np.float32), cfa, noise=profile)


@pytest.mark.parametrize("gain", [0.25, 3.0])
def test_gain_scales_the_declared_noise_as_the_measured(gain: float) -> None:
    frame = amplify(flat_noisy(1), gain)
    assert frame.noise is not None
    assert np.var(frame.mosaic) == pytest.approx(float(frame.noise.variance(gain * LEVEL)), rel=0.03)


def test_white_balance_gains_give_one_pair_per_color() -> None:
    frame = amplify(flat_noisy(2), (2.0, 1.0, 1.5))
    assert frame.noise is not None
    for color, (plane, gain) in enumerate(
        [(frame.mosaic[::2, ::2], 2.0), (frame.mosaic[::2, 1::2], 1.0), (frame.mosaic[1::2, 1::2], 1.5)]
    ):
        assert np.var(plane) == pytest.approx(float(frame.noise.variance(gain * LEVEL, color)), rel=0.05)


def test_mean_of_n_divides_the_noise_by_n() -> None:
    frame = average(tuple(flat_noisy(seed) for seed in range(5)))
    assert frame.noise is not None
    assert np.var(frame.mosaic) == pytest.approx(float(frame.noise.variance(LEVEL)), rel=0.03)


def test_crop_keeps_the_noise() -> None:
    frame = flat_noisy(3)
    assert crop(frame, 3, 5, 20, 30).noise == frame.noise


def test_overstated_noise_has_a_larger_deviation() -> None:
    profile = NoiseProfile((SHOT,), (READ,))
    assert profile.overstated(2).variance(LEVEL) == pytest.approx(4 * profile.variance(LEVEL))


@pytest.mark.parametrize(
    ("shot", "read"), [((1.0, 1.0), (0.0, 0.0)), ((-1.0,), (0.0,)), ((np.nan,), (0.0,)), ((1.0,), ())]
)
def test_profile_refuses_what_is_no_variance(shot: tuple[float, ...], read: tuple[float, ...]) -> None:
    with pytest.raises(UnusableInput):
        NoiseProfile(shot, read)


@pytest.mark.parametrize(
    ("mosaic", "cfa"),
    [
        (np.zeros((4, 4), np.float32), "RGBG"),
        (np.zeros((4, 4), np.float64), "RGGB"),
        (np.zeros((4, 4, 3), np.float32), "RGGB"),
        (np.zeros((4, 4), np.float32), "RGB"),
        (np.zeros((4, 4, 4), np.float32), "RGB"),
    ],
)
def test_raw_frame_refuses_what_it_cannot_be(mosaic: np.ndarray, cfa: str) -> None:
    with pytest.raises(UnusableInput):
        RawFrame(mosaic, cfa)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.int32)]
)
def test_image_refuses_what_it_cannot_be(pixels: np.ndarray) -> None:
    with pytest.raises(UnusableInput):
        Image(pixels)


def test_frames_of_different_patterns_are_not_averaged() -> None:
    with pytest.raises(UnusableInput):
        average((flat_noisy(1), flat_noisy(2, "BGGR")))


def test_frames_are_frozen() -> None:
    frame = flat_noisy(1)
    with pytest.raises(AttributeError):
        frame.iso = 3  # type: ignore[misc]
    assert replace(frame, iso=3).iso == 3


def test_a_burst_refuses_a_reference_that_it_has_not() -> None:
    frame = flat_noisy(1)
    assert Burst((frame, frame)).reference is None
    for frames, reference in (((), None), ((frame,), 1), ((frame,), -1)):
        with pytest.raises(UnusableInput, match="no frame"):
            Burst(frames, reference)
    with pytest.raises(UnusableInput, match="not of both"):
        Burst((frame, Image(np.zeros((4, 4, 3), np.uint8))))  # type: ignore[arg-type]


def test_report_is_json() -> None:
    report = NoiseReport("photo", (Finding("gaussian", 12.0, "of 255", 0.9),), "photo", "gaussian, sigma about 12")
    assert json.loads(report.to_json())["findings"][0]["nature"] == "gaussian"
