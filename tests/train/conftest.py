"""A folder of tiny photos, and recipes made small."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from quietlight.train import trainer
from quietlight.train.recipe import load

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
SMALL_NETWORKS = {
    "unet": ["network.width=4", "network.encoder=[1, 1]", "network.middle=1", "network.decoder=[1, 1]"],
    "dncnn": ["network.depth=4", "network.width=8"],
}


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


@pytest.fixture(autouse=True)
def small_and_equal(monkeypatch):
    """Two validation samples; one thread, so that sums are added up in one order; every step is told."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(trainer, "VALIDATION_SAMPLES", 2)
    monkeypatch.setattr(trainer, "WATCH_SECONDS", -1.0)
    monkeypatch.setattr(trainer, "LOG_STEPS", 1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def miniature(photos):
    """A function (name of a recipe, *changes) -> that recipe with a tiny network, crops and batches, and two steps."""

    def make(name, *changes):
        path = next(p for p in RECIPES if p.stem == name)
        network = load(path).network.name
        small = [f"data.source={photos}", "data.patch=16", "steps=2", "batch=2", "start=", *SMALL_NETWORKS[network]]
        return load(path, [*small, *changes])

    return make
