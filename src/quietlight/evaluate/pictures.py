"""The crops that a page shows: the liveliest square of a picture, as a PNG in base64."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image as Pillow

from quietlight.evaluate.sample import as_floats
from quietlight.frames import Floats, Frame, Image

SIDE = 128


def liveliest(truth: Floats) -> tuple[int, int]:
    """Top and left of the square, out of those half a side apart, whose neighbouring values differ most."""
    gray = truth.mean(axis=2)
    places = [
        (top, left)
        for top in range(0, max(gray.shape[0] - SIDE, 0) + 1, SIDE // 2)
        for left in range(0, max(gray.shape[1] - SIDE, 0) + 1, SIDE // 2)
    ]

    def life(place: tuple[int, int]) -> float:
        square = gray[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
        return float(np.abs(np.diff(square, axis=0)).mean() + np.abs(np.diff(square, axis=1)).mean())

    return max(places, key=life)


def crop_of(pixels: Floats, place: tuple[int, int]) -> str:
    """The square at (top, left) of [H, W, C] values in [0, 1]; those outside are clipped."""
    square = pixels[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
    values = np.rint(np.clip(square, 0, 1) * 255).astype(np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(values[..., 0] if values.shape[2] == 1 else values).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def crop_of_frame(frame: Frame, place: tuple[int, int]) -> str:
    """The same of a result, where it is a photo; else nothing."""
    return crop_of(as_floats(frame), place) if isinstance(frame, Image) else ""
