"""The loss of bursts: as a picture shows them, with every frame alone in the beginning, and absent ones never."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from quietlight.camera.tone import srgb_encode
from quietlight.frames import UnusableInput
from quietlight.networks.kpn import KPN
from quietlight.registry import build
from quietlight.train.burst_objectives import BORDER, basic_loss, shown
from quietlight.train.objectives import OBJECTIVES

SIDE = 24


def objective(**arguments):
    return build(OBJECTIVES, "kpn", "objective", arguments)


def batch(frames=4, present=4):
    torch.manual_seed(0)
    white = torch.tensor([0.2, 1.0]).reshape(2, 1, 1, 1)
    truth = torch.rand(2, 1, SIDE, SIDE) * white
    burst = truth[:, None] + 0.05 * torch.randn(2, frames, 1, SIDE, SIDE)
    there = (torch.arange(frames) < present).float().expand(2, frames)
    variance = torch.full((2, 1, 1, 1), 0.05**2)
    return {
        "frames": burst * there[:, :, None, None, None],
        "present": there,
        "truth": truth,
        "shot": variance,
        "read": variance,
        "white": white,
    }


class Told(nn.Module):
    """A network whose frames alone are what it is told; the merged one is their mean."""

    def __init__(self, singles):
        super().__init__()
        self.singles = nn.Parameter(singles.clone())

    def forward(self, frames, present, shot, read, apart=False):
        return self.singles if apart else self.singles.mean(1)


def test_values_are_compared_as_srgb_shows_them_and_have_a_slope_everywhere():
    linear = torch.linspace(-0.2, 3, 400).repeat(1, 1, 20, 1).requires_grad_()
    curve = shown(linear, torch.tensor(2.0))[0, 0, 0]
    scaled = (linear / 2)[0, 0, 0, BORDER:-BORDER].detach().numpy()
    inside = scaled <= 1
    np.testing.assert_allclose(curve.detach().numpy()[inside], srgb_encode(scaled[inside]), atol=1e-5)
    curve.sum().backward()
    slope = linear.grad[0, 0, BORDER, BORDER:-BORDER]
    assert slope.min() > 0.2
    assert (slope[~inside] == slope[-1]).all()
    assert slope[-1] == pytest.approx(slope[inside][-1].item(), rel=0.01)


def test_the_basic_loss_is_squares_and_half_the_gradients():
    truth = torch.rand(2, 3, 1, 6, 8)
    torch.testing.assert_close(basic_loss(truth + 0.1, truth), torch.full((2, 3), 0.01))
    steps = torch.arange(8) % 2 * 0.2 - 0.1
    torch.testing.assert_close(basic_loss(truth + steps, truth), torch.full((2, 3), 0.01 + 0.1))


@pytest.mark.parametrize(("share", "weight"), [(0, 100), (0.15, 1), (0.3 - 1e-9, 0.01), (0.3, 0), (0.9, 0)])
def test_single_frames_count_ever_less_until_they_are_left_out(share, weight):
    data = batch()
    network = Told(data["truth"][:, None] + 0.1 * torch.randn_like(data["frames"]))
    losses = objective()(network, data, share)
    plain = objective(weight=0.0)(network, data, share)["total"].item()
    singles = shown(network.singles, data["white"][:, None])
    alone = basic_loss(singles, shown(data["truth"], data["white"])[:, None]).sum(1).mean().item()
    assert losses["total"].item() == pytest.approx(plain + weight * alone, rel=1e-4)
    assert set(losses) == ({"total", "merged", "alone"} if weight else {"total"})


def test_the_white_level_makes_no_difference():
    data = batch()
    error = 0.1 * torch.randn_like(data["truth"])
    darker = data | {"truth": 0.1 * data["truth"], "white": 0.1 * data["white"]}
    one = objective()(Told((data["truth"] + error)[:, None].repeat(1, 4, 1, 1, 1)), data, 0.0)
    other = objective()(Told(0.1 * (data["truth"] + error)[:, None].repeat(1, 4, 1, 1, 1)), darker, 0.0)
    assert one["total"].item() == pytest.approx(other["total"].item(), rel=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_absent_frames_make_no_difference(share):
    torch.manual_seed(0)
    network = KPN(frames=4, widths=(4, 6, 8))
    one, other = batch(present=2), batch(present=2)
    other["frames"][:, 2:] = 9
    losses = [objective()(network, data, share)["total"].item() for data in (one, other)]
    assert losses[0] == losses[1]


def test_the_score_is_the_mean_of_psnrs_as_shown_within_the_border():
    data = batch()
    merged = data["truth"].clone()
    merged[:, :, :BORDER] = 7  # it does not count
    assert objective().score(Told(merged[:, None]), data).isinf()
    white = data | {"truth": data["white"].expand_as(data["truth"])}
    darker = torch.tensor([0.5, 0.9]).reshape(2, 1, 1, 1, 1) * white["truth"][:, None]
    expected = np.mean([-20 * math.log10(1 - srgb_encode(np.array(x))) for x in (0.5, 0.9)])
    assert objective().score(Told(darker), white).item() == pytest.approx(expected, rel=1e-4)


def test_what_makes_no_sense_is_refused():
    for arguments in ({"weight": -1.0}, {"until": 0.0}, {"until": 1.5}):
        with pytest.raises(UnusableInput, match="weight of single frames is 0 or more"):
            objective(**arguments)
