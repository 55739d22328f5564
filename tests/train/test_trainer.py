"""Training is a function of recipe and data alone, however often it is interrupted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from quietlight import zoo
from quietlight.data.photos import NoisyPhotos
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.networks.cameranet import CameraNet
from quietlight.networks.mobilenet import MobileNetV2
from quietlight.registry import build
from quietlight.train import checkpoint, trainer
from quietlight.train.recipe import from_json
from quietlight.train.trainer import train

RECIPES = [path.stem for path in sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))]
LAST = "step-00000006.safetensors"
SLEEPS_AT_STEP_5 = """
import sys, time, torch
from pathlib import Path
from quietlight.train import trainer
from quietlight.train.recipe import from_json

def watch(status):
    print(status.step, flush=True)
    if status.step == 5:
        time.sleep(60)

torch.set_num_threads(1)
trainer.VALIDATION_SAMPLES, trainer.WATCH_SECONDS = 2, -1.0
trainer.train(from_json(sys.argv[1]), Path(sys.argv[2]), watch=watch)
"""


class Killed(Exception):
    pass


def killed_at(step):
    def watch(status):
        if status.step == step:
            raise Killed

    return watch


def content(path):
    """All that a file holds; its header is in no fixed order."""
    with safe_open(path, "np") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        return file.metadata(), {key: (value.dtype, value.shape, value.tobytes()) for key, value in tensors.items()}


def lines(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_takes_two_steps(name, miniature, tmp_path):
    recipe = miniature(name)
    path = train(recipe, tmp_path)
    weights = zoo.read(str(path))
    network = build(NETWORKS, weights.network, "network", weights.arguments)
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
    assert from_json(weights.metadata["recipe"]).optimiser == recipe.optimiser
    assert str(tmp_path.parent) not in weights.metadata["recipe"]
    assert weights.metadata["steps"] == "2"
    assert lines(tmp_path)[-1]["validation"] == pytest.approx(float(weights.metadata["validation"]), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "change"),
    [("unet-gray", "accumulate=2"), ("dncnn-s", "optimiser.decay=1e-4"), ("noise2void-gray", "average=0.9")],
)
def test_three_steps_and_three_equal_six_bit_for_bit(name, change, miniature, tmp_path):
    recipe = miniature(name, "steps=6", "validate=3", change)
    whole = train(recipe, tmp_path / "whole")
    with pytest.raises(Killed):
        train(recipe, tmp_path / "legs", watch=killed_at(5))
    assert checkpoint.latest(tmp_path / "legs").name == "step-00000003.safetensors"
    legs = train(recipe, tmp_path / "legs")
    # A checkpoint holds parameters, buffers, their averages and the optimiser's moments.
    assert content(tmp_path / "whole" / LAST) == content(tmp_path / "legs" / LAST)
    assert content(whole) == content(legs)


def test_killed_with_signal_9_it_goes_on_as_if_nothing_had_happened(miniature, photos, tmp_path):
    recipe = miniature("unet-gray", "steps=6", "validate=2")
    command = [sys.executable, "-c", SLEEPS_AT_STEP_5, recipe.to_json(), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=photos.parent) as process:
        assert any(line.strip() == "5" for line in process.stdout)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert checkpoint.latest(tmp_path / "killed").name == "step-00000004.safetensors"
    again, whole = train(recipe, tmp_path / "killed"), train(recipe, tmp_path / "whole")
    assert content(tmp_path / "killed" / LAST) == content(tmp_path / "whole" / LAST)
    assert content(again) == content(whole)


def test_legs_of_a_budget_keep_to_their_time_and_equal_one_long_run(miniature, tmp_path, monkeypatch):
    recipe = miniature("unet-gray", "steps=6", "validate=4")
    whole = train(recipe, tmp_path / "whole")
    now, batch = 0.0, NoisyPhotos.batch

    def slow_batch(self, seed, indices):
        nonlocal now
        now += 10.0
        return batch(self, seed, indices)

    monkeypatch.setattr(NoisyPhotos, "batch", slow_batch)
    monkeypatch.setattr(trainer, "time", SimpleNamespace(monotonic=lambda: now))
    legs, done = 0, None
    while not done:
        legs, before = legs + 1, now
        done = train(recipe, tmp_path / "legs", budget=50.0)
        assert now - before <= 50.0
        assert checkpoint.latest(tmp_path / "legs") is not None
    assert legs > 1
    assert content(done) == content(whole)
    assert content(train(recipe, tmp_path / "legs", budget=50.0)) == content(whole)


def test_a_budget_that_is_over_already_still_gets_on(miniature, tmp_path):
    recipe = miniature("unet-gray")
    assert train(recipe, tmp_path, budget=0.0) is None
    assert checkpoint.latest(tmp_path).name == "step-00000001.safetensors"


def test_parts_of_unequal_size_weigh_by_their_samples(miniature, tmp_path):
    for accumulate in (1, 2, 3):
        train(miniature("unet-gray", "batch=5", "steps=3", f"accumulate={accumulate}"), tmp_path / str(accumulate))
    one, two, three = (lines(tmp_path / str(n)) for n in (1, 2, 3))
    for parts in (two, three):
        for whole, part in zip(one, parts, strict=True):
            assert part["loss"] == pytest.approx(whole["loss"], rel=1e-5)
            assert part["gradient"] == pytest.approx(whole["gradient"], rel=1e-3)
    with pytest.raises(UnusableInput, match="cannot be cut"):
        train(miniature("unet-gray", "batch=2", "accumulate=3"), tmp_path / "none")


def test_a_loss_that_is_no_number_stops_before_it_is_kept(miniature, tmp_path):
    recipe = miniature("unet-gray", "steps=6", "optimiser.rate=1e30", "optimiser.clip=0")
    with pytest.raises(UnusableInput, match=r"at step .*lower optimiser\.rate"):
        train(recipe, tmp_path)
    assert checkpoint.latest(tmp_path) is None


def test_a_training_starts_from_weights(miniature, tmp_path):
    first = train(miniature("unet-gray"), tmp_path / "first")
    # Without a step worth the name, what comes out is what went in.
    still = train(miniature("unet-gray-mixture", f"start={first}", "optimiser.rate=1e-30"), tmp_path / "second")
    before, after = zoo.read(str(first)).tensors, zoo.read(str(still)).tensors
    assert all((before[key] == after[key]).all() for key in before)
    with pytest.raises(UnusableInput, match=r"of another network than the recipe's$"):
        train(miniature("dncnn-s", f"start={first}"), tmp_path / "third")


def test_the_last_two_checkpoints_stay_and_a_damaged_one_is_passed_over(miniature, tmp_path):
    recipe = miniature("unet-gray", "steps=4", "validate=1")
    train(recipe, tmp_path)
    kept = sorted(tmp_path.glob("step-*"))
    assert [path.name[-13:-12] for path in kept] == ["3", "4"]
    assert not list(tmp_path.glob("*.part"))
    before, data = content(kept[1]), kept[1].read_bytes()
    kept[1].write_bytes(data[: len(data) // 2])
    assert checkpoint.latest(tmp_path) == kept[0]
    train(recipe, tmp_path)
    assert content(kept[1]) == before


def test_only_the_same_training_goes_on(miniature, photos, tmp_path):
    with pytest.raises(Killed):
        train(miniature("unet-gray", "validate=1"), tmp_path, watch=killed_at(2))
    for change in ("optimiser.rate=1e-4", "network.width=8", "steps=3", "seed=1", "data.patch=24"):
        with pytest.raises(UnusableInput, match=f"differs from the recipe in {change.partition('=')[0]}:"):
            train(miniature("unet-gray", change), tmp_path)
    moved = tmp_path / "elsewhere"
    moved.symlink_to(photos)
    assert train(miniature("unet-gray", f"data.source={moved}", "about=still the same"), tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("network.depth=3", "unknown key depth; known are channels, width, encoder"),
        ("network.decoder=[1]", "as many scales"),
        ("network.width=wide", "network 'unet'"),
        ("network.name=unnet", "unknown network 'unnet': it is one of"),
        ("data.crop=3", "unknown key crop; known are source, noise, channels, patch, eight_bit, held_out$"),
        ("data.device=cpu", "unknown key device"),
        ("data.patch=1000", "no photo is as large"),
        ("data.source=nowhere", "nowhere: no such folder"),
        ("data.noise=gaussian", "a list of tables"),
        ('data.noise=[{name="gaussian"}]', "the keys name, level and chance"),
        ('data.noise=[{name="gauss", level=5}]', "unknown noise 'gauss': it is one of"),
        ('data.noise=[{name="gaussian", level=[5, 1]}]', "a number or a range"),
        ('data.noise=[{name="bernoulli", level=[0, 2]}]', "at most 1"),
        ("objective.nrm=l1", "unknown key nrm; known are norm$"),
        ("objective.norm=l3", "l1, l2 or charbonnier"),
        ("start=nothing", "no weights 'nothing'"),
    ],
)
def test_what_a_part_cannot_take_is_refused_with_what_it_can(change, words, miniature, tmp_path):
    with pytest.raises(UnusableInput, match=words):
        train(miniature("unet-gray", change), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_there_is_refused(miniature, tmp_path):
    for device in ("gpu", "cuda:99"):
        with pytest.raises(UnusableInput, match="cpu always works"):
            train(miniature("unet-gray"), tmp_path, device=device)


def published(path, change=None, metadata=None):
    """Weights as another library writes them: the tensors of a backbone by its names, and none of our metadata."""
    torch.manual_seed(1)
    tensors = {
        key: value.numpy() for key, value in MobileNetV2(width=0.35).features.state_dict(prefix="features.").items()
    }
    zoo.store(path, {**tensors, "classifier.1.bias": np.zeros(1000, np.float32), **(change or {})}, metadata or {})
    return {key: torch.from_numpy(value) for key, value in tensors.items() if not key.endswith("num_batches_tracked")}


def test_a_training_starts_from_a_published_backbone(tmp_path):
    path, network = tmp_path / "imagenet.safetensors", MobileNetV2(width=0.35)
    tensors = published(path, metadata={"format": "pt"})
    trainer._load(network, [str(path)])
    state = network.state_dict()
    assert all(torch.equal(state[key], value) for key, value in tensors.items())
    # Weights of ours are still taken whole, heads and all.
    facts = {"multiple": "1", "steps": "7"}
    zoo.save(tmp_path / "ours.safetensors", "mobilenet", {"width": 0.35}, state, facts)
    again = MobileNetV2(width=0.35)
    trainer._load(again, [str(tmp_path / "ours.safetensors")])
    assert all(torch.equal(v, state[k].half().float()) for k, v in again.state_dict().items() if v.is_floating_point())


def test_a_classifier_of_noise_starts_from_the_denoiser_that_it_looks_through(miniature, tmp_path):
    denoiser = train(miniature("noise-residual"), tmp_path / "denoiser")
    path = train(miniature("noise-classifier", f"start={denoiser}"), tmp_path / "classifier")
    tensors, adopted = (zoo.read(str(p)).tensors for p in (path, denoiser))
    assert {key for key in tensors if key.startswith("denoiser.")} == {f"denoiser.{key}" for key in adopted}
    assert all((tensors[f"denoiser.{key}"] == value).all() for key, value in adopted.items())
    # Its own weights are taken whole, those of others are refused.
    again = train(miniature("noise-classifier", f"start={path}", "optimiser.rate=1e-30"), tmp_path / "again")
    parameters = {key: value for key, value in zoo.read(str(again)).tensors.items() if "running" not in key}
    assert all(np.allclose(value, tensors[key], rtol=1e-3) for key, value in parameters.items() if "num_" not in key)
    for start, change in ((denoiser, "network.width=8"), (path, "network.classes=11")):
        with pytest.raises(UnusableInput, match="not weights of the denoiser"):
            train(miniature("noise-classifier", f"start={start}", change), tmp_path / "none")


def test_published_weights_that_cannot_be_taken_are_refused_in_a_line(miniature, tmp_path, monkeypatch):
    path, network = tmp_path / "imagenet.safetensors", MobileNetV2(width=0.35)
    published(path, {"features.0.0.weight": np.zeros((1, 2), np.float32)})
    with pytest.raises(UnusableInput, match=r"^start .*imagenet.*: the tensor features\.0\.0\.weight has shape"):
        trainer._load(network, [str(path)])
    with pytest.raises(UnusableInput, match=r"of another network than the recipe's$"):  # a UNet adopts nothing
        train(miniature("unet-gray", f"start={path}"), tmp_path / "out")
    save_file({"features.0.0.weight": torch.zeros(16, 3, 3, 3, dtype=torch.bfloat16)}, path)
    with pytest.raises(UnusableInput, match="not in float32 or float16"):
        trainer._load(network, [str(path)])
    for damaged in (b"", b"PK\x03\x04" + bytes(100), path.read_bytes()[:40]):
        path.write_bytes(damaged)
        with pytest.raises(UnusableInput, match="not a weights file"):
            trainer._load(network, [str(path)])
    monkeypatch.setattr(zoo, "MOST_BYTES", 30)
    with pytest.raises(UnusableInput, match="larger than any"):
        trainer._load(network, [str(path)])
    with pytest.raises(UnusableInput, match=r"as \.safetensors first$"):
        train(miniature("unet-gray", f"start={tmp_path / 'imagenet.pth'}"), tmp_path / "out")


def test_a_training_starts_from_parts_that_were_trained_apart(tmp_path):
    size = {"width": 4, "rates": [1, 1]}
    parts, paths = {}, []
    for seed, part in enumerate(("restore", "enhance")):
        torch.manual_seed(seed)
        network = CameraNet(part=part, **size)
        paths.append(str(tmp_path / f"{part}.safetensors"))
        zoo.save(Path(paths[-1]), "cameranet", {"part": part, **size}, network.state_dict(), {"multiple": "4"})
        parts |= {key: value.half().float() for key, value in network.state_dict().items()}
    both = CameraNet(**size)
    trainer._load(both, paths)
    assert parts.keys() == both.state_dict().keys()
    assert all(torch.equal(both.state_dict()[key], value) for key, value in parts.items())
    with pytest.raises(UnusableInput, match=r"restore\.safetensors': these weights are of another network"):
        trainer._load(both, paths[:1])
    with pytest.raises(UnusableInput, match=r"restore\.safetensors': holds restorer\..*, which the weights before it"):
        trainer._load(both, [paths[0], paths[0]])


def test_the_three_steps_of_cameranet_hand_their_weights_on(miniature, tmp_path):
    first, second = (train(miniature(f"cameranet-{part}"), tmp_path / part) for part in ("restore", "enhance"))
    both = train(miniature("cameranet", f'start=["{first}", "{second}"]', "optimiser.rate=1e-30"), tmp_path / "both")
    parts = zoo.read(str(first)).tensors | zoo.read(str(second)).tensors
    made = zoo.read(str(both))
    assert made.tensors.keys() == parts.keys()
    assert all((made.tensors[key] == value).all() for key, value in parts.items())
    assert json.loads(made.metadata["reach"]).keys() == {"restore", "enhance"}
