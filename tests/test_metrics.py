"""Our metrics against scikit-image's, and the colour error against its definition."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from quietlight.metrics import color_error, psnr, ssim


@pytest.fixture(params=[(40, 50), (33, 47, 3)])
def pair(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    truth = rng.random(request.param)
    return np.clip(truth + rng.normal(0, 0.1, truth.shape), 0, 1), truth


def test_psnr_equals_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert psnr(*pair) == pytest.approx(peak_signal_noise_ratio(pair[1], pair[0], data_range=1))


def test_psnr_of_integers_does_not_wrap_around() -> None:
    assert psnr(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8), 255) == pytest.approx(0)
    assert psnr(np.ones(4), np.ones(4)) == math.inf


def test_ssim_equals_scikit_image_inside_the_border(pair: tuple[np.ndarray, np.ndarray]) -> None:
    _, full = structural_similarity(
        pair[1], pair[0], data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True,
        channel_axis=2 if pair[0].ndim == 3 else None,
    )  # fmt: skip
    assert ssim(*pair) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-6)


def test_ssim_refuses_small_or_different_pictures() -> None:
    with pytest.raises(ValueError, match="11x11"):
        ssim(np.zeros((10, 20)), np.zeros((10, 20)))


def test_color_error_is_the_angle_and_ignores_brightness() -> None:
    truth = np.full((4, 4, 3), 0.5)
    assert color_error(truth * 0.5, truth) == pytest.approx(0, abs=1e-5)
    red = truth * [1.0, 0.0, 0.0]
    assert color_error(red, truth) == pytest.approx(math.degrees(math.acos(1 / math.sqrt(3))))
    assert math.isnan(color_error(truth, np.zeros_like(truth)))
