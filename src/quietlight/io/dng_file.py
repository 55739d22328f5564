"""A DNG's directories: which picture in it is the raw one, and its tags as checked numbers.

Numbers come from strangers' files, so none is believed before it is checked, and no claimed count makes room for more than the file
holds. Source: TIFF 6.0; DNG 1.4 specification, chapters 2 and 4.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from quietlight.frames import UnusableInput

Entry = tuple[int, int, Any]
"""TIFF type, count, value."""

CFA, LINEAR_RAW = 32803, 34892
_MOST_SUBIFDS = 32
_ITEM_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_RATIONALS = (5, 10)


class _BoundedFile(io.FileIO):
    """A file that never makes room for more bytes than it has left, whatever a tag's count claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(os.fstat(self.fileno()).st_size - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left)) or b""


@dataclass(frozen=True)
class DngFile:
    """The tags of one DNG.

    Args:
        raw: those of the raw picture's IFD (the first one or a SubIFD), code -> entry; main: of the first IFD.
        page: tifffile's view of the raw picture, to read its pixels while the file is open.
    """

    path: Path
    size: int
    raw: dict[int, Entry]
    main: dict[int, Entry]
    page: Any

    def entry(self, code: int) -> Entry | None:
        """A tag of the raw picture, or else of the first IFD: writers disagree on where which tag goes."""
        return self.raw.get(code, self.main.get(code))

    def numbers(self, code: int) -> tuple[float, ...] | None:
        """A tag's numbers, rationals divided; None where it is absent, of another type, or not all are finite."""
        return _numbers(self.entry(code))

    def layout(self, code: int, default: int | None = None) -> int:
        """One whole number of how the raw picture lies in the file. Raises UnusableInput where it is missing or not one."""
        found = _numbers(self.raw.get(code))
        if found is None and default is not None and code not in self.raw:
            return default
        if not found or found[0] < 0 or found[0] != int(found[0]):
            raise UnusableInput(f"{self.path}: tag {code} of its raw picture is missing or damaged")
        return int(found[0])

    def layouts(self, code: int) -> tuple[int, ...]:
        """All whole numbers of a tag of the raw picture, () where it is absent or damaged."""
        found = _numbers(self.raw.get(code)) or ()
        return tuple(int(v) for v in found) if all(v >= 0 and v == int(v) for v in found) else ()

    def text(self, code: int) -> str:
        """A text tag without its padding, "" where it is absent."""
        found = self.entry(code)
        value = found[2] if found else ""
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return value.split("\0")[0].strip() if isinstance(value, str) else ""


def _numbers(entry: Entry | None) -> tuple[float, ...] | None:
    if entry is None:
        return None
    kind, _, value = entry
    items = tuple(value) if isinstance(value, tuple | list | bytes | np.ndarray) else (value,)
    if not items or not all(isinstance(v, int | float | np.number) for v in items):
        return None
    if kind in _RATIONALS:
        if len(items) % 2 or not all(items[1::2]):
            return None
        items = tuple(a / b for a, b in zip(items[::2], items[1::2], strict=True))
    return tuple(float(v) for v in items) if all(math.isfinite(v) for v in items) else None


@contextmanager
def open_dng(path: Path) -> Iterator[DngFile | None]:
    """The tags of a DNG while its file is open; None for a file that is not one (no DNGVersion tag).

    Raises UnusableInput for a DNG whose structure is damaged or that holds no raw picture.
    """
    with _BoundedFile(path) as file:
        start = file.read(4)
        file.seek(0)
        found = (
            _read(path, file) if start[:2] in (b"II", b"MM") and (b"\0" in start and start[2:] != b"\x1a\0") else None
        )
        yield found


def _read(path: Path, file: _BoundedFile) -> DngFile | None:
    size = os.fstat(file.fileno()).st_size
    try:
        tiff = tifffile.TiffFile(file, name=str(path))
        first = tiff.pages.first
        main = _entries(first, size)
    except (
        Exception
    ):  # A file that tifffile cannot follow may still be another maker's raw: LibRaw says so or refuses it.
        return None
    if 50706 not in main:
        return None
    pages = [first, *_subpages(tiff, first)]
    tables = [main, *(_entries(page, size) for page in pages[1:])]
    raws = [i for i, table in enumerate(tables) if (_numbers(table.get(262)) or (0,))[0] in (CFA, LINEAR_RAW)]
    if not raws:
        raise UnusableInput(f"{path}: this DNG holds no raw picture")
    chosen = max(raws, key=lambda i: _rank(tables[i]))
    return DngFile(path, size, tables[chosen], main, pages[chosen])


def _rank(table: dict[int, Entry]) -> tuple[bool, bool, float]:
    """The main picture first (NewSubfileType 0, not a preview or an enhanced copy), then mosaics, then the largest."""
    kind, photometric, width, height = ((_numbers(table.get(code)) or (0.0,))[0] for code in (254, 262, 256, 257))
    return kind == 0, photometric == CFA, width * height


def _subpages(tiff: tifffile.TiffFile, first: Any) -> list[Any]:
    pages: list[Any] = []
    for offset in tuple(first.subifds or ())[:_MOST_SUBIFDS]:
        try:
            tiff.filehandle.seek(offset)
            pages.append(tifffile.TiffPage(tiff, index=(0, len(pages))))
        except Exception:  # A damaged preview must not hide the raw picture.
            continue
    return pages


def _entries(page: Any, size: int) -> dict[int, Entry]:
    """The readable tags of one IFD, code -> (type, count, value)."""
    found = {}
    for tag in page.tags:
        if tag.count * _ITEM_SIZES.get(int(tag.dtype), size + 1) > size:
            continue
        try:
            value = tag.value
        except Exception:  # An unreadable tag counts as absent.
            continue
        found[int(tag.code)] = (int(tag.dtype), int(tag.count), value)
    return found
