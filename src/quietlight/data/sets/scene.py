"""What the layouts have in common: items, scenes, and frames and pictures made ready to lie on each other.

Everything of a scene lies as the sensor saw it, not upright: training turns it anyway, and the mosaic stays one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.camera.align import shift_between
from quietlight.camera.bayer import crop
from quietlight.camera.defects import repair_hot_pixels
from quietlight.camera.develop import choose_gains, upright
from quietlight.camera.prepare import prepare
from quietlight.camera.shading import apply_gain_maps
from quietlight.camera.tone import srgb_encode
from quietlight.frames import BAYER, Array, Floats, Image, Metadata, RawFrame, UnusableInput
from quietlight.io import read_file

TRAINING, VALIDATION, TEST = "training", "validation", "test"
LARGEST_MARGIN = 64
"""Pixels by which the sides of a frame and of the picture made of it may differ."""
LEAST_LIKENESS = 0.3
"""Correlation of the brightness of a frame and of the picture made of it."""
_UNDONE = {6: 8, 8: 6}


@dataclass(frozen=True)
class Scene:
    """One scene.

    Args:
        frame: what goes in, as `ready` makes it.
        restored: XYZ [H, W, 3] as `prepare` gives it in the mode "wb", of the size of the frame.
        enhanced: display sRGB, uint8 [H, W, 3]; None where the finish is to make it of `restored`.
        facts: what else there is to tell, JSON values.
    """

    frame: RawFrame
    restored: Floats
    enhanced: Array | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """A scene that has not been read yet.

    Args:
        source: the file or folder that it is named after.
        load: reads it; raises UnusableInput where something is missing or wrong.
        part: TRAINING, VALIDATION or TEST.
        folder: of its files, below that of the output.
        licence: of the set.
    """

    source: Path
    load: Callable[[], Scene]
    part: str = TRAINING
    folder: Path = Path()
    licence: str = ""


def read_bayer(path: Path) -> RawFrame:
    """A Bayer raw. Raises UnusableInput, with its name, for anything else, and where it is missing."""
    frame = read_file(path)
    if not isinstance(frame, RawFrame) or frame.cfa not in BAYER:
        raise UnusableInput(f"{path}: is no Bayer raw, and training frames are such")
    return frame


def read_display(path: Path) -> Array:
    """A photo, uint8 [H, W, 3], upright. Raises UnusableInput, with its name, for anything else."""
    image = read_file(path)
    if not isinstance(image, Image) or image.pixels.shape[2] != 3:
        raise UnusableInput(f"{path}: is no colour photo")
    return eight_bits(image.pixels)


def eight_bits(pixels: Array) -> Array:
    """Pixels of an Image as uint8, rounded."""
    if pixels.dtype == np.uint8:
        return pixels
    white = 1 if pixels.dtype == np.float32 else 65535
    return np.rint(np.clip(pixels / np.float32(white), 0, 1) * 255).astype(np.uint8)


def ready(frame: RawFrame) -> RawFrame:
    """A Bayer frame as it is stored: bad pixels repaired, lens shading corrected, cut to its crop, of even size, with gains.

    The gains are those of the file, else automatic ones. What described the file is left behind.
    """
    frame, _ = repair_hot_pixels(apply_gain_maps(frame))
    top, left, height, width = frame.crop or (0, 0, *frame.mosaic.shape)
    frame = crop(frame, top, left, height // 2 * 2, width // 2 * 2)
    return replace(frame, crop=None, orientation=1, white_balance=choose_gains(frame), metadata=Metadata())


def restored_of(frame: RawFrame) -> Floats:
    """The restored picture of a clean frame as `ready` makes it."""
    return prepare(frame, "wb")


def laid_down(pixels: Array, orientation: int) -> Array:
    """[H, W, ...] as seen -> as the sensor saw it, the inverse of `upright`."""
    return upright(pixels, _UNDONE.get(orientation, orientation))


def on_each_other(frame: RawFrame, restored: Floats, enhanced: Array, source: Path) -> Scene:
    """The part that a frame and the picture made of it both show, where one of them was cut: from the middle, then as it fits best.

    Raises UnusableInput where the sizes differ by more than `LARGEST_MARGIN`, or the two show different things.
    """
    sizes = (*restored.shape[:2], *enhanced.shape[:2])
    height, width = (min(sizes[axis], sizes[axis + 2]) // 2 * 2 for axis in (0, 1))
    margins = [n - m for n, m in zip(sizes, (height, width) * 2, strict=True)]
    if max(margins) > LARGEST_MARGIN:
        said = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (restored, enhanced))
        raise UnusableInput(
            f"{source}: the raw and the picture made of it have the sizes {said}: one is of another scene"
        )
    grays = srgb_encode(np.maximum(restored[..., 1], 0)), enhanced.mean(axis=2, dtype=np.float32)

    def parts(starts: list[int]) -> tuple[Floats, Floats]:
        first, second = (_cut(gray, starts[i : i + 2], height, width) for gray, i in zip(grays, (0, 2), strict=True))
        return _half_size(first), _half_size(second)

    starts = [n // 4 * 2 for n in margins]  # even, so that the pattern stays
    if any(margins):
        starts = max(starts, _moved(starts, margins, shift_between(*parts(starts))), key=lambda s: _likeness(*parts(s)))
    likeness = _likeness(*parts(starts))
    if likeness < LEAST_LIKENESS:
        raise UnusableInput(
            f"{source}: the raw and the picture made of it show different things (correlation {likeness:.2f})"
        )
    return Scene(
        crop(frame, starts[0], starts[1], height, width),
        _cut(restored, starts[:2], height, width),
        np.ascontiguousarray(_cut(enhanced, starts[2:], height, width)),
        {"likeness": round(likeness, 3)},
    )


def _moved(starts: list[int], margins: list[int], shift: tuple[int, int]) -> list[int]:
    """Where both begin if the picture is `shift` off: the frame is moved as far as it goes, and the picture for the rest."""
    frame = [int(np.clip(starts[i] - shift[i], 0, margins[i] // 2 * 2)) for i in (0, 1)]
    left = [shift[i] + frame[i] - starts[i] for i in (0, 1)]
    return frame + [int(np.clip(starts[i + 2] + left[i], 0, margins[i + 2])) for i in (0, 1)]


def _likeness(first: Floats, second: Floats) -> float:
    """Correlation; 1 where one of them is of one brightness."""
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1]) if np.ptp(first) and np.ptp(second) else 1.0


def _cut(picture: Array, start: list[int], height: int, width: int) -> Array:
    return picture[start[0] : start[0] + height, start[1] : start[1] + width]


def _half_size(gray: Floats) -> Floats:
    """The mean of 2x2 pixels, [H/2, W/2]."""
    return np.asarray((gray[::2, ::2] + gray[1::2, ::2] + gray[::2, 1::2] + gray[1::2, 1::2]) / 4, np.float64)
