"""The crops that a page shows: the liveliest square of a picture, as a PNG in base64."""

from __future__ import annotations

import numpy as np

from quietlight.frames import Floats
from quietlight.report.pictures import png_in_base64, squares

SIDE = 128


def liveliest(truth: Floats) -> tuple[int, int]:
    """Top and left of the square, out of those half a side apart, whose neighbouring values differ most."""
    gray = truth.mean(axis=2)

    def life(place: tuple[int, int]) -> float:
        square = gray[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
        return float(np.abs(np.diff(square, axis=0)).mean() + np.abs(np.diff(square, axis=1)).mean())

    return max(squares(gray.shape[0], gray.shape[1], SIDE), key=life)


def crop_of(pixels: Floats, place: tuple[int, int]) -> str:
    """The square at (top, left) of [H, W, C] values in [0, 1]; those outside are clipped."""
    square = pixels[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
    return png_in_base64(np.rint(np.clip(square, 0, 1) * 255).astype(np.uint8))
