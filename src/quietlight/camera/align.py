"""How far a scene moved between two raws, in steps that keep the Bayer pattern, and how well they then lie on each other.

Shifts by phase correlation: Kuglin and Hines, "The phase correlation image alignment method", 1975. What is left, tile by tile, by
the equations of Lucas and Kanade, "An iterative image registration technique", 1981.
"""

from __future__ import annotations

import numpy as np

from quietlight.camera.bayer import pack
from quietlight.frames import Floats, RawFrame

Shift = tuple[int, int]
"""(rows, columns), even: what is at (y, x) of the reference is at (y + rows, x + columns) of the other."""
Area = tuple[int, int, int, int]
"""(top, left, height, width)."""
_HIGHEST = 0.1
"""Deviation of the weight on frequencies, cycles per pixel: those above are mostly noise."""
_TILE = 64
"""Side of the tiles in which things may move by themselves, in pixels of `half_size`."""
_BLOCK = 8
_BLUR = np.array([1, 4, 6, 4, 1]) / 16


def half_size(frame: RawFrame) -> Floats:
    """The mean of the four planes of a Bayer frame, [H/2, W/2]; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in frame.mosaic.shape)
    return np.asarray(pack(frame.mosaic[:height, :width], frame.cfa).mean(axis=0, dtype=np.float64))


def shift_between(reference: Floats, other: Floats) -> Shift:
    """The shift in pixels of the mosaic of two pictures as `half_size` makes them; reliable up to about a quarter of their size."""
    height, width = reference.shape
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    first, second = (np.fft.rfft2((picture - picture.mean()) * window) for picture in (reference, other))
    cross = second * first.conj()
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    weight = np.exp(-((frequency / _HIGHEST) ** 2) / 2) / np.maximum(np.abs(cross), np.finfo(np.float64).tiny)
    peak = np.argmax(np.fft.irfft2(cross * weight, (height, width)))
    rows, columns = np.unravel_index(peak, (height, width))
    return 2 * _signed(int(rows), height), 2 * _signed(int(columns), width)


def _signed(offset: int, period: int) -> int:
    return (offset + period // 2) % period - period // 2


def overlap(shifts: list[Shift], height: int, width: int) -> Area:
    """The part of the reference, of even size, that all frames show; of no height or width where there is none."""
    rows, columns = ([0, *values] for values in zip(*shifts, strict=True)) if shifts else ([0], [0])
    top, left = max(-min(rows), 0), max(-min(columns), 0)
    bottom, right = height - max(rows), width - max(columns)
    return top, left, max(bottom - top, 0) // 2 * 2, max(right - left, 0) // 2 * 2


def displacement(reference: Floats, other: Floats) -> float:
    """How far things are off in the other picture, root mean square in pixels of the mosaic, both as `half_size` makes them.

    Each tile has its own displacement, and counts by its contrast. Noise hardly counts. Displacements of more than some pixels come
    out too small, but not small.
    """
    before = _blurred(reference)
    difference = np.asarray(_blurred(other) - before)
    down, right = np.gradient(before, axis=0), np.gradient(before, axis=1)
    explained = energy = 0.0
    for top in range(0, before.shape[0], _TILE):
        for left in range(0, before.shape[1], _TILE):
            part = np.s_[top : top + _TILE, left : left + _TILE]
            slopes = np.stack([down[part].ravel(), right[part].ravel()])
            matrix, vector = slopes @ slopes.T, slopes @ difference[part].ravel()
            explained += float(vector @ np.linalg.pinv(matrix, hermitian=True) @ vector)
            energy += float(np.trace(matrix))
    return 2 * float(np.sqrt(2 * explained / energy)) if energy else 0.0


def change(reference: Floats, other: Floats, variance: float) -> float:
    """What differs between two aligned pictures where it is coarser than noise and displacements, as a share of the contrast.

    Things that move, and light that changes: the mean square of the difference over twice the reference's variance, in blocks.

    Args:
        reference, other: as `half_size` makes them.
        variance: of the noise of either.
    """
    first, second = _blocks(reference), _blocks(other)
    noise = variance / _BLOCK**2
    excess = float(np.mean((second - first) ** 2)) / 2 - noise
    contrast = float(first.var()) - noise
    return max(excess, 0.0) / contrast if contrast > 0 else float(excess > noise)


def _blurred(picture: Floats) -> Floats:
    for axis in (0, 1):
        padded = np.pad(picture, [(2, 2) if axis == other else (0, 0) for other in (0, 1)], mode="edge")
        picture = np.apply_along_axis(np.convolve, axis, padded, _BLUR, "valid")
    return picture


def _blocks(picture: Floats) -> Floats:
    """The means of blocks; what does not fill one is left out, unless nothing does."""
    side = min(_BLOCK, *picture.shape)
    rows, columns = (length // side for length in picture.shape)
    cut = picture[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return np.asarray(cut.mean(axis=(1, 3)))
