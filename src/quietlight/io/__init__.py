"""file <-> frame: photos, raws, DNGs, bursts and what they say of themselves.

`read` and `write` choose by content and suffix; the formats have a module each.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from quietlight.frames import Burst, Frame, Image, RawFrame, UnusableInput
from quietlight.io.burst import is_payload, payloads, read_burst
from quietlight.io.dng import write_dng
from quietlight.io.headerless import RawFormat, read_headerless, read_raw_format
from quietlight.io.kind import PACKED_SUFFIX, PHOTO_FORMATS, RAW_SUFFIXES, is_photo
from quietlight.io.packed import read_packed, write_packed
from quietlight.io.photo import read_photo, write_photo
from quietlight.io.raw import read_raw
from quietlight.io.sequence import with_reference, write_sequence

__all__ = ["PHOTO_SUFFIXES", "RAW_SUFFIXES", "RawFormat", "is_photo", "read", "read_file", "read_raw_format", "write"]

PHOTO_SUFFIXES = frozenset(PHOTO_FORMATS)


def read(source: str | Path | Sequence[str | Path], raw_format: RawFormat | None = None) -> Frame:
    """A raw file gives a RawFrame, a photo an Image, a folder or a list of files of one scene a Burst.

    Of a folder of the HDR+ data set, the frames are read, and its reference is theirs.

    Args:
        source: a file, a folder, or several files. The file of planes that was written of a Burst gives it again.
        raw_format: describes files without a header, which are then read by it alone.

    Raises:
        UnusableInput: what is wrong with which file, and what to do.
    """
    if not isinstance(source, str | Path):
        return read_burst([Path(s) for s in source], lambda path: read_file(path, raw_format), raw_format)
    path = Path(source)
    if path.is_dir():
        known = RAW_SUFFIXES | PHOTO_SUFFIXES
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in known and not p.name.startswith("."))
        if not files:
            raise UnusableInput(f"{path}: no raw file or photo in this folder")
        of_data_set = [file for file in files if is_payload(file)]
        frames, reference = payloads(of_data_set) if of_data_set else (files, None)
        burst = read_burst(frames, lambda file: read_file(file, raw_format), raw_format, reference)
        return burst if of_data_set else with_reference(burst, path)
    return _read(path, raw_format)


def read_file(path: Path, raw_format: RawFormat | None = None) -> RawFrame | Image:
    """One file with one frame, whatever it is. Raises UnusableInput as `read` does."""
    found = _read(path, raw_format)
    if isinstance(found, Burst):
        raise UnusableInput(f"{path}: holds a burst of {len(found.frames)} frames, and one frame was expected")
    return found


def require_file(path: Path) -> None:
    """Raise UnusableInput where there is no file at a path."""
    if not path.is_file():
        found = "no raw file or photo in this folder" if path.is_dir() else "there is no such file"
        raise UnusableInput(f"{path}: {found}")


def _read(path: Path, raw_format: RawFormat | None) -> RawFrame | Image | Burst:
    require_file(path)
    if path.stat().st_size == 0:
        raise UnusableInput(f"{path}: the file is empty")
    if raw_format is not None:
        return read_headerless(path, raw_format)
    if path.suffix.lower() == PACKED_SUFFIX:
        return read_packed(path)
    return read_photo(path) if is_photo(path) else read_raw(path)


def write(frame: Frame, path: str | Path, quality: int = 95) -> None:
    """Write a RawFrame as .dng or .safetensors, an Image as a photo; the suffix decides. `quality` is for the lossy formats.

    A Burst of raws becomes one .safetensors, or a folder of DNGs.

    The file is written beside and renamed: an existing one is replaced whole or not at all. Raises UnusableInput where the
    frame and the suffix do not fit.
    """
    path = Path(path)
    if not isinstance(frame, Image) and path.suffix.lower() == PACKED_SUFFIX:
        write_packed(frame, path)
    elif isinstance(frame, Burst):
        write_sequence(frame, path)
    elif isinstance(frame, RawFrame):
        if path.suffix.lower() != ".dng":
            raise UnusableInput(
                f"{path}: a raw frame is written as .dng; develop it first for a {path.suffix or 'photo'} file"
            )
        write_dng(frame, path)
    else:
        write_photo(frame, path, quality)
