"""Pictures side by side under captions, as one PNG; and the report of one denoised file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from quietlight.camera.develop import Rendering, develop, neutral_rendering
from quietlight.frames import Burst, Image, RawFrame, UnusableInput
from quietlight.io.files import written_beside
from quietlight.report.burst_page import burst_page
from quietlight.report.burst_sheet import burst_sheet
from quietlight.report.burst_story import burst_story
from quietlight.report.pictures import RESIDUAL_GAIN, Picture, to_eight_bits, what_was_removed
from quietlight.report.story import story_of
from quietlight.report.story_page import page
from quietlight.report.story_sheet import sheet
from quietlight.systems import Result

_BAR = 28
_CROP = 512


class ReportFiles(NamedTuple):
    """Where the report of one result goes: its picture, its record, and its page if there is a story to tell."""

    picture: Path
    record: Path
    page: Path


def write_sheet(rows: Sequence[Sequence[tuple[str, Picture]]], path: Path) -> None:
    """Rows of (caption, picture uint8 [H, W, 3]) as one PNG."""
    font = ImageFont.load_default(16)
    width = max(sum(picture.shape[1] for _, picture in row) for row in rows)
    heights = [max(picture.shape[0] for _, picture in row) + _BAR for row in rows]
    paper = PillowImage.new("RGB", (width, sum(heights)), "white")
    draw, top = ImageDraw.Draw(paper), 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for caption, picture in row:
            draw.text((left + 6, top + 4), caption, "black", font)
            paper.paste(PillowImage.fromarray(picture), (left, top + _BAR))
            left += picture.shape[1]
        top += height
    with written_beside(path) as beside:
        paper.save(beside, "PNG")


def report_files(folder: Path, name: str, overwrite: bool) -> ReportFiles:
    """The files that report on the result called `name`. Raises UnusableInput for existing ones."""
    files = ReportFiles(*(folder / f"{name}.report.{kind}" for kind in ("png", "json", "html")))
    for file in files:
        if file.exists() and not overwrite:
            raise UnusableInput(f"{file}: exists already (--overwrite replaces it)")
    return files


def write_report(files: ReportFiles, before: RawFrame | Image | Burst, result: Result) -> None:
    """What was done, as a picture and the record as JSON; and as a page where a photo was denoised in steps or a burst merged.

    Else the picture is the middle at 100%: before, after, and what was removed.

    Args:
        files: of `report_files`.
        before: what the result was made of; a photo where the result is one, or a burst.
        result: whose record has "steps" where it went by them, and "places" where a burst was merged.
    """
    record = result.record
    if isinstance(before, Burst) and "places" in record:
        told = burst_story(before, result)
        _write_pages(files, burst_page(told, _name(files)), burst_sheet(told))
        masses = {place.name: place.kernels.masses for place in told.places if place.kernels is not None}
        record = record | ({"kernel_mass": masses} if masses else {})
    elif isinstance(before, Image) and "steps" in record:
        story = story_of(before, result)
        _write_pages(files, page(story, _name(files)), sheet(story))
    else:
        files.page.unlink(missing_ok=True)  # that of an earlier run, which told of another result
        one = before.frames[record.get("reference", 0)] if isinstance(before, Burst) else before
        _write_middles(files.picture, one, result.frame)
    with written_beside(files.record) as beside:
        beside.write_text(json.dumps(record, indent=2, default=str) + "\n")


def _name(files: ReportFiles) -> str:
    return files.page.name.removesuffix(".report.html")


def _write_pages(files: ReportFiles, text: str, picture: PillowImage.Image) -> None:
    with written_beside(files.page) as beside:
        beside.write_text(text, encoding="utf-8")
    with written_beside(files.picture) as beside:
        picture.save(beside, "PNG")


def _write_middles(path: Path, before: RawFrame | Image, after: RawFrame | Image) -> None:
    rendering = neutral_rendering(after) if isinstance(after, RawFrame) else None
    noisy, clean = (_middle(frame, rendering) for frame in (before, after))
    removed = what_was_removed(noisy, clean)
    write_sheet([[("before", noisy), ("after", clean), (f"removed, {RESIDUAL_GAIN} times", removed)]], path)


def _middle(frame: RawFrame | Image, rendering: Rendering | None) -> Picture:
    """The central `_CROP` square, developed if it is a raw; before and after by the same rendering."""
    pixels = to_eight_bits(develop(frame, rendering) if isinstance(frame, RawFrame) else frame)
    top, left = (max(n - _CROP, 0) // 2 for n in pixels.shape[:2])
    return pixels[top : top + _CROP, left : left + _CROP]
