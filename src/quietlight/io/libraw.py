"""LibRaw through rawpy: opened with care, and the two things that it decodes for DNGs.

rawpy's numbers are copied out before the file is closed, since its arrays are views into LibRaw's memory. LibRaw prints what it
finds damaged to file descriptor 2 from C, past Python and with no way to ask it not to, so that is closed while it works.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

from quietlight.frames import Array, UnusableInput
from quietlight.io.limits import check_size, library_errors

_LEAST_XTRANS_SIDE = 512


@contextmanager
def identified(path: Path) -> Iterator[rawpy.RawPy]:
    """A raw file of a size that we take, its pixels not read. All failures are UnusableInput."""
    with library_errors(path), rawpy.RawPy() as raw:
        with silenced():
            raw.open_file(str(path))
        check_size(path, raw.sizes.raw_height, raw.sizes.raw_width, path.stat().st_size)
        yield raw


@contextmanager
def opened(path: Path) -> Iterator[rawpy.RawPy]:
    """A raw file, unpacked, its size checked before its pixels get memory. All failures are UnusableInput."""
    with identified(path) as raw:
        with silenced():
            raw.unpack()
        yield raw


class _Silence:
    """How many silences there are now, and the true stderr meanwhile."""

    lock = threading.Lock()
    depth = 0
    stderr = -1


@contextmanager
def silenced() -> Iterator[None]:
    """File descriptor 2 leads nowhere inside the block.

    For the whole process: what another thread writes to stderr meanwhile is lost. Blocks may overlap between threads; the last one
    to end restores the descriptor. Without one (a service, a window) nothing happens.
    """
    with _Silence.lock:
        if _Silence.depth == 0:
            _Silence.stderr = _muted()
        _Silence.depth += 1
    try:
        yield
    finally:
        with _Silence.lock:
            _Silence.depth -= 1
            if _Silence.depth == 0 and _Silence.stderr >= 0:
                os.dup2(_Silence.stderr, 2)
                os.close(_Silence.stderr)


def _muted() -> int:
    """Point file descriptor 2 to nothing; a copy of what it was, -1 where there is none."""
    try:
        kept = os.dup(2)
    except OSError:
        return -1
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
    return kept


def stored_pixels(path: Path, size: tuple[int, int], samples: int) -> Array:
    """All pixels of a DNG's raw picture, margins included, uint16 [H, W] or [H, W, 3], its LinearizationTable applied.

    Raises UnusableInput where LibRaw picks another picture of the file than the one of this size.
    """
    with opened(path) as raw:
        stored = raw.raw_image
        if stored.shape[:2] != size or (stored.ndim == 2) != (samples == 1):
            raise UnusableInput(
                f"{path}: LibRaw reads a picture of {stored.shape} where the file's tags say {(*size, samples)}"
            )
        return np.array(stored if samples == 1 else stored[:, :, :3])


def demosaiced(raw: rawpy.RawPy, path: Path) -> tuple[NDArray[np.uint16], float]:
    """An X-Trans mosaic demosaiced in camera RGB: uint16 [H, W, 3] of the visible part, and the raw number that 65535 stands for.

    Black is left in and the top of the scale is the brightest pixel, so that neither end is clipped. No white balance.
    """
    if min(raw.sizes.height, raw.sizes.width) < _LEAST_XTRANS_SIDE:
        raise UnusableInput(
            f"{path}: LibRaw demosaics X-Trans raws from {_LEAST_XTRANS_SIDE}x{_LEAST_XTRANS_SIDE} pixels on"
        )
    top = max(int(raw.raw_image.max()), 1)
    with silenced():
        pixels = raw.postprocess(
            output_color=rawpy.ColorSpace.raw, output_bps=16, gamma=(1, 1), user_wb=[1, 1, 1, 1], no_auto_bright=True,
            user_flip=0, highlight_mode=rawpy.HighlightMode.Clip, user_black=0, user_sat=top, adjust_maximum_thr=0,
        )  # fmt: skip
    return np.asarray(pixels), float(top)
