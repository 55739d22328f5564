"""RawFrame -> the small JPEG that a DNG carries: what file managers show, so quick rather than exact."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from PIL import Image

from quietlight.camera.bayer import pad_even, plane_offsets
from quietlight.camera.color import srgb_from_camera
from quietlight.camera.white_balance import estimate_white_balance
from quietlight.frames import BAYER, Floats, RawFrame, UnusableInput

LONG_SIDE = 1024


def preview_jpeg(frame: RawFrame) -> tuple[bytes, int, int]:
    """(JPEG, height, width) of the frame's crop, at most 1024 pixels long, white-balanced, in sRGB, not turned upright.

    A frame without white balance is shown under an estimated one.
    """
    rgb = _binned(frame)
    gains = frame.white_balance or estimate_white_balance(frame)
    matrix: Floats = np.eye(3)
    if frame.cfa != "MONO":
        # A preview in the camera's own colours is better than none.
        with suppress(UnusableInput):
            matrix = srgb_from_camera(frame.calibrations, gains)
    # Balanced channels end at white together, so that clipped highlights stay white.
    linear = np.clip(rgb * np.asarray(gains), 0, 1) @ matrix.T
    if frame.baseline_exposure is not None:
        linear = linear * 2.0**frame.baseline_exposure
    else:
        linear = linear * np.clip(0.9 / max(float(np.quantile(linear, 0.99)), 1e-6), 1, 8)
    display = np.clip(linear, 0, 1) ** (1 / 2.2)
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * display).astype(np.uint8)).save(file, "JPEG", quality=85, subsampling="4:2:0")
    return file.getvalue(), *rgb.shape[:2]


def _binned(frame: RawFrame) -> Floats:
    """The crop as RGB, means over squares of pixels, float32 [h, w, 3]."""
    top, left, height, width = frame.crop or (0, 0, *frame.mosaic.shape[:2])
    if frame.cfa in BAYER:
        # An even corner keeps the pattern.
        top, left = top - top % 2, left - left % 2
        part = frame.mosaic[top : top + height, left : left + width]
        # A last odd row or column has no partner; a single one is doubled.
        part = pad_even(part) if min(part.shape) == 1 else part[: height - height % 2, : width - width % 2]
        red, *greens, blue = (shrunk(part[r::2, c::2], LONG_SIDE) for r, c in plane_offsets(frame.cfa))
        return np.stack([red, (greens[0] + greens[1]) / 2, blue], axis=2)
    part = frame.mosaic[top : top + height, left : left + width]
    planes = [part[..., i] for i in range(3)] if part.ndim == 3 else [part] * 3
    return np.stack([shrunk(plane, LONG_SIDE) for plane in planes], axis=2)


def shrunk(plane: Floats, longest: int) -> Floats:
    """Means over the smallest squares that leave at most `longest` of them a side; a rest at the right and bottom is dropped."""
    step = -(-max(plane.shape) // longest)
    if min(plane.shape) < step:
        return plane[::step, ::step]
    rows, columns = (size // step for size in plane.shape)
    return np.asarray(plane[: rows * step, : columns * step].reshape(rows, step, columns, step).mean(axis=(1, 3)))
