"""Arrays in MATLAB's files, read a slice at a time: level 5 ("MAT-File Format", MathWorks) and 7.3, which is HDF5.

MATLAB stores the first index fastest. HDF5 libraries show such arrays with their axes reversed; here they come as MATLAB has them.
Nothing is followed that leads out of a file.
"""

from __future__ import annotations

import math
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np

from quietlight.frames import Array, UnusableInput
from quietlight.io.limits import check_size, library_errors

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATRIX, _COMPRESSED = 14, 15
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
"""Code of a data element of level 5 -> its numbers."""
_HEAD = 1024
"""Bytes of an array's element that hold what comes before its numbers."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class StoredArray:
    """An array that stays in its file.

    Args:
        part: (indices or slices of the first axes) -> that part, in memory.
        shape: as MATLAB has it.
    """

    part: Callable[..., Array]
    shape: tuple[int, ...]


def library(name: str) -> Any:
    """h5py or scipy.io. Raises UnusableInput where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise UnusableInput(f"MATLAB's files need {name.split('.')[0]}: pip install quietlight[sets]") from error


def stored_array(path: Path, name: str, dtypes: tuple[str, ...] = ("float32",)) -> StoredArray:
    """The variable of a name, of two axes or more.

    A compressed one of level 5 is unpacked into a temporary file, since any part of it may be spread over all of it.

    Raises:
        UnusableInput: no MATLAB file, no such variable, numbers of another type, or a size that the file cannot hold. All of it
            is found before the numbers are given memory.
    """
    with path.open("rb") as file:
        head = file.read(520)
    if _HDF5 in (head[:8], head[512:]):
        return _of_hdf5(path, name, dtypes)
    order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
    if order is None:
        raise UnusableInput(f"{path}: is no MATLAB file of level 5 or 7.3")
    with library_errors(path), path.open("rb") as file:
        return _of_level5(path, file, name, order, dtypes)


def _checked(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], dtypes: tuple[str, ...]) -> None:
    if dtype.name not in dtypes:
        raise UnusableInput(f"{path}: {name} holds {dtype.name}, not {' or '.join(dtypes)}")
    if len(shape) < 2:
        raise UnusableInput(f"{path}: {name} is no array of two axes or more")
    check_size(path, math.prod(shape[:-1]), shape[-1], path.stat().st_size)


def _of_hdf5(path: Path, name: str, dtypes: tuple[str, ...]) -> StoredArray:
    h5py = library("h5py")
    with library_errors(path), h5py.File(path, "r") as file:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink) or not isinstance(file[name], h5py.Dataset):
            raise UnusableInput(f"{path}: has no variable {name}")
        found = file[name]
        if found.is_virtual or found.external:
            raise UnusableInput(f"{path}: the numbers of {name} lie in other files, which are not read")
        shape = tuple(reversed(found.shape))
        _checked(path, name, shape, found.dtype, dtypes)

    def part(*index: int | slice) -> Array:
        with library_errors(path), h5py.File(path, "r") as file:
            return np.ascontiguousarray(file[name][(..., *reversed(index))].T)

    return StoredArray(part, shape)


def _of_level5(path: Path, file: IO[bytes], name: str, order: str, dtypes: tuple[str, ...]) -> StoredArray:
    file.seek(128)
    while len(tag := file.read(8)) == 8:
        kind, size = struct.unpack(f"{order}II", tag)
        start = file.tell()
        compressed = kind == _COMPRESSED
        head = zlib.decompressobj().decompress(file.read(_HEAD), _HEAD)[8:] if compressed else file.read(_HEAD)
        if kind in (_MATRIX, _COMPRESSED) and (found := _Header.read(head, order)).name == name:
            dtype = np.dtype(order + found.type)
            _checked(path, name, found.shape, dtype, dtypes)
            if found.size != math.prod(found.shape) * dtype.itemsize:
                raise UnusableInput(
                    f"{path}: {name} has not as many bytes as its shape {found.shape}: the file is damaged"
                )
            if not compressed:
                return _mapped(path, found, dtype, file, start + found.place)
            file.seek(start)
            with _inflated(file, 8 + found.place + found.size) as unpacked:
                return _mapped(path, found, dtype, unpacked, 8 + found.place)
        file.seek(start + size)
    raise UnusableInput(f"{path}: has no variable {name}")


def _mapped(path: Path, header: _Header, dtype: np.dtype[Any], source: IO[bytes], place: int) -> StoredArray:
    """The array whose numbers lie at a place of `source`, which may be closed then."""
    if source.seek(0, 2) < place + header.size:
        raise UnusableInput(f"{path}: {header.name} ends before its {header.size} bytes: the file is damaged")
    numbers = np.memmap(source, dtype, "r", place, header.shape, "F")
    return StoredArray(lambda *index: np.array(numbers[index], dtype.newbyteorder("="), order="C"), header.shape)


@dataclass(frozen=True)
class _Header:
    """What a matrix element of level 5 says before its numbers, which are `size` bytes from byte `place` of the element on."""

    name: str
    shape: tuple[int, ...]
    type: str
    place: int
    size: int

    @classmethod
    def read(cls, head: bytes, order: str) -> _Header:
        """Of the first bytes of the element after its tag. Raises struct.error or KeyError for others."""
        _, _, _, place = _element(head, 0, order)  # flags
        _, size, first, place = _element(head, place, order)
        shape = struct.unpack_from(f"{order}{size // 4}i", head, first)
        _, size, first, place = _element(head, place, order)
        name = head[first : first + size].decode("latin-1")
        kind, size, first, _ = _element(head, place, order)
        return cls(name, shape, _TYPES.get(kind, "V1"), first, size)


def _element(data: bytes, place: int, order: str) -> tuple[int, int, int, int]:
    """(type, size, first byte, place of the next one) of a data element; small ones have their data within the tag."""
    kind, size = struct.unpack_from(f"{order}II", data, place)
    if kind >> 16:
        return kind & 0xFFFF, kind >> 16, place + 4, place + 8
    return kind, size, place + 8, place + 8 + size + -size % 8


def _inflated(file: IO[bytes], most: int) -> IO[bytes]:
    """A temporary file with the first `most` bytes, or a little more, of what is compressed from here on."""
    out = tempfile.TemporaryFile()  # noqa: SIM115, the caller closes it
    inflate = zlib.decompressobj()
    while out.tell() < most and not inflate.eof:
        data = inflate.unconsumed_tail or file.read(_CHUNK)
        if not data:
            break
        out.write(inflate.decompress(data, _CHUNK))
    out.flush()
    return out
