"""Where the parts of a scene lie in the other frames of a burst: tiles, coarse to fine, told the noise.

After Hasinoff et al., "Burst photography for high dynamic range and low-light imaging on mobile cameras" (HDR+), SIGGRAPH Asia
2016, section 4: tiles of 16 pixels of the half-size luminance, sought in a pyramid, each level starting at the one above it.
Departures, all because noise as strong as the scene must not move a tile:

- The luminance is variance-stabilised, and what the noise hides is filtered out: by the square root of 2S/(2S + 1), S the power of
  a scene of spectrum 1/f² in units of the noise's. A quarter of the sum of squared differences is then minus the logarithm of the
  likelihood of a displacement, and has an optimum that can be trusted.
- So it can be weighed against what the level above says, and neighbours: a tile without structure follows them.
- L2 at all levels, sub-pixel at all levels, by a parabola; the start of all is the phase correlation of the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.align import shift_between
from quietlight.frames import NoiseProfile
from quietlight.systems.anscombe import stabilise

Plane = NDArray[np.float32]

TILE = 16
"""Side of a tile in pixels of the guide."""
_COARSEST = 24
"""Sides that a level may have at least."""
_LEVELS = 5
_RADIUS = 2
"""Pixels of a level within which a tile is sought about what the level above says; twice that at the coarsest."""
_LOOSE = 1.0
"""Deviation, in pixels of a level, from what the level above says."""
_STIFF = 0.25
"""Deviation, in pixels of a level, between neighbouring tiles."""
_SWEEPS = 24
_START = 8.0
"""Deviation of the coarsest level from the shift of the whole, in its pixels."""
_LEAST_READ = 1e-8
"""Variance that frames said to be free of noise are taken to have."""
_CORRELATED = 256
"""Longest short side of the picture whose shift is found by phase correlation."""


@dataclass(frozen=True)
class Field:
    """Where the tiles of a reference lie in another frame.

    Args:
        displacement: [rows, columns, 2], down and right, in pixels of the guide: what is at p of the reference is at p plus this.
        residual: [rows, columns], mean square of the difference that is left over that of noise alone. About 1 where the frame
            fits; more where something moved by itself or the exposure failed, and, with little noise, at sharp edges.
    """

    displacement: Plane
    residual: Plane

    def dense(self, height: int, width: int) -> Plane:
        """The displacement of every pixel of a guide, [height, width, 2], linear between the tiles' middles."""
        return _resampled(self.displacement, (height, width), TILE)


def align(reference: Plane, other: Plane, noise: NoiseProfile) -> Field:
    """Find every tile of `reference` in `other`.

    Args:
        reference, other: [h, w], linear, such as `guide` makes.
        noise: of either, one (shot, read) pair.

    Returns:
        the field; nothing is moved where a side is shorter than a tile.
    """
    if min(reference.shape) < TILE:
        shape = tuple(-(-side // TILE) for side in reference.shape)
        return Field(np.zeros((*shape, 2), np.float32), np.ones(shape, np.float32))
    read = max(noise.read[0], _LEAST_READ)
    first, second = (_pyramid(stabilise(picture, noise.shot[0], read)) for picture in (reference, other))
    field = np.zeros((1, 1, 2), np.float32)
    residual = np.ones((1, 1), np.float32)
    for level in reversed(range(len(first))):
        pair, energy = _filtered(first[level], second[level])
        shape = tuple(-(-side // TILE) for side in pair[0].shape)
        if level == len(first) - 1:
            field = np.broadcast_to(_start(first, second, pair), (*shape, 2))
            field, residual = _matched(*pair, field, 2 * _RADIUS, _START, energy)
        else:
            field, residual = _matched(*pair, 2 * _resampled(field, shape, 2), _RADIUS, _LOOSE, energy)
    return Field(field, residual)


def _pyramid(stable: Plane) -> list[Plane]:
    """Pictures of noise of variance 1, each half the size of the one before; an odd last row or column is left out."""
    levels = [stable]
    while len(levels) < _LEVELS and min(levels[-1].shape) >= 2 * _COARSEST:
        height, width = (side // 2 for side in levels[-1].shape)
        blocks = levels[-1][: 2 * height, : 2 * width].reshape(height, 2, width, 2)
        levels.append(np.asarray(blocks.sum(axis=(1, 3)) / 2, np.float32))
    return levels


def _filtered(first: Plane, second: Plane) -> tuple[tuple[Plane, Plane], float]:
    """Both pictures without what noise of variance 1 hides, and the noise's variance in them."""
    height, width = first.shape
    margin = min(TILE, height - 1, width - 1)
    spectra = [np.fft.rfft2(np.pad(picture, margin, mode="reflect")) for picture in (first, second)]
    rows, columns = height + 2 * margin, width + 2 * margin
    frequency = np.fft.fftfreq(rows)[:, None] ** 2 + np.fft.rfftfreq(columns) ** 2
    frequency[0, 0] = frequency[0, 1]
    band = (frequency > 16 / min(rows, columns) ** 2) & (frequency < 1 / 16)
    power = sum(float(np.mean(np.abs(s[band]) ** 2)) for s in spectra) / (2 * rows * columns)
    scene = max(power - 1, 1e-3) / float(np.mean(1 / frequency[band])) / frequency
    weight = 2 * scene / (2 * scene + 1)
    inner = np.s_[margin : margin + height, margin : margin + width]
    one, two = (np.fft.irfft2(s * np.sqrt(weight), (rows, columns))[inner].astype(np.float32) for s in spectra)
    return (one, two), float(weight.mean())


def _start(first: list[Plane], second: list[Plane], pair: tuple[Plane, Plane]) -> Plane:
    """The shift of the whole in pixels of the coarsest level, if the pictures fit better with it than without."""
    level = next((i for i, p in enumerate(first) if min(p.shape) <= _CORRELATED), len(first) - 1)
    # In pixels of a mosaic, two to a pixel.
    shift = np.array(shift_between(first[level], second[level])) / 2
    shift *= 2.0 ** (level - len(first) + 1)
    candidates = [np.zeros(2, np.intp), np.rint(shift).astype(np.intp)]
    limit = np.array(pair[0].shape) // 2
    misfits = [_misfit(*pair, c) if (abs(c) <= limit).all() else np.inf for c in candidates]
    return candidates[int(np.argmin(misfits))].astype(np.float32)


def _misfit(first: Plane, second: Plane, shift: NDArray[np.intp]) -> float:
    """Mean square of the difference where both are seen."""
    here = tuple(slice(max(-s, 0), size - max(s, 0)) for s, size in zip(shift, first.shape, strict=True))
    there = tuple(slice(max(s, 0), size - max(-s, 0)) for s, size in zip(shift, first.shape, strict=True))
    return float(np.mean((first[here] - second[there]) ** 2))


def _resampled(field: Plane, shape: tuple[int, ...], scale: int) -> Plane:
    """A field at `shape` places, `scale` of them to a tile, linear between the tiles' middles, and as they are beyond the last."""
    for axis, size in enumerate(shape):
        place = np.clip((np.arange(size, dtype=np.float32) + 0.5) / scale - 0.5, 0, field.shape[axis] - 1)
        below = np.minimum(place.astype(np.intp), max(field.shape[axis] - 2, 0))
        above = np.minimum(below + 1, field.shape[axis] - 1)
        share = (place - below).astype(np.float32).reshape(-1, *(1,) * (2 - axis))
        field = np.take(field, below, axis) * (1 - share) + np.take(field, above, axis) * share
    return field


def _matched(
    first: Plane, second: Plane, expected: Plane, radius: int, deviation: float, energy: float
) -> tuple[Plane, Plane]:
    """Every tile of a level sought within `radius` of what is `expected`: the smooth field, and the residual."""
    costs, base = _costs(first, second, expected, radius)
    steps = np.arange(-radius, radius + 1)
    offset = base - expected
    prior = [(offset[..., axis, None] + steps) ** 2 / (2 * deviation**2) for axis in (0, 1)]
    judged = costs + prior[0][..., :, None] + prior[1][..., None, :]
    best = judged.reshape(*base.shape[:2], -1).argmin(axis=-1)
    row, column = np.unravel_index(best, (len(steps), len(steps)))
    place = np.indices(best.shape)
    found = base + np.stack([row, column], axis=-1) - radius
    lowest = costs[(*place, row, column)]
    certainty = np.zeros_like(expected)
    exact = found.astype(np.float32)
    for axis, index in enumerate((row, column)):
        inside = (index > 0) & (index < 2 * radius)
        middle = np.clip(index, 1, 2 * radius - 1)
        near = [(*place, middle + s, column) if axis == 0 else (*place, row, middle + s) for s in (-1, 0, 1)]
        before, here, after = (costs[n] for n in near)
        curvature = np.maximum(before - 2 * here + after, 0) * inside
        slope = (before - after) / 2
        step = np.clip(slope / np.maximum(curvature, 1e-9), -0.5, 0.5) * inside
        exact[..., axis] += step
        lowest = lowest - curvature * step**2 / 2
        certainty[..., axis] = curvature
    # A cost is a quarter of the sum of squares, and noise alone differs by twice its energy.
    residual = np.maximum(lowest, 0) * 2 / (TILE**2 * energy)
    return _smooth(exact, certainty, expected, deviation), residual.astype(np.float32)


def _costs(first: Plane, second: Plane, expected: Plane, radius: int) -> tuple[Plane, NDArray[np.intp]]:
    """Minus the log likelihood of displacements about the whole pixel next to the `expected` one, and this pixel.

    [rows, columns, 2 radius + 1, 2 radius + 1] and [rows, columns, 2]. Beyond its borders a picture is what it is at them.
    """
    rows, columns = expected.shape[:2]
    base = np.rint(expected).astype(np.intp)
    side = 2 * radius + 1
    costs = np.empty((rows, columns, side, side), np.float32)
    within, around = np.arange(TILE), np.arange(-radius, TILE + radius)
    across = np.minimum(np.arange(columns)[:, None] * TILE + within, first.shape[1] - 1)
    for row in range(rows):
        down = np.minimum(row * TILE + within, first.shape[0] - 1)
        tiles = first[down[:, None], across[:, None, :]]
        there = np.clip(row * TILE + around + base[row, :, :1], 0, second.shape[0] - 1)
        aside = np.clip(np.arange(columns)[:, None] * TILE + around + base[row, :, 1:], 0, second.shape[1] - 1)
        windows = second[there[:, :, None], aside[:, None, :]]
        for y in range(side):
            for x in range(side):
                difference = windows[:, y : y + TILE, x : x + TILE] - tiles
                costs[row, :, y, x] = np.einsum("nij,nij->n", difference, difference) / 4
    return costs, base


def _smooth(found: Plane, certainty: Plane, expected: Plane, deviation: float) -> Plane:
    """The field that deviates least from what was found, what is expected, and itself one tile on: by Jacobi's method."""
    tie, bond = 1 / deviation**2, 1 / _STIFF**2
    target = certainty * found + tie * expected
    neighbours = _sum_of_neighbours(np.ones((*found.shape[:2], 1), np.float32))
    field = target / (certainty + tie)
    for _ in range(_SWEEPS):
        field = (target + bond * _sum_of_neighbours(field)) / (certainty + tie + bond * neighbours)
    return np.asarray(field, np.float32)


def _sum_of_neighbours(field: Plane) -> Plane:
    total = np.zeros_like(field)
    total[1:] += field[:-1]
    total[:-1] += field[1:]
    total[:, 1:] += field[:, :-1]
    total[:, :-1] += field[:, 1:]
    return total
