"""Frames of a burst brought to where the reference's scene lies: guide, the sharpest frame, warp.

Alignment looks at one plane, the guide, as large as a colour plane of the frame; a displacement by a pixel of it is one by a whole
period of the pattern, so that every plane keeps its colour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.bayer import PLANE_COLORS, pack, pad_even, unpack
from quietlight.frames import BAYER, NoiseProfile, RawFrame
from quietlight.systems.align import Field, Plane, align


def planes_of(frame: RawFrame) -> Plane:
    """[C, h, w]: R, Gr, Gb, B of a Bayer frame, odd sides mirrored by a pixel; one of a monochrome raw; three of an RGB one."""
    if frame.cfa in BAYER:
        return np.asarray(pack(pad_even(frame.mosaic), frame.cfa), np.float32)
    if frame.cfa == "MONO":
        return frame.mosaic.reshape(1, *frame.mosaic.shape)
    return frame.mosaic.transpose(2, 0, 1)


def with_planes(frame: RawFrame, planes: Plane) -> RawFrame:
    """The frame with other planes: the inverse of `planes_of`."""
    if frame.cfa in BAYER:
        height, width = frame.mosaic.shape
        mosaic = unpack(planes, frame.cfa)[:height, :width]
    else:
        mosaic = planes[0] if frame.cfa == "MONO" else np.moveaxis(planes, 0, 2)
    return replace(frame, mosaic=np.ascontiguousarray(mosaic, np.float32))


def colors_of(cfa: str) -> tuple[int, ...]:
    """The colour (0 red, 1 green, 2 blue) of every plane; a monochrome one has green's noise."""
    return PLANE_COLORS if cfa in BAYER else (1,) if cfa == "MONO" else (0, 1, 2)


def guide(frame: RawFrame) -> Plane:
    """The mean of the planes of a frame, [h, w]."""
    return np.asarray(planes_of(frame).mean(axis=0, dtype=np.float32))


def noise_of_guide(noise: NoiseProfile, cfa: str) -> NoiseProfile:
    """The profile, one (shot, read) pair, of the guide of frames of this profile, as if their colours were gray."""
    colors = colors_of(cfa)
    shot, read = (float(np.mean([values[color] for color in colors])) for values in noise.per_color())
    return NoiseProfile((shot,), (read,)).averaged(len(colors))


def sharpest(frames: Iterable[RawFrame], noise: NoiseProfile) -> int:
    """The index of the frame of most gradient energy less that of the noise, which is `noise` in all: the one held stillest."""
    energies = []
    for frame in frames:
        picture = guide(frame)
        gradients = sum(np.mean(np.diff(picture, axis=axis) ** 2, dtype=np.float64) for axis in (0, 1))
        variance = noise_of_guide(noise, frame.cfa).variance(picture).mean(dtype=np.float64)
        # A difference of two neighbours has twice their variance, and there are two directions.
        energies.append(gradients - 4 * variance)
    return int(np.argmax(energies))


def located(
    frames: Sequence[RawFrame], noise: NoiseProfile, progress: Callable[[float], None] | None = None
) -> list[Field]:
    """Where all frames but the first lie, towards the first.

    Args:
        frames: of one size and pattern.
        noise: of every frame.
        progress: called with the finished share, from 0 to 1.
    """
    reference, guide_noise = guide(frames[0]), noise_of_guide(noise, frames[0].cfa)
    fields = []
    for done, frame in enumerate(frames[1:], start=1):
        fields.append(align(reference, guide(frame), guide_noise))
        if progress is not None:
            progress(done / (len(frames) - 1))
    return fields


def stacked(frames: Sequence[RawFrame], fields: Sequence[Field], *, subpixel: bool = False) -> Plane:
    """The planes of all frames, as if taken from where the first one was: [N, C, h, w].

    Args:
        frames: of one size and pattern.
        fields: of all but the first; none at all where the frames lie on each other as they are.
        subpixel: as for `warp`.
    """
    planes = planes_of(frames[0])
    stack = np.empty((len(frames), *planes.shape), np.float32)
    stack[0] = planes
    for index, frame in enumerate(frames[1:], start=1):
        planes = planes_of(frame)
        stack[index] = warp(planes, fields[index - 1], stack[0], subpixel=subpixel) if fields else planes
    return stack


def onto_first(
    frames: Sequence[RawFrame], noise: NoiseProfile, *, subpixel: bool = False
) -> tuple[list[Plane], list[Field]]:
    """`stacked` of all frames but the first, located by `located`; and where they lay."""
    fields = located(frames, noise)
    return list(stacked(frames, fields, subpixel=subpixel)[1:]), fields


def warp(planes: Plane, field: Field, reference: Plane, *, subpixel: bool = False) -> Plane:
    """What the planes of a frame show, where the reference shows it.

    Args:
        planes, reference: [C, h, w], h and w those of the guide. Where a frame shows nothing, the reference stands in.
        field: of the frame.
        subpixel: interpolate by Catmull and Rom's cubic, plane by plane; else every value is one that the sensor gave, and is off
            by half a pixel of a plane at most.
    """
    _, height, width = planes.shape
    moved = field.dense(height, width)
    rows = np.arange(height, dtype=np.float32)[:, None] + moved[..., 0]
    columns = np.arange(width, dtype=np.float32) + moved[..., 1]
    seen = (rows > -0.5) & (rows < height - 0.5) & (columns > -0.5) & (columns < width - 0.5)
    if subpixel:
        found = _interpolated(planes, rows, columns)
    else:
        found = _taken(planes, np.rint(rows).astype(np.int32), np.rint(columns).astype(np.int32))
    return np.where(seen, found, reference)


def _taken(planes: Plane, rows: NDArray[np.int32], columns: NDArray[np.int32]) -> Plane:
    """The values at these places, those at the border beyond it."""
    count, height, width = planes.shape
    place = np.clip(rows, 0, height - 1) * np.int32(width) + np.clip(columns, 0, width - 1)
    return np.stack([np.take(plane, place) for plane in planes.reshape(count, -1)])


def _interpolated(planes: Plane, rows: Plane, columns: Plane) -> Plane:
    top, left = (np.floor(places).astype(np.int32) for places in (rows, columns))
    down, right = _cubic(rows - top), _cubic(columns - left)
    total = np.zeros((len(planes), *rows.shape), np.float32)
    for i, row_weight in enumerate(down, start=-1):
        for j, column_weight in enumerate(right, start=-1):
            total += row_weight * column_weight * _taken(planes, top + np.int32(i), left + np.int32(j))
    return total


def _cubic(share: Plane) -> tuple[Plane, ...]:
    """Weights of the four values about a place that lies `share` behind the second."""
    t, t2, t3 = share, share**2, share**3
    weights = (2 * t2 - t - t3) / 2, (2 - 5 * t2 + 3 * t3) / 2, (t + 4 * t2 - 3 * t3) / 2, (t3 - t2) / 2
    return tuple(np.asarray(weight, np.float32) for weight in weights)
