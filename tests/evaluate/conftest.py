"""Miniature data sets, weights, a peer that counts how often it runs, and made classifiers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from quietlight import zoo
from quietlight.analysis.judgement import Judgement
from quietlight.evaluate import BENCHMARKS, CLASSIFIERS, PEERS
from quietlight.evaluate.peers import Peer
from quietlight.evaluate.sample import Sample
from quietlight.frames import Image
from quietlight.networks.dncnn import DnCNN
from quietlight.registry import resolve

PICTURES = 3


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three small pictures of every set that a benchmark wants."""
    folder = tmp_path_factory.mktemp("data")
    parts = [part for entry in BENCHMARKS for part in resolve(BENCHMARKS, entry, "benchmark")().parts]
    sets = {data_set for part in parts for data_set in part.data if ".png" in data_set.formats}
    y, x = np.mgrid[:40, :56] / 9
    for data_set in sets:
        (folder / data_set.folder).mkdir()
        for i in range(PICTURES):
            waves = 0.5 + 0.35 * np.stack([np.sin(x + i), np.sin(y - i), np.sin(x + y)], axis=-1)
            pixels = np.round(waves * 255).astype(np.uint8)
            picture = PillowImage.fromarray(pixels[..., 0] if "gray" in data_set.folder else pixels)
            stem = data_set.pattern.strip("*.")
            for name in {f"{i}{stem}.png", f"{i}{stem.replace('_real', '_mean')}.png"}:
                picture.save(folder / data_set.folder / name)
    return folder


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of a tiny network for gray photos that changes nothing."""
    network = DnCNN(depth=3, width=4)
    torch.nn.init.zeros_(network.layers[-1].weight)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    metadata = {"multiple": "1", "steps": "7", "device": "cpu"}
    zoo.save(path, "dncnn", network.arguments, network.state_dict(), metadata)
    return path


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Enters the peer "counted", which returns its input: `names` of its samples, `before` is called first, `change` last."""
    state = SimpleNamespace(names=[], before=lambda: None, change=None)

    def run(sample: Sample) -> object:
        state.before()
        state.names.append(sample.name)
        return Image(state.change(sample.input.pixels)) if state.change else sample.input

    def make(name: str, weights: str) -> Peer:
        return Peer(name, "counts", run, zoo.read(weights) if weights else None)

    monkeypatch.setitem(sys.modules, "counted_peer", SimpleNamespace(make=make))
    monkeypatch.setitem(PEERS, "counted", "counted_peer:make")
    yield state


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Sample], Judgement]], None]:
    """Enters a classifier under a name."""
    module = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "made_classifiers", module)

    def enter(name: str, judge: Callable[[Sample], Judgement]) -> None:
        setattr(module, name, lambda name, _: Peer(name, "made", judge))
        monkeypatch.setitem(CLASSIFIERS, name, f"made_classifiers:{name}")

    return enter


@pytest.fixture(scope="session")
def clean_pixels() -> Callable[[Path], np.ndarray]:
    """A file's values / 255, as float32 [H, W, C]."""

    def read(path: Path) -> np.ndarray:
        pixels = np.asarray(PillowImage.open(path), np.float32) / np.float32(255)
        return pixels if pixels.ndim == 3 else pixels[..., None]

    return read
