"""Pixels that lost their value: found by value and neighbours, filled from the neighbours that are left.

For photos whose pixels dropped to black or jumped to white (dead pixels, transmission errors, the bernoulli and salt-and-pepper
natures). Raws, whose hot pixels are not at the ends of the scale, go through `camera.defects.repair_hot_pixels`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Array
from quietlight.tiles import mirrored

Mask = NDArray[np.bool_]

CONTRAST = 6 / 255
"""Least distance of the median around from the end of the scale: nearer, a pixel at the end is nothing unusual."""
DETECT_MARGIN = 2
FILL_MARGIN = 36
_WIDTHS = (0.7, 1.5, 4.0, 12.0)
_LEAST_WEIGHT = 0.02
_CHUNK = 1 << 17


def full_scale(pixels: Array) -> int:
    """The number that stands for white in an array's type."""
    return 1 if pixels.dtype.kind == "f" else int(np.iinfo(pixels.dtype).max)


def detect(pixels: Array, contrast: float = CONTRAST) -> Mask:
    """Which values of [H, W] or [H, W, C] sit at an end of the scale while their surroundings do not.

    A hit is 0 where the 5x5 median lies above `contrast`, or white where it lies below 1 - contrast.
    """
    white = full_scale(pixels)
    mask = np.zeros(pixels.shape, np.bool_)
    for plane, hits in _channels(pixels, mask):
        for end in (0, white):
            rows, columns = np.nonzero(plane == end)
            for start in range(0, len(rows), _CHUNK):
                r, c = rows[start : start + _CHUNK], columns[start : start + _CHUNK]
                median = np.median(_around(plane, r, c, 2), axis=0)
                hits[r, c] = np.abs(median - end) > contrast * white
    return mask


def alone(pixels: Array, mask: Mask, contrast: float) -> Mask:
    """The hits of `mask` that no structure explains, for pictures in which hits are rare.

    Such a pixel differs from the nearest of its eight neighbours by more than `contrast` and by more than the eight differ among
    themselves, and the eight do not rise towards it, as they do around a star or a highlight, which the lens spreads.
    """
    white = full_scale(pixels)
    kept = np.zeros_like(mask)
    for (plane, hits), (_, out) in zip(_channels(pixels, mask), _channels(pixels, kept), strict=True):
        rows, columns = np.nonzero(hits)
        if len(rows):
            square = _around(plane, rows, columns, 2).astype(np.float32) / white
            value = square[12]
            ring = square[[6, 7, 8, 11, 13, 16, 17, 18]]
            beyond = square[[0, 1, 2, 3, 4, 5, 9, 10, 14, 15, 19, 20, 21, 22, 23, 24]]
            excess = np.abs(ring - value).min(axis=0)
            rise = (np.median(ring, axis=0) - np.median(beyond, axis=0)) * np.sign(value - np.median(ring, axis=0))
            clear = (excess > contrast) & (excess > np.ptp(ring, axis=0)) & (rise < 0.05 * excess)
            out[rows[clear], columns[clear]] = True
    return kept


def fill(pixels: Array, mask: Mask) -> Array:
    """The array, in its type, with the masked values replaced by Gaussian means of the unmasked ones around them.

    Sigma 0.7, then 1.5, 4, 12 pixels for those that found a weight of less than 0.02. Values without any neighbour stay.
    """
    out = pixels.copy()
    for (plane, holes), (target, _) in zip(_channels(pixels, mask), _channels(out, mask), strict=True):
        left = holes.copy()
        for width in _WIDTHS:
            if not left.any():
                break
            weight = _blur((~holes).astype(np.float32), width)
            mean = _blur(np.where(holes, 0, plane).astype(np.float32), width)
            found = left & (weight > _LEAST_WEIGHT)
            values = mean[found] / weight[found]
            target[found] = values if pixels.dtype.kind == "f" else np.round(values)
            left &= ~found
    return out


def _channels(pixels: Array, mask: Mask) -> list[tuple[Array, Mask]]:
    if pixels.ndim == 2:
        return [(pixels, mask)]
    return [(pixels[..., c], mask[..., c]) for c in range(pixels.shape[2])]


def _around(plane: Array, rows: NDArray[np.intp], columns: NDArray[np.intp], radius: int) -> Array:
    """[(2 radius + 1)², N] values of the square around N pixels, row by row, mirrored at the borders."""
    height, width = plane.shape
    fold_row, fold_column = mirrored(-radius, height + radius, height), mirrored(-radius, width + radius, width)
    steps = range(2 * radius + 1)
    return np.array([plane[fold_row[rows + i], fold_column[columns + j]] for i in steps for j in steps])


def _blur(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Separable Gaussian, cut off at 3 sigma, mirrored at the borders."""
    radius = round(3 * sigma)
    kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    for _ in (0, 1):
        size = plane.shape[0]
        padded = plane[mirrored(-radius, size + radius, size)]
        total = np.zeros_like(plane)
        for i, k in enumerate(kernel):
            total += np.float32(k) * padded[i : i + size]
        plane = np.ascontiguousarray(total.T)
    return plane
