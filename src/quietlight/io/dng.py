"""RawFrame -> DNG, in the one flavour that LibRaw, darktable, RawTherapee, dcraw and exiftool all open right (docs/dng-matrix.md).

As Adobe lays it out: a JPEG preview in the first directory, which every viewer shows, and the raw picture in a SubIFD.

16-bit integers, not white-balanced, lossless JPEG tiles where imagecodecs is installed and uncompressed strips otherwise. Bayer and
monochrome frames have black 4096, so that negative noise survives (down to -0.067); a linear DNG in colour has black 0, since
darktable and RawTherapee ignore another one, and loses what is negative. White is 65535 while nothing in the frame exceeds it. Else
WhiteLevel is lowered until the largest value fits, at most to a quarter of the range: values up to 4 survive, 0 to 1 keeps 15,360
steps or more, and larger values are clipped to 4.

Source: DNG 1.4 specification, chapters 2, 4 and 6; ITU-T T.81, annex H for lossless JPEG.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from quietlight import __version__, machine
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.frames import BAYER, ColorCalibration, RawFrame, UnusableInput
from quietlight.io import ifd, metadata
from quietlight.io.files import written_beside
from quietlight.io.ifd import ASCII, BYTE, DOUBLE, LONG, RATIONAL, SHORT, SRATIONAL, Directory, Entry, numbers, text
from quietlight.io.preview import preview_jpeg

BLACK = 4096
FULL = 65535
LARGEST = 4.0
"""The largest value that is kept."""

SRGB_D65 = ColorCalibration(illuminant=21, color=SRGB_FROM_XYZ)
"""What a colour frame without calibration is written with, since programs refuse a DNG without one: its RGB counts as sRGB's."""

_ROWS = 256
"""Rows per tile or strip."""
_SUB_IFDS = 330
_NAMES = (271, 272, 50708)
# What fields of the frame say (levels, colours, noise, crop, exposure) or what held for the source's pixels only.
_OURS = {50712, *range(50713, 50718), *range(50719, 50731), 50778, 50779, 50829, 50830, 50964, 50965, 51041, 51109}
# Carried tags that belong to the raw picture's directory; the others go to the first one (DNG 1.4, chapter 4, "Usage").
_OF_THE_PICTURE = {50718, 50733, 50737, 50738, 50780, 50935, 51008, 51009, 51022, 51125}

Encode = Callable[[NDArray[np.uint16]], bytes]


@dataclass(frozen=True)
class _Levels:
    black: int
    white: int


def write_dng(frame: RawFrame, path: Path, largest: float = 1.0) -> None:
    """Write a frame as a DNG: a CFA one for Bayer patterns, a linear one for "RGB" and "MONO".

    The DNG tags (50706 and up) in `frame.metadata.dng` are copied unless a field of the frame says the same. Lens-shading maps
    are written as the OpcodeList2 carried there. The file is written beside and renamed.

    Args:
        frame: what to write.
        path: where to.
        largest: the white level leaves room for this value, too: frames that share it have equal levels.

    Raises:
        UnusableInput: values that are not finite, an empty frame, or one too large for a TIFF (4 GiB).
        OSError: the file cannot be written.
    """
    levels = _levels(frame, path, largest)
    with written_beside(path) as beside, beside.open("wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, 0))
        picture = _picture_tags(frame, levels) | _write_pixels(file, frame, levels)
        preview = _write_preview(file, frame)
        start = _write_directories(file, frame, picture, preview)
        file.seek(4)
        file.write(struct.pack("<I", start))


def _levels(frame: RawFrame, path: Path, room: float) -> _Levels:
    if frame.mosaic.size == 0:
        raise UnusableInput(f"{path}: an empty frame cannot be written")
    # Noise at the full range makes lossless JPEG a little larger than the pixels.
    if 2 * frame.mosaic.size > 3.9e9:
        raise UnusableInput(f"{path}: a frame of {frame.mosaic.shape} is too large for a DNG (4 GiB): crop it")
    smallest, largest = float(frame.mosaic.min()), float(frame.mosaic.max())
    if not np.isfinite([smallest, largest]).all():
        raise UnusableInput(f"{path}: the frame holds values that are not finite, which a DNG cannot store")
    black = 0 if frame.cfa == "RGB" else BLACK
    return _Levels(black, black + round((FULL - black) / min(max(largest, room, 1.0), LARGEST)))


def _stored(mosaic: NDArray[np.float32], levels: _Levels) -> NDArray[np.uint16]:
    """Values as they lie in the file, rounded to nearest."""
    scaled = mosaic * np.float32(levels.white - levels.black)
    scaled += levels.black
    stored: NDArray[np.uint16] = np.rint(scaled, out=scaled).clip(0, FULL, out=scaled).astype(np.uint16)
    return stored


# --- Pixels ---------------------------------------------------------------------------------------------------------------------


def _tile_width(width: int) -> int:
    """Columns per tile: 256, but for a picture of 512, where LibRaw 0.22 takes two components of half a tile for a whole row."""
    return 272 if width == 512 else 256


def _encoder(frame: RawFrame) -> Encode | None:
    """Tile -> lossless JPEG; None without imagecodecs, and for pictures smaller than a tile.

    dcraw and LibRaw misread the tiles of a picture narrower than one, and LibRaw decodes none of fewer than 22 rows.

    Two columns of a mosaic become the two components of a picture of half the width, as Adobe writes it, so that each colour is
    predicted from its own kind: more than a quarter smaller than one component.
    """
    cfa = frame.cfa
    if min(frame.mosaic.shape[:2]) < _ROWS:
        return None
    try:
        import imagecodecs
    except ImportError:
        return None
    color = "unknown" if cfa in BAYER else "rgb" if cfa == "RGB" else "grayscale"

    def encode(tile: NDArray[np.uint16]) -> bytes:
        if cfa in BAYER:
            tile = tile.reshape(tile.shape[0], tile.shape[1] // 2, 2)
        return bytes(
            imagecodecs.jpeg_encode(
                tile, lossless=True, predictor=1, bitspersample=16, colorspace=color, outcolorspace=color
            )
        )

    return encode


def _bands(frame: RawFrame, levels: _Levels, encode: Encode | None) -> Iterator[list[bytes]]:
    """The tiles of each 256 rows from top to bottom, or those rows as one strip without `encode`."""
    columns = _tile_width(frame.mosaic.shape[1])

    def band(top: int) -> list[bytes]:
        rows = _stored(frame.mosaic[top : top + _ROWS], levels)
        if encode is None:
            return [rows.astype("<u2").tobytes()]
        # Mirrored, an edge costs few bytes and keeps its pattern.
        padding = [(0, -rows.shape[0] % _ROWS), (0, -rows.shape[1] % columns), (0, 0)][: rows.ndim]
        rows = np.pad(rows, padding, mode="reflect")
        return [encode(np.ascontiguousarray(rows[:, x : x + columns])) for x in range(0, rows.shape[1], columns)]

    with ThreadPoolExecutor(min(4, machine.cores())) as pool:
        yield from pool.map(band, range(0, frame.mosaic.shape[0], _ROWS))


def _write_pixels(file: BinaryIO, frame: RawFrame, levels: _Levels) -> Directory:
    """Write the picture at the file's end; the tags that say where it is."""
    width = frame.mosaic.shape[1]
    encode = _encoder(frame)
    offsets, sizes = [], []
    for part in (part for band in _bands(frame, levels, encode) for part in band):
        offsets.append(_append(file, part))
        sizes.append(len(part))
    # Tiles or strips, never tags of both: some readers refuse such files.
    if encode is None:
        layout = {273: numbers(LONG, offsets), 278: numbers(LONG, [_ROWS]), 279: numbers(LONG, sizes)}
    else:
        layout = {
            322: numbers(LONG, [_tile_width(width)]),
            323: numbers(LONG, [_ROWS]),
            324: numbers(LONG, offsets),
            325: numbers(LONG, sizes),
        }
    return {259: numbers(SHORT, [1 if encode is None else 7])} | layout


def _append(file: BinaryIO, data: bytes) -> int:
    """Write at the file's end, on an even offset, which is returned."""
    offset = file.seek(0, io.SEEK_END)
    file.write(b"\0" * (offset % 2) + data)
    return offset + offset % 2


def _write_preview(file: BinaryIO, frame: RawFrame) -> Directory:
    """Write the preview; its directory, a TIFF picture in JPEG compression."""
    jpeg, height, width = preview_jpeg(frame)
    return {
        254: numbers(LONG, [1]),
        256: numbers(LONG, [width]),
        257: numbers(LONG, [height]),
        258: numbers(SHORT, [8, 8, 8]),
        259: numbers(SHORT, [7]),
        262: numbers(SHORT, [6]),
        273: numbers(LONG, [_append(file, jpeg)]),
        277: numbers(SHORT, [3]),
        278: numbers(LONG, [height]),
        279: numbers(LONG, [len(jpeg)]),
        284: numbers(SHORT, [1]),
        530: numbers(SHORT, [2, 2]),
        531: numbers(SHORT, [1]),
        532: numbers(RATIONAL, [0, 255, 128, 255, 128, 255]),
        50970: numbers(LONG, [2]),
    }


# --- Tags -----------------------------------------------------------------------------------------------------------------------


def _picture_tags(frame: RawFrame, levels: _Levels) -> Directory:
    """The raw picture's own tags but for where it lies."""
    height, width = frame.mosaic.shape[:2]
    planes = 3 if frame.cfa == "RGB" else 1
    top, left, rows, columns = frame.crop or (0, 0, height, width)
    tags = {
        254: numbers(LONG, [0]),
        256: numbers(LONG, [width]),
        257: numbers(LONG, [height]),
        258: numbers(SHORT, [16] * planes),
        262: numbers(SHORT, [32803 if frame.cfa in BAYER else 34892]),
        277: numbers(SHORT, [planes]),
        284: numbers(SHORT, [1]),
        50713: numbers(SHORT, [1, 1]),
        50714: numbers(LONG, [levels.black] * planes),
        50717: numbers(LONG, [levels.white] * planes),
        50719: numbers(LONG, [left, top]),
        50720: numbers(LONG, [columns, rows]),
        50829: numbers(LONG, [0, 0, height, width]),
    }
    if frame.cfa in BAYER:
        tags |= {
            33421: numbers(SHORT, [2, 2]),
            33422: Entry(BYTE, bytes("RGB".index(c) for c in frame.cfa)),
            50710: Entry(BYTE, bytes([0, 1, 2])),
            50711: numbers(SHORT, [1]),
        }
    if frame.noise is not None:
        pairs = list(zip(frame.noise.shot, frame.noise.read, strict=True))
        if frame.cfa == "MONO":
            pairs = [pairs[len(pairs) // 2]]
        tags[51041] = numbers(DOUBLE, [value for pair in pairs for value in pair])
    return tags


def _camera_tags(frame: RawFrame) -> Directory:
    """What the first directory says of the camera and its colours."""
    oldest = (1, 3, 0, 0) if {51008, 51009, 51022} & set(frame.metadata.dng) else (1, 1, 0, 0)
    make, _, model = frame.camera.partition(" ")
    tags = {
        271: text(make or "Unknown"),
        272: text(model or make or "Unknown"),
        274: numbers(SHORT, [frame.orientation]),
        50706: Entry(BYTE, bytes([1, 4, 0, 0])),
        50707: Entry(BYTE, bytes(oldest)),
        50708: text(frame.camera or "Unknown camera"),
    }
    if frame.baseline_exposure is not None:
        tags[50730] = numbers(SRATIONAL, [frame.baseline_exposure])
    if frame.metadata.xmp:
        tags[700] = Entry(BYTE, frame.metadata.xmp)
    if frame.cfa == "MONO":
        return tags
    if frame.white_balance is not None:
        tags[50728] = numbers(RATIONAL, [1 / gain for gain in frame.white_balance])
    for index, calibration in enumerate(frame.calibrations[:2] or (SRGB_D65,)):
        tags[50721 + index] = numbers(SRATIONAL, np.ravel(calibration.color))
        tags[50778 + index] = numbers(SHORT, [calibration.illuminant])
        if calibration.forward is not None:
            tags[50964 + index] = numbers(SRATIONAL, np.ravel(calibration.forward))
    return tags


def _carried(kind: int, count: int, value: Any) -> Entry | None:
    """A tag's value as tifffile reads it (rationals as numerators and denominators) -> its bytes; None for an unknown kind."""
    if kind == ASCII:
        value = value if isinstance(value, bytes) else str(value).encode()
        return Entry(ASCII, value.rstrip(b"\0") + b"\0")
    if kind not in ifd.SIZES:
        return None
    if isinstance(value, bytes):
        return Entry(kind, value) if len(value) == count * ifd.SIZES[kind] else None
    items = list(np.atleast_1d(np.asarray(value)).ravel().tolist())
    if kind in (RATIONAL, SRATIONAL) and len(items) == 2 * count:
        form = "I" if kind == RATIONAL else "i"
        return Entry(kind, struct.pack(f"<{len(items)}{form}", *items))
    return numbers(kind, items) if len(items) == count else None


def _write_directories(file: BinaryIO, frame: RawFrame, picture: Directory, preview: Directory) -> int:
    """Write the directories behind the pixels; where the first one begins."""
    exif = metadata.parse(
        metadata.with_fields(
            frame.metadata.exif,
            software=f"Quietlight {__version__}",
            exposure_time=frame.exposure_time,
            iso=frame.iso,
        )
    )
    described = exif.get(0, {})
    carried = {
        tag: entry
        for tag, value in frame.metadata.dng.items()
        if tag >= 50706 and tag not in _OURS and (entry := _carried(*value)) is not None
    }
    of_the_picture = {tag: entry for tag, entry in carried.items() if tag in _OF_THE_PICTURE}
    of_the_camera = {tag: entry for tag, entry in carried.items() if tag not in of_the_picture}
    # The frame's fields win over what the source's file said, but its names of the camera are better than ours.
    names = {tag: entry for tag, entry in {**described, **of_the_camera}.items() if tag in _NAMES}
    at = _append(file, b"")
    pixels = ifd.serialise({**of_the_picture, **picture}, at)
    file.write(pixels)
    pointer = {_SUB_IFDS: numbers(LONG, [at])}
    first = {**described, **of_the_camera, **_camera_tags(frame), **names, **preview, **pointer}
    data, offsets = metadata.laid_out(exif | {0: first}, at + len(pixels))
    file.write(data)
    return offsets[0]
