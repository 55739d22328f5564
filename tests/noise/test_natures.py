"""Every noise has the mean and the variance that it declares, on numpy and torch alike."""

import numpy as np
import pytest
import torch

from quietlight.frames import UnusableInput
from quietlight.noise import NOISES
from quietlight.noise.nature import eight_bit
from quietlight.noise.natures import Bernoulli, Gaussian, SaltAndPepper
from quietlight.noise.sensor import Physics, Row, ShotRead, tukey_lambda_variance, upi_read
from quietlight.registry import resolve

SIGNALS = (0.0, 0.02, 0.3, 0.9)
DRAWS = 200_000
# What `camera` declares is that before JPEG, by a usual camera; and a draw is a photo, not a pixel: its law is in test_camera.py.
EXACT = [name for name in NOISES if name != "camera"]


def numpy_sample(noise, signal):
    # One pixel per row, so that row noise is drawn afresh for each.
    x = np.full((DRAWS, 1), signal)
    return noise.sample(x, np.random.default_rng(5)), float(noise.mean(x)[0, 0]), float(noise.variance(x)[0, 0])


def torch_sample(noise, signal):
    x = torch.full((DRAWS, 1), signal, dtype=torch.float64)
    y = noise.sample(x, torch.Generator().manual_seed(5))
    return y.numpy(), float(noise.mean(x)[0, 0]), float(noise.variance(x)[0, 0])


@pytest.mark.parametrize("library", [numpy_sample, torch_sample])
@pytest.mark.parametrize("name", EXACT)
def test_mean_and_variance_are_the_declared_ones(name, library):
    nature = resolve(NOISES, name, "noise")
    for level in (nature.levels[1], (nature.levels[0] + nature.levels[1]) / 2):
        for signal in SIGNALS:
            y, mean, variance = library(nature.at(level), signal)
            centred = y - y.mean()
            measured = np.mean(centred**2)
            spread = np.sqrt((np.mean(centred**4) - measured**2) / DRAWS)
            assert abs(y.mean() - mean) <= 5 * np.sqrt(variance / DRAWS) + 1e-12
            assert abs(measured - variance) <= 5 * spread + 1e-3 * variance


@pytest.mark.parametrize("name", NOISES)
def test_same_seed_same_sample_of_the_same_type_and_shape(name):
    nature = resolve(NOISES, name, "noise")
    noise = nature.at(nature.levels[1])
    for shape in ((7, 5), (6, 4, 3)):
        x = np.random.default_rng(0).random(shape, np.float32)
        a, b, c = (noise.sample(x, np.random.default_rng(s)) for s in (1, 1, 2))
        assert a.dtype == np.float32 and a.shape == shape
        assert np.array_equal(a, b) and not np.array_equal(a, c)
        tensor = torch.from_numpy(np.moveaxis(np.atleast_3d(x), 2, 0))[None]
        t, u = (noise.sample(tensor, torch.Generator().manual_seed(1)) for _ in range(2))
        assert t.dtype == torch.float32 and t.shape == tensor.shape and torch.equal(t, u)


@pytest.mark.parametrize("name", NOISES)
def test_nonsense_parameters_are_refused(name):
    nature = resolve(NOISES, name, "noise")
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UnusableInput, match="cannot have"):
            nature(
                **({"shot": bad, "read": 0.1} if "shot" in nature.__dataclass_fields__ else {first_field(nature): bad})
            )


def first_field(nature):
    return next(iter(nature.__dataclass_fields__))


def test_unknown_noise_is_refused_by_name():
    with pytest.raises(UnusableInput, match="salt-and-pepper"):
        resolve(NOISES, "salt", "noise")


@pytest.mark.parametrize("noise", [Bernoulli(0.3), SaltAndPepper(0.3)])
def test_a_lost_pixel_is_lost_in_all_channels_unless_per_channel(noise):
    x = np.full((60, 50, 3), 0.5, np.float32)
    together = noise.sample(x, np.random.default_rng(0))
    assert np.all(together == together[..., :1])
    tensor = torch.full((2, 3, 60, 50), 0.5)
    pixels = noise.sample(tensor, torch.Generator().manual_seed(0))
    assert torch.equal(pixels, pixels[:, :1].expand_as(pixels)) and not torch.equal(pixels[0], pixels[1])
    alone = type(noise)(0.3, per_channel=True).sample(x, np.random.default_rng(0))
    assert np.any(alone != alone[..., :1])
    assert set(np.unique(together)) == ({0, 0.5} if isinstance(noise, Bernoulli) and noise.salt == 0 else {0, 0.5, 1})


def test_rows_are_bands():
    x = np.zeros((50, 40))
    band = Row(1e-4).sample(x, np.random.default_rng(0))
    assert np.ptp(band, axis=1).max() == 0 and np.ptp(band[:, 0]) > 0
    tensor = Row(1e-4).sample(torch.zeros(2, 4, 50, 40), torch.Generator().manual_seed(0))
    assert torch.equal(tensor, tensor[..., :1].expand_as(tensor)) and tensor[..., 0].unique().numel() == 2 * 4 * 50


def test_upi_line_is_in_natural_logarithms():
    assert upi_read(1e-2) == pytest.approx(1.45e-4, rel=0.01)
    draws = np.log([upi_read(1e-3, np.random.default_rng(s)) for s in range(300)]) - np.log(upi_read(1e-3))
    assert abs(draws.mean()) < 0.06 and draws.std() == pytest.approx(0.26, rel=0.15)


def test_negative_light_has_read_noise_only():
    noise = ShotRead(0.01, 1e-4)
    assert noise.variance(np.array([-0.5])) == pytest.approx(1e-4)


def test_tukey_variance_is_smooth_across_zero_and_matches_known_cases():
    near = [tukey_lambda_variance(shape) for shape in (-1.1e-3, -0.9e-3, 0.9e-3, 1.1e-3)]
    assert np.all(np.diff(near) < 0) and np.ptp(near) < 0.03
    assert tukey_lambda_variance(1.0) == pytest.approx(1 / 3)  # uniform in [-1, 1]
    with pytest.raises(UnusableInput, match="lambda"):
        Physics(1e-3, 1e-6, shape=-0.6)


def test_eight_bit_keeps_what_a_file_keeps():
    y = np.array([-0.2, 0.5 / 255 + 0.001, 0.7, 1.3], np.float32)
    assert np.array_equal(np.round(eight_bit(y) * 255), [0, 1, 178, 255]) and eight_bit(y).dtype == np.float32
    assert torch.equal(eight_bit(torch.from_numpy(y)), torch.from_numpy(eight_bit(y)))


def test_a_mixture_draws_normals_then_who_is_lost_then_what_they_become():
    """The order of draws that the fixed benchmarks are defined by."""
    x = np.random.default_rng(1).random((20, 30), np.float32)
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    mixed = eight_bit(SaltAndPepper(0.1).sample(Gaussian(20.0).sample(x, rng), rng))
    noisy = x + np.float32(20 / 255) * again.standard_normal(x.shape).astype(np.float32)
    lost, value = again.random(x.shape) < 0.1, again.random(x.shape) < 0.5
    expected = np.where(lost, value.astype(np.float32), noisy)
    assert np.array_equal(mixed, np.round(np.clip(expected, 0, 1) * 255) / 255)
