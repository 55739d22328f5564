"""Samples of a photo file <-> the planes of an Image, and what every format shares."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFile

from quietlight.frames import Array, Image, Metadata, UnusableInput

METADATA_LIMIT = 8 << 20
"""The most bytes of one EXIF, XMP or ICC block that we accept, unpacked."""

_OVERSHOOT = 0.01


def imagecodecs_for(what: str) -> ModuleType:
    """The optional imagecodecs; raises UnusableInput naming what needs it and how to install it."""
    try:
        import imagecodecs
    except ImportError as error:
        raise UnusableInput(f"{what} needs imagecodecs: pip install 'quietlight[io]'") from error
    module: ModuleType = imagecodecs
    return module


def full_range(values: Array, bits: int) -> Array:
    """Unsigned integers of `bits` significant bits spread over their type's range: uint8 to 8 bits, uint16 to 16, float32 above.

    Rounded to nearest; more than 16 bits become float32 in [0, 1], which keeps 24 of them.
    """
    top = (1 << bits) - 1
    if bits > 16:
        return np.asarray(values.astype(np.float64) / top, np.float32)
    kind, full = (np.dtype(np.uint8), 255) if bits <= 8 else (np.dtype(np.uint16), 65535)
    if top == full:
        return values.astype(kind, copy=False)
    return by_rows(lambda rows: (rows.astype(np.uint32) * full + top // 2) // top, values, kind)


def by_rows(function: Callable[[Array], Array], values: Array, kind: np.dtype[Any]) -> Array:
    """A function of every value, a few rows at a time, so that no wider copy of a large picture is made."""
    result = np.empty(values.shape, kind)
    for top in range(0, len(values), 256):
        result[top : top + 256] = function(values[top : top + 256])
    return result


def image_of(planes: Array, profile: bytes = b"", exif: bytes = b"", xmp: bytes = b"") -> Image:
    """The Image of [H, W] or [H, W, 1 to 4] planes: gray or colour, the one behind them alpha."""
    planes = planes.reshape(*planes.shape[:2], -1)
    colors = 3 if planes.shape[2] >= 3 else 1
    alpha = planes[:, :, colors] if planes.shape[2] > colors else None
    return Image(planes[:, :, :colors], alpha, False, profile, Metadata(exif.removeprefix(b"Exif\0\0"), xmp))


def planes_of(image: Image) -> Array:
    """Colour and alpha as one array, [H, W] for plain gray, else [H, W, 2 to 4]."""
    planes = image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])
    planes = planes[:, :, 0] if planes.shape[2] == 1 else planes
    # Sides of 1 may keep odd strides in a "contiguous" array, which imagecodecs refuses.
    return np.ascontiguousarray(planes).reshape(-1).reshape(planes.shape)


def unit_floats(planes: Array) -> Array:
    """Floats of a file as float32 in [0, 1]; float32 are changed in place.

    Raises UnusableInput where they go more than 0.01 beyond, or are not numbers.
    """
    values = planes.astype(np.float32, copy=False)
    low, high = float(values.min()), float(values.max())
    if not (low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT):
        raise UnusableInput(
            f"its floats run from {low:g} to {high:g}, a photo's from 0 to 1: scale it, or save it as 16 bits"
        )
    return np.clip(values, 0, 1, out=values if values.flags.writeable else None)


def of_pillow(picture: ImageFile.ImageFile, planes: Array | None = None) -> Image:
    """A picture that Pillow opened, with its profile, EXIF and XMP; `planes` where they are not to be Pillow's own."""
    blocks = (picture.info.get(name) or b"" for name in ("icc_profile", "exif", "xmp"))
    return image_of(np.asarray(picture) if planes is None else planes, *blocks)


def saved(image: Image, kind: str, **options: object) -> bytes:
    """The file that Pillow writes, with profile, EXIF and XMP where there are such."""
    stream = io.BytesIO()
    blocks = {"icc_profile": image.profile, "exif": image.metadata.exif, "xmp": image.metadata.xmp}
    Pillow.fromarray(planes_of(image)).save(stream, kind, **{k: v for k, v in blocks.items() if v}, **options)
    return stream.getvalue()
