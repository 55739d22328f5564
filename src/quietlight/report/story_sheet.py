"""The story of a photo as one picture, for where no browser is: drawn with Pillow alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from quietlight.analysis import words
from quietlight.report.pictures import RESIDUAL_GAIN, Picture
from quietlight.report.story import SIDE, Histogram, Step, Story

_INK, _SOFT, _LINE, _BAR, _MARK, _GOOD = "#1a1d21", "#69727d", "#e2e5e9", "#c3d3e2", "#c2410c", "#15803d"
_WIDTH, _EDGE, _GAP = 1200, 28, 20
_TEXT, _PITCH, _HILL = 15, 21, 50
_BARS = _EDGE + 3 * (SIDE + _GAP)
_BARS_WIDTH = _WIDTH - _EDGE - _BARS
_HEAD, _CAPTION = 46, 26


def sheet(story: Story) -> Pillow.Image:
    """The sentence, one row per step, and the last look beside the whole photo before and after."""
    title = _wrapped(words.found(story.record), 26)
    text = _wrapped(words.outcome(story.record), 17)
    heights = [_row_height(step, story) for step in story.steps]
    head = _EDGE + 34 * len(title) + 24 * len(text) + _GAP
    page = Pillow.new("RGB", (_WIDTH, head + sum(heights) + _last_height(story)), "white")
    draw = _Pen(page)
    for number, line in enumerate(title):
        draw.text(_EDGE, _EDGE + 34 * number, line, size=26, bold=True)
    for number, line in enumerate(text):
        draw.text(_EDGE, _EDGE + 34 * len(title) + 24 * number + 4, line, _SOFT, 17)
    top = head
    for number, (step, height) in enumerate(zip(story.steps, heights, strict=True), 1):
        _step(draw, top, number, step, story)
        top += height
    _last_look(draw, top, story)
    return page


def _wrapped(text: str, size: int) -> list[str]:
    """Lines as long as the page is wide."""
    font, lines = ImageFont.load_default(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) < _WIDTH - 2 * _EDGE:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class _Pen:
    """Draws on a page; the font is Pillow's own, which has no letters but ASCII and a few signs."""

    def __init__(self, page: Pillow.Image) -> None:
        self.page = page
        self.draw = ImageDraw.Draw(page)

    def text(
        self,
        left: float,
        top: float,
        text: str,
        fill: str = _INK,
        size: int = _TEXT,
        bold: bool = False,
        end: bool = False,
    ) -> float:
        """Write from `left` on (or up to it, where `end`); where the text ends."""
        font = ImageFont.load_default(size)
        width = self.draw.textlength(text, font)
        start = left - width if end else left
        self.draw.text((start, top), text, fill, font, stroke_width=size / 60 if bold else 0, stroke_fill=fill)
        return start + width

    def picture(self, left: int, top: int, picture: Picture, zoom: int, caption: str) -> None:
        """Put a picture, every pixel `zoom` times, above its caption."""
        image = Pillow.fromarray(picture)
        image = image.resize((image.width * zoom, image.height * zoom), Pillow.Resampling.NEAREST)
        self.page.paste(image, (left, top))
        self.text(left, top + image.height + 4, caption, _SOFT, 13)

    def number(self, left: int, top: int, text: str, fill: str) -> None:
        """A number in a disc."""
        disc = Pillow.new("L", (112, 112))
        ImageDraw.Draw(disc).ellipse((0, 0, 111, 111), 255)
        self.page.paste(
            fill, (left, top), disc.resize((28, 28), Pillow.Resampling.BOX)
        )  # smooth, which Pillow's own is not
        self.draw.text((left + 14, top + 14), text, "white", ImageFont.load_default(16), anchor="mm")


def _row_height(step: Step, story: Story) -> int:
    below = _HILL + 32 if step.record["kept"] else 0
    crops = story.zoom * story.place[2] + _CAPTION
    return _HEAD + max(crops + below, _PITCH * len(step.record["probabilities"])) + _GAP


def _step(pen: _Pen, top: int, number: int, step: Step, story: Story) -> None:
    record = step.record
    kept = record["kept"]
    pen.draw.line((_EDGE, top, _WIDTH - _EDGE, top), _LINE)
    title = words.noise(record)
    title = f"{title[0].upper()}{title[1:]}{'' if kept else ', taken back'}"
    _heading(pen, top + 12, str(number), _MARK if kept else _SOFT, title, record)
    top += _HEAD
    pictures = [(f"{'before' if kept else 'as it stays'}, {100 * story.zoom}%", step.before)]
    if kept:
        pictures += [("after", step.after), (f"what was removed, {RESIDUAL_GAIN} times", step.removed)]
    for place, (caption, picture) in enumerate(pictures):
        pen.picture(_EDGE + place * (SIDE + _GAP), top, picture, story.zoom, caption)
    _bars(pen, _BARS, top, record)
    below = top + story.zoom * story.place[2] + _CAPTION + 8
    if kept:
        _facts(pen, _EDGE, below, record)
        _histogram(pen, _EDGE + 2 * (SIDE + _GAP), below, step.histogram)
    else:
        _facts(pen, _EDGE + SIDE + _GAP, top, record)


def _facts(pen: _Pen, left: int, top: int, record: Mapping[str, Any]) -> None:
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
        pen.text(start, line, key, _SOFT, 14)
        pen.text(start + 70, line, value, size=14)


def _heading(pen: _Pen, top: int, sign: str, color: str, title: str, judged: Mapping[str, Any]) -> None:
    pen.number(_EDGE, top, sign, color)
    end = pen.text(_EDGE + 40, top + 2, title, size=19, bold=True)
    pen.text(end + 14, top + 6, judged["class"], _SOFT)
    pen.text(_WIDTH - _EDGE, top + 6, f"{words.percent(judged['certainty'])} sure", _SOFT, end=True)


def _bars(pen: _Pen, left: int, top: int, judged: Mapping[str, Any]) -> None:
    """The probability of every class."""
    start, right = left + 114, left + _BARS_WIDTH - 54
    for name, probability in judged["probabilities"].items():
        chosen = name == judged["class"]
        pen.text(left, top, name, _INK if chosen else _SOFT, 14, bold=chosen)
        pen.draw.rectangle((start, top + 5, right, top + 13), "#f0f2f4")
        if (width := (right - start) * probability) >= 0.5:
            fill = (_MARK if judged["nature"] else _GOOD) if chosen else _BAR
            pen.draw.rectangle((start, top + 5, start + width, top + 13), fill)
        pen.text(right + 54, top, f"{100 * probability:.1f}%", _INK if chosen else _SOFT, 14, bold=chosen, end=True)
        top += _PITCH


def _histogram(pen: _Pen, left: int, top: int, histogram: Histogram) -> None:
    """What was removed, as a curve; square roots of the counts, so that rare values are seen."""
    heights = (histogram.counts / max(histogram.counts.max(), 1e-9)) ** 0.5 * _HILL
    bottom, step = top + _HILL, SIDE / len(heights)
    points = [(left + (i + 0.5) * step, bottom - h) for i, h in enumerate(heights)]
    pen.draw.polygon([(left, bottom), *points, (left + SIDE, bottom)], _BAR, _SOFT)
    pen.text(left, bottom + 4, f"-{histogram.reach:.3g}", _SOFT, 13)
    pen.text(left + SIDE / 2 - 4, bottom + 4, "0", _SOFT, 13)
    pen.text(left + SIDE, bottom + 4, f"+{histogram.reach:.3g}", _SOFT, 13, end=True)


def _last_height(story: Story) -> int:
    bars = _PITCH * len(story.record["left"]["probabilities"])
    return _HEAD + max([bars, *(picture.height + _CAPTION for picture in _whole(story))]) + _EDGE


def _last_look(pen: _Pen, top: int, story: Story) -> None:
    left = story.record["left"]
    pen.draw.line((_EDGE, top, _WIDTH - _EDGE, top), _LINE)
    _heading(
        pen,
        top + 12,
        "",
        _GOOD if story.record["stopped"] == "clean" else _SOFT,
        f"The last look: {words.noise(left)}",
        left,
    )
    _bars(pen, _EDGE, top + _HEAD, left)
    for number, picture in enumerate(_whole(story)):
        place = _EDGE + _BARS_WIDTH + 2 * _GAP + number * (_HALF + _GAP)
        pen.picture(place, top + _HEAD, np.asarray(picture), 1, f"the whole photo {('before', 'after')[number]}")


_HALF = (_WIDTH - 2 * _EDGE - _BARS_WIDTH - 3 * _GAP) // 2


def _whole(story: Story) -> list[Pillow.Image]:
    """The photo before and after, so small that both fit beside the bars; nothing where the crops have shown all of it."""
    pictures = [] if story.all_in_crops else [Pillow.fromarray(picture) for picture in story.whole]
    for picture in pictures:
        picture.thumbnail((_HALF, _HALF), Pillow.Resampling.LANCZOS)
    return pictures
