"""A sample follows from its seed and index alone."""

import numpy as np
import pytest
import torch

from quietlight.data import DATASETS
from quietlight.data.pack import read_photos, write_pack
from quietlight.data.photos import VALIDATION_PATCH, NoisyPhotos
from quietlight.frames import UnusableInput
from quietlight.noise.nature import eight_bit
from quietlight.noise.natures import Bernoulli, Gaussian
from quietlight.registry import build, resolve

GAUSSIAN = {"name": "gaussian", "level": [0, 55]}
DROP = {"name": "bernoulli", "level": [0, 0.2]}


def photos(source, noise=(GAUSSIAN,), validation=False, **arguments):
    given = {"device": torch.device("cpu"), "validation": validation}
    return build(DATASETS, "photos", "data", {"source": str(source), "noise": list(noise), **arguments}, **given)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_resolves(name):
    assert callable(resolve(DATASETS, name, "data").batch)


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_do_not_know_who_else_is_in_their_batch(make_photos, channels):
    folder = make_photos(4)
    data, elsewhere = (photos(folder, (GAUSSIAN, DROP), channels=channels, patch=20) for _ in range(2))
    whole = data.batch(7, range(10))
    assert whole["input"].shape == whole["truth"].shape == (10, channels, 20, 20)
    assert whole["input"].dtype == whole["truth"].dtype == torch.float32
    for part in ([9, 3], [0], [4, 5]):
        sample = elsewhere.batch(7, part)
        assert all(torch.equal(sample[key], whole[key][part]) for key in whole)
    assert not torch.equal(data.batch(8, [0])["truth"], whole["truth"][:1])


@pytest.mark.parametrize("gray", [True, False])
def test_crops_are_cut_out_of_the_photos_and_turned_all_eight_ways(make_photos, gray):
    folder = make_photos(2, 9, 11)  # one for training
    photo = next(read_photos(folder, False, gray))
    data = photos(folder, [], channels=1 if gray else 3, patch=8)
    crops = {
        (turns, mirrored, top, left): np.rot90(photo[top : top + 8, left : left + 8], turns)[
            :, :: -1 if mirrored else 1
        ]
        for turns in range(4)
        for mirrored in (False, True)
        for top in range(2)
        for left in range(4)
    }
    seen = set()
    for sample in data.batch(0, range(400))["truth"]:
        pixels = np.rint(sample.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        seen |= {where for where, crop in crops.items() if np.array_equal(crop, pixels)}
    assert seen == set(crops)


def test_levels_are_drawn_per_sample_and_8_bit_is_what_a_file_holds(make_photos):
    folder = make_photos(3)
    batch = photos(folder, [GAUSSIAN], patch=64, eight_bit=False).batch(0, range(200))
    sigmas = (batch["input"] - batch["truth"]).std((1, 2, 3)) * 255
    assert sigmas.min() < 3
    assert sigmas.max() > 52
    assert sigmas.mean() == pytest.approx(27.5, abs=3.5)
    fixed = photos(folder, [{"name": "gaussian", "level": 25}], eight_bit=False).batch(0, range(20))
    assert (fixed["input"] - fixed["truth"]).std() * 255 == pytest.approx(25, rel=0.02)
    stored = photos(folder, [{"name": "gaussian", "level": 200 / 3}, DROP]).batch(0, range(20))["input"] * 255
    assert torch.equal(stored, stored.round())
    assert (stored.min(), stored.max()) == (0, 255)
    lost = photos(folder, [{"name": "bernoulli", "level": 0.2}]).batch(0, range(20))["input"]
    assert (lost == 0).float().mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("chance", [0, 0.25, 0.8, 1])
def test_a_noise_strikes_as_often_as_its_chance_says(make_photos, chance):
    noise = [{"name": "gaussian", "level": 20, "chance": chance}, {"name": "bernoulli", "level": 0.2, "chance": 0.5}]
    batch = photos(make_photos(2), noise, patch=24).batch(0, range(400))
    lost = (batch["input"] == 0).float().mean((1, 2, 3)) > 0.05
    difference = (batch["input"] - batch["truth"]).abs().flatten(1).median(1).values * 255
    struck = difference > 5
    for flags, expected in ((struck, chance), (lost, 0.5), (struck & lost, chance / 2)):
        assert flags.float().mean() == pytest.approx(expected, abs=5 * (expected * (1 - expected) / 400) ** 0.5 + 1e-6)
    neither = ~struck & ~lost
    assert torch.equal(batch["input"][neither], batch["truth"][neither])


def test_a_noise_that_always_strikes_draws_no_number_for_it(make_photos):
    """So recipes without a chance go on as they did before there was one."""
    folder, levels = make_photos(2), [0, 55]
    always = [{**entry, "chance": 1} for entry in (GAUSSIAN, DROP)]
    data, same = (photos(folder, noise, patch=16) for noise in ((GAUSSIAN, DROP), always))
    for index in range(5):
        found = data.batch(3, [index])
        assert all(torch.equal(same.batch(3, [index])[key], found[key]) for key in found)
        rng, generator = np.random.default_rng([3, index]), torch.Generator()
        clean = data.crops.cut([rng])[0].float() / 255
        generator.manual_seed(int(rng.integers(2**63)))
        noisy = Gaussian(rng.uniform(*levels)).sample(clean, generator)
        noisy = Bernoulli(rng.uniform(0, 0.2)).sample(noisy, generator)
        assert torch.equal(eight_bit(noisy), found["input"][0])


@pytest.mark.parametrize("chance", [-0.1, 1.1, True, "often", float("nan")])
def test_a_chance_that_is_none_is_refused(make_photos, chance):
    with pytest.raises(UnusableInput, match="chance of a noise lies between 0 and 1"):
        photos(make_photos(2), [{**GAUSSIAN, "chance": chance}])


def test_validation_comes_from_its_own_photos_in_larger_crops(make_photos, tmp_path):
    folder = make_photos(4)
    held_out = photos(folder, [], validation=True, patch=20).batch(0, range(8))["truth"]
    assert held_out.shape[2:] == (VALIDATION_PATCH, VALIDATION_PATCH)
    for name, validation in (("training.pack", False), ("validation.pack", True)):
        write_pack(folder, tmp_path / name, validation, 1 << 22)
    packs = {"source": tmp_path / "training.pack", "held_out": str(tmp_path / "validation.pack")}
    packed = photos(**packs, noise=[], validation=True).batch(0, range(8))["truth"]
    assert (packed - held_out).abs().mean() < 0.04
    assert photos(**packs, noise=[], patch=20).batch(0, [0])["truth"].shape == (1, 1, 20, 20)
    with pytest.raises(UnusableInput, match=r"data\.held_out"):
        photos(packs["source"], [], validation=True)
    with pytest.raises(UnusableInput, match="a pack of the training part"):
        photos(packs["source"], [], validation=True, held_out=str(packs["source"]))


def test_nonsense_is_refused(make_photos):
    folder = make_photos(2, 30, 30)
    for change in ({"channels": 2}, {"patch": 0}, {"noise": "gaussian"}):
        with pytest.raises(UnusableInput, match="list of tables" if "noise" in change else "channels is 1 or 3"):
            NoisyPhotos(**{"source": str(folder), "noise": [], **change}, device=torch.device("cpu"), validation=False)
    with pytest.raises(UnusableInput, match="no photo is as large as a crop of 31"):
        photos(folder, patch=31)
