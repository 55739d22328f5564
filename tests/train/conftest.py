"""A folder of tiny photos, and recipes made small."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from typer.testing import CliRunner

from quietlight import zoo
from quietlight.cli import app
from quietlight.data import classes
from quietlight.networks.unet import RawUNet, UNet
from quietlight.train import trainer
from quietlight.train.recipe import load

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
SMALL_NETWORKS = {
    "unet": ["network.width=4", "network.encoder=[1, 1]", "network.middle=1", "network.decoder=[1, 1]"],
    "dncnn": ["network.depth=4", "network.width=8"],
    "fan": ["network.widths=[4, 6, 8]", "network.encoder=[1, 1]", "network.middle=1", "network.decoder=[1, 1]"],
    "kpn": ["network.widths=[4, 6, 8]"],
    "cameranet": ["network.width=4", "network.rates=[1, 2]"],
    "srgan-can": ["network.width=4"],
    "deepisp": ["network.width=4", "network.layers=2", "network.looks=2"],
    "mobilenet": ["network.width=0.1", "network.hidden=8"],
}
SMALL_NETWORKS["raw-unet"] = SMALL_NETWORKS["unet"]
SMALL_NETWORKS["noise-classifier"] = [*SMALL_NETWORKS["unet"], "network.hidden=8"]
SMALL_PATCHES = {"classes": 32, "noise-statistics": 32, "bursts": 24, "raw-bursts": 40}
"""Sides of crops by data set, where 16 is too small: for a classifier, or within the border that the loss of bursts leaves out."""
WEIGHTS = {"by": "tiny-{mode}", "cleaned_by": "tiny-{mode}", "denoiser": "tiny-gray", "teacher": "tiny-raw"}
"""Arguments of objectives and data that name weights, and tiny ones in their place."""


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Three training photos and one for validation, smooth with some texture."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :208] / 40
    for index in range(4):
        waves = [np.sin(rng.uniform(1, 3) * x + rng.uniform(1, 3) * y + rng.uniform(0, 6)) for _ in range(3)]
        pixels = 0.5 + 0.3 * np.stack(waves, -1) + 0.05 * rng.standard_normal((200, 208, 3))
        PillowImage.fromarray(np.uint8(255 * pixels.clip(0, 1))).save(folder / f"{index}.jpg", quality=92)
    return folder


@pytest.fixture(scope="session")
def many_photos(photos, tmp_path_factory):
    """As many as there have to be for those who rescale them."""
    folder = tmp_path_factory.mktemp("many")
    with PillowImage.open(photos / "0.jpg") as photo:
        for index in range(50):
            photo.crop((index, index, index + 40, index + 30)).save(folder / f"{index:02}.jpg")
    return folder


@pytest.fixture(scope="session")
def frames(photos, tmp_path_factory):
    """The photos as frames with their truths."""
    folder = tmp_path_factory.mktemp("frames") / "frames"
    result = CliRunner().invoke(app, ["synthesize", "isp", str(photos), "--seed", "1", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


SOURCES = {"rescaled-classes": "many_photos", "isp-folder": "frames"}
"""Fixtures of data sets that do not learn from the tiny photos as they are."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A folder of weights: "tiny-gray", "tiny-color" and, for raws, "tiny-raw" are denoisers that learnt nothing."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for channels, name in ((1, "tiny-gray"), (3, "tiny-color")):
        arguments = {"channels": channels, "width": 4, "encoder": [1], "middle": 1, "decoder": [1]}
        network = UNet(**arguments)
        metadata = {"multiple": str(network.multiple)}
        zoo.save(folder / f"{name}.safetensors", "unet", arguments, network.state_dict(), metadata)
    arguments = {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]}
    network = RawUNet(**arguments)
    metadata = {"multiple": str(network.multiple)}
    zoo.save(folder / "tiny-raw.safetensors", "raw-unet", arguments, network.state_dict(), metadata)
    hashes = {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.safetensors")}
    (folder / zoo.HASHES).write_text(json.dumps(hashes))
    return folder


@pytest.fixture(autouse=True)
def small_and_equal(monkeypatch):
    """Two small validation samples; one thread, so that sums are added up in one order; every step is told."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(trainer, "VALIDATION_SAMPLES", 2)
    monkeypatch.setattr(classes, "VALIDATION_PATCH", 64)
    monkeypatch.setattr(trainer, "WATCH_SECONDS", -1.0)
    monkeypatch.setattr(trainer, "LOG_STEPS", 1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny_zoo(tiny, monkeypatch):
    """The tiny weights lie in the zoo."""
    monkeypatch.setattr(zoo, "FOLDERS", (tiny, *zoo.FOLDERS))


@pytest.fixture
def miniature(photos, tiny_zoo, request):
    """A function (name of a recipe, *changes) -> that recipe with tiny networks, crops and batches, and two steps."""

    def make(name, *changes):
        path = next(p for p in RECIPES if p.stem == name)
        recipe = load(path)
        small = ["steps=2", "batch=2", "start=", *SMALL_NETWORKS[recipe.network.name]]
        small.append(f"data.source={request.getfixturevalue(SOURCES.get(recipe.data.name, 'photos'))}")
        if recipe.data.name != "rescaled-classes":
            small.append(f"data.patch={SMALL_PATCHES.get(recipe.data.name, 16)}")
        mode = "color" if recipe.data.arguments.get("channels") == 3 else "gray"
        for part in ("objective", "data"):
            small += [
                f"{part}.{key}={tiny.format(mode=mode)}"
                for key, tiny in WEIGHTS.items()
                if key in getattr(recipe, part).arguments
            ]
        return load(path, [*small, *changes])

    return make
