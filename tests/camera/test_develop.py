"""Laws of developing: any size and pattern, any strip, upright, white highlights, and the levels of the tone curve."""

from dataclasses import replace

import numpy as np
import pytest

from quietlight.camera import develop as module
from quietlight.camera.demosaic import demosaic
from quietlight.camera.develop import (
    Rendering,
    automatic_exposure,
    choose_gains,
    develop,
    neutral_rendering,
    process,
    upright,
)
from quietlight.camera.unprocess import fixed_camera, mosaic, unprocessed_frame
from quietlight.frames import BAYER, RawFrame, UnusableInput

SIZES = [(2, 2), (3, 2), (5, 7), (66, 9), (67, 64), (129, 131)]


def scene(size: tuple[int, int], cfa: str = "RGGB") -> RawFrame:
    """A smooth coloured picture, as raw."""
    y, x = np.mgrid[: size[0], : size[1]] / np.reshape(size, (2, 1, 1))
    display = np.stack([0.2 + 0.6 * x, 0.3 + 0.4 * y, 0.7 - 0.5 * x * y], axis=-1)
    return unprocessed_frame(display, fixed_camera("A"), cfa)


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("size", SIZES)
def test_equals_demosaic_then_process(cfa: str, size: tuple[int, int]) -> None:
    frame = scene(size, cfa)
    rendering = neutral_rendering(frame)
    gains = np.asarray(rendering.gains)
    balanced = demosaic(mosaic(frame.mosaic[..., None] * gains, cfa), cfa)
    expected = process(balanced / gains, rendering)
    np.testing.assert_allclose(develop(frame, rendering).pixels / 255, expected, atol=0.6 / 255)
    np.testing.assert_allclose(develop(frame, rendering, 16).pixels / 65535, expected, atol=4e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (6, 1)])
def test_a_side_of_one_pixel(size: tuple[int, int]) -> None:
    assert develop(scene(size)).pixels.shape == (*size, 3)


@pytest.mark.parametrize("strip", [2, 6, 64])
def test_strips_leave_no_seam(strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = scene((75, 40), "GBRG")
    whole = develop(frame).pixels
    monkeypatch.setattr(module, "_STRIP", strip)
    np.testing.assert_array_equal(develop(frame).pixels, whole)


def test_three_plane_and_monochrome_raws() -> None:
    frame = scene((40, 30))
    linear = replace(frame, mosaic=demosaic(frame.mosaic, "RGGB"), cfa="RGB")
    assert develop(linear).pixels.shape == (40, 30, 3)
    mono = replace(frame, cfa="MONO", calibrations=())
    assert develop(mono).pixels.shape == (40, 30, 1)


def test_crop_and_orientation_are_applied() -> None:
    frame = replace(scene((40, 30)), crop=(4, 6, 20, 10))
    assert develop(frame).pixels.shape == (20, 10, 3)
    assert develop(replace(frame, orientation=6)).pixels.shape == (10, 20, 3)


def test_orientations_turn_as_exif_says() -> None:
    """Row 0 and column 0 of the stored picture are, in the seen one, as EXIF 2.32 table 6 lists them."""
    stored = np.arange(6).reshape(2, 3)
    seen = {
        1: [[0, 1, 2], [3, 4, 5]], 2: [[2, 1, 0], [5, 4, 3]], 3: [[5, 4, 3], [2, 1, 0]], 4: [[3, 4, 5], [0, 1, 2]],
        5: [[0, 3], [1, 4], [2, 5]], 6: [[3, 0], [4, 1], [5, 2]], 7: [[5, 2], [4, 1], [3, 0]], 8: [[2, 5], [1, 4], [0, 3]],
    }  # fmt: skip
    for code, expected in seen.items():
        np.testing.assert_array_equal(upright(stored, code), expected)
    with pytest.raises(UnusableInput):
        upright(stored, 9)


@pytest.mark.parametrize("level", [1.0, 1.3])
def test_burnt_highlights_are_white(level: float) -> None:
    frame = replace(scene((32, 32)), mosaic=np.full((32, 32), level, np.float32))
    assert develop(frame).pixels.min() == 255


@pytest.mark.parametrize("cfa", ["RGB", "GRBG"])
def test_a_brightening_neutral_stays_neutral_through_clipping(cfa: str) -> None:
    """A gray ramp far past the clipping of green, then blue, then red: no magenta and never darker again."""
    gains = np.array([2.0, 1.0, 1.6])
    ramp = np.linspace(0.3, 2.4, 400)[None, :, None] / gains
    clipped = np.minimum(ramp, 1).astype(np.float32)
    picture = np.repeat(clipped, 8, axis=0)
    raw = picture if cfa == "RGB" else mosaic(picture, cfa)
    frame = RawFrame(raw, cfa, white_balance=(2.0, 1.0, 1.6))
    pixels = develop(frame, Rendering((2.0, 1.0, 1.6), np.eye(3), 1.0, "neutral", 2.0), 16).pixels[4].astype(int)
    assert (pixels.max(axis=1) - pixels.min(axis=1)).max() < 0.02 * 65535
    assert np.diff(pixels, axis=0).min() > -0.005 * 65535


def test_exposure_is_in_ev() -> None:
    frame = scene((32, 32))
    one, other = neutral_rendering(frame), neutral_rendering(frame, exposure=1.5)
    assert other.exposure == pytest.approx(one.exposure * 2**1.5)


@pytest.mark.parametrize("darkening", [1.0, 0.3, 0.1])
def test_automatic_exposure_finds_a_dark_picture_again(darkening: float) -> None:
    frame = replace(scene((64, 64)), baseline_exposure=None)
    dark = replace(frame, mosaic=(frame.mosaic * np.float32(darkening)))
    factor = automatic_exposure(dark, (2.0, 1.0, 1.6)) * darkening
    assert factor == pytest.approx(automatic_exposure(frame, (2.0, 1.0, 1.6)), rel=0.01)


def test_black_and_empty_frames_develop_to_black() -> None:
    frame = RawFrame(np.zeros((16, 16), np.float32), "RGGB")
    assert develop(frame).pixels.max() == 0


def test_white_balance_choices() -> None:
    frame = scene((64, 64))
    assert choose_gains(frame) == frame.white_balance
    assert choose_gains(frame, "5000") == choose_gains(frame, "5000K")
    warm, cold = choose_gains(frame, "3000"), choose_gains(frame, "8000")
    assert warm[2] / warm[0] > cold[2] / cold[0]
    assert choose_gains(replace(frame, cfa="MONO"), "auto") == (1.0, 1.0, 1.0)
    with pytest.raises(UnusableInput, match="as-shot, auto, daylight"):
        choose_gains(frame, "sunny")
