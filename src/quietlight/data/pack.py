"""A folder of photos -> one file of JPEG bytes, small enough to travel to a machine that trains; and back.

A pack is a safetensors file: one uint8 array of JPEG bytes per photo, named by its file; its metadata say which part of which
folder it holds, at which quality.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from safetensors import SafetensorError, safe_open

from quietlight import zoo
from quietlight.frames import UnusableInput

VALIDATION_STEP = 16
QUALITIES = (40, 92)
"""Lowest and highest JPEG quality of a pack: below, blocks show in what is learnt; above, nothing is gained."""
HEADER_BYTES = 256
"""More than a photo's entry in the header of a pack."""


def located(source: str) -> Path:
    """A folder or pack as a recipe names it: as it is, or in the folder that the variable QUIETLIGHT_DATA names.

    Raises UnusableInput where it is in neither.
    """
    places = [Path(source), Path(os.environ.get("QUIETLIGHT_DATA", "."), source)]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise UnusableInput(
            f"{source}: no such folder of photos, nor pack, here or in QUIETLIGHT_DATA: give one as data.source"
        )
    return found


def photo_files(folder: Path, validation: bool) -> list[Path]:
    """The photos of a training folder: every 16th of the sorted list is for validation, the others are for training.

    Raises UnusableInput where that part is empty.
    """
    files = sorted(folder.glob("*.jpg"))
    held_out = set(files[::VALIDATION_STEP])
    part = [f for f in files if (f in held_out) == validation]
    if not part:
        raise UnusableInput(f"{folder}: no .jpg photo for {_part(validation)} in this folder")
    return part


def write_pack(
    folder: Path, out: Path, validation: bool, limit: int, progress: Callable[[float], None] = lambda _: None
) -> int:
    """Write one part of a folder of photos at the highest quality at which it fits into `limit` bytes; return that quality.

    Args:
        progress: called with the finished share, from 0 to 1.

    Raises UnusableInput where even the lowest quality does not fit.
    """
    files = photo_files(folder, validation)
    room = limit - HEADER_BYTES * (len(files) + 1)
    low, high = QUALITIES
    passes, done = (high - low + 1).bit_length(), 0
    best: tuple[int, dict[str, bytes]] | None = None

    def told(share: float) -> None:
        progress((done + share) / passes)

    while low <= high:
        quality = (low + high) // 2
        encoded = _encoded(files, quality, room, told)
        if encoded is None:
            high = quality - 1
        else:
            best, low = (quality, encoded), quality + 1
        done += 1
    if best is None:
        raise UnusableInput(
            f"{out}: {len(files)} photos do not fit into {limit} bytes: raise --limit, or leave some out"
        )
    quality, encoded = best
    arrays = {name: np.frombuffer(data, np.uint8) for name, data in encoded.items()}
    zoo.store(out, arrays, {"quality": str(quality), "source": folder.name, "part": _part(validation)})
    progress(1.0)
    return quality


def _part(validation: bool) -> str:
    return "validation" if validation else "training"


def _encoded(
    files: Sequence[Path], quality: int, room: int, progress: Callable[[float], None]
) -> dict[str, bytes] | None:
    """The photos as JPEG bytes, with full colour; None as soon as they exceed the room."""
    encoded: dict[str, bytes] = {}
    for index, file in enumerate(files):
        data = io.BytesIO()
        with _opened(file, file.name) as photo:
            photo.convert("RGB").save(data, "JPEG", quality=quality, subsampling=0, optimize=True)
        encoded[file.name] = data.getvalue()
        room -= len(encoded[file.name])
        if room < 0:
            return None
        progress((index + 1) / len(files))
    return encoded


def read_photos(source: Path, validation: bool, gray: bool) -> Iterator[NDArray[np.uint8]]:
    """The photos of one part, uint8 [H, W, C] with C 1 or 3, out of a folder or out of a pack that holds that part.

    Gray is Rec. 601 luma, as Pillow makes it and as the gray benchmarks were made. Raises UnusableInput for what holds no photos,
    and for a pack of the other part.
    """
    mode = "L" if gray else "RGB"
    if source.is_dir():
        for file in photo_files(source, validation):
            with _opened(file, str(file)) as photo:
                yield np.atleast_3d(np.asarray(photo.convert(mode)))
        return
    try:
        with safe_open(source, "np") as pack:
            part = (pack.metadata() or {}).get("part")
            if part != _part(validation):
                raise UnusableInput(f"{source}: a pack of the {part} part, where one for {_part(validation)} is needed")
            for name in sorted(pack.keys()):
                with _opened(io.BytesIO(pack.get_tensor(name).tobytes()), f"{source}: {name}") as photo:
                    yield np.atleast_3d(np.asarray(photo.convert(mode)))
    except (SafetensorError, OSError) as error:
        raise UnusableInput(f"{source}: neither a folder of photos nor a pack of them: {error}") from error


def _opened(source: Path | io.BytesIO, name: str) -> PillowImage.Image:
    try:
        photo = PillowImage.open(source)
        photo.load()
    except (OSError, SyntaxError) as error:
        raise UnusableInput(f"{name}: cannot be read as a photo: {error}") from error
    return photo
