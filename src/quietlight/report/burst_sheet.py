"""The story of a merged burst as one picture: drawn with Pillow alone."""

from __future__ import annotations

import numpy as np
from PIL import Image as Pillow

from quietlight.analysis import words
from quietlight.report.burst_story import BurstStory, Captioned, FrameLine, Kernels, Place
from quietlight.report.pen import BAR, EDGE, INK, LINE, MARK, SOFT, TRACK, WIDTH, Pen, wrapped
from quietlight.report.pictures import Picture

_ACROSS, _GAP = 5, 21
_SIDE = (WIDTH - 2 * EDGE - (_ACROSS - 1) * _GAP) // _ACROSS
"""Of a crop on the page."""
_HEAD, _ROW, _PITCH = 46, _SIDE + 30, 22
_KERNEL, _CELL = 90, 100
_MOST = 16
"""Frames that have a line."""


def burst_sheet(story: BurstStory) -> Pillow.Image:
    """The sentence, a line for each frame beside the whole picture, and one block per place."""
    title = wrapped(words.merged(story.result.record), 26)
    text = wrapped(words.merged_outcome(story.result.record), 17)
    lines = story.frames[:_MOST]
    start = EDGE + 34 * len(title) + 24 * len(text) + _GAP
    middle = start + max(_PITCH * (len(lines) + 2), len(story.whole) + 30) + _GAP
    page = Pillow.new("RGB", (WIDTH, middle + sum(map(_height, story.places)) + EDGE // 2), "white")
    pen = Pen(page)
    for number, line in enumerate(title):
        pen.text(EDGE, EDGE + 34 * number, line, size=26, bold=True)
    for number, line in enumerate(text):
        pen.text(EDGE, EDGE + 34 * len(title) + 24 * number + 4, line, SOFT, 17)
    _frames(pen, start, lines, len(story.frames))
    _whole(pen, start, story)
    for number, place in enumerate(story.places, 1):
        _place(pen, middle, number, place)
        middle += _height(place)
    return page


def _frames(pen: Pen, top: int, lines: tuple[FrameLine, ...], count: int) -> None:
    """How every frame lay, and how much of it does not fit."""
    pen.text(EDGE + 270, top, "share that does not fit", SOFT, 13)
    for line in lines:
        top += _PITCH
        pen.text(EDGE, top, line.name, size=14, bold=line.about == "the reference")
        pen.text(EDGE + 80, top, line.about, SOFT, 14)
        if line.about != "the reference":
            _bar(pen, EDGE + 270, top, 260, line.misfit, MARK if "left out" in line.about else BAR)
    if count > len(lines):
        pen.text(EDGE, top + _PITCH, f"and {count - len(lines)} more", SOFT, 14)


def _bar(pen: Pen, left: int, top: int, width: int, share: float, fill: str) -> None:
    pen.draw.rectangle((left, top + 5, left + width, top + 13), TRACK)
    if (length := width * min(max(share, 0), 1)) >= 0.5:
        pen.draw.rectangle((left, top + 5, left + length, top + 13), fill)
    pen.text(left + width + 50, top, f"{100 * share:.0f}%", SOFT, 14, end=True)


def _whole(pen: Pen, top: int, story: BurstStory) -> None:
    """The merged picture, with the places numbered in it."""
    height, width = story.whole.shape[:2]
    left = WIDTH - EDGE - width
    pen.page.paste(Pillow.fromarray(story.whole), (left, top))
    for number, (up, start, down, end) in enumerate(story.boxes, 1):
        box = [left + start * width, top + up * height, left + end * width, top + down * height]
        pen.draw.rectangle([box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1], outline="#00000080")
        pen.draw.rectangle(box, outline="white")
        beside = box[2] + 4 if box[2] + 34 < left + width else box[0] - 32
        pen.number(int(beside), int(max(box[1] - 6, top)), str(number), MARK)
    pen.text(WIDTH - EDGE, top + height + 4, "the merged picture, and the places below", SOFT, 13, end=True)


def _height(place: Place) -> int:
    rows = 1 + bool(place.scaled)
    return _HEAD + rows * _ROW + (0 if place.kernels is None else _KERNEL + 74) + _GAP


def _place(pen: Pen, top: int, number: int, place: Place) -> None:
    pen.draw.line((EDGE, top, WIDTH - EDGE, top), LINE)
    pen.number(EDGE, top + 12, str(number), MARK)
    end = pen.text(EDGE + 40, top + 14, place.title, size=19, bold=True)
    pen.text(end + 14, top + 18, place.about, SOFT)
    top += _HEAD
    first = list(place.strip)
    if place.kernels is not None:
        first.append(("how much is the reference's", place.kernels.map))
    for row in (first, place.scaled):
        _strip(pen, top, row)
        top += _ROW if row else 0
    if place.kernels is not None:
        _kernels(pen, top, place.kernels)


def _strip(pen: Pen, top: int, row: tuple[Captioned, ...] | list[Captioned]) -> None:
    for index, (caption, picture) in enumerate(row):
        pen.picture(EDGE + index * (_SIDE + _GAP), top, _enlarged(picture, _SIDE), 1, caption)


def _enlarged(picture: Picture, side: int) -> Picture:
    """The picture, its longer side `side` or a whole part of it, with every pixel as a square."""
    zoom = max(side // max(picture.shape[:2]), 1)
    return np.repeat(np.repeat(picture, zoom, axis=0), zoom, axis=1)


def _kernels(pen: Pen, top: int, kernels: Kernels) -> None:
    """The kernels of the pixel that the place is named by, and how much of the crop is whose."""
    pen.text(EDGE, top, "The kernels of that pixel, and their mass. Blue adds, orange takes away.", SOFT, 14)
    top += 26
    for index, (name, picture, weight) in enumerate(zip(kernels.names, kernels.pictures, kernels.weights, strict=True)):
        left = EDGE + index * _CELL
        pen.page.paste(Pillow.fromarray(_enlarged(picture, _KERNEL)), (left, top))
        pen.draw.rectangle((left - 1, top - 1, left + _KERNEL, top + _KERNEL), outline=LINE)
        pen.text(left, top + _KERNEL + 4, name, INK if index == 0 else SOFT, 13, bold=index == 0)
        pen.text(left + _KERNEL, top + _KERNEL + 4, f"{100 * weight:.0f}%", SOFT, 13, end=True)
    left = EDGE + max(len(kernels.names), 1) * _CELL + _GAP
    if WIDTH - EDGE - left < 220:
        return
    pen.text(left, top - 26, "The mass of all kernels of the crop", SOFT, 14)
    pitch = (_KERNEL + 38) / len(kernels.names)
    for index, (name, mass) in enumerate(zip(kernels.names, kernels.masses, strict=True)):
        line = int(top - 4 + min(pitch, _PITCH) * index)
        pen.text(left, line, name, INK if index == 0 else SOFT, 13, bold=index == 0)
        _bar(pen, left + 66, line, WIDTH - EDGE - left - 116, mass, MARK if index == 0 else BAR)
