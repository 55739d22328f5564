"""RawFrame -> RawFrame: what the lens takes from the light towards the corners, given back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Floats, GainMap, RawFrame

Plane = NDArray[np.float32]

_STRIP = 128  # Rows at a time, so that the arrays of a strip stay in the cache.


def apply_gain_maps(frame: RawFrame, *, out: Plane | None = None) -> RawFrame:
    """The frame multiplied by its lens-shading maps, which it no longer has (DNG 1.4, GainMap opcode).

    The gain at (row, column) is the map at ((row + 0.5 - top) / height - origin) / spacing, bilinear, edges repeated, for every
    `pitch`-th pixel of its area. A map with fewer planes than the frame uses its last one for the others. The noise profile
    stays: it is true where the gain is 1, the middle of most lenses. `out` as for
    `defects.repair_hot_pixels`.
    """
    if not frame.gain_maps:
        return frame
    mosaic = writable(frame.mosaic, out)
    planes = [mosaic] if mosaic.ndim == 2 else [mosaic[..., c] for c in range(mosaic.shape[2])]
    for gain_map in frame.gain_maps:
        for number, plane in enumerate(planes):
            _apply_gain_map(plane, gain_map, gain_map.gains[..., min(number, gain_map.gains.shape[2] - 1)])
    return replace(frame, mosaic=mosaic, gain_maps=())


def _apply_gain_map(plane: Plane, gain_map: GainMap, gains: Floats) -> None:
    """Multiply the pixels of `plane` [H, W] that the map applies to, in place."""
    pixels, weights = [], []
    for axis in (0, 1):
        pitch, first = gain_map.pitch[axis], gain_map.area[axis]
        # A cut frame's areas begin outside of it: the first pixel inside keeps the pitch.
        first += max(0, -(first // pitch)) * pitch
        pixels.append(np.arange(first, min(gain_map.area[axis + 2], plane.shape[axis]), pitch))
        share = (pixels[axis] + 0.5 - gain_map.bounds[axis]) / gain_map.bounds[axis + 2]
        weights.append(grid_weights((share - gain_map.origin[axis]) / (gain_map.spacing[axis] or 1), gains.shape[axis]))
    if not (pixels[0].size and pixels[1].size):
        return
    across = (gains @ weights[1].T).astype(np.float32)
    columns = slice(pixels[1][0], pixels[1][-1] + 1, gain_map.pitch[1])
    for top in range(0, len(pixels[0]), _STRIP):
        rows = pixels[0][top : top + _STRIP]
        inside = slice(rows[0], rows[-1] + 1, gain_map.pitch[0])
        plane[inside, columns] *= weights[0][top : top + _STRIP] @ across


def grid_weights(position: Floats, count: int) -> Plane:
    """[n, count] matrix that interpolates a grid of `count` points at n positions, straight between points, held outside."""
    held = np.clip(position, 0, count - 1)
    first = np.minimum(held.astype(np.intp), max(count - 2, 0))
    share = held - first
    matrix = np.zeros((len(held), count), np.float32)
    row = np.arange(len(held))
    matrix[row, first] = 1 - share
    matrix[row, np.minimum(first + 1, count - 1)] += share
    return matrix


def writable(mosaic: Plane, out: Plane | None) -> Plane:
    """The mosaic in an array that may be changed."""
    if out is None:
        return mosaic.copy()
    if out is not mosaic:
        np.copyto(out, mosaic)
    return out
