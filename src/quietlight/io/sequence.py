"""Burst of raws -> a folder of DNGs, which `read` turns into the burst again.

Which frame is the reference is told by a text with its number, counted from 0, under the name that it has in the HDR+ data set
(Hasinoff et al., "Burst photography for high dynamic range and low-light imaging on mobile cameras", SIGGRAPH Asia 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from quietlight.frames import Burst, RawFrame, UnusableInput
from quietlight.io.dng import write_dng
from quietlight.io.files import written_beside
from quietlight.io.kind import PHOTO_FORMATS, RAW_SUFFIXES

REFERENCE = "reference_frame.txt"


def with_reference(burst: Burst, folder: Path) -> Burst:
    """The burst of a folder with the reference that is told there, if one is. Raises UnusableInput where it has no such frame."""
    path = folder / REFERENCE
    if not path.is_file():
        return burst
    with path.open("rb") as file:
        told = file.read(32).strip()
    if not told.isdigit() or int(told) >= len(burst.frames):
        raise UnusableInput(
            f"{path}: does not name one of the frames, 0 to {len(burst.frames) - 1}: correct or remove it"
        )
    return replace(burst, reference=int(told))


def frame_name(index: int) -> str:
    """What a frame's file is called: by this name they sort in their order."""
    return f"frame_{index:03}.dng"


def is_sequence(paths: Sequence[Path]) -> bool:
    """Whether these are all frames of a burst that we wrote, in their order."""
    return [path.name for path in paths] == [frame_name(index) for index in range(len(paths))]


def write_sequence(burst: Burst, folder: Path) -> None:
    """Write the frames as frame_000.dng, frame_001.dng, ..., each beside and renamed; further ones of an earlier burst are removed.

    All have the same black and white level.

    Raises UnusableInput for photos, and for a folder with other pictures, which would be read as frames.
    """
    frames = [frame for frame in burst.frames if isinstance(frame, RawFrame)]
    if len(frames) < len(burst.frames):
        raise UnusableInput(f"{folder}: only bursts of raws are written as a folder: write the photos one by one")
    suffix = folder.suffix.lower()
    if suffix in RAW_SUFFIXES or suffix in PHOTO_FORMATS:
        raise UnusableInput(
            f"{folder}: a burst is not written as one {suffix} file: denoise it first, or name a folder"
        )
    earlier = _pictures(folder)
    if others := [path for path in earlier if not _is_ours(path)]:
        raise UnusableInput(f"{others[0]}: would be read as a frame of the burst: choose another folder")
    largest = max(float(np.max(frame.mosaic, initial=1)) for frame in frames)
    paths = [folder / frame_name(index) for index in range(len(frames))]
    for frame, path in zip(frames, paths, strict=True):
        write_dng(frame, path, largest)
    for path in set(earlier) - set(paths):
        path.unlink()
    if burst.reference is None:
        (folder / REFERENCE).unlink(missing_ok=True)
    else:
        with written_beside(folder / REFERENCE) as beside:
            beside.write_text(f"{burst.reference}\n", encoding="ascii")


def _pictures(folder: Path) -> list[Path]:
    known = RAW_SUFFIXES | PHOTO_FORMATS.keys()
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in there if path.suffix.lower() in known and not path.name.startswith(".")]


def _is_ours(path: Path) -> bool:
    number = path.stem.removeprefix("frame_")
    return number.isdecimal() and path.name == frame_name(int(number))
