"""Bayer mosaic -> RGB by linear interpolation with gradient correction: Malvar, He and Cutler 2004 (their Fig. 2 filters).

The filters are applied to the four half-size planes of one phase each, so that all arithmetic runs on contiguous arrays; phases may
be torch tensors as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight.arrays import contiguous
from quietlight.camera.bayer import pattern_colors

Planes = NDArray[np.floating[Any]]
HALO = 2
"""Pixels that the filters reach beyond a pixel."""


def demosaic(mosaic: Planes, cfa: str) -> Planes:
    """[H, W] -> [H, W, 3] of the same type, for all four patterns and any size from 1×1; edges are mirrored."""
    height, width = mosaic.shape
    padded = with_halo(mosaic)
    rgb = np.empty((padded.shape[0] - 2 * HALO, padded.shape[1] - 2 * HALO, 3), mosaic.dtype)
    for (row, column), planes in demosaic_phases(padded, cfa):
        for channel, plane in enumerate(planes):
            rgb[row::2, column::2, channel] = plane
    return rgb[:height, :width]


def with_halo(mosaic: Planes) -> Planes:
    """[H, W] made even in size, with `HALO` more pixels on every side, mirrored about the edge pixels: so the pattern stays."""
    height, width = mosaic.shape
    return np.pad(mosaic, ((HALO, HALO + height % 2), (HALO, HALO + width % 2)), mode="reflect")


def demosaic_phases(padded: Planes, cfa: str) -> Iterator[tuple[tuple[int, int], tuple[Planes, Planes, Planes]]]:
    """The RGB of each of the four pixel phases of a mosaic of even size that has `HALO` more pixels on every side.

    Yields ((row, column), (red, green, blue)) with row, column in {0, 1} and planes [H/2, W/2]; `cfa` is the pattern without halo.
    """
    colors = pattern_colors(cfa)
    phases = [[contiguous(padded[i::2, j::2]) for j in (0, 1)] for i in (0, 1)]
    for row in (0, 1):
        for column in (0, 1):
            near = _Neighbours(phases, row, column)
            planes = [near(0, 0)] * 3
            if colors[row, column] == 1:
                planes[colors[row, 1 - column]] = _color_beside_green(near, along_rows=True)
                planes[colors[1 - row, column]] = _color_beside_green(near, along_rows=False)
            else:
                planes[1] = _green_at_color(near)
                planes[2 - colors[row, column]] = _color_at_opposite(near)
            yield (row, column), (planes[0], planes[1], planes[2])


class _Neighbours:
    """The pixels at an offset from all pixels of one phase, as one half-size plane."""

    def __init__(self, phases: list[list[Planes]], row: int, column: int) -> None:
        self.phases = phases
        self.row, self.column = row + HALO, column + HALO
        self.height, self.width = phases[0][0].shape[0] - HALO, phases[0][0].shape[1] - HALO

    def __call__(self, down: int, right: int) -> Planes:
        i, j = self.row + down, self.column + right
        return self.phases[i % 2][j % 2][i // 2 : i // 2 + self.height, j // 2 : j // 2 + self.width]

    def cross(self, distance: int) -> Planes:
        """Sum of the four pixels straight above, below, left and right."""
        return self.column_pair(distance) + self.row_pair(distance)

    def row_pair(self, distance: int) -> Planes:
        return self(0, -distance) + self(0, distance)

    def column_pair(self, distance: int) -> Planes:
        return self(-distance, 0) + self(distance, 0)

    def diagonals(self) -> Planes:
        return self(-1, -1) + self(-1, 1) + self(1, -1) + self(1, 1)


def _green_at_color(near: _Neighbours) -> Planes:
    """Green at a red or blue pixel: gain α = 1/2 of the pixel's own Laplacian."""
    return (near(0, 0) * 4 + near.cross(1) * 2 - near.cross(2)) / 8


def _color_beside_green(near: _Neighbours, along_rows: bool) -> Planes:
    """Red or blue at a green pixel whose row (or column) holds that colour: gain β = 5/8."""
    same, other = (near.row_pair, near.column_pair) if along_rows else (near.column_pair, near.row_pair)
    return (near(0, 0) * 5 + same(1) * 4 - near.diagonals() - same(2) + other(2) / 2) / 8


def _color_at_opposite(near: _Neighbours) -> Planes:
    """Red at a blue pixel or blue at a red one: gain γ = 3/4."""
    return (near(0, 0) * 6 + near.diagonals() * 2 - near.cross(2) * 1.5) / 8
