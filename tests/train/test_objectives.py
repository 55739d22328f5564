"""What an objective promises to the trainer, and what a blind spot is."""

import numpy as np
import pytest
import torch
from torch import nn

from quietlight.frames import UnusableInput
from quietlight.registry import build
from quietlight.train.objectives import OBJECTIVES, Noise2Void


def batch(channels=1, size=24):
    torch.manual_seed(0)
    truth = torch.rand(3, channels, size, size)
    return {"input": truth + 0.1 * torch.randn_like(truth), "truth": truth}


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_objective_has_a_loss_with_gradients_and_a_score(name, channels):
    objective = build(OBJECTIVES, name, "objective", {})
    network = nn.Conv2d(channels, channels, 3, padding=1)
    losses = objective(network, batch(channels), 0.5)
    assert all(value.ndim == 0 for value in losses.values())
    losses["total"].backward()
    assert network.weight.grad.abs().min() > 0
    perfect, noisy = (
        objective.score(net, batch(channels)) for net in (lambda x: batch(channels)["truth"], nn.Identity())
    )
    assert perfect > noisy
    assert noisy == pytest.approx(20, abs=1)


@pytest.mark.parametrize("norm", ["l1", "l2", "charbonnier"])
def test_norms_of_a_known_difference(norm):
    data = batch()
    loss = build(OBJECTIVES, "pixel", "objective", {"norm": norm})(lambda _: data["truth"] + 0.5, data, 0.0)["total"]
    assert loss.item() == pytest.approx(0.25 if norm == "l2" else 0.5, rel=1e-3)


@pytest.mark.parametrize(("height", "width"), [(24, 24), (29, 16), (8, 9)])
def test_each_cell_has_one_blind_spot_that_shows_a_neighbour(height, width):
    # Every pixel has a value of its own, so that one sees where it came from.
    place = torch.arange(height * width, dtype=torch.float32)
    noisy = torch.stack([place, place + 10000]).reshape(1, 2, height, width).repeat(50, 1, 1, 1)
    spots, masked = Noise2Void().masked(noisy)
    rows, columns = spots // width, spots % width
    cells = (rows // 8) * (width // 8) + columns // 8
    assert torch.equal(cells, torch.arange(cells.shape[2]).expand_as(cells))
    assert torch.equal(spots[:, 0], spots[:, 1])
    changed = masked != noisy
    assert torch.equal(changed.flatten(2).sum(2), torch.full((50, 2), spots.shape[2]))
    source = masked.flatten(2).gather(2, spots)[:, 0].long()
    away = torch.stack([source // width - rows[:, 0], source % width - columns[:, 0]])
    assert away.abs().max() <= 2
    assert away.abs().amax(0).min() >= 1  # never the pixel itself
    assert torch.equal(masked.flatten(2).gather(2, spots)[:, 1], source + 10000)
    if height == width:
        seen = np.unique(away.reshape(2, -1).numpy(), axis=1).shape[1]
        assert seen == 24  # all of the window, but the middle


def test_only_blind_spots_teach():
    output = torch.zeros(3, 1, 24, 24, requires_grad=True)
    Noise2Void()(lambda _: output, batch(), 0.0)["total"].backward()
    assert torch.count_nonzero(output.grad) == 3 * 9


def test_blind_spots_need_room():
    with pytest.raises(UnusableInput, match="too small"):
        Noise2Void().masked(torch.zeros(1, 1, 4, 4))
    with pytest.raises(UnusableInput, match="odd window"):
        Noise2Void(window=4)


def test_a_network_learns_from_noisy_pictures_alone():
    torch.manual_seed(1)
    x = torch.linspace(0, 6, 32)
    clean = 0.5 + 0.3 * torch.sin(x[:, None] + x)[None, None].repeat(8, 1, 1, 1)
    network = nn.Conv2d(1, 1, 5, padding=2)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    objective = Noise2Void(cell=4)
    for _ in range(150):
        optimiser.zero_grad()
        objective(network, {"input": clean + 0.1 * torch.randn_like(clean)}, 0.0)["total"].backward()
        optimiser.step()
    test = {"input": clean + 0.1 * torch.randn_like(clean), "truth": clean}
    with torch.no_grad():
        assert objective.score(network, test) > objective.score(nn.Identity(), test) + 3
