"""Laws of the finish: the same twice, of any exposure, for a part of a frame; no halos, no casts."""

import numpy as np
import pytest

from quietlight.camera.finish import finish, finish_gain
from quietlight.camera.tone import srgb_decode


def scene(height: int = 192, width: int = 256) -> np.ndarray:
    """A landscape in linear light: a bright sky over land thirty times darker, with texture and colours, black 0 and white 1."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:height, :width] / height
    sky = 1 / (1 + np.exp(40 * (y - 0.4 - 0.05 * np.sin(9 * x))))
    texture = np.exp(0.4 * np.sin(31 * x + 5 * y) * np.sin(23 * y) + 0.1 * rng.standard_normal((height, width)))
    colors = np.stack([1 + 0.4 * np.sin(5 * x), np.ones_like(x), 1 - 0.4 * np.sin(5 * x)], axis=-1)
    return ((0.6 * sky + 0.02 * (1 - sky) * texture)[..., None] * colors).astype(np.float32)


def halved(picture: np.ndarray) -> np.ndarray:
    return picture.reshape(picture.shape[0] // 2, 2, picture.shape[1] // 2, 2, 3).mean((1, 3))


def test_the_same_twice_bit_for_bit_and_the_input_stays() -> None:
    linear = scene()
    before = linear.copy()
    one, other = finish(linear), finish(linear)
    assert one.dtype == np.float32
    assert (one.min() >= 0) and (one.max() <= 1)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(linear, before)
    np.testing.assert_array_equal(one, finish(linear, finish_gain(linear)))


@pytest.mark.parametrize("factor", [0.05, 0.5, 3.0])
def test_the_exposure_of_the_frame_does_not_matter(factor: float) -> None:
    linear = scene()
    np.testing.assert_allclose(
        finish_gain(linear * np.float32(factor)), np.divide(finish_gain(linear), factor), rtol=1e-3
    )
    np.testing.assert_allclose(finish(linear * np.float32(factor)), finish(linear), atol=1e-3)


def test_shadows_are_lifted_and_the_sky_keeps_its_light() -> None:
    linear = scene()
    dark, bright = finish_gain(linear)
    assert 2 * dark <= bright <= 16.01 * dark
    shown, without = finish(linear), finish(linear, (dark, dark))
    assert shown[150:].mean() > 1.5 * without[150:].mean()
    assert shown[:40].mean() < 1.15 * without[:40].mean()
    assert 0.3 < shown.mean() < 0.6


def test_a_part_with_the_gain_of_the_whole_is_a_part_of_the_whole() -> None:
    linear = scene(480, 768)
    gain = finish_gain(linear)
    whole, part = finish(linear, gain)[64:448, 128:640], finish(linear[64:448, 128:640], gain)
    assert np.abs(whole - part).mean() < 2 / 255
    assert np.abs(whole - part)[128:-128, 128:-128].mean() < 1 / 255
    own = linear[256:, :256]
    assert finish_gain(own)[1] > 1.3 * gain[1]  # why it has to be that of the whole


def test_half_the_size_looks_the_same() -> None:
    linear = scene(512, 768)
    gain = finish_gain(linear)
    assert np.abs(halved(finish(linear, gain)) - finish(halved(linear), gain)).mean() < 3 / 255


def test_grays_stay_gray_and_hues_stay() -> None:
    linear = scene()
    gray = np.repeat(linear.mean(axis=2, keepdims=True), 3, axis=2)
    shown = finish(gray)
    assert np.ptp(shown, axis=2).max() < 1e-5
    bright_red = np.full((64, 64, 3), [0.9, 0.2, 0.1], np.float32)
    red, green, blue = srgb_decode(finish(bright_red, (1.5, 3.0)))[32, 32]
    assert red > green > blue  # clipped channel by channel it would have become yellow


def test_no_halo_beside_an_edge() -> None:
    """Across a step of 1:30 the display never turns back by more than sharpening does, on either side and at any distance."""
    linear = np.full((256, 256, 3), 0.02, np.float32)
    linear[:, 128:] = 0.6
    row = finish(linear)[128, :, 1]
    assert row[:124].max() - row[:124].min() < 0.06
    assert row[132:].max() - row[132:].min() < 0.06
    assert np.diff(row)[[0, 60, 126, 128, 190, 250]].min() > -0.1


def test_black_white_and_low_contrast() -> None:
    assert finish_gain(np.zeros((8, 8, 3), np.float32)) == (1.0, 1.0)
    assert finish(np.zeros((8, 8, 3), np.float32)).max() == 0
    assert finish(np.ones((64, 64, 3), np.float32)).min() > 0.85  # snow is not gray
    assert finish(-np.ones((4, 4, 3), np.float32)).max() == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (15, 17), (33, 16), (64, 31)])
def test_any_size(size: tuple[int, int]) -> None:
    shown = finish(scene()[: size[0], : size[1]])
    assert shown.shape == (*size, 3)
    assert np.isfinite(shown).all()


def test_noise_grows_so_it_is_for_clean_frames() -> None:
    clean = scene()
    noisy = clean + np.float32(0.002) * np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
    gain = finish_gain(clean)
    added = finish(noisy, gain)[150:] - finish(clean, gain)[150:]
    assert added.std() > 3 * 0.002
