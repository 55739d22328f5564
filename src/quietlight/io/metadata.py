r"""EXIF: file -> block, block -> TIFF, DNG and photo files.

A block is a little-endian TIFF structure without the "Exif\0\0" prefix (`frames.Metadata.exif`). It holds what describes the
picture: the descriptive tags of the first directory (where TIFF and EXIF keep the resolution, and TIFF the IPTC record), the Exif
directory with its maker note, GPS and Interoperability. It never
holds what describes a file (sizes, strips, previews, DNG colours), which would be false in the next one. A maker note is carried
as bytes: what it addresses outside of itself is lost, as with every tool that moves one. Source: CIPA DC-008 (EXIF 2.32).
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from quietlight.frames import Metadata
from quietlight.io import ifd
from quietlight.io.ifd import Directory, Entry

LIMIT = 8 << 20
"""Bytes beyond which an EXIF block is not one."""
JPEG_LIMIT = 65_527
"""Bytes of an EXIF block that fit into a JPEG's APP1 segment."""

_IMAGE, _EXIF, _GPS, _INTEROP = 0, 34665, 34853, 40965
_ORIENTATION, _SOFTWARE, _MAKER_NOTE, _HISTORY = 274, 305, 37500, 37395
_EXPOSURE_TIME, _ISO = 33434, 34855

_RESOLUTION = _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_INCH, _CENTIMETRE = 2, 3
_MOST_PER_INCH = 1e6
_IPTC = 33723

# ImageDescription, Make, Model, Orientation, resolution, Software, DateTime, Artist, HostComputer, Rating, RatingPercent,
# Copyright, IPTC, XPTitle to XPSubject.
_DESCRIPTIVE = {270, 271, 272, 274, *_RESOLUTION, 305, 306, 315, 316, 18246, 18249, 33432, _IPTC, *range(40091, 40096)}
# Camera settings that TIFF/EP and some DNGs (Google's of 2015) keep in the first directory: they move to the Exif directory.
_SETTINGS = {33434, 33437, 34850, 34855, 36867, 36868, 37377, 37378, 37380, 37381, 37382, 37383, 37384, 37385, 37386}
# Interop's pointer is made anew; the pixel sizes would be false after a crop or a turn.
_NOT_CARRIED = {_INTEROP, 40962, 40963}

Tree = dict[int, Directory]
"""The directories of a block: 0 the first one, else by the tag that points to it."""


def _carried(tag: int) -> bool:
    return tag not in _NOT_CARRIED


def read_exif(path: Path) -> bytes:
    """The EXIF block of a JPEG, PNG, WebP, TIFF or another photo that Pillow opens, or of a raw (TIFF-structured, RAF, CR3).

    Empty where there is none, and for files that are damaged or not pictures; OSError only where the file cannot be opened.
    """
    with path.open("rb") as file:
        # The files come from anywhere, and a broken description must never keep a picture from being read.
        try:
            return _serialised(_tree_of_file(file))
        except Exception:
            return b""


def exif_of(exif: bytes) -> Image.Exif:
    """A block as Pillow's Exif, empty for an empty or broken one."""
    found = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found.load(_serialised(parse(exif)))
        except (OSError, SyntaxError, ValueError, struct.error):
            return Image.Exif()
    return found


def parse(exif: bytes) -> Tree:
    r"""The directories of a block in either byte order, with or without "Exif\0\0"; empty for a broken or oversized one."""
    exif = exif.removeprefix(b"Exif\0\0")
    return _read_tree(io.BytesIO(exif), 0) if len(exif) <= LIMIT else {}


def with_orientation(exif: bytes, orientation: int) -> bytes:
    """The block with another Orientation (EXIF code 1 to 8); an empty one stays empty where the picture is upright (1)."""
    if orientation == 1 and not exif:
        return b""
    return with_entries(exif, {_ORIENTATION: ifd.numbers(ifd.SHORT, [orientation])})


def turned_upright(metadata: Metadata) -> Metadata:
    """What is said of a picture once its pixels are upright: EXIF and XMP say 1, and DNG tags are left behind."""
    xmp = re.sub(rb"(tiff:Orientation(?:=[\"']|>)\s*)[2-8]", rb"\g<1>1", metadata.xmp)
    return Metadata(with_orientation(metadata.exif, 1), xmp)


def with_fields(
    exif: bytes,
    *,
    software: str | None = None,
    history: str | None = None,
    exposure_time: float | None = None,
    iso: int | None = None,
) -> bytes:
    """The block with Software set, ImageHistory continued by a line, and exposure and ISO filled in where it has none."""
    exif_tags = parse(exif).get(_EXIF, {})
    image: Directory = {} if software is None else {_SOFTWARE: ifd.text(software)}
    settings: Directory = {}
    if history is not None:
        past = exif_tags[_HISTORY].data.rstrip(b"\0").decode(errors="replace") if _HISTORY in exif_tags else ""
        settings[_HISTORY] = ifd.text(f"{past}\n{history}" if past else history)
    if exposure_time is not None and _EXPOSURE_TIME not in exif_tags:
        settings[_EXPOSURE_TIME] = ifd.numbers(ifd.RATIONAL, [exposure_time])
    if iso is not None and _ISO not in exif_tags:
        settings[_ISO] = ifd.numbers(ifd.SHORT, [min(iso, 65535)])
    return with_entries(exif, image, settings)


def with_entries(exif: bytes, image: Directory, settings: Directory | None = None) -> bytes:
    """The block with entries set in its first directory (`image`) and its Exif directory (`settings`)."""
    tree = parse(exif)
    tree[_IMAGE] = tree.get(_IMAGE, {}) | image
    tree[_EXIF] = tree.get(_EXIF, {}) | (settings or {})
    return _serialised(tree)


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Pixels per inch across and down, None where the block does not say."""
    image = parse(exif).get(_IMAGE, {})
    across, down = (ifd.values(image[t])[0] if t in image else 0.0 for t in (_X_RESOLUTION, _Y_RESOLUTION))
    inch = 2.54 if _RESOLUTION_UNIT in image and ifd.values(image[_RESOLUTION_UNIT])[0] == _CENTIMETRE else 1.0
    # NaN, which a broken block may hold, fails both.
    sane = all(0 < side < _MOST_PER_INCH for side in (across, down))
    return (across * inch, down * inch) if sane else None


def with_resolution(exif: bytes, across: float, down: float) -> bytes:
    """The block with pixels per inch filled in where it has none; unchanged where they are 0 or absurd."""
    if not all(0 < side < _MOST_PER_INCH for side in (across, down)) or resolution(exif) is not None:
        return exif
    sides = {_X_RESOLUTION: ifd.numbers(ifd.RATIONAL, [across]), _Y_RESOLUTION: ifd.numbers(ifd.RATIONAL, [down])}
    return with_entries(exif, sides | {_RESOLUTION_UNIT: ifd.numbers(ifd.SHORT, [_INCH])})


def iptc(exif: bytes) -> bytes:
    """The IPTC record (IIM 4) that the block carries as TIFF does, empty for none."""
    entry = parse(exif).get(_IMAGE, {}).get(_IPTC)
    return b"" if entry is None else entry.data


def with_iptc(exif: bytes, record: bytes) -> bytes:
    """The block with another IPTC record, or without one where it is empty."""
    tree = parse(exif)
    tree.get(_IMAGE, {}).pop(_IPTC, None)
    if record:
        tree.setdefault(_IMAGE, {})[_IPTC] = Entry(ifd.UNDEFINED, record)
    return _serialised(tree)


def shortened(exif: bytes, limit: int = JPEG_LIMIT) -> bytes:
    """The block without its maker note where it is longer than `limit` bytes; empty where it is still too long then."""
    if len(exif) <= limit:
        return exif
    tree = parse(exif)
    tree.get(_EXIF, {}).pop(_MAKER_NOTE, None)
    shorter = _serialised(tree)
    return shorter if len(shorter) <= limit else b""


def exif_extratags(exif: bytes) -> list[tuple[int | str, int, int, Any, bool]]:
    """A block's descriptive tags as tifffile's `extratags` of a little-endian file (byteorder="<").

    With placeholders for the Exif and GPS directories, which `append_exif` fills in when the file is written, as it does the
    resolution, of which tifffile writes its own. tifffile has its own ways for Software, DateTime and ImageDescription: pass
    software=False, datetime=False and metadata=None beside these.
    """
    tree = parse(exif)
    image = tree.get(_IMAGE, {})
    tags: list[tuple[int | str, int, int, Any, bool]] = [
        (t, e.kind, e.count, e.data, True) for t, e in image.items() if t not in _RESOLUTION
    ]
    # tifffile drops these two where they are given by number.
    tags += [(name, ifd.LONG, 1, 0, True) for name, at in (("ExifTag", _EXIF), ("GPSTag", _GPS)) if tree.get(at)]
    return tags


def append_exif(path: Path, exif: bytes) -> None:
    """Write the Exif, GPS and Interoperability directories of a block at the end of a TIFF and point its placeholders there.

    And the block's resolution into the entries that tifffile has written for its own. The file is a classic little-endian TIFF
    written with `exif_extratags`. Raises ValueError where a placeholder is missing.
    """
    tree = parse(exif)
    wanted = {p: tree[p] for p in (_EXIF, _GPS, _INTEROP) if tree.get(p)}
    with path.open("r+b") as file:
        places = _places(file)
        offset = file.seek(0, io.SEEK_END)
        file.write(b"\0" * (offset % 2))
        data, offsets = laid_out(wanted, offset + offset % 2)
        file.write(data)
        for pointer in (_EXIF, _GPS):
            if pointer not in offsets:
                continue
            if pointer not in places:
                raise ValueError(f"{path.name} was written without a placeholder for directory {pointer}")
            file.seek(places[pointer])
            file.write(struct.pack("<I", offsets[pointer]))
        if (per_inch := resolution(exif)) is not None and places.keys() >= set(_RESOLUTION):
            for tag, value in zip(_RESOLUTION[:2], per_inch, strict=True):
                file.seek(places[tag])
                file.seek(struct.unpack("<I", file.read(4))[0])
                file.write(ifd.numbers(ifd.RATIONAL, [value]).data)
            file.seek(places[_RESOLUTION_UNIT])
            file.write(struct.pack("<H", _INCH))


def _places(file: BinaryIO) -> dict[int, int]:
    """Where in the file the value of each entry of the first directory stands."""
    found = ifd.open_tiff(file)
    if found is None or found[0] != "<":
        raise ValueError("only classic little-endian TIFFs take an appended directory")
    file.seek(found[1])
    (count,) = struct.unpack("<H", file.read(2))
    table = file.read(12 * count)
    return {struct.unpack_from("<H", table, 12 * i)[0]: found[1] + 2 + 12 * i + 8 for i in range(count)}


def laid_out(tree: Tree, offset: int) -> tuple[bytes, dict[int, int]]:
    """Directories one behind the other as bytes for the (even) position `offset` of a file, pointers set, and where each begins."""
    tree = {name: dict(directory) for name, directory in tree.items() if directory}
    for pointer, home in ((_EXIF, _IMAGE), (_GPS, _IMAGE), (_INTEROP, _EXIF)):
        if pointer in tree and home in tree:
            tree[home][pointer] = ifd.numbers(ifd.LONG, [0])
    offsets: dict[int, int] = {}
    for name, directory in tree.items():
        offsets[name] = offset
        offset += len(ifd.serialise(directory, 0))
    for pointer, home in ((_EXIF, _IMAGE), (_GPS, _IMAGE), (_INTEROP, _EXIF)):
        if pointer in tree and home in tree:
            tree[home][pointer] = ifd.numbers(ifd.LONG, [offsets[pointer]])
    return b"".join(ifd.serialise(directory, offsets[name]) for name, directory in tree.items()), offsets


def _serialised(tree: Tree) -> bytes:
    """The block of some directories; empty for none, and where it would be oversized."""
    if tree.get(_INTEROP) and not tree.get(_EXIF):
        tree = {name: directory for name, directory in tree.items() if name != _INTEROP}
    if not any(tree.values()):
        return b""
    # Programs expect the first directory right behind the header, even where it holds pointers only.
    block = {_IMAGE: tree.get(_IMAGE) or {_ORIENTATION: ifd.numbers(ifd.SHORT, [1])}}
    block |= {name: tree[name] for name in (_EXIF, _GPS, _INTEROP) if tree.get(name)}
    data, _ = laid_out(block, 8)
    exif = struct.pack("<2sHI", b"II", 42, 8) + data
    return exif if len(exif) <= LIMIT else b""


def _read_tree(file: BinaryIO, start: int) -> Tree:
    """The directories of the TIFF structure at `start`; none where there is no such thing."""
    found = ifd.open_tiff(file, start)
    if found is None:
        return {}
    order, offset = found
    # A byte more than the limit, so that an oversized block is seen to be one.
    budget = LIMIT + 1

    def read(at: int, wanted: Any) -> Directory:
        return ifd.read_directory(file, order, at, wanted, budget, start)

    first = read(offset, lambda tag: tag in _DESCRIPTIVE | _SETTINGS | {_EXIF, _GPS})
    pointers = {p: _pointer(first.pop(p, None)) for p in (_EXIF, _GPS)}
    tree: Tree = {_IMAGE: _described(first)}
    settings = read(pointers[_EXIF], lambda _: True)
    tree[_INTEROP] = read(_pointer(settings.get(_INTEROP)), lambda _: True)
    moved = {t: e for t, e in first.items() if t in _SETTINGS}
    tree[_EXIF] = moved | {t: e for t, e in settings.items() if t not in _NOT_CARRIED}
    tree[_GPS] = read(pointers[_GPS], lambda _: True)
    return tree


def _described(first: Directory) -> Directory:
    """The descriptive tags of a first directory, without a resolution of no unit, and IPTC as bytes."""
    described = {t: e for t, e in first.items() if t in _DESCRIPTIVE}
    unit = described.get(_RESOLUTION_UNIT)
    if unit is not None and ifd.values(unit)[0] not in (_INCH, _CENTIMETRE):
        described = {t: e for t, e in described.items() if t not in _RESOLUTION}
    if _IPTC in described:
        record = described[_IPTC].data
        # Some writers call these bytes 32-bit numbers, and byte orders then turn them; a record begins with 1C.
        if record[:1] != b"\x1c" and record[3:4] == b"\x1c":
            record = b"".join(record[i : i + 4][::-1] for i in range(0, len(record), 4))
        described[_IPTC] = Entry(ifd.UNDEFINED, record)
    return described


def _pointer(entry: Entry | None) -> int:
    """The offset that an entry holds, 0 for none."""
    return 0 if entry is None or entry.kind not in (ifd.LONG, 13) else int(ifd.values(entry)[0])


def _tree_of_file(file: BinaryIO) -> Tree:
    head = file.read(16)
    if ifd.open_tiff(file) is not None:
        return _read_tree(file, 0)
    if head.startswith(b"\xff\xd8"):
        return _jpeg_tree(file, 0)
    if head.startswith(b"FUJIFILMCCD-RAW "):
        file.seek(84)  # a RAF's header: where its full-size JPEG lies, which carries the EXIF
        return _jpeg_tree(file, struct.unpack(">I", file.read(4))[0])
    if head[4:11] == b"ftypcrx":
        return _cr3_tree(file)
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"RIFF")):
        return next((parse(data) for name, data in _chunks(file, head[:4]) if name in (b"eXIf", b"EXIF")), {})
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file) as picture:
            return parse(picture.info.get("exif", b""))


def _jpeg_tree(file: BinaryIO, start: int) -> Tree:
    """The EXIF of the JPEG at `start`: its first APP1 segment of that name, before the picture begins."""
    file.seek(start + 2)
    while (marker := file.read(4))[:1] == b"\xff" and len(marker) == 4 and marker[1] not in (0xDA, 0xD9):
        size = struct.unpack(">H", marker[2:])[0] - 2
        data = file.read(size)
        if marker[1] == 0xE1 and data.startswith(b"Exif\0\0"):
            return parse(data)
        if size < 0 or len(data) < size:
            break
    return {}


def _chunks(file: BinaryIO, magic: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, data) of the EXIF chunks of a PNG or a WebP; other chunks are stepped over."""
    png = magic == b"\x89PNG"
    at = 8 if png else 12
    file.seek(at)
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head) if png else struct.unpack("<4sI", head)[::-1]
        if name in (b"eXIf", b"EXIF"):
            yield name, file.read(min(size, LIMIT + 1))
        at += 8 + size + (4 if png else size % 2)
        file.seek(at)


def _cr3_tree(file: BinaryIO) -> Tree:
    """A CR3 keeps its first directory, Exif and GPS in boxes CMT1, CMT2 and CMT4 near its beginning, each with a TIFF header."""
    file.seek(0)
    head = file.read(1 << 20)
    tree: Tree = {}
    for name, box in ((_IMAGE, b"CMT1"), (_EXIF, b"CMT2"), (_GPS, b"CMT4")):
        at = head.find(box)
        if at < 4:
            continue
        (size,) = struct.unpack(">I", head[at - 4 : at])
        part = io.BytesIO(head[at + 4 : at - 4 + size])
        found = ifd.open_tiff(part)
        if found is not None:
            wanted = _DESCRIPTIVE.__contains__ if name == _IMAGE else _carried
            tree[name] = ifd.read_directory(part, *found, wanted, LIMIT)
    return tree
