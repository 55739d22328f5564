"""Pictures as reports show them: eight bits, squares out of them, what was removed, and PNG in base64."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from quietlight.frames import Array, Floats, Image
from quietlight.systems.impulses import full_scale

Picture = NDArray[np.uint8]
RESIDUAL_GAIN = 4
_SLAB = 256


def to_eight_bits(image: Image) -> Picture:
    """Pixels as uint8 [H, W, 3]."""
    full = full_scale(image.pixels)
    pixels: Picture = np.empty(image.pixels.shape, np.uint8)
    for top in range(0, len(pixels), _SLAB):  # a large photo never becomes floats as a whole
        pixels[top : top + _SLAB] = np.round(image.pixels[top : top + _SLAB] * (255.0 / full))
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def what_was_removed(before: Picture, after: Picture) -> Picture:
    """What is in `before` and not in `after`, `RESIDUAL_GAIN` times, around mid-gray."""
    removed: Picture = np.clip(128 + RESIDUAL_GAIN * (before.astype(np.int16) - after), 0, 255).astype(np.uint8)
    return removed


def squares(height: int, width: int, side: int) -> list[tuple[int, int]]:
    """Top and left of the squares of `side` in a picture, half a side apart; one at (0, 0) where it is smaller."""
    return [
        (top, left)
        for top in range(0, max(height - side, 0) + 1, side // 2)
        for left in range(0, max(width - side, 0) + 1, side // 2)
    ]


def most_telling(pixels: Array, side: int) -> tuple[int, int]:
    """Top and left of the square of [H, W, C] `pixels` that holds both detail and flatness.

    Detail shows what a denoiser costs, flatness what it leaves. Out of `squares`: the one where the standard deviations of 8x8
    blocks differ the most between the calm ones (the 20th percentile) and the lively ones (the 90th).
    """
    places = squares(pixels.shape[0], pixels.shape[1], side)
    if len(places) == 1 or min(pixels.shape[:2]) < _BLOCK:
        return places[0]
    lives = _life_of_blocks(pixels[..., pixels.shape[2] // 2])  # green stands for all colours
    count = side // _BLOCK

    def spread(place: tuple[int, int]) -> float:
        top, left = (n // _BLOCK for n in place)
        calm, lively = np.percentile(lives[top : top + count, left : left + count], (20, 90))
        return float(lively - calm)

    return max(places, key=spread)


_BLOCK = 8


def _life_of_blocks(plane: Array) -> Floats:
    """Standard deviation of every whole 8x8 block of [H, W]."""
    rows, columns = (n // _BLOCK for n in plane.shape)
    bands = plane[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.array([band.astype(np.float32).std(axis=(0, 2)) for band in bands]).reshape(rows, columns)


def png_in_base64(picture: Picture) -> str:
    """The picture [H, W, 1 or 3] as PNG, gray if all its channels are equal, in base64."""
    gray = (picture == picture[..., :1]).all()
    return _in_base64(Pillow.fromarray(picture[..., 0] if gray else picture), "PNG", optimize=True)


def jpeg_in_base64(picture: Picture) -> str:
    """The picture [H, W, 3] as JPEG in base64."""
    return _in_base64(Pillow.fromarray(picture), "JPEG", quality=88, subsampling=0)


def thumbnail_in_base64(picture: Picture) -> str:
    """The picture [H, W, 3], at most `_THUMBNAIL` wide and high, as JPEG in base64."""
    small = Pillow.fromarray(picture)
    small.thumbnail((_THUMBNAIL, _THUMBNAIL), Pillow.Resampling.LANCZOS)
    return _in_base64(small, "JPEG", quality=80)


_THUMBNAIL = 240


def _in_base64(picture: Pillow.Image, file_format: str, **options: int | bool) -> str:
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return base64.b64encode(stream.getvalue()).decode()
