"""HDR+ as a system: a burst of raws merged tile by tile in the frequency domain.

Hasinoff et al., "Burst photography for high dynamic range and low-light imaging on mobile cameras", SIGGRAPH Asia 2016, section 5,
as the authors of KPN implemented it to compare with (Mildenhall et al. 2018): tiles of 16x16, half overlapping, raised cosine; of
every frequency, what the frame lacks towards the reference is given back by the share |D|² / (|D|² + c sigma²), D the difference of
their transforms. So what noise explains is averaged, and the rest, such as things that moved, is the reference's. Departures:

- sigma² is that of the noise profile at the mean of the reference's tile, of every plane.
- The window is applied once, before the transform: what is given back is linear in the tiles but for the shares, and the windows of
  overlapping tiles add up to 1. So a difference of noise alone has |D|² = 72 sigma² in the mean.
- No spatial filter follows: the denoisers of single raws do that better.
- Default c: see `TUNING`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quietlight import tiles
from quietlight.camera.bayer import average
from quietlight.frames import Array, Burst, Image, NoiseProfile, RawFrame
from quietlight.systems import Result
from quietlight.systems.align import Plane
from quietlight.systems.bursts import halves, raws_of, record_of
from quietlight.systems.warp import colors_of, located, onto_first, stacked, with_planes

TILE = 16
AUTHORS_TUNING = 10**2.25
"""c of the authors of KPN, for frames that are not aligned: of eight that fit perfectly, it averages the noise of 3.3."""
TUNING = 10**2.75
"""Ours, for aligned frames: of eight that fit perfectly, it averages the noise of 5.8."""
_ALIGNING = 0.7
"""Share of the time that aligning and moving takes."""
_PIECE = 256
"""Side of what is merged at once, in pixels of a plane."""


def hdrplus(
    burst: Burst | RawFrame | Image,
    *,
    aligned: bool = True,
    tuning: float = TUNING,
    subpixel: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Merge a burst of raws onto its reference frame.

    Args:
        burst: of raws of one size, pattern and exposure; its reference has a noise profile, which holds for all. Where it names
            no reference, the sharpest frame is.
        aligned: align the frames first; else they are taken to lie on each other up to small motion.
        tuning: c of the shrinkage: the larger, the more is averaged, and the more motion it takes to be left out.
        subpixel: as for `warp`; without, the mean of gray frames is 1 to 2 dB worse; it is half of the time.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the reference with merged mosaic and with the noise profile of the result, its own over "effective_frames"; and a record:
        that of `record_of`, and effective_frames. The noise that is left is not white: where frames do not fit, it is one frame's.

    Raises:
        UnusableInput: for what is no burst of raws, for frames that differ in size or pattern, and for unknown noise.
    """
    raws = raws_of(burst, "hdrplus")
    first = raws.frames[0]
    aligning, merging = halves(progress, _ALIGNING if aligned else 0)
    fields = located(raws.frames, raws.noise, aligning) if aligned else []
    stack = stacked(raws.frames, fields, subpixel=subpixel)
    planes, left = _merged(stack, _variances(raws.noise, first.cfa), tuning, merging)
    record = {**record_of(raws, fields), "effective_frames": 1 / left}
    return Result(replace(with_planes(first, planes), noise=raws.noise.averaged(1 / left)), record)


def mean(burst: Burst, *, aligned: bool = True, subpixel: bool = True) -> RawFrame:
    """The plain mean of the frames of a burst, brought onto the reference if `aligned`: ghosts where something moved.

    Its noise profile is that of the mean of as many frames. Raises as `hdrplus`.
    """
    raws = raws_of(burst, "hdrplus")
    if not aligned:
        return average(raws.frames)
    others, _ = onto_first(raws.frames, raws.noise, subpixel=subpixel)
    return average([raws.frames[0], *(with_planes(raws.frames[0], planes) for planes in others)])


def _variances(noise: NoiseProfile, cfa: str) -> NDArray[np.float32]:
    """(shot, read) of every plane, [C, 2]."""
    shot, read = noise.per_color()
    return np.array([(shot[color], read[color]) for color in colors_of(cfa)], np.float32)


def _merged(
    stack: Plane,
    variances: NDArray[np.float32],
    tuning: float,
    progress: Callable[[float], None] | None,
) -> tuple[Plane, float]:
    """Frames [N, C, h, w] -> their merge [C, h, w], and the share of the noise's variance that is left."""
    count, channels = stack.shape[:2]
    left: list[float] = []

    def merge(piece: Array) -> Plane:
        frames = np.moveaxis(piece, 2, 0).reshape(count, channels, *piece.shape[:2])
        merged, share = _merge_piece(np.ascontiguousarray(frames), variances, tuning)
        left.append(share)
        return np.moveaxis(merged, 0, 2)

    merged = tiles.apply(
        merge,
        np.moveaxis(stack.reshape(-1, *stack.shape[2:]), 0, 2),
        tile=_PIECE,
        margin=TILE // 2,
        multiple=TILE // 2,
        progress=progress,
    )
    return np.moveaxis(merged, 2, 0), float(np.mean(left))


def _merge_piece(frames: Plane, variances: NDArray[np.float32], tuning: float) -> tuple[Plane, float]:
    """[N, C, h, w], sides multiples of half a tile, -> [C, h, w]; half a tile at its borders is not to be used."""
    reference, count = frames[0], len(frames)
    if count == 1:
        return reference, 1.0
    level = np.maximum(_tiled(reference).mean(axis=(-2, -1)), 0)[..., None, None]
    threshold = tuning * (variances[:, :1, None, None, None] * level + variances[:, 1:, None, None, None])
    lacking = gain = conjugate = squares = np.float32(0)
    for frame in frames[1:]:
        difference = np.fft.rfft2(_tiled(reference - frame) * _WINDOW)
        kept = threshold / (difference.real**2 + difference.imag**2 + threshold)
        lacking = lacking + kept * difference
        gain = gain + kept**2
        conjugate = conjugate + kept * (1 - kept)
        squares = squares + kept**4 + (kept * (1 - kept)) ** 2
    # The linearised merge: a frame's frequency comes through by kept², its conjugate by kept (1 - kept), over the number of frames.
    left = np.mean((1 - gain / count) ** 2 + (squares + conjugate**2) / count**2)
    correction = np.fft.irfft2(lacking / count, (TILE, TILE))
    merged = reference.copy()
    half = TILE // 2
    rows, columns = correction.shape[1:3]
    for y in (0, 1):
        for x in (0, 1):
            quarter = correction[..., y * half : (y + 1) * half, x * half : (x + 1) * half]
            blocks = np.moveaxis(quarter, 2, 3).reshape(len(merged), rows * half, columns * half)
            merged[:, y * half : (y + rows) * half, x * half : (x + columns) * half] -= blocks
    return merged, float(left)


def _tiled(planes: Plane) -> Plane:
    """[C, h, w] -> the half-overlapping tiles, [C, rows, columns, 16, 16]."""
    windows = np.lib.stride_tricks.sliding_window_view(planes, (TILE, TILE), axis=(1, 2))
    return windows[:, :: TILE // 2, :: TILE // 2]


_COSINE = (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(TILE) + 0.5) / TILE)).astype(np.float32)
_WINDOW = np.outer(_COSINE, _COSINE)
