"""Half-overlapping tiles of 16x16 and their transforms, by which frames of a burst are compared frequency by frequency.

A raised cosine weighs every tile once, before the transform; the windows of overlapping tiles add up to 1. So what is changed of
the transforms adds up to a change of the picture (Hasinoff et al. 2016, section 5). Planes are [C, h, w] with sides that are
multiples of half a tile, tiles [C, rows, columns, 16, 16], and their transforms [C, rows, columns, 16, 9].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from quietlight import tiles

Planes = NDArray[np.float32]

TILE = 16
_HALF = TILE // 2
_COSINE = (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(TILE) + 0.5) / TILE)).astype(np.float32)
_WINDOW = np.outer(_COSINE, _COSINE)
NOISE = float(np.square(_WINDOW).sum())
"""Mean square of a frequency of white noise of variance 1; half of it in the real part."""
_PIECE = 256
"""Side of what is worked on at once, in pixels of a plane."""


def tiled(planes: Planes) -> Planes:
    """The tiles of planes, not weighed."""
    windows = np.lib.stride_tricks.sliding_window_view(planes, (TILE, TILE), axis=(1, 2))
    return windows[:, ::_HALF, ::_HALF]


def levels(planes: Planes) -> Planes:
    """The mean of every tile, 0 at least, [C, rows, columns, 1, 1]."""
    return np.asarray(np.maximum(tiled(planes).mean(axis=(-2, -1)), 0)[..., None, None])


def transformed(planes: Planes) -> NDArray[Any]:
    """The transforms of the weighed tiles."""
    return np.fft.rfft2(tiled(planes) * _WINDOW)


def add(planes: Planes, transforms: NDArray[Any]) -> None:
    """Add what tiles have these transforms to the planes, in place; half a tile at the borders gets too little."""
    change = np.fft.irfft2(transforms, (TILE, TILE))
    rows, columns = change.shape[1:3]
    for y in (0, 1):
        for x in (0, 1):
            quarter = change[..., y * _HALF : (y + 1) * _HALF, x * _HALF : (x + 1) * _HALF]
            blocks = np.moveaxis(quarter, 2, 3).reshape(len(planes), rows * _HALF, columns * _HALF)
            planes[:, y * _HALF : (y + rows) * _HALF, x * _HALF : (x + columns) * _HALF] += blocks


def smooth(power: NDArray[np.float64], times: int = 1, wide: bool = False) -> NDArray[np.float64]:
    """The mean over planes, and `times` over neighbouring frequencies with weights 1, 2, 1 both ways; [1, rows, columns, 16, 9].

    With `wide`, also over neighbouring tiles.
    """
    mean: NDArray[np.float64] = power.mean(axis=0, keepdims=True)
    for _ in range(times):
        # Beyond the lowest and the highest frequency across lie the conjugates of those inside.
        mean = _weighed(_weighed(mean, 3, "wrap"), 4, "reflect")
    return _weighed(_weighed(mean, 1, "edge"), 2, "edge") if wide else mean


def _weighed(values: NDArray[np.float64], axis: int, beyond: Literal["wrap", "reflect", "edge"]) -> NDArray[np.float64]:
    padded = np.pad(values, [(1, 1) if i == axis else (0, 0) for i in range(values.ndim)], mode=beyond)
    before, after = (np.take(padded, range(i, i + values.shape[axis]), axis) for i in (0, 2))
    weighed: NDArray[np.float64] = (before + 2 * values + after) / 4
    return weighed


def by_pieces(
    function: Callable[[Planes], Planes], frames: Planes, progress: Callable[[float], None] | None = None
) -> Planes:
    """A function of the tiles of frames [N, C, h, w] of any size -> planes [C, h, w], piece by piece.

    It gets pieces whose sides are multiples of half a tile, and half a tile at their borders is not used of what it makes of them.
    """
    return tiles.apply_to_frames(function, frames, tile=_PIECE, margin=_HALF, multiple=_HALF, progress=progress)
