"""Packed raws made of photos: they follow from seed and index alone, and have the noise that they say they have."""

import numpy as np
import pytest
import torch

from quietlight.camera.bayer import pack
from quietlight.camera.unprocess import fixed_camera, mosaic, random_camera, sensor_planes, unprocess
from quietlight.data import DATASETS
from quietlight.frames import BAYER, UnusableInput
from quietlight.registry import build


def raws(source, validation=False, **arguments):
    given = {"device": torch.device("cpu"), "validation": validation}
    return build(DATASETS, "raws", "data", {"source": str(source), **arguments}, **given)


def test_samples_do_not_know_who_else_is_in_their_batch(make_photos):
    folder = make_photos(4)
    data = raws(folder, patch=24)
    whole = data.batch(7, range(10))
    assert whole["input"].shape == whole["truth"].shape == (10, 4, 12, 12)
    assert whole["shot"].shape == whole["read"].shape == (10, 4, 1, 1)
    for part in ([9, 3], [0], [4, 5]):
        sample = data.batch(7, part)
        assert all(torch.equal(sample[key], whole[key][part]) for key in whole)
    assert not torch.equal(data.batch(8, [0])["truth"], whole["truth"][:1])
    assert raws(folder, validation=True).batch(0, [0])["truth"].shape == (1, 4, 96, 96)


def test_the_noise_is_as_strong_as_it_is_said_to_be(make_photos):
    batch = raws(make_photos(4), patch=64).batch(1, range(48))
    noise = (batch["input"] - batch["truth"]).double()
    variance = (batch["shot"] * batch["truth"] + batch["read"]).double()
    share = (noise.square() / variance).mean((1, 2, 3))
    assert share.mean().item() == pytest.approx(1, abs=0.01)
    assert (share - 1).abs().max() < 0.15
    assert (batch["input"] < 0).any()  # never clipped
    assert batch["truth"].min() >= 0
    assert batch["truth"].max() <= 1


def test_shots_fill_their_range_evenly_in_their_logarithm(make_photos):
    shots = raws(make_photos(2), patch=16, shot=[1e-4, 1e-2]).batch(3, range(400))["shot"][:, 0, 0, 0].log10()
    assert -4 <= shots.min() < -3.9 < -2.1 < shots.max() <= -2
    assert shots.mean().item() == pytest.approx(-3, abs=0.1)


def test_half_of_the_pictures_are_darker(make_photos):
    one = raws(make_photos(2), patch=16)
    means = one.batch(5, range(300))["truth"].mean((1, 2, 3))
    assert 0.02 < (means < 0.4 * means.median()).float().mean() < 0.5


@pytest.mark.parametrize("cfa", BAYER)
def test_numpy_and_torch_make_the_same_raw(cfa):
    display = np.random.default_rng(0).random((16, 20, 3))
    for rendering in (fixed_camera("B"), random_camera(np.random.default_rng(1))):
        expected = pack(mosaic(unprocess(display, rendering), cfa), cfa)
        found = sensor_planes(unprocess(torch.from_numpy(display), rendering), cfa)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("arguments", [{"patch": 31}, {"shot": [1e-3]}, {"shot": [1e-2, 1e-3]}, {"shot": [0, 1e-3]}])
def test_what_makes_no_sense_is_refused(make_photos, arguments):
    with pytest.raises(UnusableInput, match=r"patch is even|shot is a range"):
        raws(make_photos(1), **arguments)
