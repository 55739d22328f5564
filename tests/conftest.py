"""What several folders of tests need: weights without a training, and files as cameras write them, of one scene or of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import quietlight as ql
from quietlight import zoo
from quietlight.frames import Metadata, NoiseProfile
from quietlight.io import ifd, metadata
from quietlight.networks import NETWORKS
from quietlight.registry import build

SHOT, READ = 1e-3, 1e-5


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory) -> Iterator[None]:
    """Tests leave the user's cache alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUIETLIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def kpn_weights(tmp_path) -> Callable[..., zoo.Weights]:
    """A maker of KPNs of random weights, or of such whose kernels take the middle alone: a plain mean of the frames.

    Their recipe says that they learnt from the noise of `data`.
    """

    def make(plain=False, name="kpn-some", data=None, **arguments) -> zoo.Weights:
        import torch  # here, since most tests do without

        torch.manual_seed(0)
        arguments = {"channels": 4, "frames": 3, "widths": [4, 6, 8], "separable": True} | arguments
        network = build(NETWORKS, "kpn", "network", arguments)
        state = network.state_dict()
        if plain:
            taps = len(state["head.bias"])
            middle = (
                torch.eye(5)[2].repeat(taps // 5) if arguments["separable"] else torch.eye(25)[12].repeat(taps // 25)
            )
            state |= {"head.weight": 0 * state["head.weight"], "head.bias": middle}
        data = data or {"name": "raw-bursts", "arguments": {}}
        path = tmp_path / f"{name}.safetensors"
        facts = {"multiple": str(network.multiple), "recipe": json.dumps({"data": data})}
        zoo.save(path, "kpn", arguments, state, facts)
        return zoo.read(str(path))

    return make


@pytest.fixture
def shoot() -> Callable[..., Path]:
    """A maker of noisy raws (.dng) and photos, by the path's suffix: scenes by number, moved by (rows, columns)."""
    scenes: dict[tuple[int, tuple[int, int]], np.ndarray] = {}
    rng = np.random.default_rng(0)

    def make(
        path: Path,
        scene: int = 0,
        taken: str | None = "2026:05:01 12:00:00",
        moved: tuple[int, int] = (0, 0),
        *,
        gain: float = 1.0,
        exposure: float | None = 1 / 60,
        iso: int | None = 800,
        camera: str = "Test Camera",
        cfa: str = "RGGB",
        size: tuple[int, int] = (160, 224),
    ) -> Path:
        if (scene, size) not in scenes:
            scenes[scene, size] = _scene(scene, *(side + 64 for side in size))
        top, left = (32 - step for step in moved)
        clean = gain * scenes[scene, size][top : top + size[0], left : left + size[1]]
        noisy = (clean + np.sqrt(SHOT * clean + READ) * rng.standard_normal(clean.shape)).astype(np.float32)
        described = Metadata(_exif(taken, exposure, iso, camera))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".dng":
            profile = NoiseProfile((SHOT,), (READ,))
            ql.write(ql.RawFrame(noisy, cfa, noise=profile, camera=camera, metadata=described), path)
        else:
            pixels = np.rint(255 * noisy.clip(0, 1) ** (1 / 2.2)).astype(np.uint8)
            ql.write(ql.Image(np.repeat(pixels[..., None], 3, axis=2), metadata=described), path)
        return path

    return make


def _exif(taken: str | None, exposure: float | None, iso: int | None, camera: str) -> bytes:
    """An EXIF block; the time may have a fraction."""
    settings: ifd.Directory = {}
    if taken is not None:
        time, _, fraction = taken.partition(".")
        settings[36867] = ifd.text(time)
        settings |= {37521: ifd.text(fraction)} if fraction else {}
    settings |= {} if exposure is None else {33434: ifd.numbers(ifd.RATIONAL, [exposure])}
    settings |= {} if iso is None else {34855: ifd.numbers(ifd.SHORT, [iso])}
    make, _, model = camera.partition(" ")
    return metadata.with_entries(b"", {271: ifd.text(make), 272: ifd.text(model)}, settings)


def _scene(seed: int, height: int, width: int) -> np.ndarray:
    """Structure of every size, mostly in [0.05, 0.7]."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)) + 1 / height
    picture = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) / frequency**1.3, (height, width))
    return np.clip(0.35 + 0.12 * (picture - picture.mean()) / picture.std(), 0.02, 0.9)
