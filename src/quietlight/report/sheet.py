"""Pictures side by side under captions, as one PNG; and the report of one denoised file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from quietlight.camera.develop import Rendering, develop, neutral_rendering
from quietlight.frames import Image, RawFrame, UnusableInput
from quietlight.io.files import written_beside

Picture = NDArray[np.uint8]
_BAR = 28
_CROP = 512
_RESIDUAL_GAIN = 4


def write_sheet(rows: Sequence[Sequence[tuple[str, Picture]]], path: Path) -> None:
    """Rows of (caption, picture uint8 [H, W, 3]) as one PNG."""
    font = ImageFont.load_default(16)
    width = max(sum(picture.shape[1] for _, picture in row) for row in rows)
    heights = [max(picture.shape[0] for _, picture in row) + _BAR for row in rows]
    page = PillowImage.new("RGB", (width, sum(heights)), "white")
    draw, top = ImageDraw.Draw(page), 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for caption, picture in row:
            draw.text((left + 6, top + 4), caption, "black", font)
            page.paste(PillowImage.fromarray(picture), (left, top + _BAR))
            left += picture.shape[1]
        top += height
    with written_beside(path) as beside:
        page.save(beside, "PNG")


def to_eight_bits(image: Image) -> Picture:
    """Pixels as uint8 [H, W, 3]."""
    full = 1.0 if image.pixels.dtype == np.float32 else float(np.iinfo(image.pixels.dtype).max)
    pixels = np.round(image.pixels * (255.0 / full)).astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def report_files(folder: Path, name: str, overwrite: bool) -> tuple[Path, Path]:
    """The picture and the JSON that report on the result called `name`. Raises UnusableInput for existing ones."""
    files = folder / f"{name}.report.png", folder / f"{name}.report.json"
    for file in files:
        if file.exists() and not overwrite:
            raise UnusableInput(f"{file}: exists already (--overwrite replaces it)")
    return files


def write_report(
    files: tuple[Path, Path], before: RawFrame | Image, after: RawFrame | Image, record: dict[str, Any]
) -> None:
    """The middle of the picture at 100% (before, after, what was removed), and the record as JSON; `files` of `report_files`."""
    rendering = neutral_rendering(after) if isinstance(after, RawFrame) else None
    noisy, clean = (_middle(frame, rendering) for frame in (before, after))
    removed = 128 + _RESIDUAL_GAIN * (noisy.astype(np.int16) - clean)
    row = [
        ("before", noisy),
        ("after", clean),
        (f"removed, {_RESIDUAL_GAIN} times", np.clip(removed, 0, 255).astype(np.uint8)),
    ]
    write_sheet([row], files[0])
    with written_beside(files[1]) as beside:
        beside.write_text(json.dumps(record, indent=2, default=str) + "\n")


def _middle(frame: RawFrame | Image, rendering: Rendering | None) -> Picture:
    """The central `_CROP` square, developed if it is a raw; before and after by the same rendering."""
    pixels = to_eight_bits(develop(frame, rendering) if isinstance(frame, RawFrame) else frame)
    top, left = (max(n - _CROP, 0) // 2 for n in pixels.shape[:2])
    return pixels[top : top + _CROP, left : left + _CROP]
