"""Pictures side by side under captions, as one PNG; and the report of one denoised file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from quietlight.analysis import words
from quietlight.camera.develop import develop, neutral_rendering
from quietlight.frames import Burst, Image, RawFrame, UnusableInput
from quietlight.io.files import written_beside
from quietlight.report.burst_page import burst_page
from quietlight.report.burst_sheet import burst_sheet
from quietlight.report.burst_story import burst_story
from quietlight.report.making import Making, making_section, provenance
from quietlight.report.noise_curve import curve_of
from quietlight.report.noise_plot import curve_section
from quietlight.report.pair_page import about_raw, pair_page, pair_title
from quietlight.report.pictures import RESIDUAL_GAIN, Picture, thumbnail_in_base64, what_was_removed
from quietlight.report.story import about, story_of
from quietlight.report.story_page import page
from quietlight.report.story_sheet import sheet
from quietlight.report.view import crop_of, view_of
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
    with written_beside(path) as beside:
        drawn(rows).save(beside, "PNG")


def drawn(rows: Sequence[Sequence[tuple[str, Picture]]]) -> PillowImage.Image:
    """Rows of (caption, picture uint8 [H, W, 3]) as one picture."""
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
    return paper


def report_files(folder: Path, name: str, overwrite: bool) -> ReportFiles:
    """The files that report on the result called `name`. Raises UnusableInput for existing ones."""
    files = ReportFiles(*(folder / f"{name}.report.{kind}" for kind in ("png", "json", "html")))
    for file in files:
        if file.exists() and not overwrite:
            raise UnusableInput(f"{file}: exists already (--overwrite replaces it)")
    return files


def is_report(path: Path) -> bool:
    """Whether a file is the picture of a report, which is no photo of anybody's."""
    return path.name.endswith(".report.png")


def write_report(
    files: ReportFiles,
    before: RawFrame | Image | Burst,
    result: Result,
    making: Making | None = None,
    raw: RawFrame | None = None,
) -> None:
    """What was done, as a page that needs nothing else, as a picture, and the record as JSON.

    The page tells the steps by which a photo was denoised, or how a burst was merged, else what is seen before and after; of a raw
    also how its noise grows with the signal; and how to make the result again.

    Args:
        files: of `report_files`.
        before: what the result was made of; a photo where the result is one, or a burst.
        result: whose record has "steps" where it went by them, and "places" where a burst was merged.
        making: what only the caller knows of how the result was made.
        raw: the raw that was developed, where the result and `before` are photos.
    """
    one = before.frames[result.record.get("reference", 0)] if isinstance(before, Burst) else before
    raw = one if isinstance(one, RawFrame) else raw
    curve = None if raw is None else curve_of(raw, result.record)
    made = provenance(result.record, making or Making())
    ending = (curve_section(curve) if curve else "") + making_section(made)
    told: dict[str, Any]
    thumbnails: tuple[Picture, ...]
    if isinstance(before, Burst) and "places" in result.record:
        burst = burst_story(before, result)
        _write_pages(files, burst_page(burst, _name(files), ending), burst_sheet(burst))
        masses = {place.name: place.kernels.masses for place in burst.places if place.kernels is not None}
        told = {"title": words.merged(result.record)} | ({"kernel_mass": masses} if masses else {})
        thumbnails = (burst.whole,)
    elif isinstance(before, Image) and "steps" in result.record:
        story = story_of(before, result)
        _write_pages(files, page(story, _name(files), ending), sheet(story))
        told, thumbnails = {"title": words.found(result.record)}, story.whole
    else:
        pair = _pair(one, result.frame)
        view = view_of(*pair)
        kind = about_raw(one) if isinstance(one, RawFrame) else about(pair[0], result.record)
        text = pair_page(view, _name(files), kind, result.record, ending)
        _write_pages(files, text, _middles(*pair))
        told, thumbnails = {"title": pair_title(result.record)}, view.whole
    told |= {"making": made} | ({"noise_curve": curve.to_dict()} if curve else {})
    told["thumbnails"] = [thumbnail_in_base64(picture) for picture in thumbnails]
    with written_beside(files.record) as beside:
        beside.write_text(json.dumps(result.record | told, indent=2, default=str) + "\n", encoding="utf-8")


def _name(files: ReportFiles) -> str:
    return files.page.name.removesuffix(".report.html")


def _write_pages(files: ReportFiles, text: str, picture: PillowImage.Image) -> None:
    with written_beside(files.page) as beside:
        beside.write_text(text, encoding="utf-8")
    with written_beside(files.picture) as beside:
        picture.save(beside, "PNG")


def _pair(before: RawFrame | Image, after: RawFrame | Image) -> tuple[Image, Image]:
    """Both as photos, raws developed by one rendering."""
    rendering = neutral_rendering(after) if isinstance(after, RawFrame) else None
    shown = [develop(frame, rendering) if isinstance(frame, RawFrame) else frame for frame in (before, after)]
    return shown[0], shown[1]


def _middles(before: Image, after: Image) -> PillowImage.Image:
    """The central `_CROP` squares at 100%, and what was removed."""
    top, left = (max(n - _CROP, 0) // 2 for n in before.pixels.shape[:2])
    noisy, clean = (crop_of(photo, (top, left, _CROP, _CROP)) for photo in (before, after))
    removed = what_was_removed(noisy, clean)
    return drawn([[("before", noisy), ("after", clean), (f"removed, {RESIDUAL_GAIN} times", removed)]])
