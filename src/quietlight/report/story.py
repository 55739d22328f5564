"""The story of a photo that was denoised step by step, ready to be shown: what `story_page` and `story_sheet` draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isqrt
from typing import Any

import numpy as np

from quietlight.frames import Floats, Image
from quietlight.report.pictures import Picture, what_was_removed
from quietlight.report.view import Place, View, crop_of, view_of
from quietlight.systems import Result
from quietlight.systems.impulses import full_scale

_BINS = 30  # on either side of 0, at most
_ENOUGH = 2_000_000


@dataclass(frozen=True)
class Histogram:
    """How often what was removed had which value.

    Args:
        reach: centre of the last bin, on the 0-255 scale; the first lies at -reach, and both count what lies beyond.
        counts: shares of the values, one per bin, which are equally wide.
    """

    reach: float
    counts: Floats


@dataclass(frozen=True)
class Step:
    """One step: its record, and the crop before, after, and what was removed; a step that was not `kept` removed nothing."""

    record: Mapping[str, Any]
    before: Picture
    after: Picture
    removed: Picture
    histogram: Histogram


@dataclass(frozen=True, kw_only=True)
class Story(View):
    """What there is to show, beside the view from first to last.

    Args:
        record: of the Result.
        about: what kind of photo it is.
        steps: in their order.
    """

    record: Mapping[str, Any]
    about: str
    steps: tuple[Step, ...]


def story_of(before: Image, result: Result) -> Story:
    """The story of a `result` whose record has "steps" and which has a stage for each. Raises ValueError if one is missing."""
    after = result.frame
    if not isinstance(after, Image):
        raise TypeError("the story of a photo ends with a photo")
    view = view_of(before, after)
    pictures = (before, *result.stages)
    steps = tuple(
        _step(record, earlier, later, view.place)
        for record, earlier, later in zip(result.record["steps"], pictures[:-1], result.stages, strict=True)
    )
    return Story(**vars(view), record=result.record, about=about(before, result.record), steps=steps)


def _step(record: Mapping[str, Any], before: Image, after: Image, place: Place) -> Step:
    earlier, later = crop_of(before, place), crop_of(after, place)
    return Step(record, earlier, later, what_was_removed(earlier, later), _histogram(before, after))


def _histogram(before: Image, after: Image) -> Histogram:
    """Of before - after; of large photos every so many pixels are enough."""
    every = max(1, isqrt(ceil(before.pixels.size / _ENOUGH)))
    earlier, later = (image.pixels[::every, ::every].astype(np.float32) for image in (before, after))
    removed = (earlier - later) * (255 / full_scale(before.pixels))
    most = float(np.percentile(np.abs(removed), 99.5))
    # Bins around zero that hold equally many of the numbers of an 8-bit photo each: odd widths.
    width = ceil(most / _BINS) | 1 if before.pixels.dtype == np.uint8 else max(most, 0.1) / _BINS
    reach = max(ceil(most / width), 1) * width
    edges = np.arange(-reach - width / 2, reach + width, width)
    counts, _ = np.histogram(np.clip(removed, -reach, reach), edges)
    return Histogram(float(reach), counts / removed.size)


def about(image: Image, record: Mapping[str, Any]) -> str:
    """Of a photo: its colour, depth, and how strongly it was denoised if not wholly."""
    color = "gray" if image.pixels.shape[2] == 1 else "colour"
    depth = "float" if image.pixels.dtype.kind == "f" else f"{8 * image.pixels.dtype.itemsize} bit"
    strength = record.get("strength", 1.0)
    return f"{color}, {depth}" + (f", denoised with strength {strength:g}" if strength != 1 else "")
