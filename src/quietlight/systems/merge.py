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

from quietlight.camera.bayer import average
from quietlight.frames import Burst, Image, NoiseProfile, RawFrame
from quietlight.systems import Result, lapped
from quietlight.systems.align import Plane
from quietlight.systems.bursts import halves, raws_of, record_of
from quietlight.systems.warp import colors_of, located, onto_first, stacked, with_planes

AUTHORS_TUNING = 10**2.25
"""c of the authors of KPN, for frames that are not aligned: of eight that fit perfectly, it averages the noise of 3.3."""
TUNING = 10**2.75
"""Ours, for aligned frames: of eight that fit perfectly, it averages the noise of 5.8."""
_ALIGNING = 0.7
"""Share of the time that aligning and moving takes."""


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
    planes, left = _merged(stack, variances_of(raws.noise, first.cfa), tuning, merging)
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


def variances_of(noise: NoiseProfile, cfa: str) -> NDArray[np.float32]:
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
    left: list[float] = []

    def merge(frames: Plane) -> Plane:
        merged, share = _merge_piece(frames, variances, tuning)
        left.append(share)
        return merged

    return lapped.by_pieces(merge, stack, progress), float(np.mean(left))


def _merge_piece(frames: Plane, variances: NDArray[np.float32], tuning: float) -> tuple[Plane, float]:
    """[N, C, h, w] -> [C, h, w], as `lapped.by_pieces` wants it."""
    reference, count = frames[0], len(frames)
    if count == 1:
        return reference, 1.0
    shot, read = variances.T[..., None, None, None, None]
    threshold = tuning * (shot * lapped.levels(reference) + read)
    lacking = gain = conjugate = squares = np.float32(0)
    for frame in frames[1:]:
        difference = lapped.transformed(reference - frame)
        kept = threshold / (difference.real**2 + difference.imag**2 + threshold)
        lacking = lacking + kept * difference
        gain = gain + kept**2
        conjugate = conjugate + kept * (1 - kept)
        squares = squares + kept**4 + (kept * (1 - kept)) ** 2
    # The linearised merge: a frame's frequency comes through by kept², its conjugate by kept (1 - kept), over the number of frames.
    left = np.mean((1 - gain / count) ** 2 + (squares + conjugate**2) / count**2)
    merged = reference.copy()
    lapped.add(merged, np.asarray(-lacking / count))
    return merged, float(left)
