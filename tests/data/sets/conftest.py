"""Small data sets in the layouts of their authors, by the libraries that wrote the real ones: tifffile, Pillow, h5py, scipy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from quietlight.camera.develop import develop
from quietlight.io import read_file

BLACK, WHITE = 63.75, 1023
NEUTRAL = (0.5, 1.0, 0.625)
MATRIX = np.array([[0.9, -0.3, -0.1], [-0.5, 1.3, 0.2], [-0.1, 0.2, 0.6]])


def rationals(*values: float) -> tuple[int, ...]:
    return tuple(n for v in values for n in (round(v * 10000), 10000))


def light(height: int, width: int) -> np.ndarray:
    """What the sensor sees, [H, W], about 0.05 to 0.7: smooth, and nowhere like itself moved a little."""
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(1)
    waves = [np.sin(rng.uniform(0.05, 0.3) * x + rng.uniform(0.05, 0.3) * y + rng.uniform(0, 6)) for _ in range(6)]
    return 0.35 + 0.05 * np.sum(waves, axis=0)


def write_dng(path: Path, unit: np.ndarray, cfa: str = "BGGR", orientation: int = 1, noise: Any = None) -> Path:
    """A DNG of 10 bits with a fractional black, as HDR+ has them; `unit` has black 0 and white 1."""
    stored = np.rint(BLACK + unit * (WHITE - BLACK)).clip(0, WHITE).astype(np.uint16)
    tags: list[tuple[Any, ...]] = [
        (50706, 1, 4, (1, 4, 0, 0)),
        (50708, 2, 0, "Test Cam"),
        (50721, 10, 9, rationals(*MATRIX.ravel())),
        (50778, 3, 1, 21),
        (33421, 3, 2, (2, 2)),
        (33422, 1, 4, bytes("RGB".index(c) for c in cfa)),
        (50714, 5, 1, rationals(BLACK)),
        (50717, 3, 1, WHITE),
        (50728, 5, 3, rationals(*NEUTRAL)),
        (274, 3, 1, orientation),
    ]
    if noise is not None:
        tags.append((51041, 12, len(noise), noise))
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(
        path, stored, photometric=32803, extratags=[(*tag, True) for tag in tags], metadata=None, software=False
    )
    return path


@pytest.fixture
def dng():
    """`write_dng`."""
    return write_dng


@pytest.fixture
def scene_light():
    """`light`."""
    return light


@pytest.fixture
def shown():
    """A function (DNG) -> its picture as it is seen, uint8 [H, W, 3]."""

    def develop_file(path: Path) -> np.ndarray:
        return develop(read_file(path)).pixels

    return develop_file
