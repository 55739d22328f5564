"""The losses of raw denoisers: all levels of noise count alike, and a teacher's features see what pixels forgive."""

import json

import pytest
import torch
from torch import nn

from quietlight import zoo
from quietlight.frames import UnusableInput
from quietlight.networks.unet import RawUNet
from quietlight.registry import build
from quietlight.train.objectives import OBJECTIVES

SMALL = {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]}


@pytest.fixture
def teacher(tmp_path):
    torch.manual_seed(0)
    network = RawUNet(**SMALL)
    path = tmp_path / "teacher.safetensors"
    facts = {"multiple": str(network.multiple), "recipe": json.dumps({"data": {"name": "raws"}})}
    zoo.save(path, "raw-unet", SMALL, network.state_dict(), facts)
    return str(path)


def batch(size=16):
    torch.manual_seed(0)
    truth = torch.rand(3, 4, size, size)
    shot = torch.full((3, 4, 1, 1), 1e-2)
    return {"input": truth + 0.1 * torch.randn_like(truth), "truth": truth, "shot": shot, "read": shot**2}


class Told(nn.Module):
    """A network that gives what it is told to."""

    def __init__(self, output):
        super().__init__()
        self.output = nn.Parameter(output.clone())

    def forward(self, *_):
        return self.output


def loss_of(output, data, name="raw", share=0.9, **arguments):
    network = Told(output)
    losses = build(OBJECTIVES, name, "objective", arguments)(network, data, share)
    losses["total"].backward()
    return losses, network.output.grad


@pytest.mark.parametrize("domain", ["linear", "root"])
def test_every_sample_counts_by_the_ratio_of_its_error(domain):
    data = batch()
    error = 0.05 * torch.randn_like(data["truth"])
    weaker = error * torch.tensor([1.0, 0.1, 0.1]).reshape(3, 1, 1, 1)
    one, two = (loss_of(data["truth"] + e, data, domain=domain)[0]["total"] for e in (error, weaker))
    assert (one - two).item() == pytest.approx(2 / 3 * torch.log(torch.tensor(10.0)).item(), abs=0.01)


def test_the_root_weighs_shadows_more():
    data = batch()
    _, gradient = loss_of(data["truth"] + 0.03, data, domain="root")
    dark, bright = (gradient[mask].mean() for mask in (data["truth"] < 0.1, data["truth"] > 0.8))
    assert dark > 2 * bright
    _, gradient = loss_of(data["truth"] + 0.03, data, domain="linear")
    assert gradient.std() < 1e-3 * gradient.mean()


def test_the_score_is_the_mean_of_psnrs():
    data = batch()
    error = torch.tensor([0.1, 0.01, 0.001]).reshape(3, 1, 1, 1)
    score = build(OBJECTIVES, "raw", "objective", {}).score(Told(data["truth"] + error), data)
    assert score.item() == pytest.approx(40, abs=0.01)


@pytest.mark.parametrize("against", ["clean", "teacher"])
def test_features_count_from_their_share_of_the_run(teacher, against):
    data = batch()
    arguments = {"teacher": teacher, "after": 0.5, "against": against}
    early, _ = loss_of(data["input"], data, "feature-matching", share=0.4, **arguments)
    late, gradient = loss_of(data["input"], data, "feature-matching", share=0.6, **arguments)
    pixels, _ = loss_of(data["input"], data)
    assert early.keys() == {"total"}
    assert early["total"].item() == pixels["total"].item()
    assert late["features"] > 0
    assert late["total"].item() == pytest.approx((late["pixels"] + 0.5 * late["features"]).item(), rel=1e-5)
    assert gradient.abs().min() > 0


def test_features_of_the_clean_raw_match_themselves_and_the_teacher_stays_as_it_is(teacher):
    data = batch()
    before = zoo.read(teacher).tensors
    losses, _ = loss_of(data["truth"], data, "feature-matching", teacher=teacher)
    assert losses["features"].item() == pytest.approx(0, abs=1e-6)
    noisy, _ = loss_of(data["input"], data, "feature-matching", teacher=teacher)
    assert noisy["features"] > 0.01
    assert all((zoo.read(teacher).tensors[key] == value).all() for key, value in before.items())


def test_what_makes_no_sense_is_refused(tmp_path):
    with pytest.raises(UnusableInput, match="linear or root"):
        build(OBJECTIVES, "raw", "objective", {"domain": "log"})
    with pytest.raises(UnusableInput, match="clean or teacher"):
        build(OBJECTIVES, "feature-matching", "objective", {"teacher": "x", "against": "me"})
    with pytest.raises(UnusableInput, match="no weights"):
        loss_of(batch()["input"], batch(), "feature-matching", teacher="nobody")
