"""Whether two small pictures show one scene from nearly the same place, whatever noise they have and whatever moves in it.

The whole is shifted by phase correlation (`align.shift_between`). Then slopes are compared, tile by tile, by their normalised
correlation, those down and those across apart: two pages of text have the same lines, and only their letters tell them apart.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from quietlight.camera.align import overlap, shift_between
from quietlight.frames import Floats

LARGEST_SHIFT = 0.2
"""Share of a side by which the scene may have moved."""
LEAST_LIKENESS = 0.6
"""Of one scene. Measured: hands and noise leave 0.85 and more; something that moves in a tenth of the picture leaves 0.7 and more,
in a quarter of it 0.5 to 0.75. Pairs of different photos (Kodak24, BSD68) have less than 0.1, and pages of text less than 0.5 even
where their lines lie on each other."""
_TILE = 16
_NEAR = 2
"""Pixels by which a tile may be off by itself: turns, and depth."""
_CORRELATED = 0.6
_CONTRAST = 0.1
"""Energy of the slopes, as a share of their mean, from which a tile has something to compare."""
_FEWEST = 8
_BLUR = np.array([1, 4, 6, 4, 1], np.float32) / 16


def likeness(first: Floats, second: Floats) -> float:
    """Share of the structure of two pictures, [h, w], of one size, that is the same in both, from 0 to 1.

    0 as well where that cannot be said: pictures without structure, smaller than some tiles, or too far from each other.
    """
    if first.shape != second.shape or min(first.shape) < 2 * _TILE:
        return 0.0
    shift = shift_between(first, second)
    rows, columns = (s // 2 for s in shift)
    if any(abs(s) > LARGEST_SHIFT * side for s, side in zip((rows, columns), first.shape, strict=True)):
        return 0.0
    top, left, height, width = (n // 2 for n in overlap([shift], *(2 * side for side in first.shape)))
    before = _smooth(first.astype(np.float32))[top : top + height, left : left + width]
    after = _smooth(second.astype(np.float32))[
        top + rows : top + rows + height, left + columns : left + columns + width
    ]
    votes = [_agreement(np.gradient(before, axis=axis), np.gradient(after, axis=axis)) for axis in (0, 1)]
    energy = np.stack([strength for strength, _ in votes])
    agreed = np.stack([correlation > _CORRELATED for _, correlation in votes])
    counted = energy > _CONTRAST * energy.mean()
    return float(agreed[counted].mean()) if counted.sum() >= _FEWEST else 0.0


def same_scene(first: Floats, second: Floats) -> bool:
    """Whether two pictures show one scene; not so for two that are equal to the last bit, which is one picture twice."""
    return not np.array_equal(first, second) and likeness(first, second) >= LEAST_LIKENESS


def _agreement(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """The energy of each tile, the smaller of both pictures' to the larger's, and its best correlation nearby."""
    inner = first[_NEAR:-_NEAR, _NEAR:-_NEAR]
    own = _tiled(inner**2)
    best = np.full_like(own, -1)
    energy = own
    for moved in sliding_window_view(second, inner.shape).reshape(-1, *inner.shape):
        other = _tiled(moved**2)
        correlation = _tiled(inner * moved) / np.sqrt(np.maximum(own * other, np.finfo(np.float32).tiny))
        best = np.maximum(best, correlation)
        energy = np.maximum(energy, other)
    return energy, best


def _tiled(values: Floats) -> Floats:
    """Means of tiles; what does not fill one at the right and bottom is left out."""
    rows, columns = (side // _TILE for side in values.shape)
    cut = values[: rows * _TILE, : columns * _TILE].reshape(rows, _TILE, columns * _TILE)
    return np.asarray(cut.mean(axis=1).reshape(rows, columns, _TILE).mean(axis=2))


def _smooth(picture: Floats) -> Floats:
    """Blurred by a binomial of five pixels, edges repeated."""
    for axis in (0, 1):
        padded = np.pad(picture, [(2, 2) if axis == other else (0, 0) for other in (0, 1)], mode="edge")
        picture = sliding_window_view(padded, 5, axis=axis) @ _BLUR
    return picture
