"""What all mergers of bursts share: the frames in order, which of them is the reference, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quietlight.frames import BAYER, Burst, Image, NoiseProfile, RawFrame, UnusableInput
from quietlight.systems.align import TILE, Field, Plane
from quietlight.systems.photo_light import as_raw
from quietlight.systems.warp import guide, sharpest

Progress = Callable[[float], None]

MISFIT = 2.0
"""Residual above which a tile of a frame counts as one that does not fit."""
_STRUCTURED = 0.75
"""Share of the tiles that have less structure than those among which a place that stands still is sought."""


@dataclass(frozen=True)
class Raws:
    """A burst of raws of one size and pattern.

    Args:
        frames: the reference first, the others in their order.
        reference: its index in the burst.
        noise: of every frame.
    """

    frames: list[RawFrame]
    reference: int
    noise: NoiseProfile

    @property
    def indices(self) -> list[int]:
        """Where the frames are in the burst."""
        return [self.reference, *(i for i in range(len(self.frames)) if i != self.reference)]


def reference_of(burst: Burst, noise: NoiseProfile | None = None) -> int:
    """The index of the frame that the result will look like: the one that the burst names, else the sharpest.

    `noise` is that of every raw; None for little.
    """
    if burst.reference is not None:
        return burst.reference
    return sharpest((as_raw(frame) for frame in burst.frames), noise or NoiseProfile((0.0,), (0.0,)))


def raws_of(burst: Burst | RawFrame | Image, system: str) -> Raws:
    """The frames of a burst, whose sharpest is the reference where it names none.

    The noise is the reference's; where it has none, or is still to be chosen, that of the first frame which has one.
    Raises UnusableInput, in the name of `system`, for what is no burst of raws, for frames that differ, and for unknown noise.
    """
    if not isinstance(burst, Burst) or not isinstance(burst.frames[0], RawFrame):
        raise UnusableInput(f"{system} merges bursts of raws: give it several frames of one scene")
    raws = [frame for frame in burst.frames if isinstance(frame, RawFrame)]
    first = raws[burst.reference or 0]
    for index, frame in enumerate(raws):
        if (frame.cfa, frame.mosaic.shape) != (first.cfa, first.mosaic.shape):
            raise UnusableInput(
                f"frame {index + 1}, {frame.cfa} {frame.mosaic.shape}, does not belong to a burst of {first.cfa} "
                f"{first.mosaic.shape}: take it out"
            )
    noise = next((frame.noise for frame in [first, *raws] if frame.noise is not None), None)
    if noise is None:
        raise UnusableInput(f"{system} must be told the noise of a burst: give its reference a noise profile")
    reference = reference_of(burst, noise)
    return Raws([raws.pop(reference), *raws], reference, noise)


def halves(progress: Progress | None, share: float) -> tuple[Progress | None, Progress | None]:
    """A progress from 0 to 1 for each of two pieces of work, the first of which takes `share` of the time."""
    if progress is None:
        return None, None
    return lambda done: progress(share * done), lambda done: progress(share + (1 - share) * done)


def mixed(one: NoiseProfile | None, other: NoiseProfile | None, share: float) -> NoiseProfile | None:
    """The noise of `share` times one result and 1 - `share` times another of the same noise; None where either is not known."""
    if one is None or other is None:
        return None

    def mix(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(share * x + (1 - share) * y for x, y in zip(a, b, strict=True))

    return NoiseProfile(mix(one.shot, other.shot), mix(one.read, other.read))


def record_of(raws: Raws, fields: Sequence[Field]) -> dict[str, Any]:
    """What is known of the frames, as plain values.

    "frames", "reference", and "shot" and "read" of their noise. "displacement" and "misfit" of every frame but the reference, in
    their order: the median in pixels of the mosaic, and the share of its tiles that do not fit; both empty without `fields`.
    "places": of a tile that is seen well and stands still and of the one that fits worst, the middle (row, column) in the mosaic
    and the mean residual there; absent without `fields`.
    """
    scale = 2 if raws.frames[0].cfa in BAYER else 1
    record: dict[str, Any] = {
        "frames": len(raws.frames),
        "reference": raws.reference,
        "shot": raws.noise.shot,
        "read": raws.noise.read,
        "displacement": [scale * float(np.median(np.hypot(*np.moveaxis(f.displacement, 2, 0)))) for f in fields],
        "misfit": [float(np.mean(f.residual > MISFIT)) for f in fields],
    }
    if fields:
        record["places"] = _places(raws, np.mean([field.residual for field in fields], axis=0), scale)
    return record


def _places(raws: Raws, residual: Plane, scale: int) -> dict[str, Any]:
    structure = _structure(guide(raws.frames[0]), residual.shape)
    inside = np.zeros(residual.shape, np.bool_)
    # At the border frames show nothing, or the reference in its stead.
    inside[tuple(slice(1, -1) if size > 2 else slice(None) for size in residual.shape)] = True
    seen_well = inside & (structure >= np.quantile(structure[inside], _STRUCTURED))
    indices = {
        "static": np.where(seen_well, residual, np.inf).argmin(),
        "moving": np.where(inside, residual, -np.inf).argmax(),
    }
    limits = raws.frames[0].mosaic.shape
    return {name: _place(residual, int(index), scale, limits) for name, index in indices.items()}


def _structure(picture: Plane, shape: tuple[int, ...]) -> Plane:
    """The deviation within every tile of the guide."""
    rows, columns = shape
    padded = np.pad(picture, [(0, n * TILE - size) for n, size in zip(shape, picture.shape, strict=True)], mode="edge")
    return np.asarray(padded.reshape(rows, TILE, columns, TILE).std(axis=(1, 3)))


def _place(residual: Plane, index: int, scale: int, limits: tuple[int, ...]) -> dict[str, Any]:
    tile = np.unravel_index(index, residual.shape)
    at = [min(scale * (TILE * int(n) + TILE // 2), limit - 1) for n, limit in zip(tile, limits, strict=False)]
    return {"at": at, "residual": float(residual[tile])}
