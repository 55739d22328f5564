"""What a page shows of pictures: the liveliest square, as a PNG in base64, and rows of whole ones, as a JPEG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from quietlight.frames import Floats
from quietlight.report.pictures import jpeg_in_base64, png_in_base64, squares

SIDE = 128
_GAP = 6


def liveliest(truth: Floats) -> tuple[int, int]:
    """Top and left of the square, out of those half a side apart, whose neighbouring values differ most."""
    gray = truth.mean(axis=2)

    def life(place: tuple[int, int]) -> float:
        square = gray[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
        return float(np.abs(np.diff(square, axis=0)).mean() + np.abs(np.diff(square, axis=1)).mean())

    return max(squares(gray.shape[0], gray.shape[1], SIDE), key=life)


def crop_of(pixels: Floats, place: tuple[int, int]) -> str:
    """The square at (top, left) of [H, W, C] values in [0, 1]; those outside are clipped."""
    return png_in_base64(_eight_bits(pixels[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]))


def strip_of(pixels: Floats) -> str:
    """A row of pictures, [H, W, 3] in [0, 1], as a JPEG in base64."""
    return jpeg_in_base64(_eight_bits(pixels))


def side_by_side(pictures: Sequence[Floats], height: int) -> Floats:
    """Pictures [H, W, 3] in [0, 1] in a row, all so high, with white gaps."""
    gap = np.ones((height, _GAP, 3))
    row: list[Floats] = []
    for picture in pictures:
        width = round(height * picture.shape[1] / picture.shape[0])
        small = Pillow.fromarray(_eight_bits(picture)).resize((width, height), Pillow.Resampling.LANCZOS)
        row += [gap, np.asarray(small) / 255]
    return np.concatenate(row[1:], axis=1)


def _eight_bits(pixels: Floats) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return rounded
