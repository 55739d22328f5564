"""What every network promises, and what some promise beyond."""

import numpy as np
import pytest
import torch

from quietlight import tiles
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.networks.dncnn import DnCNN
from quietlight.registry import build

SMALL = {
    "dncnn": {"depth": 5, "width": 8},
    "unet": {"width": 4, "encoder": [1, 1], "middle": 1, "decoder": [1, 1]},
}
# They give numbers instead of a picture: see their own tests.
CLASSIFIERS = ("mobilenet", "noise-classifier")
# They take the noise's variances beside the planes of a mosaic: see `test_raw_networks`.
RAWS = ("fan", "raw-unet")
# They take several frames: see `test_kpn`.
BURSTS = ("kpn",)
# They take linear XYZ: see `test_cameranet`.
CAMERAS = ("cameranet", "srgan-can", "deepisp")


PICTURES = [name for name in NETWORKS if name not in CLASSIFIERS + RAWS + BURSTS + CAMERAS]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", PICTURES)
def test_a_network_keeps_the_shape_and_uses_all_it_has(stirred, name, channels):
    network = stirred(build(NETWORKS, name, "network", {"channels": channels, **SMALL[name]})).train()
    for rows, columns in ((1, 1), (3, 5)):
        x = torch.rand(2, channels, 2 * network.multiple * rows, 2 * network.multiple * columns)
        output = network(x)
        assert output.shape == x.shape
    output.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_unknown_arguments_are_refused_with_the_known_ones(name):
    with pytest.raises(UnusableInput, match=r"unknown key colour; known are .*(channels|classes|width)"):
        build(NETWORKS, name, "network", {"colour": 3})


@pytest.mark.parametrize(
    ("name", "arguments", "shapes"),
    [
        ("unet", {"width": 4}, [(2, 1, 16, 24)]),
        ("fan", {"widths": [4, 6, 8]}, [(2, 4, 16, 24), (2, 4, 1, 1), (2, 4, 1, 1)]),
        ("kpn", {"frames": 3, "widths": [4, 6, 8]}, [(2, 3, 1, 16, 24), (2, 3), (2, 1, 1, 1), (2, 1, 1, 1)]),
        ("kpn", {"frames": 3, "widths": [4, 6, 8], "direct": True}, [(1, 3, 1, 16, 24), (1, 3), *[(1, 1, 1, 1)] * 2]),
    ],
)
def test_what_is_written_for_graphs_computes_the_same(stirred, name, arguments, shapes):
    network = stirred(build(NETWORKS, name, "network", arguments))
    inputs = [torch.rand(shape) for shape in shapes]
    with torch.no_grad():
        expected = network(*inputs)
        changed = [part for part in network.modules() if hasattr(part, "traced")]
        for part in changed:
            part.forward = part.traced
        torch.testing.assert_close(network(*inputs), expected, atol=1e-5, rtol=1e-4)
    assert changed


@pytest.mark.parametrize("norm", [True, False])
def test_a_folded_dncnn_computes_the_same(stirred, norm):
    network = stirred(DnCNN(3, depth=5, width=8, norm=norm)).train()
    folded = network.folded()
    assert network.training  # what is folded trains on
    assert not [layer for layer in folded.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    x = torch.rand(2, 3, 17, 23)
    with torch.no_grad():
        torch.testing.assert_close(folded(x), network.eval()(x), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "arguments", "margin"),
    # The shapes of the shipped recipes, narrower: how far they see depends on their depth alone.
    [
        ("unet", {"width": 4, "encoder": [2, 2], "middle": 3, "decoder": [1, 2]}, 56),
        ("unet", {"width": 4, "encoder": [2, 2], "middle": 3, "decoder": [1, 1]}, 56),
        ("dncnn", {"depth": 20, "width": 4, "norm": False}, 20),
    ],
)
def test_tiled_equals_untiled(stirred, name, arguments, margin):
    torch.manual_seed(0)
    network = build(NETWORKS, name, "network", arguments)
    # The deep stack of plain layers is near where it would blow up, so it is stirred less.
    stirred(network, 0.2 if name == "unet" else 0.03)

    def run(tile):
        with torch.no_grad():
            return network(torch.from_numpy(tile)[None, None]).numpy()[0, 0]

    picture = np.random.default_rng(0).random((187, 201), np.float32)
    whole, tiled = (tiles.apply(run, picture, tile=n, margin=margin, multiple=network.multiple) for n in (512, 48))
    assert np.abs(tiled - whole).max() <= 1e-4
    # A margin that is too small shows, or this would prove nothing.
    assert np.abs(tiles.apply(run, picture, tile=48, margin=0, multiple=network.multiple) - whole).max() > 1e-3


def test_shapes_that_cannot_be_are_refused():
    with pytest.raises(UnusableInput, match="as many scales"):
        build(NETWORKS, "unet", "network", {"encoder": [1], "decoder": [1, 1]})
    with pytest.raises(UnusableInput, match="depth is at least 2"):
        build(NETWORKS, "dncnn", "network", {"depth": 1})
    with pytest.raises(UnusableInput, match="network 'unet'"):
        build(NETWORKS, "unet", "network", {"width": -1})
