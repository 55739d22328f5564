"""CameraNet and its rivals: the paper's counts, what each argument does, and stages that see parts of a frame."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from quietlight import tiles
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.engine.costs import costs_of
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.networks.cameranet import PRESETS, CameraNet, coded, uncoded
from quietlight.networks.stage import AdaptiveNorm
from quietlight.registry import build
from quietlight.train.recipe import load

RECIPES = Path(__file__).parents[2] / "recipes"
SMALL = {
    "cameranet": {"width": 4, "rates": [1, 2]},
    "srgan-can": {"width": 4},
    "deepisp": {"width": 4, "layers": 3, "looks": 2},
}
VARIANTS = [
    *((name, {}) for name in SMALL),
    ("cameranet", {"relative": True}),
    ("cameranet", {"global_branch": "none", "blocks": 2}),
    ("cameranet", {"global_branch": "scale", "norm": "abn"}),
    ("cameranet", {"rates": [1, 2, 1], "widest": 6}),
    ("cameranet", {"part": "restore"}),
    ("cameranet", {"part": "enhance", "relative": True}),
    ("srgan-can", {"relative": True, "fold": 2}),
    ("srgan-can", {"part": "enhance"}),
]
PAPER_MEGAPIXELS = 4.032 * 3.024


@pytest.fixture
def made(stirred):
    def made(name="cameranet", scale=0.1, **arguments):
        torch.manual_seed(0)
        return stirred(build(NETWORKS, name, "network", SMALL[name] | arguments), scale)

    return made


def costs(name, **arguments):
    return costs_of(SimpleNamespace(network=name, arguments=arguments))


def test_the_paper_s_size_is_the_paper_s():
    paper = costs("cameranet", **PRESETS["paper"])
    assert paper.parameters == pytest.approx(26.53e6, rel=0.001)
    assert 2 * paper.gmac * PAPER_MEGAPIXELS == pytest.approx(3306.69, rel=0.01)
    rival = costs("deepisp")
    assert rival.parameters == pytest.approx(0.629e6, rel=0.01)
    assert 2 * rival.gmac * PAPER_MEGAPIXELS == pytest.approx(12869.79, rel=0.01)


def test_light_takes_a_quarter_of_the_operations_at_most():
    paper, light = (costs("cameranet", **PRESETS[name]) for name in ("paper", "light"))
    assert light.gmac <= paper.gmac / 4
    assert light.parameters <= 2e6  # of which half-precision weights fit beside the others


def test_what_is_compared_costs_the_same():
    def of(name):
        network = load(RECIPES / f"{name}.toml").network
        return costs(network.name, **network.arguments).gmac

    whole = of("cameranet-short")
    for name in ("cameranet-short-one-stage", "cameranet-short-direct", "srgan-can-short", "srgan-can-short-one-stage"):
        assert of(name) == pytest.approx(whole, rel=0.03)
    for names in (("cameranet-restore", "cameranet-enhance"), ("srgan-can-short-restore", "srgan-can-short-enhance")):
        assert sum(map(of, names)) == pytest.approx(whole, rel=0.03)


def test_the_shipped_recipes_are_of_the_presets():
    for name, preset in (("cameranet", "light"), ("cameranet-paper-sid", "paper")):
        assert load(RECIPES / f"{name}.toml").network.arguments == PRESETS[preset]


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_a_network_keeps_the_shape_and_uses_all_it_has(made, name, arguments):
    network = made(name, **arguments).train()
    for rows, columns in ((1, 1), (3, 5)):
        x = torch.rand(2, 3, network.multiple * rows, network.multiple * columns)
        output = network(x)
        assert output.shape == x.shape
    output.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_both_stages_are_one_after_the_other_and_keep_their_names_apart(made):
    both = made()
    first, second = made(part="restore"), made(part="enhance")
    names = [set(network.state_dict()) for network in (first, second)]
    assert not names[0] & names[1]
    assert names[0] | names[1] == set(both.state_dict())
    both.load_state_dict(first.state_dict() | second.state_dict())
    x = torch.rand(1, 3, 24, 16)
    restored, enhanced = both(x, apart=True)
    torch.testing.assert_close(restored, first(x))
    torch.testing.assert_close(enhanced, second(first(x)))
    torch.testing.assert_close(both(x), enhanced)


def test_between_the_stages_lies_the_matrix_of_the_camera_s():
    np.testing.assert_allclose(CameraNet(**SMALL["cameranet"]).matrix[..., 0, 0], SRGB_FROM_XYZ, atol=1e-7)


def test_coded_light_is_uncoded_below_black_and_above_white():
    light = torch.linspace(-0.3, 3, 200, dtype=torch.float64)
    torch.testing.assert_close(uncoded(coded(light)), light)
    assert (coded(light).diff() > 0).all()
    torch.testing.assert_close(coded(-light), -coded(light))


@pytest.mark.parametrize("name", ["cameranet", "srgan-can"])
def test_a_relative_network_begins_as_the_identity(name):
    torch.manual_seed(0)
    network = build(NETWORKS, name, "network", SMALL[name] | {"relative": True})
    x = torch.rand(1, 3, 16, 24) - 0.1
    torch.testing.assert_close(network.restore(x), x)
    linear = torch.einsum("ij,bjhw->bihw", torch.tensor(SRGB_FROM_XYZ, dtype=torch.float32), x)
    torch.testing.assert_close(network(x), coded(linear), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("branch", "far"), [("none", False), ("scale", True), ("scale_shift", True)])
def test_only_the_global_branch_sees_farther_than_the_reach(made, branch, far):
    network = made(global_branch=branch)
    side = -(-2 * network.reach["restore"] // network.multiple) * network.multiple
    x = torch.rand(1, 3, 16, side + 16)
    other = torch.cat([x[..., :-8], x[..., -8:] + 5], 3)
    difference = (network.restore(x) - network.restore(other))[..., : side // 2 - 16].abs().max()
    assert (difference > 1e-4) == far


@pytest.mark.parametrize("arguments", [{"rates": [1, 2, 2]}, {"rates": [1, 1], "relative": True, "blocks": 2}])
@pytest.mark.parametrize("stage", ["restore", "enhance"])
def test_tiles_that_are_given_the_frame_s_means_leave_no_seams(made, stage, arguments):
    network = made(**arguments)

    def run(method, picture, given=(), **how):
        def on_tile(tile):
            with torch.no_grad():
                output = getattr(network, method)(torch.from_numpy(np.moveaxis(tile, 2, 0)[None].copy()), *given)
            return np.moveaxis(output.numpy()[0], 0, 2)

        return tiles.apply(on_tile, picture, border=0, multiple=network.multiple, **how)

    picture = np.random.default_rng(0).random((178, 203, 3), np.float32) ** 3 * np.linspace(0, 1, 203)[:, None]
    picture = picture.astype(np.float32)
    whole = run(stage, picture, tile=512)
    features = run(f"{stage}_features", picture, tile=40, margin=network.reach[stage], shrink=network.multiple)
    mean = torch.from_numpy(features.mean((0, 1)))[None]
    tiled = run(stage, picture, [mean], tile=40, margin=network.reach[stage])
    np.testing.assert_allclose(tiled, whole, atol=1e-4, rtol=1e-4)
    # Without the means, or with too small a margin, there are seams, or this would prove nothing.
    assert np.abs(run(stage, picture, tile=40, margin=network.reach[stage]) - whole).max() > 1e-3
    assert np.abs(run(stage, picture, [mean], tile=40, margin=0) - whole).max() > 1e-3


def test_adaptive_normalisation_begins_as_the_identity_and_then_normalises():
    torch.manual_seed(0)
    norm, x = AdaptiveNorm(3), 5 + 2 * torch.randn(4, 3, 8, 8)
    assert torch.equal(norm(x), x)
    with torch.no_grad():
        norm.kept.fill_(0)
        norm.normalised.fill_(1)
    normal = norm(x).detach()
    assert normal.mean().abs() < 1e-5
    assert normal.std().item() == pytest.approx(1, abs=1e-2)


def test_what_cannot_be_is_refused():
    for name, arguments, words in (
        ("cameranet", {"global_branch": "shift"}, "global_branch is one of none, scale, scale_shift"),
        ("cameranet", {"norm": "batch"}, "norm one of none, abn"),
        ("cameranet", {"rates": [1]}, "two scales or more"),
        ("cameranet", {"rates": [1, 0]}, "of one or more"),
        ("cameranet", {"widest": 0}, "of one or more"),
        ("cameranet", {"part": "first"}, "part is one of both, restore, enhance"),
        ("srgan-can", {"part": "first"}, "part is one of both, restore, enhance"),
    ):
        with pytest.raises(UnusableInput, match=words):
            build(NETWORKS, name, "network", arguments)
