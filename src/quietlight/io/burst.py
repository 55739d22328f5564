"""Files of one scene -> Burst."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from quietlight.frames import Burst, Image, RawFrame, UnusableInput

Reader = Callable[[Path], RawFrame | Image]
MOST_FRAMES = 64


def read_burst(paths: Sequence[Path], read_file: Reader) -> Burst:
    """The frames in the order of `paths`, the first one being the reference.

    Raises UnusableInput, naming the frame, where one differs from the first in kind, camera, size or pattern, and for bursts of
    no frame or of more than `MOST_FRAMES`.
    """
    if not 1 <= len(paths) <= MOST_FRAMES:
        raise UnusableInput(f"a burst has 1 to {MOST_FRAMES} frames, not {len(paths)}: give fewer files")
    frames = [read_file(path) for path in paths]
    for path, frame in zip(paths, frames, strict=True):
        if (found := difference(frames[0], frame)) is not None:
            raise UnusableInput(f"{path}: does not belong to the burst that {paths[0].name} begins: {found}")
    return Burst(tuple(frames))  # type: ignore[arg-type] # of one kind, as just checked


def difference(first: RawFrame | Image, other: RawFrame | Image) -> str | None:
    """What keeps two frames from being of one burst, None if nothing."""
    if isinstance(first, RawFrame) and isinstance(other, RawFrame):
        if other.camera != first.camera:
            return f"taken by {other.camera or 'an unknown camera'}, not by {first.camera or 'an unknown camera'}"
        if (other.cfa, other.mosaic.shape) != (first.cfa, first.mosaic.shape):
            return f"{other.cfa} {other.mosaic.shape[:2]} instead of {first.cfa} {first.mosaic.shape[:2]}"
        return None
    if isinstance(first, Image) and isinstance(other, Image):
        if other.pixels.shape != first.pixels.shape:
            return f"its size is {other.pixels.shape[:2]} instead of {first.pixels.shape[:2]}"
        return None
    return "one is a raw, the other a photo"
