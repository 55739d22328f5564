"""The story of a photo as one picture, for where no browser is: drawn with Pillow alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image as Pillow

from quietlight.analysis import words
from quietlight.report.pen import BAR, EDGE, GOOD, INK, LINE, MARK, SOFT, TRACK, WIDTH, Pen, wrapped
from quietlight.report.pictures import RESIDUAL_GAIN
from quietlight.report.story import Histogram, Step, Story
from quietlight.report.view import SIDE

_GAP, _PITCH, _HILL = 20, 21, 50
_BARS = EDGE + 3 * (SIDE + _GAP)
_BARS_WIDTH = WIDTH - EDGE - _BARS
_HEAD, _CAPTION = 46, 26


def sheet(story: Story) -> Pillow.Image:
    """The sentence, one row per step, and the last look beside the whole photo before and after."""
    title = wrapped(words.found(story.record), 26)
    text = wrapped(words.outcome(story.record), 17)
    heights = [_row_height(step, story) for step in story.steps]
    head = EDGE + 34 * len(title) + 24 * len(text) + _GAP
    page = Pillow.new("RGB", (WIDTH, head + sum(heights) + _last_height(story)), "white")
    draw = Pen(page)
    for number, line in enumerate(title):
        draw.text(EDGE, EDGE + 34 * number, line, size=26, bold=True)
    for number, line in enumerate(text):
        draw.text(EDGE, EDGE + 34 * len(title) + 24 * number + 4, line, SOFT, 17)
    top = head
    for number, (step, height) in enumerate(zip(story.steps, heights, strict=True), 1):
        _step(draw, top, number, step, story)
        top += height
    _last_look(draw, top, story)
    return page


def _row_height(step: Step, story: Story) -> int:
    below = _HILL + 32 if step.record["kept"] else 0
    crops = story.zoom * story.place[2] + _CAPTION
    return _HEAD + max(crops + below, _PITCH * len(step.record["probabilities"])) + _GAP


def _step(pen: Pen, top: int, number: int, step: Step, story: Story) -> None:
    record = step.record
    kept = record["kept"]
    pen.draw.line((EDGE, top, WIDTH - EDGE, top), LINE)
    title = words.noise(record)
    title = f"{title[0].upper()}{title[1:]}{'' if kept else ', taken back'}"
    _heading(pen, top + 12, str(number), MARK if kept else SOFT, title, record)
    top += _HEAD
    pictures = [(f"{'before' if kept else 'as it stays'}, {100 * story.zoom}%", step.before)]
    if kept:
        pictures += [("after", step.after), (f"what was removed, {RESIDUAL_GAIN} times", step.removed)]
    for place, (caption, picture) in enumerate(pictures):
        pen.picture(EDGE + place * (SIDE + _GAP), top, picture, story.zoom, caption)
    _bars(pen, _BARS, top, record)
    below = top + story.zoom * story.place[2] + _CAPTION + 8
    if kept:
        _facts(pen, EDGE, below, record)
        _histogram(pen, EDGE + 2 * (SIDE + _GAP), below, step.histogram)
    else:
        _facts(pen, EDGE + SIDE + _GAP, top, record)


def _facts(pen: Pen, left: int, top: int, record: Mapping[str, Any]) -> None:
    removed = record["removed"]
    facts = (
        ("Level", words.measured(record)),
        ("Removed", f"deviation {removed['deviation']:.3g} of 255"),
        ("Changed", f"{words.percent(removed['changed'])} of the pixels"),
        ("Time", words.seconds(record["seconds"])),
        ("Denoiser", record["denoiser"]),
    )
    for index, (key, value) in enumerate(facts):
        start, line = left + (SIDE + _GAP) * (index // 3), top + 23 * (index % 3)
        pen.text(start, line, key, SOFT, 14)
        pen.text(start + 70, line, value, size=14)


def _heading(pen: Pen, top: int, sign: str, color: str, title: str, judged: Mapping[str, Any]) -> None:
    pen.number(EDGE, top, sign, color)
    end = pen.text(EDGE + 40, top + 2, title, size=19, bold=True)
    pen.text(end + 14, top + 6, judged["class"], SOFT)
    pen.text(WIDTH - EDGE, top + 6, f"{words.percent(judged['certainty'])} sure", SOFT, end=True)


def _bars(pen: Pen, left: int, top: int, judged: Mapping[str, Any]) -> None:
    """The probability of every class."""
    start, right = left + 114, left + _BARS_WIDTH - 54
    for name, probability in judged["probabilities"].items():
        chosen = name == judged["class"]
        pen.text(left, top, name, INK if chosen else SOFT, 14, bold=chosen)
        pen.draw.rectangle((start, top + 5, right, top + 13), TRACK)
        if (width := (right - start) * probability) >= 0.5:
            fill = (MARK if judged["nature"] else GOOD) if chosen else BAR
            pen.draw.rectangle((start, top + 5, start + width, top + 13), fill)
        pen.text(right + 54, top, f"{100 * probability:.1f}%", INK if chosen else SOFT, 14, bold=chosen, end=True)
        top += _PITCH


def _histogram(pen: Pen, left: int, top: int, histogram: Histogram) -> None:
    """What was removed, as a curve; square roots of the counts, so that rare values are seen."""
    heights = (histogram.counts / max(histogram.counts.max(), 1e-9)) ** 0.5 * _HILL
    bottom, step = top + _HILL, SIDE / len(heights)
    points = [(left + (i + 0.5) * step, bottom - h) for i, h in enumerate(heights)]
    pen.draw.polygon([(left, bottom), *points, (left + SIDE, bottom)], BAR, SOFT)
    pen.text(left, bottom + 4, f"-{histogram.reach:.3g}", SOFT, 13)
    pen.text(left + SIDE / 2 - 4, bottom + 4, "0", SOFT, 13)
    pen.text(left + SIDE, bottom + 4, f"+{histogram.reach:.3g}", SOFT, 13, end=True)


def _last_height(story: Story) -> int:
    bars = _PITCH * len(story.record["left"]["probabilities"])
    return _HEAD + max([bars, *(picture.height + _CAPTION for picture in _whole(story))]) + EDGE


def _last_look(pen: Pen, top: int, story: Story) -> None:
    left = story.record["left"]
    pen.draw.line((EDGE, top, WIDTH - EDGE, top), LINE)
    _heading(
        pen,
        top + 12,
        "",
        GOOD if story.record["stopped"] == "clean" else SOFT,
        f"The last look: {words.noise(left)}",
        left,
    )
    _bars(pen, EDGE, top + _HEAD, left)
    for number, picture in enumerate(_whole(story)):
        place = EDGE + _BARS_WIDTH + 2 * _GAP + number * (_HALF + _GAP)
        pen.picture(place, top + _HEAD, np.asarray(picture), 1, f"the whole photo {('before', 'after')[number]}")


_HALF = (WIDTH - 2 * EDGE - _BARS_WIDTH - 3 * _GAP) // 2


def _whole(story: Story) -> list[Pillow.Image]:
    """The photo before and after, so small that both fit beside the bars; nothing where the crops have shown all of it."""
    pictures = [] if story.all_in_crops else [Pillow.fromarray(picture) for picture in story.whole]
    for picture in pictures:
        picture.thumbnail((_HALF, _HALF), Pillow.Resampling.LANCZOS)
    return pictures
