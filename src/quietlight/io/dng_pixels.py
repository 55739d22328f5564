"""The pixels of a DNG's raw picture, in the numbers of the file.

Whole-byte uncompressed samples are read as they lie; what LibRaw decodes (lossless JPEG, packed bits) is LibRaw's; the rest
(floating point, deflate, JPEG XL) is tifffile's with imagecodecs. LibRaw's own idea of margins is not used, since it moves an odd
ActiveArea to even places.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from quietlight.frames import Array, UnusableInput
from quietlight.io import libraw
from quietlight.io.dng_file import DngFile
from quietlight.io.dng_tags import linearization
from quietlight.io.limits import check_size, library_errors

_NONE, _LJPEG, _LOSSY = 1, 7, 34892
_LIBRAW_DECODES = (_NONE, _LJPEG, _LOSSY)
_SEPARATE = 2
_TILE_MARGIN = 1024


@dataclass(frozen=True)
class Layout:
    """How the raw picture lies in the file; `float` samples need no LinearizationTable and have white 1 where the tag is absent."""

    height: int
    width: int
    samples: int
    bits: int
    floating: bool
    compression: int
    separate: bool
    interleave: tuple[int, int]

    @property
    def full(self) -> float:
        """The white level where the file gives none."""
        return 1.0 if self.floating else float(2**self.bits - 1)


def layout(dng: DngFile) -> Layout:
    """The checked layout: a size that we take, one or three samples, and all of its strips or tiles inside the file."""
    path = dng.path
    height, width, samples = dng.layout(257), dng.layout(256), dng.layout(277, 1)
    check_size(path, height, width, dng.size)
    bits = dng.layouts(258)
    if samples not in (1, 3) or len(bits) not in (1, samples) or len(set(bits)) != 1 or not 8 <= bits[0] <= 32:
        raise UnusableInput(f"{path}: raw pictures of {samples} planes with {bits} bits are not supported")
    formats = set(dng.layouts(339)) or {1}
    if not (formats == {1} or (formats == {3} and bits[0] in (16, 24, 32))):
        raise UnusableInput(f"{path}: its samples are of a format that we do not know ({sorted(formats)})")
    interleave = dng.layout(50975, 1), dng.layout(52547, 1)
    if not all(1 <= n <= 16 for n in interleave):
        raise UnusableInput(f"{path}: its interleaving {interleave} is damaged")
    found = Layout(
        height,
        width,
        samples,
        bits[0],
        formats == {3},
        dng.layout(259, _NONE),
        dng.layout(284, 1) == _SEPARATE,
        interleave,
    )
    _check_segments(dng, found)
    return found


def _check_segments(dng: DngFile, found: Layout) -> None:
    """Refuse a picture whose strips or tiles do not all lie within the file: LibRaw would fill what is missing with zeros."""
    tiled = 322 in dng.raw
    if tiled:
        tile = dng.layout(323), dng.layout(322)
        if not all(1 <= t <= side + _TILE_MARGIN for t, side in zip(tile, (found.height, found.width), strict=True)):
            raise UnusableInput(
                f"{dng.path}: its tiles of {tile} do not suit its picture of {found.height}x{found.width}"
            )
        grid = -(-found.height // tile[0]), -(-found.width // tile[1])
        rows = [tile[0]] * prod(grid)
        across = tile[1]
    else:
        step = min(dng.layout(278, found.height), found.height)
        if not step:
            raise UnusableInput(f"{dng.path}: its strips have no rows")
        rows = [min(step, found.height - top) for top in range(0, found.height, step)]
        across = found.width
    rows *= found.samples if found.separate else 1
    offsets, counts = dng.layouts(324 if tiled else 273), dng.layouts(325 if tiled else 279)
    if not len(offsets) == len(counts) == len(rows):
        raise UnusableInput(
            f"{dng.path}: {len(offsets)} of its {len(rows)} strips or tiles are listed, the file is damaged"
        )
    bytes_across = -(-across * found.bits * (1 if found.separate else found.samples) // 8)
    for place, (offset, count, height) in enumerate(zip(offsets, counts, rows, strict=True)):
        enough = height * bytes_across if found.compression == _NONE else 1
        if count < enough or offset + count > dng.size:
            raise UnusableInput(
                f"{dng.path}: part {place + 1} of {len(rows)} of its picture lies beyond the end of the file: it was cut short; "
                "copy it again from the card"
            )


def _contiguous(dng: DngFile) -> bool:
    """Whether the strips follow one another, as LibRaw takes for granted where they are not compressed."""
    offsets, counts = dng.layouts(273), dng.layouts(279)
    return 322 not in dng.raw and all(
        a + n == b for a, n, b in zip(offsets[:-1], counts[:-1], offsets[1:], strict=True)
    )


def read_pixels(dng: DngFile, found: Layout) -> Array:
    """All stored pixels, margins included: [H, W] or [H, W, 3] in the file's numbers, its LinearizationTable applied.

    Raises UnusableInput where the data are damaged or of a compression that no installed library decodes.
    """
    whole_bytes = found.compression == _NONE and found.bits in (8, 16, 32)
    packed = found.compression == _NONE and not whole_bytes
    by_libraw = (
        found.compression in _LIBRAW_DECODES
        and not (whole_bytes or found.floating or found.separate or found.interleave != (1, 1))
        and not (packed and not _contiguous(dng))
    )
    if by_libraw:
        return libraw.stored_pixels(dng.path, (found.height, found.width), found.samples)
    with library_errors(dng.path):
        stored = dng.page.asarray(squeeze=False, maxworkers=1)
    if stored.size != found.height * found.width * found.samples:
        raise UnusableInput(f"{dng.path}: its raw picture is damaged")
    if found.separate:
        stored = np.moveaxis(stored.reshape(found.samples, found.height, found.width), 0, 2)
    else:
        stored = stored.reshape(found.height, found.width, found.samples)
    table = None if found.floating else linearization(dng)
    if table is not None:
        stored = table[np.minimum(stored, len(table) - 1)]
    if found.floating and not np.isfinite(stored).all():
        raise UnusableInput(f"{dng.path}: some of its pixels are not numbers")
    stored = _deinterleave(stored, found.interleave)
    return stored[:, :, 0] if found.samples == 1 else stored


def _deinterleave(stored: Array, factors: tuple[int, int]) -> Array:
    """Rows and columns put back: the stored picture is made of fields, each holding every n-th row or column (DNG 1.7)."""
    for axis, factor in enumerate(factors):
        if factor > 1:
            order = np.concatenate([np.arange(first, stored.shape[axis], factor) for first in range(factor)])
            stored = np.take(stored, np.argsort(order), axis)
    return stored
