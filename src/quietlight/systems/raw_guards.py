"""What every denoiser of raws owes its user: clipped highlights and mean brightness as they were, and how much noise is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.bayer import PLANE_COLORS, plane_offsets
from quietlight.frames import BAYER, NoiseProfile

Plane = NDArray[np.float32]

_PROBE, _PROBES = 0.2, 256
"""Strength, in standard deviations, of the noise added to learn how much comes through, and side of the four squares tried."""


def clipped(plane: Plane) -> NDArray[np.bool_]:
    """White pixels among white ones: four of a 3x3 square.

    A lone value above 1 is noise on a bright pixel, or a small light that the shrinkage keeps anyway.
    """
    white = plane >= 1
    if not white.any():
        return white
    count = np.pad(white.astype(np.uint8), 1, mode="reflect")
    count = count[:-2] + count[1:-1] + count[2:]
    count = count[:, :-2] + count[:, 1:-1] + count[:, 2:]
    return np.asarray(white & (count >= 4))


def keep_means(mosaic: Plane, source: Plane, cfa: str) -> None:
    """Give every plane of `mosaic` the mean that it has in `source`, in place, below white.

    The square root's inverse is unbiased for noise; where texture was smoothed in its domain, a little light is missing.
    """
    for place, _ in _places(cfa):
        parts = [(mosaic[rows][place], source[rows][place]) for rows in _strips(len(mosaic))]
        lost = sum(float(np.sum(truth - target, dtype=np.float64)) for target, truth in parts)
        missing = np.float32(lost / max(sum(int((truth < 1).sum()) for _, truth in parts), 1))
        for target, truth in parts:
            np.add(target, missing, out=target, where=truth < 1)


def _strips(rows: int) -> list[slice]:
    """An even number of rows at a time."""
    return [slice(top, top + 512) for top in range(0, rows, 512)]


def noise_left(filtered: Callable[[Plane], Plane], mosaic: Plane, cfa: str, profile: NoiseProfile) -> float:
    """Share of the energy of a little more noise of the same profile that comes through the filter, at most 1.

    The Monte Carlo derivative of Ramani, Blu and Unser 2008, its squared norm instead of its trace: what varies from one exposure
    to the next. Lost detail is the same in all of them and is not counted. Tried on four squares of large mosaics; pixels that
    are kept as they were, such as clipped ones, are left out.
    """
    rng = np.random.default_rng(0)
    through = added = 0.0
    for rows in squares(mosaic.shape[0], _PROBES):
        for columns in squares(mosaic.shape[1], _PROBES):
            part = mosaic[rows, columns]
            clean = filtered(part)
            deviation = np.sqrt(_variance(clean, cfa, profile))
            probed = part + np.float32(_PROBE) * deviation * rng.standard_normal(part.shape, np.float32)
            response = filtered(probed)
            used = (clean != part) & (response != probed)
            through += float(np.sum(np.square(response - clean)[used], dtype=np.float64))
            added += float(np.sum(np.square(_PROBE * deviation)[used], dtype=np.float64))
    return min(through / added, 1.0) if added > 0 else 1.0


def squares(size: int, stretch: int) -> list[slice]:
    """Two stretches of a side, starting at even pixels; all of a side that is not longer than both."""
    if size <= 2 * stretch:
        return [slice(0, size)]
    starts = ((place - stretch // 2) // 2 * 2 for place in (size // 4, 3 * size // 4))
    return [slice(start, start + stretch) for start in starts]


def _variance(mosaic: Plane, cfa: str, profile: NoiseProfile) -> Plane:
    """Noise variance of every value of a mosaic."""
    variance = np.empty_like(mosaic)
    shots, reads = profile.per_color()
    for place, color in _places(cfa):
        variance[place] = np.float32(shots[color]) * np.maximum(mosaic[place], 0) + np.float32(reads[color])
    return variance


def _places(cfa: str) -> list[tuple[Any, int]]:
    """Where the planes of a mosaic are, and their colours."""
    if cfa in BAYER:
        offsets = zip(plane_offsets(cfa), PLANE_COLORS, strict=True)
        return [((slice(r, None, 2), slice(c, None, 2)), color) for (r, c), color in offsets]
    return [(..., 1)] if cfa == "MONO" else [((..., c), c) for c in range(3)]
