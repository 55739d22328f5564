"""The story of a photo that was denoised step by step, ready to be shown: what `story_page` and `story_sheet` draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isqrt
from typing import Any

import numpy as np
from PIL import Image as Pillow

from quietlight.frames import Floats, Image
from quietlight.report.pictures import Picture, most_telling, to_eight_bits, what_was_removed
from quietlight.systems import Result
from quietlight.systems.impulses import full_scale

SIDE = 256
_WHOLE = (1000, 800)
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


@dataclass(frozen=True)
class Story:
    """What there is to show.

    Args:
        record: of the Result.
        size: (height, width) of the photo.
        about: what kind of photo it is.
        place: (top, left, height, width) of the crops in the photo.
        zoom: how often a pixel of a crop is repeated: 1, unless the photo is much smaller than `SIDE`.
        steps: in their order.
        crops: first and last.
        whole: the photo before and after, at most 1000 x 800.
    """

    record: Mapping[str, Any]
    size: tuple[int, int]
    about: str
    place: tuple[int, int, int, int]
    zoom: int
    steps: tuple[Step, ...]
    crops: tuple[Picture, Picture]
    whole: tuple[Picture, Picture]

    @property
    def all_in_crops(self) -> bool:
        """Whether the crops hold the whole photo."""
        return self.place[2:] == self.size


def story_of(before: Image, result: Result) -> Story:
    """The story of a `result` whose record has "steps" and which has a stage for each. Raises ValueError if one is missing."""
    after = result.frame
    if not isinstance(after, Image):
        raise TypeError("the story of a photo ends with a photo")
    height, width = before.pixels.shape[:2]
    top, left = most_telling(after.pixels, SIDE)
    place = top, left, min(SIDE, height - top), min(SIDE, width - left)
    pictures = (before, *result.stages)
    steps = tuple(
        _step(record, earlier, later, place)
        for record, earlier, later in zip(result.record["steps"], pictures[:-1], result.stages, strict=True)
    )
    return Story(
        record=result.record,
        size=(height, width),
        about=_about(before, result.record),
        place=place,
        zoom=max(1, SIDE // max(place[2:])),
        steps=steps,
        crops=(_crop(before, place), _crop(after, place)),
        whole=(_whole(before), _whole(after)),
    )


def _step(record: Mapping[str, Any], before: Image, after: Image, place: tuple[int, int, int, int]) -> Step:
    earlier, later = _crop(before, place), _crop(after, place)
    return Step(record, earlier, later, what_was_removed(earlier, later), _histogram(before, after))


def _crop(image: Image, place: tuple[int, int, int, int]) -> Picture:
    top, left, height, width = place
    return to_eight_bits(Image(image.pixels[top : top + height, left : left + width]))


def _whole(image: Image) -> Picture:
    picture = Pillow.fromarray(to_eight_bits(image))
    picture.thumbnail(_WHOLE, Pillow.Resampling.LANCZOS)
    return np.asarray(picture)


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


def _about(image: Image, record: Mapping[str, Any]) -> str:
    color = "gray" if image.pixels.shape[2] == 1 else "colour"
    depth = "float" if image.pixels.dtype.kind == "f" else f"{8 * image.pixels.dtype.itemsize} bit"
    strength = record.get("strength", 1.0)
    return f"{color}, {depth}" + (f", denoised with strength {strength:g}" if strength != 1 else "")
