"""Bayer mosaic <-> planes, and the cuts and turns of a raw frame that keep its pattern, crop and lens-shading maps true.

Planes are always ordered R, Gr, Gb, B, whatever the pattern (Gr is the green of the red rows).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import BAYER, Array, GainMap, NoiseProfile, RawFrame, UnusableInput

PLANE_COLORS = (0, 1, 1, 2)
"""Colour (0 red, 1 green, 2 blue) of the planes R, Gr, Gb, B."""

_OPCODE_LISTS = (51008, 51009, 51022)


def plane_offsets(cfa: str) -> tuple[tuple[int, int], ...]:
    """(row, column) of the first pixel of R, Gr, Gb, B.

    >>> plane_offsets("GBRG")
    ((1, 0), (1, 1), (0, 0), (0, 1))
    """
    row, column = divmod(cfa.index("R"), 2)
    return (row, column), (row, 1 - column), (1 - row, column), (1 - row, 1 - column)


def pattern_colors(cfa: str) -> NDArray[np.intp]:
    """[2, 2] array of the colour (0 red, 1 green, 2 blue) at each place of the pattern."""
    return np.array(["RGB".index(c) for c in cfa]).reshape(2, 2)


def pack(mosaic: Array, cfa: str) -> Array:
    """[H, W] -> [4, H/2, W/2], planes R, Gr, Gb, B. Raises UnusableInput for odd sizes: `pad_even` first."""
    if mosaic.shape[0] % 2 or mosaic.shape[1] % 2:
        raise UnusableInput(f"only mosaics of even size can be packed, not {mosaic.shape}")
    return np.stack(plane_views(mosaic, cfa))


def plane_views(mosaic: Array, cfa: str) -> list[Array]:
    """The planes of `pack` as views of the mosaic, which takes no memory; of an odd size, of different sizes."""
    return [mosaic[row::2, column::2] for row, column in plane_offsets(cfa)]


def unpack(planes: Array, cfa: str) -> Array:
    """[4, H/2, W/2] -> [H, W], the inverse of `pack`."""
    _, height, width = planes.shape
    mosaic = np.empty((2 * height, 2 * width), planes.dtype)
    for plane, (row, column) in zip(planes, plane_offsets(cfa), strict=True):
        mosaic[row::2, column::2] = plane
    return mosaic


def pad_even(mosaic: Array) -> Array:
    """Mirror the last row or column of an odd-sized mosaic, so that `pack` takes it; the pattern stays as it is.

    A side of one pixel has nothing to mirror: its only pixel is repeated. A mosaic of even size is returned itself.
    """
    height, width = mosaic.shape
    if height % 2 == width % 2 == 0:
        return mosaic
    return np.pad(mosaic, ((0, height % 2), (0, width % 2)), mode="reflect")


def as_rggb(mosaic: Array, cfa: str) -> Array:
    """A Bayer mosaic as an RGGB one: a first row, a first column or both are mirrored before it (Liu et al. 2019).

    An RGGB mosaic is returned itself. `tiles.apply` does the same tile by tile, with `before` the place of the first red pixel.
    """
    top, left = plane_offsets(cfa)[0]
    return np.pad(mosaic, ((top, 0), (left, 0)), mode="reflect") if top or left else mosaic


def undo_as_rggb(mosaic: Array, cfa: str) -> Array:
    """The mosaic of pattern `cfa` that `as_rggb` was given."""
    top, left = plane_offsets(cfa)[0]
    return mosaic[top:, left:]


def shifted_pattern(cfa: str, rows: int, columns: int) -> str:
    """The pattern seen from pixel (rows, columns).

    >>> shifted_pattern("RGGB", 0, 1)
    'GRBG'
    """
    if cfa not in BAYER:
        return cfa
    return "".join(cfa[2 * ((i + rows) % 2) + (j + columns) % 2] for i in (0, 1) for j in (0, 1))


def crop(frame: RawFrame, top: int, left: int, height: int, width: int) -> RawFrame:
    """Cut out a rectangle. Its pattern follows, and so do the DefaultCrop and the lens-shading maps.

    Raises UnusableInput where the rectangle is empty or leaves the frame.
    """
    rows, columns = frame.mosaic.shape[:2]
    if min(top, left) < 0 or min(height, width) < 1 or top + height > rows or left + width > columns:
        raise UnusableInput(f"the crop {height}x{width} at ({top}, {left}) leaves the frame of {rows}x{columns}")
    maps = tuple(_moved(m, -top, -left) for m in frame.gain_maps)
    # The opcodes of the file name places of the whole frame: they would be false in a DNG of the part.
    carried = {tag: value for tag, value in frame.metadata.dng.items() if tag not in _OPCODE_LISTS}
    return replace(
        frame,
        mosaic=frame.mosaic[top : top + height, left : left + width],
        cfa=shifted_pattern(frame.cfa, top, left),
        crop=None if frame.crop is None else _intersection(frame.crop, (top, left, height, width)),
        gain_maps=maps,
        metadata=replace(frame.metadata, dng=carried),
    )


def _moved(gain_map: GainMap, rows: int, columns: int) -> GainMap:
    """The map in coordinates whose origin lies (-rows, -columns) away."""
    top, left, height, width = gain_map.bounds
    first, start, last, end = gain_map.area
    return replace(
        gain_map,
        bounds=(top + rows, left + columns, height, width),
        area=(first + rows, start + columns, last + rows, end + columns),
    )


def _intersection(
    inner: tuple[int, int, int, int], outer: tuple[int, int, int, int]
) -> tuple[int, int, int, int] | None:
    """`inner` in coordinates of `outer`, cut to it; None where nothing is left."""
    top, left = (max(inner[i] - outer[i], 0) for i in (0, 1))
    bottom, right = (min(inner[i] + inner[i + 2] - outer[i], outer[i + 2]) for i in (0, 1))
    return (top, left, bottom - top, right - left) if bottom > top and right > left else None


def flip(frame: RawFrame, axis: Literal[0, 1]) -> RawFrame:
    """Mirror a frame without crop and maps (axis 0: top to bottom); its pattern follows. For augmentation."""
    if frame.crop is not None or frame.gain_maps:
        raise UnusableInput("a frame with a DefaultCrop or lens-shading maps is not flipped: develop it first")
    size = frame.mosaic.shape[axis]
    # The first pixel of the mirrored frame is the last one of the frame, and the steps go the other way: of period 2, so the same.
    cfa = shifted_pattern(frame.cfa, (size - 1) * (1 - axis), (size - 1) * axis)
    return replace(frame, mosaic=np.flip(frame.mosaic, axis), cfa=cfa)


def amplify(frame: RawFrame, gain: float | tuple[float, float, float]) -> RawFrame:
    """`gain * frame`, one gain or three (red, green, blue); the noise profile follows: (g·shot, g²·read)."""
    factors: Array | float
    if isinstance(gain, int | float):
        factors = float(gain)
    elif frame.cfa == "RGB":
        factors = np.asarray(gain, np.float32)
    elif frame.cfa == "MONO":
        raise UnusableInput("a monochrome frame takes one gain, not three")
    else:
        height, width = frame.mosaic.shape
        tile = np.asarray(gain, np.float32)[pattern_colors(frame.cfa)]
        factors = np.tile(tile, (height // 2 + 1, width // 2 + 1))[:height, :width]
    noise = None if frame.noise is None else frame.noise.scaled(gain)
    return replace(frame, mosaic=np.asarray(frame.mosaic * factors, np.float32), noise=noise)


def average(frames: Iterable[RawFrame]) -> RawFrame:
    """The mean of aligned frames of one size and pattern, with everything else of the first; noise (shot/n, read/n).

    Frames are taken one at a time. Raises UnusableInput for frames that differ in size or pattern, and for none.
    """
    first: RawFrame | None = None
    total, count, profiles = np.zeros(()), 0, []
    for frame in frames:
        first = first or frame
        if (frame.cfa, frame.mosaic.shape) != (first.cfa, first.mosaic.shape):
            raise UnusableInput("only frames of one size and pattern can be averaged")
        total, count = total + frame.mosaic, count + 1
        profiles += [] if frame.noise is None else [frame.noise]
    if first is None:
        raise UnusableInput("no frames to average")
    noise = None
    if len(profiles) == count:
        shots, reads = zip(*(p.per_color() for p in profiles), strict=True)
        mean_profile = NoiseProfile(tuple(map(float, np.mean(shots, 0))), tuple(map(float, np.mean(reads, 0))))
        noise = mean_profile.averaged(count)
    return replace(first, mosaic=np.asarray(total / count, np.float32), noise=noise)
