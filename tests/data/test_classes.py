"""Crops of every class are equally frequent, follow from seed and index alone, and have the noise that they are said to have."""

import numpy as np
import pytest
import torch

from quietlight import zoo
from quietlight.data import DATASETS
from quietlight.data import classes as module
from quietlight.data.classes import VALIDATION_PATCH, ClassedPhotos
from quietlight.frames import UnusableInput
from quietlight.networks.unet import UNet
from quietlight.noise.classes import TABLES
from quietlight.noise.nature import eight_bit
from quietlight.registry import build

CPU = torch.device("cpu")
DROPS = ("bernoulli", "salt-and-pepper")


def classes(source, table="table1", validation=False, **arguments):
    given = {"device": CPU, "validation": validation}
    return build(DATASETS, "classes", "data", {"source": str(source), "table": table, **arguments}, **given)


@pytest.fixture
def flat(monkeypatch, make_photos):
    """A folder of photos, and nothing in their crops but one gray: what differs from it is noise."""

    def gray(self, scene, _):
        return torch.full((len(scene), self.patch, self.patch), 0.5)

    monkeypatch.setattr(ClassedPhotos, "_varied", gray)
    return make_photos(2, 80, 80)


def test_samples_do_not_know_who_else_is_in_their_batch(make_photos):
    folder = make_photos(3)
    data, elsewhere = (classes(folder, patch=32) for _ in range(2))
    whole = data.batch(7, range(24))
    assert whole["input"].shape == (24, 1, 32, 32)
    assert (whole["input"].dtype, whole["truth"].dtype, whole["level"].dtype) == (
        torch.float32,
        torch.int64,
        torch.float32,
    )
    for part in ([23, 3], [0], [4, 5, 6]):
        sample = elsewhere.batch(7, part)
        assert all(torch.equal(sample[key], whole[key][part]) for key in whole)
    other = data.batch(8, range(24))
    assert not any(torch.equal(other[key], whole[key]) for key in whole)


@pytest.mark.parametrize("table", TABLES)
def test_classes_are_equally_frequent_and_levels_lie_within_them(flat, table):
    count = 60 * len(TABLES[table])
    batch = classes(flat, table, patch=8).batch(0, range(count))
    frequencies = torch.bincount(batch["truth"], minlength=len(TABLES[table]))
    assert len(frequencies) == len(TABLES[table])
    assert (frequencies - 60).abs().max() <= 5 * 60**0.5
    for index, noise in enumerate(TABLES[table]):
        levels = batch["level"][batch["truth"] == index] * (noise.high or 1)
        assert levels.min() >= noise.low - 1e-4
        assert levels.max() <= noise.high + 1e-4
        if noise.nature and noise.high > noise.low:  # all of the range
            assert levels.max() - levels.min() > 0.85 * (noise.high - noise.low)
            assert levels.min() > 0  # a level of 0 means clean


def test_the_noise_is_that_of_its_class_and_level(flat):
    batch = classes(flat, patch=40).batch(0, range(330))
    stored = batch["input"] * 255
    assert torch.equal(stored, stored.round())
    assert (stored.min(), stored.max()) == (0, 255)
    wanted = {
        "gaussian": lambda level: level / 255,
        "speckle": lambda level: 0.5 * level / 255,
        "uniform": lambda level: level / 255 / 3**0.5,
        "poisson": lambda level: (0.5 / level) ** 0.5,
    }
    for picture, index, share in zip(batch["input"], batch["truth"], batch["level"], strict=True):
        noise = TABLES["table1"][index]
        level = float(share) * noise.high
        if not noise.nature:
            assert (picture == picture[0, 0, 0]).all()
        elif noise.nature in wanted:
            expected = (wanted[noise.nature](level) ** 2 + 1 / 12 / 255**2) ** 0.5
            # What is below one gray level is rounded away.
            assert float(picture.std()) == pytest.approx(expected, rel=0.1, abs=0.4 / 255)


def test_lost_pixels_lie_over_other_noises_and_are_black_or_black_and_white(flat):
    batch = classes(flat, "natures", patch=40).batch(1, range(600))
    lost = [n.nature in DROPS for n in TABLES["natures"]].index(True)
    drops, levels = (batch[key][batch["truth"] == lost] for key in ("input", "level"))
    p = levels * TABLES["natures"][lost].high
    ends = ((drops == 0) | (drops == 1)).float().mean((1, 2, 3))
    assert (ends - p).min() > -5 * (0.25 / 40**2) ** 0.5
    black, white = ((drops == v).any(3).any(2)[:, 0] for v in (0, 1))
    assert (black | (p < 0.01)).all()
    assert 0.25 < (black & ~white).float().mean() < 0.7
    middle = [x[(x > 0) & (x < 1)] for x in drops]
    # Beneath them lies another noise, or the photo alone.
    alone = np.mean([bool((x == x[0]).all()) for x in middle])
    assert 0.08 < alone < 0.4
    assert np.median([float(x.std()) for x in middle]) > 2 / 255


def test_planes_of_color_photos_are_lumas_and_colors_and_camera_noise_strikes_all_colors(flat, monkeypatch):
    scene = torch.tensor([10, 100, 200], dtype=torch.uint8)[:, None, None].expand(3, 4, 4)
    seen = [float(module._plane(scene, np.random.default_rng(index)).float().mean()) for index in range(60)]
    assert set(seen) == {10, 100, 200, 84}  # 84: Rec. 601
    assert 20 < seen.count(84) < 40
    shapes = []
    monkeypatch.setattr(
        ClassedPhotos, "_struck", lambda _, x, noise, rng: (shapes.append((noise.nature, len(x))), (x, 1.0))[1]
    )
    batch = classes(flat, "table1-camera", patch=8).batch(0, range(300))
    assert batch["input"].shape == (300, 1, 8, 8)
    assert {channels for nature, channels in shapes if nature == "camera"} == {1, 3}
    assert {channels for nature, channels in shapes if nature != "camera"} == {1}


def test_half_of_the_clean_samples_are_noisy_ones_cleaned(flat, tmp_path):
    torch.manual_seed(0)
    arguments = {"channels": 1, "width": 4, "encoder": [1], "middle": 1, "decoder": [1]}
    network = UNet(**arguments)
    path = tmp_path / "cleaner.safetensors"
    zoo.save(path, "unet", arguments, network.state_dict(), {"multiple": str(network.multiple)})
    data = classes(flat, patch=40, cleaned_by=str(path))
    batch, plain = data.batch(0, range(400)), classes(flat, patch=40).batch(0, range(400))
    clean = batch["level"] == 0
    assert torch.equal(batch["truth"], plain["truth"])
    changed = (batch["input"] != plain["input"]).flatten(1).any(1)
    assert not changed[~clean].any()
    assert 0.2 < changed[clean].float().mean() < 0.8
    assert torch.equal(batch["input"], eight_bit(batch["input"]))


def test_scenes_are_photos_of_other_tones_and_histories(make_photos):
    data = classes(make_photos(2), patch=32)
    scene = data.crops.cut([np.random.default_rng(0)])[0]
    scene, mean, varied = scene[:1], float(scene[:1].float().mean()) / 255, []
    for index in (*range(60), 3):
        data.generator.manual_seed(index)
        varied.append(data._varied(scene, np.random.default_rng(index)))
        assert varied[-1].shape == (1, 32, 32)
        assert torch.equal(varied[-1], eight_bit(varied[-1]))
    means = [float(x.mean()) for x in varied]
    assert mean**1.5 - 0.05 < min(means) < mean - 0.1
    assert mean + 0.05 < max(means) < mean**0.7 + 0.05
    assert torch.equal(varied[3], varied[60])
    assert len({x.numpy().tobytes() for x in varied}) == 60


def test_the_papers_photos_are_rescaled_and_have_the_noise_of_their_class_alone(make_photos):
    folder = make_photos(104, 20, 24)

    def rescaled(validation, **more):
        given = {"device": CPU, "validation": validation}
        return build(DATASETS, "rescaled-classes", "data", {"source": str(folder), "table": "table1", **more}, **given)

    data, held_out = rescaled(False), rescaled(True)
    assert (len(data.pixels), len(held_out.pixels)) == (100, 2)  # and as many for an evaluation
    whole = data.batch(7, range(12))
    assert whole["input"].shape == (12, 1, 224, 224)
    assert all(torch.equal(data.batch(7, [5])[key], whole[key][5:6]) for key in whole)
    clean = (data.pixels.float() / 255).flatten(1)
    drops = [n.nature in DROPS for n in TABLES["table1"]].index(True)
    seen = set()
    for picture, truth in zip(*(data.batch(0, range(90))[key] for key in ("input", "truth")), strict=True):
        scene = clean[(clean - picture.flatten()).square().mean(1).argmin()]
        changed = picture.flatten() != scene
        seen.add(int(truth))
        if not TABLES["table1"][truth].nature:
            assert not changed.any()
        if truth == drops:  # black, with nothing beneath
            assert (picture.flatten()[changed] == 0).all()
    assert len(seen) == len(TABLES["table1"])
    with pytest.raises(UnusableInput, match="holds 49 photos, and 50 are the least"):
        rescaled(False, photos=49)
    (folder / "photo00.jpg").write_bytes(b"nothing")
    with pytest.raises(UnusableInput, match=r"photo00\.jpg: cannot be read"):
        rescaled(False)


def test_validation_comes_from_its_own_photos_in_crops_as_the_papers(make_photos, tmp_path):
    folder = make_photos(2, 2 * VALIDATION_PATCH, 2 * VALIDATION_PATCH + 3)
    held_out = classes(folder, validation=True, patch=16)
    assert held_out.batch(0, [0])["input"].shape == (1, 1, VALIDATION_PATCH, VALIDATION_PATCH)
    training = classes(folder, patch=16).crops
    assert not torch.equal(held_out.crops.pixels, training.pixels)


def test_nonsense_is_refused(make_photos):
    folder = make_photos(2, 60, 60)
    with pytest.raises(UnusableInput, match="unknown table of classes 'table2': it is one of table1"):
        classes(folder, "table2")
    with pytest.raises(UnusableInput, match="no photo is as large as a crop of 64"):
        classes(folder, patch=32)
    with pytest.raises(UnusableInput, match="the key table is missing"):
        build(DATASETS, "classes", "data", {"source": str(folder)}, device=CPU, validation=False)
    with pytest.raises(UnusableInput, match="patch at least 1"):
        classes(folder, patch=0)
