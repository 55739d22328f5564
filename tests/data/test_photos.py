"""A sample follows from its seed and index alone."""

import numpy as np
import pytest
import torch

from quietlight.data import DATASETS
from quietlight.data.pack import read_photos, write_pack
from quietlight.data.photos import VALIDATION_PATCH, NoisyPhotos
from quietlight.frames import UnusableInput
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
        with pytest.raises(UnusableInput, match="channels is 1 or 3"):
            NoisyPhotos(**{"source": str(folder), "noise": [], **change}, device=torch.device("cpu"), validation=False)
    with pytest.raises(UnusableInput, match="no photo is as large as a crop of 31"):
        photos(folder, patch=31)
