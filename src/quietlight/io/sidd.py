"""SIDD's METADATA files (Abdelhamed, Lin and Brown 2018): DNG tags as MATLAB's imfinfo saw them, in a .MAT of level 5."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.frames import Floats, UnusableInput
from quietlight.io.limits import library_errors
from quietlight.io.matlab import library

CFA_PATTERN, OPCODES, NOISE_PROFILE = 33422, 51009, 51041
NEUTRAL, COLORS, FORWARDS, ILLUMINANTS = 50728, (50721, 50722), (50964, 50965), (50778, 50779)
_NAMED = {
    "CFAPattern": CFA_PATTERN,
    "AsShotNeutral": NEUTRAL,
    "ColorMatrix1": COLORS[0],
    "ColorMatrix2": COLORS[1],
    "ForwardMatrix1": FORWARDS[0],
    "ForwardMatrix2": FORWARDS[1],
    "CalibrationIlluminant1": ILLUMINANTS[0],
    "CalibrationIlluminant2": ILLUMINANTS[1],
    "OpcodeList2": OPCODES,
    "NoiseProfile": NOISE_PROFILE,
}
"""Fields that imfinfo knows by name; others lie among its UnknownTags."""
_LARGEST = 1 << 22
"""Bytes."""


def metadata_tags(path: Path) -> dict[int, Floats]:
    """The numbers of the DNG tags that a METADATA file has, by the tag's code, flat; the first of those that come twice.

    Raises UnusableInput for another file.
    """
    if path.stat().st_size > _LARGEST:
        raise UnusableInput(f"{path}: is too large to be the metadata of a picture")
    with library_errors(path):
        content = library("scipy.io").loadmat(path, simplify_cells=True)
        tags: dict[int, Floats] = {}
        for code, value in _tags(content["metadata"]):
            tags.setdefault(code, np.ravel(value).astype(np.float64))
        return tags


def _tags(fields: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Those of a directory and of the SubIFDs below it, where some cameras keep them. Single ones are no list."""
    yield from ((code, fields[name]) for name, code in _NAMED.items() if np.size(fields.get(name, ())))
    for name in ("UnknownTags", "SubIFDs"):
        found = fields.get(name, [])
        for one in [found] if isinstance(found, dict) else found:
            if name == "SubIFDs":
                yield from _tags(one)
            else:
                yield int(one["ID"]), one["Value"]
