"""The truths of a frame in one safetensors file, of which any part is read without the rest.

`restored`, uint16 [H, W, 3]: XYZ D65 times 32768, so up to 2; `enhanced`, uint8 [H, W, 3]: display sRGB.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from quietlight import zoo
from quietlight.frames import Array, Floats, UnusableInput
from quietlight.io.limits import check_size

SCALE = 32768
_KINDS = {"restored": "U16", "enhanced": "U8"}


def write_truth(path: Path, restored: Floats, enhanced: Array) -> None:
    """Write both, beside and renamed. `restored` is XYZ, held to [0, 2)."""
    stored = np.rint(np.clip(restored * np.float32(SCALE), 0, 65535)).astype(np.uint16)
    zoo.store(path, {"restored": stored, "enhanced": enhanced}, {"restored_scale": str(SCALE)})


def read_truth(path: Path, area: tuple[int, int, int, int] | None = None) -> tuple[Floats, Array]:
    """(restored, enhanced), XYZ float32 and uint8, of all or of (top, left, height, width).

    Raises UnusableInput for other files.
    """
    try:
        with safe_open(path, "np") as file:
            slices = {name: file.get_slice(name) for name in _KINDS}
            shape = slices["restored"].get_shape()
            kinds = {name: part.get_dtype() for name, part in slices.items()}
            if kinds != _KINDS or len(shape) != 3 or shape[2] != 3 or slices["enhanced"].get_shape() != shape:
                raise ValueError(f"they are {kinds} of the shape {shape}")
            check_size(path, shape[0], shape[1], path.stat().st_size)
            top, left, height, width = area or (0, 0, *shape[:2])
            parts = [part[top : top + height, left : left + width] for part in slices.values()]
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise UnusableInput(f"{path}: not the truths of a frame as quietlight writes them: {error}") from error
    return parts[0].astype(np.float32) / np.float32(SCALE), parts[1]
