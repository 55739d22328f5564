"""The losses of CameraNet's three steps, against the paper's equations written out, and who learns from which."""

import numpy as np
import pytest
import torch

from quietlight.frames import UnusableInput
from quietlight.networks.cameranet import CameraNet
from quietlight.registry import build
from quietlight.train.objectives import OBJECTIVES

SMALL = {"width": 4, "rates": [1, 1]}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return {
        key: torch.rand(2, 3, 16, 16, generator=generator) - shift
        for key, shift in (("input", 0.2), ("restored", 0.0), ("enhanced", 0.0))
    }


def network(part="both"):
    torch.manual_seed(0)
    return CameraNet(part=part, **SMALL)


def objective(name, **arguments):
    return build(OBJECTIVES, name, "objective", arguments)


def equation_6(restored, truth, epsilon):
    logs = np.log(np.maximum(restored, epsilon)) - np.log(np.maximum(truth, epsilon))
    return np.abs(restored - truth).mean() + np.abs(logs).mean()


@pytest.mark.parametrize("epsilon", [1e-3, 1e-1])
def test_restoring_is_equation_6(batch, epsilon):
    net = network("restore")
    total = objective("restore", epsilon=epsilon)(net, batch, 0.0)["total"].item()
    restored = net(batch["input"]).detach().numpy()
    assert total == pytest.approx(equation_6(restored, batch["restored"].numpy(), epsilon), rel=1e-4)


@pytest.mark.parametrize("sees", ["restored", "input"])
def test_enhancing_is_equation_7_of_what_it_sees(batch, sees):
    net = network("enhance")
    total = objective("enhance", sees=sees)(net, batch, 0.0)["total"].item()
    expected = (net(batch[sees]) - batch["enhanced"]).abs().mean().item()
    assert total == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_joint_is_equation_9(batch, share):
    net = network()
    losses = objective("joint", restoration=share)(net, batch, 0.0)
    restored, enhanced = net(batch["input"], apart=True)
    first = equation_6(restored.detach().numpy(), batch["restored"].numpy(), 1e-3)
    second = (enhanced - batch["enhanced"]).abs().mean().item()
    assert losses["total"].item() == pytest.approx(share * first + (1 - share) * second, rel=1e-4)
    assert losses["restored"].item() == pytest.approx(first, rel=1e-4)
    losses["total"].backward()
    learns = {
        name: max(p.grad.abs().max().item() for p in getattr(net, name).parameters() if p.grad is not None) > 0
        for name in ("restorer", "enhancer")
    }
    # The picture teaches both nets; the light, which is before it, only the first.
    assert learns == {"restorer": True, "enhancer": share < 1}


@pytest.mark.parametrize(
    ("name", "part", "truth"),
    [("restore", "restore", "restored"), ("enhance", "enhance", "enhanced"), ("joint", "both", "enhanced")],
)
def test_scores_are_mean_decibels_of_clipped_pictures(batch, name, part, truth):
    net, learns = network(part), objective(name)
    output = net(batch["restored" if name == "enhance" else "input"]).detach().clip(0, 1)
    power = 1 / 2.2 if name == "restore" else 1  # light is compared as a display has it
    errors = (output**power - batch[truth] ** power).square().mean((1, 2, 3)).numpy()
    assert learns.score(net, batch).item() == pytest.approx((-10 * np.log10(errors)).mean(), abs=1e-3)


def test_shadows_weigh_as_an_eye_sees_them(batch):
    def loss(level):
        truth = torch.full_like(batch["restored"], level)
        net = lambda _: truth + 0.01  # noqa: E731
        return objective("restore")(net, {**batch, "restored": truth}, 0.0)["total"].item()

    assert loss(0.02) > 10 * loss(0.9)


def test_what_makes_no_sense_is_refused():
    for name, arguments, words in (
        ("restore", {"epsilon": 0}, "above black and below white"),
        ("joint", {"epsilon": 1}, "above black and below white"),
        ("joint", {"restoration": 1.5}, "a share from 0 to 1"),
        ("enhance", {"sees": "raw"}, "sees restored or input"),
    ):
        with pytest.raises(UnusableInput, match=words):
            objective(name, **arguments)
