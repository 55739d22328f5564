"""Laws of the automatic white balance."""

import numpy as np
import pytest

from quietlight.camera.bayer import pattern_colors
from quietlight.camera.white_balance import (
    DEFAULT_GAINS,
    estimate_illuminant,
    estimate_white_balance,
    planckian_locus,
)
from quietlight.frames import BAYER, ColorCalibration, NoiseProfile, RawFrame, UnusableInput

LIGHT = np.array([0.45, 0.9, 0.6])
CALIBRATION = ColorCalibration(
    21, np.array([[0.838, -0.263, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]])
)


def scene(rng, height=96, width=128):
    """Linear RGB patches of gray on average, white at most 1, in white light."""
    levels = rng.uniform(0.02, 0.95, (height // 8, width // 8, 1))
    tints = rng.uniform(0.8, 1.25, (height // 8, width // 8, 3))
    return np.kron(np.clip(levels * tints / tints.mean(axis=2, keepdims=True), 0, 1), np.ones((8, 8, 1)))


def mosaic_of(rgb, cfa):
    height, width, _ = rgb.shape
    colors = np.tile(pattern_colors(cfa), (height // 2 + 1, width // 2 + 1))[:height, :width]
    return np.take_along_axis(rgb, colors[..., None], axis=2)[..., 0].astype(np.float32)


def angle(first, second):
    cosine = np.dot(first, second) / np.linalg.norm(first) / np.linalg.norm(second)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def test_gray_world_in_colored_light_shows_the_light():
    rng = np.random.default_rng(1)
    errors = [angle(estimate_illuminant(scene(rng) * LIGHT), LIGHT) for _ in range(6)]
    assert np.mean(errors) < 3


@pytest.mark.parametrize("cfa", BAYER)
def test_every_pattern_and_odd_sizes_agree_with_the_planes(cfa):
    rgb = scene(np.random.default_rng(2)) * LIGHT
    red, green, blue = estimate_white_balance(RawFrame(mosaic_of(rgb, cfa)[:95, :127], cfa))
    assert green == 1
    assert angle((1 / red, 1, 1 / blue), estimate_illuminant(rgb)) < 1


def test_three_planes_give_the_gains_of_the_light():
    rgb = (scene(np.random.default_rng(3)) * LIGHT).astype(np.float32)
    red, _, blue = estimate_white_balance(RawFrame(rgb, "RGB"))
    light = estimate_illuminant(rgb)
    assert red == pytest.approx(light[1] / light[0], rel=1e-3)
    assert blue == pytest.approx(light[1] / light[2], rel=1e-3)


def test_noise_hardly_moves_the_estimate():
    rng = np.random.default_rng(4)
    clean = mosaic_of(scene(rng, 768, 1024) * LIGHT, "RGGB")
    noise = NoiseProfile((1e-3,), (2.5e-5,))
    noisy = (clean + rng.normal(size=clean.shape) * np.sqrt(noise.variance(clean))).astype(np.float32)
    gains = [estimate_white_balance(RawFrame(m, "RGGB")) for m in (clean, noisy)]
    assert angle(*(1 / np.array(g) for g in gains)) < 0.5


def test_exposure_does_not_matter():
    rgb = scene(np.random.default_rng(5)) * LIGHT
    assert angle(estimate_illuminant(rgb), estimate_illuminant(rgb * 0.03)) < 0.01


def test_clipped_pixels_are_left_out():
    rgb = scene(np.random.default_rng(6)) * LIGHT
    expected = estimate_illuminant(rgb)
    rgb = np.concatenate([rgb, np.ones_like(rgb)])
    assert angle(estimate_illuminant(rgb), expected) < 0.01
    assert angle(1 / np.array(estimate_white_balance(RawFrame(mosaic_of(rgb, "RGGB"), "RGGB"))), expected) < 1


def test_only_the_crop_counts():
    rgb = scene(np.random.default_rng(7)) * LIGHT
    framed = np.pad(rgb, ((17, 3), (9, 1), (0, 0)), constant_values=0.5)
    frame = RawFrame(mosaic_of(framed, "GBRG"), "GBRG", crop=(17, 9, *rgb.shape[:2]))
    assert angle(1 / np.array(estimate_white_balance(frame)), estimate_illuminant(rgb)) < 1


def test_monochrome_has_no_color():
    assert estimate_white_balance(RawFrame(np.ones((8, 8), np.float32), "MONO")) == (1, 1, 1)


@pytest.mark.parametrize("cfa", [*BAYER, "RGB"])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, np.nan])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40), (64, 64)])
def test_pictures_that_show_nothing_give_the_default(cfa, value, size):
    mosaic = np.full((*size, 3) if cfa == "RGB" else size, value, np.float32)
    assert estimate_white_balance(RawFrame(mosaic, cfa)) == pytest.approx(DEFAULT_GAINS)


def test_a_picture_of_one_colour_gives_plausible_gains():
    rgb = np.zeros((32, 32, 3), np.float32)
    rgb[..., 2] = 0.5
    gains = estimate_white_balance(RawFrame(rgb, "RGB"))
    assert all(0.4 <= g <= 6 for g in gains)


def test_the_locus_holds_the_estimate_near_itself():
    locus = planckian_locus([CALIBRATION])
    green = np.full((32, 32, 3), 0.1)
    green[..., 1] = 0.9
    free, held = estimate_illuminant(green), estimate_illuminant(green, locus)
    assert min(angle(free, light) for light in locus) > 10
    assert min(angle(held, light) for light in locus) == pytest.approx(4, abs=0.01)
    assert np.linalg.norm(held) == pytest.approx(1)
    # A light of the locus stays as it is.
    lit = np.full((32, 32, 3), 0.5) * locus[20] / locus[20].max()
    assert angle(estimate_illuminant(lit, locus), locus[20]) < 1e-3


def test_the_locus_runs_from_warm_to_cold():
    locus = planckian_locus([CALIBRATION])
    assert (np.diff(locus[:, 2] / locus[:, 0]) > 0).all()


def test_a_locus_of_another_shape_is_refused():
    with pytest.raises(UnusableInput, match=r"\[n, 3\]"):
        estimate_illuminant(np.full((32, 32, 3), 0.5), np.ones(3))
