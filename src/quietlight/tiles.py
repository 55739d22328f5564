"""Padding and tiling in one place: any function of a neighbourhood, run over a picture of any size piece by piece, without seams.

Axes: the first two are rows and columns, [H, W] or [H, W, C], as frames hold them. The picture is mirrored about its outermost
pixels (which keeps the parity of a Bayer pattern), as far as the caller wants a function to see no border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight import machine
from quietlight.frames import Array

Span = tuple[int, int]
_LEAST = 128


def apply(
    function: Callable[[Array], Array],
    array: Array,
    *,
    tile: int = 512,
    margin: int = 0,
    border: int | None = None,
    multiple: int = 1,
    shrink: int = 1,
    before: Span = (0, 0),
    progress: Callable[[float], None] | None = None,
) -> Array:
    """`function` over `array`, tile by tile; equal to one call on the whole where `margin` covers the receptive field.

    The function gets a copy of the tile in the array's own type, [h, w, ...] with `margin` more pixels on every side, but no more
    than `border` beyond the picture's, and with h and w divisible by `multiple`, starting at a row and column divisible by
    `multiple`. It returns [h, w, ...] of any type and any number of channels, the same for all tiles. No more than one tile and
    the result are in memory.

    Args:
        function: what is run on each tile.
        array: [H, W] or [H, W, C], not empty.
        tile: largest side of a tile without its margin, rounded up to the multiple.
        margin: pixels beyond the tile on which the function's result inside depends, rounded up to the multiple.
        border: most pixels mirrored beyond the picture's own sides, rounded up to the multiple; None for as many as `margin`. Tiles
            end there together, so that a network which pads with zeros does so at the same place however it is tiled.
        multiple: what both sides of a tile are a multiple of, such as 2 for a Bayer mosaic or 2^scales for a network.
        before: rows and columns that are mirrored before the picture and count as its own, such as those that bring a Bayer
            pattern to another phase; the result is without them.
        shrink: by which the function's result is smaller than the tile, a divisor of `multiple`; the whole one is, rounded up.
        progress: called after each tile with the finished share, at last 1.

    Raises:
        ValueError: for an empty array, or a function that changes the size.
    """
    if 0 in array.shape:
        raise ValueError(f"an array of shape {array.shape} cannot be tiled")
    margin = _round_up(margin, multiple)
    border = margin if border is None else _round_up(border, multiple)
    sides = array.shape[0] + before[0], array.shape[1] + before[1]
    places = [
        (rows, columns) for rows in _spans(sides[0], tile, multiple) for columns in _spans(sides[1], tile, multiple)
    ]
    indices = [mirrored(-lead, size, size) for lead, size in zip(before, array.shape, strict=False)]

    def window(span: Span, size: int) -> Span:
        return max(span[0] - margin, -border), min(span[1] + margin, _round_up(size, multiple) + border)

    def run(place: tuple[Span, Span]) -> Array:
        """The function's result from the tile's first pixel on."""
        (top, bottom), (left, right) = map(window, place, sides)
        rows, columns = (
            own[mirrored(*span, len(own))] for own, span in zip(indices, ((top, bottom), (left, right)), strict=True)
        )
        part = function(array[rows[:, None], columns])
        if part.shape[:2] != (len(rows) // shrink, len(columns) // shrink):
            raise ValueError(f"the function turned a tile of {len(rows)}x{len(columns)} into {part.shape[:2]}")
        return part[(place[0][0] - top) // shrink :, (place[1][0] - left) // shrink :]

    first = run(places[0])
    out = np.empty((*(-(-side // shrink) for side in array.shape[:2]), *first.shape[2:]), first.dtype)

    def store(place: tuple[Span, Span], part: Array) -> None:
        (top, bottom), (left, right) = place
        part = part[max(before[0] - top, 0) // shrink :, max(before[1] - left, 0) // shrink :]
        rows, columns = (
            slice(max(start - lead, 0) // shrink, (stop - lead) // shrink)
            for start, stop, lead in ((top, bottom, before[0]), (left, right, before[1]))
        )
        target = out[rows, columns]
        target[...] = part[: target.shape[0], : target.shape[1]]

    for done, place in enumerate(places, start=1):
        store(place, first if done == 1 else run(place))
        if progress is not None:
            progress(done / len(places))
    return out


def apply_to_frames(function: Callable[[Array], Array], frames: Array, **how: Any) -> Array:
    """As `apply`, for a function of frames [N, C, h, w] that gives planes [channels, h, w]; frames of a piece are contiguous."""

    def work(piece: Array) -> Array:
        part = np.moveaxis(piece, 2, 0).reshape(*frames.shape[:2], *piece.shape[:2])
        return np.moveaxis(function(np.ascontiguousarray(part)), 0, 2)

    planes = np.moveaxis(frames.reshape(-1, *frames.shape[2:]), 0, 2)
    return np.moveaxis(apply(work, planes, **how), 2, 0)


def side(most: int, bytes_per_pixel: float) -> int:
    """The side of tiles: `most`, halved until one takes no more than half of the free memory, but not below 128.

    Another side gives a result that differs in the last bits, so that it is `most` wherever there is memory enough.
    """
    free = machine.free_memory()
    while free is not None and most > 2 * _LEAST - 1 and most**2 * bytes_per_pixel > free / 2:
        most //= 2
    return most


def mirrored(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """Indices start ... stop - 1 folded back into [0, size): ... 2 1 0 1 2 ... n-2 n-1 n-2 ...; one pixel is repeated.

    >>> mirrored(-2, 5, 3).tolist()
    [2, 1, 0, 1, 2, 1, 0]
    """
    period = max(2 * (size - 1), 1)
    index = np.arange(start, stop) % period
    return np.minimum(index, period - index) if size > 1 else np.zeros(stop - start, np.intp)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _spans(size: int, tile: int, multiple: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the fewest pieces of at most `tile`, about equally long; the last may reach past the end."""
    step = _round_up(-(-size // max(-(-size // _round_up(tile, multiple)), 1)), multiple)
    for start in range(0, size, step):
        yield start, min(start + step, _round_up(size, multiple))
