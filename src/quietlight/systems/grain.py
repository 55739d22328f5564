"""A clean photo that keeps a share of its grain: people who find it too smooth want the texture back, and not the noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Image, UnusableInput
from quietlight.systems import Result
from quietlight.systems.impulses import full_scale
from quietlight.systems.primaries import DROPS

_ROWS = 256  # a strip at a time, so that a large photo never becomes a float copy


def with_grain(noisy: Image, result: Result, share: float) -> Image:
    """The result's photo with `share` of what was taken from its luminance: no colour noise, and no lost pixels, come back.

    Args:
        noisy: what the result was made of.
        result: its photo has the noisy one's shape and type; where it has stages, pixels that were lost are known from them.
        share: between 0, all clean, and 1.

    Raises UnusableInput for another share.
    """
    if not 0 <= share <= 1:
        raise UnusableInput(f"grain lies between 0 and 1, not at {share:g}")
    clean = result.frame
    if share == 0 or not isinstance(clean, Image):
        return clean if isinstance(clean, Image) else noisy
    lost = _lost(noisy, result)
    pixels = np.empty_like(clean.pixels)
    white = full_scale(noisy.pixels)
    for top in range(0, len(pixels), _ROWS):
        rows = slice(top, top + _ROWS)
        change = (noisy.pixels[rows].astype(np.float32) - clean.pixels[rows]) * ~lost[rows]
        grainy = clean.pixels[rows] + share * change.mean(axis=2, keepdims=True)
        grainy = np.clip(grainy, 0, white)
        pixels[rows] = grainy if pixels.dtype.kind == "f" else np.rint(grainy)
    return replace(clean, pixels=pixels)


def _lost(noisy: Image, result: Result) -> NDArray[np.bool_]:
    """[H, W, C]: the values that a step for lost pixels replaced."""
    lost = np.zeros(noisy.pixels.shape, np.bool_)
    before = noisy
    for step, after in zip(result.record.get("steps", ()), result.stages, strict=True):
        if step["nature"] in DROPS:
            lost |= before.pixels != after.pixels
        before = after
    return lost
