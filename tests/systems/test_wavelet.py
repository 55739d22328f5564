"""The filter bank gives back what it took, reaches no further than it says, and shrinks noise but not signal."""

from __future__ import annotations

import numpy as np
import pytest

from quietlight import tiles
from quietlight.systems.wavelet import MARGIN, shrink


def denoised(plane: np.ndarray, deviation: float, tile: int = 512) -> np.ndarray:
    return tiles.apply(lambda part: shrink(part, deviation), plane, tile=tile, margin=MARGIN)


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[0:140, 0:190].astype(np.float32)
    plane = 0.4 + 0.2 * np.sin(columns / 9) * np.cos(rows / 14) + 0.3 * (columns > 90) - 0.2 * (rows > columns)
    return (plane + 0.03 * rng.standard_normal(plane.shape)).astype(np.float32)


def test_next_to_no_noise_changes_next_to_nothing(texture):
    np.testing.assert_allclose(denoised(texture, 1e-5), texture, atol=2e-4)
    assert denoised(texture, 0.0) is not None
    np.testing.assert_array_equal(denoised(texture, 0.0), texture)


@pytest.mark.parametrize("tile", [40, 77])
def test_tiled_equals_untiled(texture, tile):
    np.testing.assert_allclose(denoised(texture, 0.1, tile), denoised(texture, 0.1), atol=1e-5)


def test_a_constant_stays(texture):
    np.testing.assert_allclose(denoised(np.full((9, 31), 0.7, np.float32), 0.1), 0.7, rtol=1e-5)


def test_the_result_scales_with_its_input(texture):
    np.testing.assert_allclose(denoised(7 * texture, 0.7), 7 * denoised(texture, 0.1), rtol=1e-3, atol=1e-4)


def test_shifting_the_picture_shifts_the_result(texture):
    whole, cut = denoised(texture, 0.1), denoised(texture[3:, 5:], 0.1)
    inner = (slice(MARGIN // 2, -MARGIN // 2),) * 2
    assert np.abs(whole[3:, 5:][inner] - cut[inner]).max() < 0.02


@pytest.mark.parametrize("deviation", [0.05, 0.5])
def test_pure_noise_loses_at_least_97_percent_of_its_energy(deviation):
    noise = np.random.default_rng(0).normal(0, deviation, (256, 256)).astype(np.float32)
    assert np.var(denoised(noise, deviation)) < 0.03 * deviation**2
