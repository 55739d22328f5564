"""A pool of statistics is computed once, and every round is another order of the same."""

import pytest
import torch

from quietlight import zoo
from quietlight.data import DATASETS
from quietlight.frames import UnusableInput
from quietlight.networks.noise_statistics import COUNT, statistics
from quietlight.networks.unet import UNet
from quietlight.registry import build

CPU = torch.device("cpu")
POOL = 12


@pytest.fixture
def data(make_photos, tmp_path):
    """A function (**arguments) -> the data set, looking through a denoiser that learnt nothing."""
    torch.manual_seed(0)
    arguments = {"channels": 1, "width": 4, "encoder": [1], "middle": 1, "decoder": [1]}
    path = tmp_path / "denoiser.safetensors"
    network = UNet(**arguments)
    zoo.save(path, "unet", arguments, network.state_dict(), {"multiple": str(network.multiple)})
    given = {"source": str(make_photos(2)), "table": "table1", "denoiser": str(path), "pool": POOL, "patch": 32}

    def make(**changes):
        return build(DATASETS, "noise-statistics", "data", {**given, **changes}, device=CPU, validation=False)

    return make


def test_samples_are_the_statistics_of_classed_photos(data):
    one = data()
    pictures = one.photos.batch(3, range(POOL))
    with torch.no_grad():
        wanted = statistics(pictures["input"], one.denoiser(pictures["input"]))
    batch = one.batch(3, range(POOL))
    assert batch["input"].shape == (POOL, COUNT)
    places = [int((wanted - row).abs().sum(1).argmin()) for row in batch["input"]]
    assert sorted(places) == list(range(POOL)) and places != sorted(places)
    torch.testing.assert_close(batch["input"], wanted[places], atol=1e-3, rtol=1e-3)
    assert torch.equal(batch["truth"], pictures["truth"][places])
    assert torch.equal(batch["level"], pictures["level"][places])


def test_every_round_shows_the_whole_pool_in_another_order_and_computes_nothing_anew(data, monkeypatch):
    one, elsewhere = data(), data()
    first = one.batch(0, range(POOL))
    later = elsewhere.batch(
        0, range(POOL + 3, 2 * POOL)
    )  # samples follow from seed and index, whatever was drawn before
    monkeypatch.setattr(one.photos, "batch", None)
    second = one.batch(0, range(POOL, 2 * POOL))
    assert all(torch.equal(later[key], second[key][3:]) for key in second)
    assert not torch.equal(first["input"], second["input"])
    assert sorted(first["input"][:, 0].tolist()) == sorted(second["input"][:, 0].tolist())


def test_a_pool_has_a_crop_at_least(data):
    with pytest.raises(UnusableInput, match="a pool has at least 1 crop, not 0"):
        data(pool=0)
