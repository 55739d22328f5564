"""What an objective promises to the trainer, and what a blind spot is."""

import numpy as np
import pytest
import torch
from torch import nn

from quietlight.engine.torch_engine import module_of
from quietlight.frames import UnusableInput
from quietlight.noise.nature import eight_bit
from quietlight.registry import build
from quietlight.systems import drops
from quietlight.train.objectives import OBJECTIVES, Classify, Noise2Void

ARGUMENTS = {"repaired": {"by": "tiny-{mode}"}}
"""Name -> arguments without which there is no such objective."""
ELSEWHERE = ("classify", "raw", "feature-matching", "kpn", "restore", "enhance", "joint")
"""Those of raws, of bursts and of CameraNet have tests of their own."""
DENOISING = [name for name in OBJECTIVES if name not in ELSEWHERE]


def batch(channels=1, size=24):
    torch.manual_seed(0)
    truth = torch.rand(3, channels, size, size)
    return {"input": truth + 0.1 * torch.randn_like(truth), "truth": truth}


def built(name, channels=1):
    mode = "color" if channels == 3 else "gray"
    arguments = {key: value.format(mode=mode) for key, value in ARGUMENTS.get(name, {}).items()}
    return build(OBJECTIVES, name, "objective", arguments)


@pytest.mark.parametrize("name", DENOISING)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_objective_has_a_loss_with_gradients_and_a_score(name, channels, tiny_zoo):
    objective = built(name, channels)
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


@pytest.mark.parametrize("name", ARGUMENTS)
def test_weights_that_there_are_not_are_refused(name):
    with pytest.raises(UnusableInput, match="no weights 'tiny-"):
        built(name)


class Says(nn.Module):
    """A network that says the same of everything."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, _):
        return self.output


class Seen(nn.Module):
    """A network that changes nothing and remembers what it was shown."""

    def forward(self, x):
        self.input = x
        return x


@pytest.fixture
def struck(monkeypatch):
    """A batch with lost pixels, whose primary says the truth of them."""
    torch.manual_seed(0)
    truth = 0.3 + 0.4 * torch.rand(12, 1, 24, 24)
    noisy = eight_bit(truth + 0.03 * torch.randn_like(truth))
    lost = torch.rand_like(truth) < 0.1
    noisy = torch.where(lost, (torch.rand_like(truth) < 0.5).float(), noisy)
    monkeypatch.setattr("quietlight.train.objectives.module_of", lambda _: Says(truth))
    return {"input": noisy, "truth": truth}, lost


def test_lost_pixels_are_repaired_but_in_every_fifth_sample(struck, tiny_zoo):
    data, lost = struck
    before = data["input"].clone()
    objective, network = built("repaired"), Seen()
    for run in (lambda: objective(network, data, 0.5), lambda: objective.score(network, data)):
        run()
        assert torch.equal(data["input"], before)  # the caller's own batch stays as it is
        for index, (seen, noisy, truth) in enumerate(zip(network.input, before, data["truth"], strict=True)):
            found = drops.lost(noisy, truth)
            assert (found == lost[index]).float().mean() > 0.98
            wanted = noisy if index % 5 == 4 else torch.where(found, truth, noisy)
            assert torch.equal(seen, wanted)
    assert objective(network, data, 0.0)["total"] == (network.input - data["truth"]).abs().mean()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_who_helps_to_learn_does_not_learn(name, tiny_zoo):
    objective = built(name)
    helper, data, network = objective.primary, batch(), nn.Conv2d(1, 1, 3, padding=1)
    before = {key: value.clone() for key, value in module_of(helper).state_dict().items()}
    objective(network, data, 0.0)["total"].backward()
    assert all(p.grad is None for p in module_of(helper).parameters())
    assert all(torch.equal(value, before[key]) for key, value in module_of(helper).state_dict().items())
    assert not module_of(helper).training


def classed(size=16, count=40, classes=4):
    """A batch of the last class clean; levels of the others between 0 and 1."""
    torch.manual_seed(0)
    truth = torch.arange(count) % classes
    level = torch.where(truth == classes - 1, 0.0, 0.1 + 0.8 * torch.rand(count))
    return {"input": eight_bit(torch.rand(count, 1, size, size)), "truth": truth, "level": level}


class Answers(nn.Module):
    """A classifier that gives fixed logits and levels and remembers what it was shown."""

    def __init__(self, logits, levels):
        super().__init__()
        self.output = nn.Parameter(torch.cat([logits, levels], dim=1))

    def forward(self, x):
        self.input = x
        return self.output


def test_classes_and_levels_are_what_is_learnt():
    data = classed()
    sure = 10.0 * nn.functional.one_hot(data["truth"], 4)
    levels = data["level"][:, None].expand(-1, 4)
    objective = Classify()
    right = objective(Answers(sure, levels), data, 0.0)
    assert right["level"] == 0
    assert right["total"] == right["class"] < 0.2
    wrong = objective(Answers(sure.roll(1, 1), levels), data, 0.0)
    assert wrong["class"] > 5
    assert objective.score(Answers(sure, levels), data) == 1
    assert objective.score(Answers(sure.roll(1, 1), levels), data) == 0
    # A level counts where the class has one, and of the true class alone.
    noisy = data["level"] > 0
    off = objective(Answers(sure, levels + 0.5), data, 0.0)
    assert off["level"].item() == pytest.approx(0.5 * float(noisy.float().mean()))
    assert (off["total"] - off["class"]).item() == pytest.approx(2.0 * off["level"].item())
    elsewhere = levels + 0.5 * (1 - nn.functional.one_hot(data["truth"], 4))
    assert objective(Answers(sure, elsewhere), data, 0.0)["level"] == 0
    assert Classify(level=0.0)(Answers(sure, levels + 1), data, 0.0)["total"] == right["total"]
    network = Answers(sure, levels + 0.5)
    objective(network, data, 0.0)["total"].backward()
    assert torch.equal(network.output.grad[:, 4:].abs().sum(1) > 0, noisy)
