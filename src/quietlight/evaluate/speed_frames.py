"""The made pictures that speed is measured on: gradients and texture with shot noise, of any size, 4 to 3."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from quietlight.frames import Burst, Floats, Image, NoiseProfile, RawFrame

NOISE = NoiseProfile((1e-3,), (1e-6,))
SIGMA = 15.0
"""Of the photo's noise, 0-255."""
_MULTIPLE, _ROWS, _MARGIN, _SEED = 64, 256, 64, 12


def sides(megapixels: float) -> tuple[int, int]:
    """(height, width), multiples of 64.

    >>> sides(12)
    (3008, 4010)
    """
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4) / _MULTIPLE) * _MULTIPLE or _MULTIPLE
    return height, height * 4 // 3 // 2 * 2


def _scene(top: int, left: int, height: int, width: int) -> Floats:
    rows, columns = np.mgrid[top : top + height, left : left + width].astype(np.float32)
    waves = 0.15 * np.sin(rows / 300) * np.cos(columns / 170) + 0.05 * np.sin(rows * columns / 3e4)
    return np.asarray(0.2 + waves, np.float32)


def raw(megapixels: float, place: tuple[int, int] = (0, 0), noise: NoiseProfile = NOISE) -> RawFrame:
    """An RGGB raw that knows its noise, of the scene seen from a place."""
    height, width = sides(megapixels)
    rng = np.random.default_rng([_SEED, *place])
    mosaic = np.empty((height, width), np.float32)
    for top in range(0, height, _ROWS):
        part = mosaic[top : top + _ROWS]
        part[...] = _scene(place[0] + top, place[1], *part.shape)
        part += np.sqrt(noise.variance(part)).astype(np.float32) * rng.standard_normal(part.shape, np.float32)
    return RawFrame(mosaic, "RGGB", white_balance=(2.0, 1.0, 1.6), noise=noise, iso=800)


def burst(megapixels: float, frames: int, cfa: str = "RGGB") -> Burst:
    """Raws of one scene, moved by some pixels from one to the next, with four times the shot noise."""
    rng = np.random.default_rng(_SEED)
    places = [(int(row), int(column)) for row, column in rng.integers(0, 2 * _MARGIN, (frames, 2))]
    shots = (raw(megapixels, place, NoiseProfile((4e-3,), (1e-5,))) for place in places)
    return Burst(tuple(replace(shot, cfa=cfa) for shot in shots))


def photo(megapixels: float) -> Image:
    """An 8-bit colour photo with gaussian noise."""
    height, width = sides(megapixels)
    rng = np.random.default_rng(_SEED)
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS):
        part = pixels[top : top + _ROWS]
        light = _scene(top, 0, *part.shape[:2])[..., None] * np.array([2.2, 2.0, 1.8], np.float32)
        noisy = light + np.float32(SIGMA / 255) * rng.standard_normal(part.shape, np.float32)
        part[...] = np.rint(255 * noisy.clip(0, 1))
    return Image(pixels)
