"""The networks for packed raws: what they promise alike, how they are told the noise, and their budgets."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from quietlight import tiles
from quietlight.engine.costs import costs_of
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.networks.raw_input import ANCHOR, k_sigma, noise_map, undo_k_sigma
from quietlight.registry import build
from quietlight.train.recipe import load

RECIPES = Path(__file__).parents[2] / "recipes"
SMALL = {
    "fan": {"widths": [4, 6, 8], "encoder": [1, 1], "middle": 1, "decoder": [1, 1]},
    "raw-unet": {"width": 4, "encoder": [1, 1], "middle": 1, "decoder": [1, 1]},
}
VARIANTS = [
    *((name, {}) for name in SMALL),
    ("fan", {"condition": "k-sigma"}),
    ("fan", {"condition": "blind"}),
    ("fan", {"align": "concatenate"}),
]


@pytest.fixture
def made(stirred):
    def made(name, arguments):
        torch.manual_seed(0)
        return stirred(build(NETWORKS, name, "network", SMALL[name] | arguments))

    return made


def raws(count, rows, columns, shot=1e-3, read=1e-6):
    planes = torch.rand(count, 4, rows, columns)
    return planes, torch.full((count, 4, 1, 1), shot), torch.full((count, 4, 1, 1), read)


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_a_network_keeps_the_shape_and_uses_all_it_has(made, name, arguments):
    network = made(name, arguments).train()
    for rows, columns in ((1, 1), (3, 5)):
        planes, shot, read = raws(2, network.multiple * rows, network.multiple * columns)
        output = network(planes, shot, read)
        assert output.shape == planes.shape
    output.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_tiled_equals_untiled(made, name, arguments):
    network = made(name, arguments)

    def run(tile):
        planes = torch.from_numpy(np.moveaxis(tile, 2, 0)[None].copy())
        with torch.no_grad():
            return np.moveaxis(network(planes, *raws(1, 1, 1)[1:]).numpy()[0], 0, 2)

    picture = np.random.default_rng(0).random((88, 104, 4), np.float32)
    whole, tiled = (tiles.apply(run, picture, tile=n, margin=48, multiple=network.multiple) for n in (256, 48))
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


@pytest.mark.parametrize("arguments", [{}, {"condition": "k-sigma"}])
def test_a_network_that_is_told_more_noise_does_something_else(made, arguments):
    network = made("fan", arguments)
    planes, shot, read = raws(1, 16, 16)
    assert (network(planes, shot, read) - network(planes, 4 * shot, 4 * read)).abs().max() > 1e-3


def test_a_blind_network_does_not_look_at_the_noise_it_is_told(made):
    network = made("fan", {"condition": "blind"})
    planes, shot, read = raws(1, 16, 16)
    assert torch.equal(network(planes, shot, read), network(planes, 4 * shot, 4 * read))


def test_feature_align_begins_as_the_identity():
    fresh = build(NETWORKS, "fan", "network", SMALL["fan"])
    features, guide = torch.rand(2, 4, 6, 6), torch.rand(2, 8, 6, 6)
    assert torch.equal(fresh.aligns[0](features, guide), features)


def test_the_noise_map_is_the_deviation_and_dark_values_have_the_read_noise_alone():
    planes = torch.tensor([-0.5, 0.0, 0.25]).reshape(1, 1, 1, 3).expand(1, 4, 1, 3)
    shot, read = torch.full((1, 4, 1, 1), 0.04), torch.full((1, 4, 1, 1), 0.0016)
    expected = torch.tensor([0.04, 0.04, (0.01 + 0.0016) ** 0.5])
    torch.testing.assert_close(noise_map(planes, shot, read)[0, 0, 0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shot", [1e-5, 1e-3, 2e-2])
def test_k_sigma_makes_the_variance_proportional_to_the_mean_and_is_undone(shot):
    read, value = shot**2, 0.2
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 1, 300, 300, generator=generator) * (shot * value + read) ** 0.5
    variances = torch.full((1, 1, 1, 1), shot), torch.full((1, 1, 1, 1), read)
    values = k_sigma(value + noise, *variances)
    assert values.var() / values.mean() == pytest.approx(ANCHOR, rel=0.02)
    torch.testing.assert_close(undo_k_sigma(values, *variances), value + noise, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("recipe", "parameters", "gmac"), [("fan", 0.20e6, 2.7), ("fan-plus", 1.1e6, 10.0), ("fan-teacher", 4e6, 120.0)]
)
def test_budgets(recipe, parameters, gmac):
    network = load(RECIPES / f"{recipe}.toml").network
    costs = costs_of(SimpleNamespace(network=network.name, arguments=network.arguments))
    assert costs.parameters <= parameters
    assert costs.gmac <= gmac


def test_shapes_that_cannot_be_are_refused():
    with pytest.raises(UnusableInput, match="as many scales"):
        build(NETWORKS, "fan", "network", {"widths": [4, 8]})
    with pytest.raises(UnusableInput, match="condition is one of map"):
        build(NETWORKS, "fan", "network", {"condition": "told"})
