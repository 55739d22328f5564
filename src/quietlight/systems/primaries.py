"""The primary denoisers: a nature of noise -> the network made for it, and how it is run on a photo.

NoiseBreaker (Lemarchand et al. 2020, section 3.2) has one per class. Ours are blind networks that serve several natures each, and
one for lost pixels, of which only these are taken (`drops`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quietlight import zoo
from quietlight.analysis.judgement import Judgement
from quietlight.analysis.photo import to_planes
from quietlight.frames import Array, Image, UnusableInput
from quietlight.noise.classes import TABLES, NoiseClass
from quietlight.systems import drops
from quietlight.systems.impulses import full_scale
from quietlight.systems.network import network
from quietlight.zoo import Weights

Progress = Callable[[float], None]
Find = Callable[[Array, Array], NDArray[np.bool_]]
"""(noisy, estimate), pixels [H, W, C] of any storage type -> which values were lost."""

LIMIT = 4
"""Most steps: the longest sequence that the papers mix has three noises."""
_TELLING = 4e6
"""Values from which the rule for lost pixels is learnt: more tell no more, and take memory."""
LEAST = {"gaussian": 1.5, "speckle": 2.5, "uniform": 2.5, "camera": 1.5}
"""Levels below which a noise is left: photographs called clean have as much, and the rounding to 8 bits hides it."""

DROPS = ("bernoulli", "salt-and-pepper")
"""Natures that lose pixels: one primary serves both."""

POOLS: dict[str, dict[str, str]] = {
    "default": {
        "gaussian": "noisebreaker-additive",
        "speckle": "noisebreaker-additive",
        "uniform": "noisebreaker-additive",
        "poisson": "noisebreaker-additive",
        "bernoulli": "noisebreaker-drops",
        "camera": "noisebreaker-camera",
    },
    "untrained-for-chains": {
        "gaussian": "unet",
        "speckle": "unet",
        "uniform": "unet",
        "poisson": "unet",
        "bernoulli": "noisebreaker-drops",
        "camera": "noisebreaker-camera",
    },
    "dncnn": {c.name: f"dncnn-{c.name.replace(' ', '-')}" for c in TABLES["table1"] if c.nature},
}
"""Pool -> nature or class -> the weights of its primary denoiser, without "-gray" or "-color".

Ours, the same with denoisers that never saw a chain, and the paper's: a DnCNN-B for each class.
"""
BLIND = "noisebreaker-additive"
"""What runs where no class fits."""


def is_clean(look: Judgement) -> bool:
    """Whether nothing is to be removed: no noise, or less than photographs called clean have."""
    return not look.found.nature or look.level < LEAST.get(look.found.nature, 0.0)


def primary(pool: str, noise: NoiseClass) -> str:
    """The name of the denoiser for a class, without its colour mode. Raises UnusableInput where there is none."""
    nature = "bernoulli" if noise.nature in DROPS else noise.nature
    found = POOLS[pool].get(noise.name, POOLS[pool].get(nature))
    if found is None:
        raise UnusableInput(f"no denoiser for {noise.nature} noise in the pool {pool}: it has {', '.join(POOLS[pool])}")
    return found


def weights_of(denoiser: str, channels: int) -> Weights:
    """The denoiser for colour where it was trained and the photo has colours; that for gray takes one channel after the other."""
    color = f"{denoiser}-color"
    return zoo.read(color if channels == 3 and color in zoo.names() else f"{denoiser}-gray")


def denoise(photo: Image, weights: Weights, progress: Progress) -> Image:
    """The photo, denoised."""
    return _run(photo, weights, progress, opponent=True)


def _run(photo: Image, weights: Weights, progress: Progress, opponent: bool) -> Image:
    frame = network(photo, weights, opponent=opponent, progress=progress).frame
    assert isinstance(frame, Image)
    return frame


def replace_lost(photo: Image, weights: Weights, progress: Progress, find: Find | None = None) -> Image:
    """The photo with its lost pixels replaced, and nothing else changed; `find` tells which are lost, by default by one rule."""
    estimate = _run(
        photo, weights, progress, opponent=False
    ).pixels  # lost pixels are black or white in the colours alone
    lost = (find or _lost)(photo.pixels, estimate)
    for own, noisy, gone in zip(*map(_strips, (estimate, photo.pixels, lost)), strict=True):
        np.copyto(own, noisy, where=~gone)
    return replace(photo, pixels=estimate)


def _lost(noisy: Array, estimate: Array) -> NDArray[np.bool_]:
    """By one rule for the photo, which a part of its pixels tell."""
    step = max(1, int((noisy.size / _TELLING) ** 0.5))
    rule = drops.Rule.of(*(to_planes(pixels[::step, ::step]) for pixels in (noisy, estimate)))
    lost = np.empty(noisy.shape, np.bool_)
    for place, *pair in zip(*map(_strips, (lost, noisy, estimate)), strict=True):
        place[...] = np.moveaxis(rule.lost(*map(to_planes, pair)), 0, 2)
    return lost


def removed(before: Sequence[Image], after: Sequence[Image]) -> dict[str, float]:
    """Standard deviation of what was removed (0-255) and the share of pixels that changed."""
    squares, changed, count = 0.0, 0, 0
    for one, other in zip(before, after, strict=True):
        for noisy, clean in zip(_strips(one.pixels), _strips(other.pixels), strict=True):
            difference = (noisy.astype(np.float32) - clean) * (255 / full_scale(one.pixels))
            squares += float(np.square(difference, dtype=np.float64).sum())
            changed += int((difference != 0).any(axis=2).sum())
            count += difference.size
    channels = before[0].pixels.shape[2]
    return {
        "deviation": round((squares / count) ** 0.5, 4),
        "changed": round(changed * channels / count, 6),
    }


def _strips(pixels: Array) -> list[Array]:
    """A few rows at a time, so that a large photo never becomes a float copy."""
    return [pixels[top : top + 256] for top in range(0, len(pixels), 256)]
