"""Lost pixels are found among noise, nothing else is taken for one, and only they are replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from quietlight.noise.nature import eight_bit
from quietlight.noise.natures import Bernoulli, Gaussian, SaltAndPepper
from quietlight.systems.drops import CONTRAST, lost, repaired

ROWS, COLUMNS = np.mgrid[:160, :200] / 30
WAVES = (np.sin(COLUMNS) * np.cos(ROWS)).astype(np.float32)
SCENES = {
    "mid": 0.5 + 0.15 * WAVES,
    "full": 0.5 + 0.5 * WAVES,
    "dark": 0.15 + 0.15 * WAVES,
    "light": 0.85 + 0.15 * WAVES,
}
SIGMAS = [0, 10, 30]


def struck(clean: NDArray[np.float32], nature: type[Bernoulli], p: float, sigma: float) -> tuple[Any, Any]:
    """(8-bit picture with gaussian noise, and then lost pixels; which these are)."""
    rng = np.random.default_rng(int(1000 * p + sigma))
    noisy = eight_bit(Gaussian(sigma).sample(clean, rng))
    marks = nature(p).sample(np.full_like(clean, 0.5), rng)
    return np.where(marks == 0.5, noisy, marks), marks != 0.5


@pytest.mark.parametrize("nature", [Bernoulli, SaltAndPepper])
@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("p", [0.01, 0.1, 0.2])
def test_lost_pixels_are_found_among_noise(nature: type[Bernoulli], p: float, sigma: float) -> None:
    clean = SCENES["mid"]
    noisy, hit = struck(clean, nature, p, sigma)
    found = lost(noisy, clean)
    both = (found & hit).sum()
    assert both > 0.95 * hit.sum()
    assert both > 0.95 * found.sum()
    # What a network says is not the truth.
    off = clean + np.random.default_rng(9).normal(0, 0.03, clean.shape).astype(np.float32)
    both = (lost(noisy, off) & hit).sum()
    assert both > 0.9 * hit.sum()


@pytest.mark.parametrize("sigma", [0, 2, 10, 30, 55])
@pytest.mark.parametrize("name", SCENES)
def test_noise_that_was_clipped_is_not_lost(name: str, sigma: float) -> None:
    clean = SCENES[name]
    noisy, _ = struck(clean, Bernoulli, 0.0, sigma)
    assert lost(noisy, clean).mean() <= 0.001
    assert lost(noisy[:64, :64], clean[:64, :64]).mean() <= 0.003  # a crop, as in a training


@pytest.mark.parametrize(("name", "nature"), [("dark", Bernoulli), ("dark", SaltAndPepper), ("light", SaltAndPepper)])
def test_pictures_that_stay_within_the_reach_of_their_noise_are_repaired_too(
    name: str, nature: type[Bernoulli]
) -> None:
    clean = SCENES[name]  # nowhere as far from one end of the scale as three deviations of the noise
    noisy, hit = struck(clean, nature, 0.2, 30)
    found = lost(noisy, clean)
    assert (found & hit).sum() > 0.5 * hit.sum()
    assert (found & hit).sum() > 0.5 * found.sum()


@pytest.mark.parametrize("sigma", [10, 30, 55])
def test_flat_pictures_are_repaired_too(sigma: float) -> None:
    clean = np.full((90, 80), 0.5, np.float32)
    noisy, hit = struck(clean, Bernoulli, 0.1, sigma)
    found = lost(noisy, clean)
    assert found[hit].all()
    assert hit[found].mean() > 0.85  # at the end of the scale, one is as likely as the other


@pytest.mark.parametrize("sigma", [30, 55])
def test_a_crop_of_a_training_is_as_good_as_a_picture(sigma: float) -> None:
    clean = SCENES["mid"]
    noisy, hit = struck(clean, Bernoulli, 0.2, sigma)
    for top, left in ((0, 0), (60, 100)):
        crop = np.s_[top : top + 64, left : left + 64]
        found = lost(noisy[crop], clean[crop])
        assert (found & hit[crop]).sum() > 0.95 * hit[crop].sum()


@pytest.mark.parametrize("nature", [Bernoulli, SaltAndPepper])
@pytest.mark.parametrize("name", SCENES)
def test_only_what_was_found_changes_and_it_becomes_the_estimate(name: str, nature: type[Bernoulli]) -> None:
    clean = SCENES[name]
    noisy, _ = struck(clean, nature, 0.1, 10)
    found, after = lost(noisy, clean), repaired(noisy, clean)
    assert found.any()
    assert np.isin(noisy[found], (0, 1)).all()
    np.testing.assert_array_equal(after[~found], noisy[~found])
    np.testing.assert_array_equal(after[found], clean[found])
    assert after.dtype == noisy.dtype == np.float32


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", SCENES)
def test_numpy_and_torch_agree_whatever_the_shape(name: str, sigma: float) -> None:
    clean = SCENES[name]
    noisy, _ = struck(clean, SaltAndPepper, 0.1, sigma)
    tensors = [torch.from_numpy(x)[None] for x in (noisy, clean)]
    np.testing.assert_array_equal(lost(*tensors).numpy()[0], lost(noisy, clean))
    np.testing.assert_array_equal(repaired(*tensors).numpy()[0], repaired(noisy, clean))
    np.testing.assert_array_equal(lost(noisy.reshape(1, -1), clean.reshape(1, -1))[0], lost(noisy, clean).reshape(-1))
    colors = [np.stack([x, 0.9 * x, np.clip(x + 0.05, 0, 1)]) for x in (noisy, clean)]
    np.testing.assert_array_equal(lost(*map(torch.from_numpy, colors)).numpy(), lost(*colors))


@pytest.mark.parametrize("sigma", [20, 40])
@pytest.mark.parametrize("name", ["full", "dark"])
def test_whole_pixels_are_found_where_one_color_alone_would_not_tell(name: str, sigma: float) -> None:
    clean = np.stack([SCENES[name], 0.8 * SCENES[name] + 0.05, 0.6 * SCENES[name] + 0.1]).astype(np.float32)
    rng = np.random.default_rng(5)
    noisy = eight_bit(Gaussian(sigma).sample(clean, rng))
    hit = rng.random(clean.shape[1:]) < 0.1
    noisy = np.where(hit, np.float32(0), noisy)
    found = lost(noisy, clean)
    alone = np.stack([lost(y, x) for y, x in zip(noisy, clean, strict=True)])
    wrong = [int((f != hit).sum()) for f in (found, alone)]
    assert wrong[0] < 0.6 * wrong[1]
    # Colours that are lost one by one are found, too.
    each = np.where(np.random.default_rng(6).random(clean.shape) < 0.1, np.float32(0), eight_bit(clean))
    hits = each != eight_bit(clean)
    assert (lost(each, clean) & hits).sum() > 0.8 * hits.sum()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (40, 30)])
@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy])
def test_constant_pictures_are_what_their_estimate_says(library: Any, shape: tuple[int, int], value: float) -> None:
    picture = np.full(shape, value, np.float32)
    for estimate in (0.0, CONTRAST / 2, 0.5, 1 - CONTRAST / 2, 1.0):
        found = np.asarray(lost(library(picture), library(np.full_like(picture, estimate))))
        away = estimate if value == 0 else 1 - estimate
        assert found.all() if value != 0.5 and away > CONTRAST else not found.any()
