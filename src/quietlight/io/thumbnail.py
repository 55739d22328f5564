"""A file -> a small gray picture of it, to be compared with others of its kind: the embedded preview where that will do."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import rawpy
from PIL import Image as PillowImage

from quietlight.camera.align import half_size
from quietlight.frames import BAYER, Floats, Image, RawFrame, UnusableInput
from quietlight.io import libraw
from quietlight.io.headerless import RawFormat, read_headerless
from quietlight.io.kind import is_photo, photo_format
from quietlight.io.limits import MOST_PIXELS
from quietlight.io.photo import read_photo
from quietlight.io.preview import shrunk
from quietlight.io.raw import read_raw

LONG_SIDE = 512
_LEAST_PREVIEW = 256
_GAMMA = 2.2


def thumbnail(path: Path, raw_format: RawFormat | None = None, *, exact: bool = False) -> Floats:
    """[h, w], linear, at most 512 pixels long, means over squares; as it is stored, not turned upright.

    Previews in files are as bright as their maker liked: `exact` has the pixels decoded, so that levels can be compared.

    Raises UnusableInput for files that cannot be read.
    """
    if raw_format is not None:
        return _of_raw(read_headerless(path, raw_format))
    if is_photo(path):
        return _of_photo(path)
    preview = None if exact else _preview(path)
    return _of_raw(read_raw(path)) if preview is None else preview


def _of_raw(frame: RawFrame) -> Floats:
    if frame.cfa in BAYER and min(frame.mosaic.shape) > 1:
        return shrunk(half_size(frame), LONG_SIDE)
    return shrunk(frame.mosaic.reshape(*frame.mosaic.shape[:2], -1).mean(axis=2, dtype=np.float64), LONG_SIDE)


def _of_photo(path: Path) -> Floats:
    with path.open("rb") as file:
        kind = photo_format(file.read(64))
    found = _of_jpeg(path) if kind == "JPEG" else None
    if found is not None:
        return found
    photo: Image = read_photo(path)
    full = np.iinfo(photo.pixels.dtype).max if photo.pixels.dtype.kind == "u" else 1
    return shrunk((photo.pixels.mean(axis=2, dtype=np.float64) / full) ** (1 if photo.linear else _GAMMA), LONG_SIDE)


def _preview(path: Path) -> Floats | None:
    """The embedded JPEG of a raw, None where there is none worth comparing."""
    try:
        with libraw.identified(path) as raw, libraw.silenced():
            found = raw.extract_thumb()
    except UnusableInput:  # So says rawpy where there is no preview, too; `read_raw` will tell.
        return None
    if found.format is not rawpy.ThumbFormat.JPEG:
        return None
    return _of_jpeg(io.BytesIO(bytes(found.data)))


def _of_jpeg(source: Path | io.BytesIO) -> Floats | None:
    """A JPEG, decoded at the smallest scale that will do; None where it is small or damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PillowImage.open(source, formats=["JPEG", "MPO"]) as picture:
                width, height = picture.size
                if max(width, height) < _LEAST_PREVIEW or width * height > MOST_PIXELS:
                    return None
                picture.draft("L", (LONG_SIDE, LONG_SIDE))
                values = np.asarray(picture.convert("L"), np.float64) / 255
    except Exception:  # Of a broken preview nothing is needed; of a broken photo its reader says what is wrong.
        return None
    return shrunk(values**_GAMMA, LONG_SIDE)
