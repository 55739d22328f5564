"""KPN: the shapes and costs of its variants, frames that are absent, and what its kernels say."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from quietlight import tiles
from quietlight.engine.costs import costs_of
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.networks.kpn import KPN
from quietlight.registry import build
from quietlight.train.recipe import load

RECIPES = Path(__file__).parents[2] / "recipes"
SMALL = {"frames": 3, "widths": [4, 6, 8]}
VARIANTS = [
    {},
    {"separable": True},
    {"channels": 4, "separable": True},
    {"frames": 1},
    {"blind": True},
    {"direct": True},
    {"size": 3, "widths": [4, 6, 6, 8, 8]},
]


@pytest.fixture
def made(stirred):
    def made(**arguments):
        torch.manual_seed(0)
        return stirred(KPN(**SMALL | arguments), 0.05)

    return made


def burst(network, rows=3, columns=5, count=2, absent=0):
    torch.manual_seed(1)
    size = network.multiple * rows, network.multiple * columns
    frames = torch.rand(count, network.frames, network.channels, *size)
    present = torch.ones(count, network.frames)
    present[:, network.frames - absent :] = 0
    shot = torch.full((count, network.channels, 1, 1), 1e-2)
    return frames, present, shot, shot**2


@pytest.mark.parametrize("arguments", VARIANTS)
def test_a_burst_becomes_a_frame_by_all_that_a_network_has(made, arguments):
    network = made(**arguments)
    for rows, columns in ((1, 1), (3, 5)):
        given = burst(network, rows, columns)
        merged = network(*given)
        assert merged.shape == given[0][:, 0].shape
    merged.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("absent", [0, 2])
def test_the_merged_frame_is_the_mean_of_what_present_frames_give_alone(made, separable, absent):
    network = made(separable=separable)
    given = burst(network, absent=absent)
    singles = network(*given, apart=True)
    assert singles.shape == given[0].shape
    torch.testing.assert_close(network(*given), singles[:, : 3 - absent].mean(1))  # all at once, and frame by frame:
    assert not singles[:, 3 - absent :].any()
    with torch.inference_mode():
        torch.testing.assert_close(network(*given), singles[:, : 3 - absent].mean(1))


def test_what_absent_frames_hold_makes_no_difference(made):
    network = made()
    frames, *rest = burst(network, absent=1)
    other = frames.clone()
    other[:, 2] = 7
    assert torch.equal(network(frames, *rest), network(other, *rest))


@pytest.mark.parametrize("separable", [False, True])
def test_masses_say_how_bright_the_parts_of_a_flat_burst_are(made, separable):
    network = made(separable=separable)
    frames, *rest = burst(network, absent=1)
    singles, mass = network.explain(torch.full_like(frames, 0.5), *rest)
    assert mass.shape == (2, 3, *frames.shape[-2:])
    inner = np.s_[..., 2:-2, 2:-2]
    torch.testing.assert_close(mass[inner] * 0.5, singles[:, :, 0][inner] / 2)
    assert not mass[:, 2].any()


@pytest.mark.parametrize("separable", [False, True])
def test_kernels_tell_what_of_which_value_is_in_the_merged_frame(made, separable):
    network = made(separable=separable)
    frames, *rest = burst(network, absent=1)
    weights = network.kernels(frames, *rest)
    assert weights.shape == (2, 3, 5, 5, *frames.shape[-2:])
    y, x = 9, 13
    around = frames[:, :, 0, y - 2 : y + 3, x - 2 : x + 3]
    torch.testing.assert_close((weights[..., y, x] * around).sum((1, 2, 3)), network(frames, *rest)[:, 0, y, x])


@pytest.mark.parametrize("separable", [False, True])
def test_kernels_begin_near_box_filters(separable):
    torch.manual_seed(0)
    fresh = KPN(separable=separable, **SMALL)
    frames, *rest = burst(fresh)
    assert fresh.explain(0.01 * frames, *rest)[1].sum(1).mean().item() == pytest.approx(1, abs=0.1)


def test_a_network_that_is_told_more_noise_does_something_else_unless_it_is_blind(made):
    for blind in (False, True):
        network = made(blind=blind)
        frames, present, shot, read = burst(network)
        difference = network(frames, present, shot, read) - network(frames, present, 16 * shot, 16 * read)
        assert bool(difference.abs().max() > 1e-4) is not blind


def test_half_precision_spares_what_needs_more(made):
    network = made()
    given = burst(network)
    with torch.autocast("cpu", torch.bfloat16):
        merged = network(*given)
    assert merged.dtype == torch.float32
    torch.testing.assert_close(merged, network(*given), atol=0.02, rtol=0.02)


def test_tiled_equals_untiled(made):
    network = made(channels=1, separable=True)

    def run(tile):
        frames = torch.from_numpy(np.moveaxis(tile, 2, 0)[None, :, None].copy())
        with torch.inference_mode():
            merged = network(frames, torch.ones(1, 3), *torch.full((2, 1, 1, 1, 1), 1e-3))
        return merged.numpy()[0, 0]

    picture = np.random.default_rng(0).random((88, 104, 3), np.float32)
    whole, tiled = (tiles.apply(run, picture, tile=n, margin=40, multiple=network.multiple) for n in (256, 48))
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "parameters", "gmac"),
    [
        # Counted by others of the authors' code, per megapixel of a frame.
        ({}, 28.7, 1068),
        ({"widths": [64, 128, 256]}, 3.34, 616),
        ({"frames": 1}, 27.4, 735),
        ({"separable": True}, 27.7, 813),
        ({"widths": [16, 32, 64, 128, 128], "separable": True}, 1.9, 91.7),
    ],
)
def test_costs_are_those_of_the_papers_network(arguments, parameters, gmac):
    costs = costs_of(SimpleNamespace(network="kpn", arguments=arguments))
    assert costs.parameters / 1e6 == pytest.approx(parameters, rel=5e-3)
    assert costs.gmac == pytest.approx(gmac, rel=1e-3)


def test_the_shipped_network_keeps_its_budget():
    network = load(RECIPES / "kpn.toml").network
    costs = costs_of(SimpleNamespace(network=network.name, arguments=network.arguments))
    assert costs.parameters <= 2e6
    assert costs.gmac <= 24


def test_what_cannot_be_is_refused(made):
    with pytest.raises(UnusableInput, match="three scales at least"):
        build(NETWORKS, "kpn", "network", {"widths": [4, 8]})
    with pytest.raises(UnusableInput, match="kernels of odd size"):
        build(NETWORKS, "kpn", "network", {"size": 4})
    direct = made(direct=True)
    with pytest.raises(ValueError, match="no kernels"):
        direct.explain(*burst(direct))
