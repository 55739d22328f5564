"""Raw files without a header -> RawFrame, by a description that the user writes (`--raw-format FILE.toml`).

For development boards, phone dumps and research sets, whose files hold nothing but numbers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.color import calibration_from_srgb
from quietlight.frames import BAYER, ColorCalibration, RawFrame, UnusableInput
from quietlight.io.limits import MOST_PIXELS

_WORDS = {"u8": "u1", "u16le": "<u2", "u16be": ">u2"}
# MIPI CSI-2: `group` samples in `size` bytes, the high 8 bits of each first, then their low bits, the first sample's lowest.
_MIPI = {"mipi10": (10, 4, 5), "mipi12": (12, 2, 3), "mipi14": (14, 4, 7)}
PACKINGS = (*_WORDS, *_MIPI)
LAYOUTS = ("mosaic", "packed")

Gains = tuple[float, float, float]
Rows = tuple[Gains, Gains, Gains]


@dataclass(frozen=True)
class RawFormat:
    """What a headerless file holds.

    Args:
        width, height: of the mosaic, in pixels.
        packing: one of `PACKINGS`: one byte, two bytes in either order, or MIPI CSI-2 RAW10, RAW12, RAW14.
        cfa: one of "RGGB", "GRBG", "GBRG", "BGGR", or "MONO".
        black: the level of no light, one or four (at pixels (0, 0), (0, 1), (1, 0), (1, 1)).
        white: the level of saturation.
        bits: of each sample, where it is fewer than its packing holds: higher bits must be zero. 0: all of them.
        layout: "mosaic", row by row; or "packed", [height / 2, width / 2, 4] with the pattern's four places last.
        offset: bytes before the first row.
        stride: bytes from row to row of what is stored; 0: without gap.
        white_balance: gains (red, green, blue), green 1.
        camera_to_srgb: white-balanced camera RGB -> linear sRGB, its rows; needs `white_balance`, which it holds for.
        color_matrix: XYZ -> camera RGB, its rows, measured under the EXIF LightSource code `illuminant`.
        camera, iso, exposure_time (seconds), orientation (EXIF code): as a camera would say them.

    Raises:
        UnusableInput: a value is impossible or contradicts another.
    """

    width: int
    height: int
    packing: str
    cfa: str
    black: tuple[float, ...]
    white: float
    bits: int = 0
    layout: str = "mosaic"
    offset: int = 0
    stride: int = 0
    white_balance: Gains | None = None
    camera_to_srgb: Rows | None = None
    color_matrix: Rows | None = None
    illuminant: int = 21
    camera: str = ""
    iso: int | None = None
    exposure_time: float | None = None
    orientation: int = 1

    def __post_init__(self) -> None:
        for name, value, known in (
            ("packing", self.packing, PACKINGS),
            ("layout", self.layout, LAYOUTS),
            ("cfa", self.cfa, (*BAYER, "MONO")),
        ):
            if value not in known:
                raise UnusableInput(f"{name} is one of {', '.join(known)}, not {value!r}")
        if min(self.width, self.height) < 1 or self.width * self.height > MOST_PIXELS:
            raise UnusableInput(f"{self.width}x{self.height} is no size of a raw that we take (at most 400 megapixels)")
        if len(self.black) not in (1, 4) or not np.isfinite([*self.black, self.white]).all():
            raise UnusableInput("black is one number or four, and white one")
        if self.white <= max(self.black):
            raise UnusableInput(f"white ({self.white:g}) must lie above black ({max(self.black):g})")
        if self.layout == "packed" and (
            self.cfa == "MONO" or self.packing in _MIPI or self.width % 2 or self.height % 2
        ):
            raise UnusableInput('layout "packed" is for Bayer patterns of even size with u8 or u16 samples')
        if not 0 <= self.bits <= self.stored_bits:
            raise UnusableInput(f"bits = {self.bits} does not fit into {self.packing}, which holds {self.stored_bits}")
        if self.packing in _MIPI and self.width % _MIPI[self.packing][1]:
            raise UnusableInput(
                f"{self.packing} stores {_MIPI[self.packing][1]} pixels together: the width {self.width} does not fit"
            )
        if self.offset < 0 or (self.stride and self.stride < self.bytes_per_row):
            raise UnusableInput(f"offset is at least 0 and stride at least a row's {self.bytes_per_row} bytes (or 0)")
        self._check_description()

    def _check_description(self) -> None:
        """Refuse what is said of the picture, beside where it lies, if it is impossible."""
        if self.white_balance is not None and not (
            np.isfinite(self.white_balance).all() and min(self.white_balance) > 0 and self.white_balance[1] == 1
        ):
            raise UnusableInput(f"white_balance is three gains above 0 with green 1, not {self.white_balance}")
        for name, rows in (("camera_to_srgb", self.camera_to_srgb), ("color_matrix", self.color_matrix)):
            if rows is not None and not (np.isfinite(rows).all() and abs(np.linalg.det(rows)) > 1e-5):
                raise UnusableInput(f"{name} is a matrix that can be inverted")
        if self.camera_to_srgb is not None and (self.white_balance is None or self.color_matrix is not None):
            raise UnusableInput(
                "camera_to_srgb needs the white_balance that it holds for, and stands in place of color_matrix"
            )
        if not 1 <= self.orientation <= 8:
            raise UnusableInput(f"orientation is an EXIF code from 1 to 8, not {self.orientation}")
        if (self.iso is not None and self.iso < 1) or (
            self.exposure_time is not None and not 0 < self.exposure_time < float("inf")
        ):
            raise UnusableInput("iso and exposure_time are above 0; leave them out where they are unknown")

    @property
    def stored_bits(self) -> int:
        """Bits that the packing holds per sample."""
        return _MIPI[self.packing][0] if self.packing in _MIPI else 8 * np.dtype(_WORDS[self.packing]).itemsize

    @property
    def stored_rows(self) -> int:
        """Rows as they are stored: half as many where the layout is packed."""
        return self.height // 2 if self.layout == "packed" else self.height

    @property
    def bytes_per_row(self) -> int:
        """Bytes of one stored row, without its gap."""
        samples = self.width * (2 if self.layout == "packed" else 1)
        if self.packing in _MIPI:
            _, group, size = _MIPI[self.packing]
            return samples // group * size
        return samples * np.dtype(_WORDS[self.packing]).itemsize

    @property
    def calibrations(self) -> tuple[ColorCalibration, ...]:
        """The colour calibration, none where no matrix is given."""
        if self.color_matrix is not None:
            return (ColorCalibration(self.illuminant, np.array(self.color_matrix)),)
        if self.camera_to_srgb is not None and self.white_balance is not None:
            return (calibration_from_srgb(np.array(self.camera_to_srgb), self.white_balance),)
        return ()


def read_raw_format(path: Path) -> RawFormat:
    """The description in a TOML file, one key per field of `RawFormat`.

    Raises UnusableInput for keys that it does not have, values of another type, missing ones, and impossible ones.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path}: is no TOML: {error}") from error
    try:
        return _format_of(table)
    except UnusableInput as error:
        raise UnusableInput(f"{path}: {error}") from error


def _format_of(table: Mapping[str, Any]) -> RawFormat:
    known = {f.name: f for f in fields(RawFormat)}
    if unknown := sorted(set(table) - set(known)):
        raise UnusableInput(f"unknown key {', '.join(unknown)}; the keys are {', '.join(known)}")
    if missing := [name for name, f in known.items() if f.default is MISSING and name not in table]:
        raise UnusableInput(f"the key {', '.join(missing)} is missing")
    return RawFormat(**{name: _value(name, str(known[name].type), value) for name, value in table.items()})


def _value(name: str, kind: str, value: Any) -> Any:
    """A TOML value as the field's type. Raises UnusableInput where it is of another."""
    kind = kind.removesuffix(" | None")
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "float" and _is_number(value):
        return float(value)
    if kind == "tuple[float, ...]" and _is_number(value):
        return (float(value),)
    if kind == "tuple[float, ...]" and _are_numbers(value):
        return tuple(map(float, value))
    if kind == "Gains" and _are_numbers(value) and len(value) == 3:
        return tuple(map(float, value))
    if (
        kind == "Rows"
        and isinstance(value, list)
        and len(value) == 3
        and all(_are_numbers(r) and len(r) == 3 for r in value)
    ):
        return tuple(tuple(map(float, row)) for row in value)
    wanted = {"str": "a text", "int": "a whole number", "float": "a number", "Gains": "a list of 3 numbers"}
    raise UnusableInput(
        f"{name} is {wanted.get(kind, 'a list of 3 lists of 3 numbers' if kind == 'Rows' else 'one number or 4')}"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


def read_headerless(path: Path, description: RawFormat) -> RawFrame:
    """A file that holds nothing but what `description` says.

    Raises UnusableInput where its size is another one, or where a sample has more bits than described.
    """
    stride = description.stride or description.bytes_per_row
    needed = description.offset + stride * description.stored_rows
    try:
        size = path.stat().st_size
        # The last row's gap may be missing.
        if size not in (needed, needed - stride + description.bytes_per_row):
            raise UnusableInput(
                f"{path}: has {size} bytes where its description says {needed}: check width, height, packing, offset and stride"
            )
        stored = np.fromfile(path, np.uint8, offset=description.offset)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise UnusableInput(f"{path}: its picture does not fit into memory") from error
    samples = _samples(_rows(stored, stride, description), description)
    if description.bits and int(samples.max()) >= 1 << description.bits:
        raise UnusableInput(
            f"{path}: holds {int(samples.max())}, more than {description.bits} bits: check bits, packing (byte order) and offset"
        )
    return RawFrame(
        mosaic=_mosaic(samples, description),
        cfa=description.cfa,
        white_balance=description.white_balance,
        calibrations=description.calibrations,
        exposure_time=description.exposure_time,
        iso=description.iso,
        orientation=description.orientation,
        camera=description.camera,
    )


def _rows(stored: NDArray[np.uint8], stride: int, description: RawFormat) -> NDArray[np.uint8]:
    """[stored rows, bytes per row], gaps left out."""
    shape = description.stored_rows, description.bytes_per_row
    return np.ndarray(shape, np.uint8, stored, strides=(stride, 1))


def _samples(rows: NDArray[np.uint8], description: RawFormat) -> NDArray[np.uint16] | NDArray[np.uint8]:
    """[stored rows, samples] from their bytes."""
    if description.packing in _WORDS:
        return np.ascontiguousarray(rows).view(_WORDS[description.packing])
    bits, group, size = _MIPI[description.packing]
    grouped = np.ascontiguousarray(rows).reshape(len(rows), -1, size)
    low = bits - 8
    tail = np.zeros(grouped.shape[:2], np.uint32)
    for place in range(group, size):
        tail |= grouped[:, :, place].astype(np.uint32) << (8 * (place - group))
    samples = np.empty((*grouped.shape[:2], group), np.uint16)
    for place in range(group):
        samples[:, :, place] = (grouped[:, :, place].astype(np.uint16) << low) | (
            (tail >> (low * place)) & ((1 << low) - 1)
        )
    return samples.reshape(len(rows), -1)


def _mosaic(samples: NDArray[Any], description: RawFormat) -> NDArray[np.float32]:
    """float32 [H, W], black 0, white 1, with one scale for all phases: 1 / (white - the largest black)."""
    height, width = description.height, description.width
    black = np.broadcast_to(np.array(description.black), 4)
    mosaic = np.empty((height, width), np.float32)
    packed = samples.reshape(height // 2, width // 2, 4) if description.layout == "packed" else None
    for place in range(4):
        row, column = divmod(place, 2)
        phase = samples[row::2, column::2] if packed is None else packed[:, :, place]
        mosaic[row::2, column::2] = phase - np.float32(black[place])
    mosaic /= np.float32(description.white - black.max())
    return mosaic
