"""TIFF directories as bytes: tag -> (type, little-endian data), read from any classic TIFF structure and laid out again.

EXIF blocks and DNGs are both made of these. Entries stay bytes, so that types, UTF-8 names and maker notes come through unchanged
(Pillow's directories turn a letter beyond ASCII into a question mark). Source: TIFF 6.0, section 2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, FLOAT, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 11, 12

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes per value of each TIFF type."""
# How far byte swapping reaches: a rational is two words.
_WORDS = {**SIZES, 5: 4, 10: 4}
_FORMATS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
# 42 is TIFF's; Panasonic RW2 and Olympus ORF put their own there and are TIFF structures otherwise.
_MAGICS = {42, 0x55, 0x4F52, 0x5352}


@dataclass(frozen=True)
class Entry:
    """One entry of a directory: its TIFF type and its values as little-endian bytes."""

    kind: int
    data: bytes

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.data) // SIZES[self.kind]


Directory = dict[int, Entry]


def numbers(kind: int, values: Iterable[float]) -> Entry:
    """An entry of numbers. Rationals are rounded to the nearest with 32 bits; reals beyond their range are held to it."""
    values = list(values)
    if kind in (RATIONAL, SRATIONAL):
        words = [word for value in values for word in _ratio(float(value), kind == SRATIONAL)]
        return Entry(kind, struct.pack(f"<{len(words)}{'i' if kind == SRATIONAL else 'I'}", *words))
    form = _FORMATS[kind]
    exact = values if form in "fd" else [int(v) for v in values]
    return Entry(kind, struct.pack(f"<{len(exact)}{form}", *exact))


def text(value: str) -> Entry:
    """An ASCII entry, ended by a zero; letters beyond ASCII as UTF-8, as every current reader takes them."""
    return Entry(ASCII, value.replace("\0", "").encode() + b"\0")


def _ratio(value: float, signed: bool) -> tuple[int, int]:
    limit = 2**31 - 1 if signed else 2**32 - 1
    value = min(max(value, -limit if signed else 0.0), limit)
    # A denominator small enough that the numerator fits as well.
    fraction = Fraction(value).limit_denominator(max(1, min(10**6, int(limit / max(abs(value), 1)))))
    if fraction == 0 and value != 0:
        return round(value * limit), limit
    return fraction.numerator, fraction.denominator


def values(entry: Entry) -> tuple[float, ...]:
    """The numbers of an entry, rationals divided (0 where the denominator is 0); the bytes themselves for text."""
    if entry.kind in (RATIONAL, SRATIONAL):
        words = struct.unpack(f"<{2 * entry.count}{'i' if entry.kind == SRATIONAL else 'I'}", entry.data)
        return tuple(a / b if b else 0.0 for a, b in zip(words[::2], words[1::2], strict=True))
    if entry.kind in _FORMATS:
        return struct.unpack(f"<{entry.count}{_FORMATS[entry.kind]}", entry.data)
    return tuple(entry.data)


def open_tiff(file: BinaryIO, start: int = 0) -> tuple[str, int] | None:
    """(byte order "<" or ">", offset of the first directory) of a TIFF structure at `start`; None where there is none."""
    file.seek(start)
    header = file.read(8)
    order = {b"II": "<", b"MM": ">"}.get(header[:2])
    if order is None or len(header) < 8:
        return None
    magic, offset = struct.unpack(f"{order}HI", header[2:])
    return (order, offset) if magic in _MAGICS else None


def read_directory(
    file: BinaryIO, order: str, offset: int, wanted: Callable[[int], bool], limit: int, start: int = 0
) -> Directory:
    """The `wanted` entries of the directory at `offset`; what is cut short, of unknown type or beyond `limit` bytes is left out."""
    file.seek(start + offset)
    head = file.read(2)
    if offset < 8 or len(head) < 2:
        return {}
    table = file.read(12 * struct.unpack(f"{order}H", head)[0])
    found: Directory = {}
    for at in range(0, len(table) - 11, 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", table, at)
        size = count * SIZES.get(kind, 0)
        if not wanted(tag) or tag in found or not 0 < size <= limit:
            continue
        data = table[at + 8 : at + 8 + size]
        if size > 4:
            file.seek(start + struct.unpack_from(f"{order}I", table, at + 8)[0])
            data = file.read(size)
        if len(data) == size:
            limit -= size
            found[tag] = Entry(kind, data if order == "<" else _swapped(data, _WORDS[kind]))
    return found


def _swapped(data: bytes, word: int) -> bytes:
    return b"".join(data[i : i + word][::-1] for i in range(0, len(data), word)) if word > 1 else data


def serialise(directory: Mapping[int, Entry], offset: int, following: int = 0) -> bytes:
    """The directory and its data as bytes for the (even) position `offset` of a little-endian TIFF, padded to an even length."""
    data_at = offset + 2 + 12 * len(directory) + 4
    table, data = [struct.pack("<H", len(directory))], bytearray()
    for tag, entry in sorted(directory.items()):
        value = entry.data.ljust(4, b"\0")
        if len(value) > 4:
            value = struct.pack("<I", data_at + len(data))
            data += entry.data + b"\0" * (len(entry.data) % 2)
        table.append(struct.pack("<HHI", tag, entry.kind, entry.count) + value)
    return b"".join(table) + struct.pack("<I", following) + bytes(data)
