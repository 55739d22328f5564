"""OpcodeList2 of a DNG -> lens-shading maps (DNG 1.4 specification, chapter 7 "Opcode List Processing", opcode 9 "GainMap").

Opcode lists are big-endian, whatever the file's byte order is.
"""

from __future__ import annotations

import struct

import numpy as np

from quietlight.frames import GainMap, UnusableInput

_GAIN_MAP = 9
_OPTIONAL = 1
_HEADER = struct.Struct(">4I")
_MAP = struct.Struct(">10I4dI")
_MOST_OPCODES = 64
_LARGEST_GAIN = 1e3


def gain_maps(opcodes: bytes, height: int, width: int, planes: int) -> tuple[GainMap, ...]:
    """The GainMaps of an OpcodeList2, in its order; other opcodes are left to whoever develops the file.

    Args:
        opcodes: the tag's bytes.
        height: of the picture inside the ActiveArea, which all coordinates of this list refer to.
        width: likewise.
        planes: 1 for a mosaic, 3 for a linear raw. A map of a linear raw comes back with 3 planes, gain 1 where it does not apply.

    Raises:
        UnusableInput: the list is damaged or a map says something impossible.
    """
    if len(opcodes) < 4:
        raise UnusableInput("its list of corrections (OpcodeList2) is cut short")
    count = int.from_bytes(opcodes[:4], "big")
    if count > _MOST_OPCODES:
        raise UnusableInput(
            f"its list of corrections (OpcodeList2) claims {count} entries, at most {_MOST_OPCODES} are taken"
        )
    maps: list[GainMap] = []
    position = 4
    for _ in range(count):
        if position + _HEADER.size > len(opcodes):
            raise UnusableInput("its list of corrections (OpcodeList2) is cut short")
        identity, _version, _flags, size = _HEADER.unpack_from(opcodes, position)
        position += _HEADER.size
        if position + size > len(opcodes):
            raise UnusableInput("its list of corrections (OpcodeList2) is cut short")
        if identity == _GAIN_MAP and (found := _gain_map(opcodes[position : position + size], height, width, planes)):
            maps.append(found)
        position += size
    return tuple(maps)


def _gain_map(data: bytes, height: int, width: int, planes: int) -> GainMap | None:
    """One map from the opcode's parameters; None where it touches no pixel or plane of the picture."""
    if len(data) < _MAP.size:
        raise UnusableInput("a lens-shading map (GainMap) is cut short")
    top, left, bottom, right, plane, plane_count, row_pitch, column_pitch, rows, columns, *floats, map_planes = (
        _MAP.unpack_from(data)
    )
    spacing, origin = (floats[0], floats[1]), (floats[2], floats[3])
    if not (rows and columns and map_planes and row_pitch and column_pitch):
        raise UnusableInput("a lens-shading map (GainMap) has no size")
    if rows * columns * map_planes * 4 > len(data) - _MAP.size:
        raise UnusableInput(f"a lens-shading map (GainMap) of {rows}x{columns}x{map_planes} gains is cut short")
    if (
        not np.isfinite(floats).all()
        or min(spacing) < 0
        or (rows > 1 and not spacing[0])
        or (columns > 1 and not spacing[1])
    ):
        raise UnusableInput("a lens-shading map (GainMap) has an impossible grid")
    gains = np.frombuffer(data, ">f4", rows * columns * map_planes, _MAP.size).reshape(rows, columns, map_planes)
    if not (np.isfinite(gains).all() and gains.min() >= 0 and gains.max() <= _LARGEST_GAIN):
        raise UnusableInput(f"a lens-shading map (GainMap) holds gains outside of 0 to {_LARGEST_GAIN:g}")
    bottom, right = min(bottom, height), min(right, width)
    if top >= bottom or left >= right or plane >= planes or not plane_count:
        return None
    return GainMap(
        bounds=(0, 0, height, width),
        area=(top, left, bottom, right),
        pitch=(row_pitch, column_pitch),
        spacing=spacing,
        origin=origin,
        gains=_for_planes(gains.astype(np.float32), plane, plane_count, planes),
    )


def _for_planes(gains: np.ndarray, first: int, count: int, planes: int) -> np.ndarray:
    """Gains of the picture's planes: those from `first` on take the map's planes in turn, the last one repeated."""
    if planes == 1:
        return gains[:, :, :1]
    spread = np.ones((*gains.shape[:2], planes), np.float32)
    for plane in range(first, min(first + count, planes)):
        spread[:, :, plane] = gains[:, :, min(plane - first, gains.shape[2] - 1)]
    return spread
