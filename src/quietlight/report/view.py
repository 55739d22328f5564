"""A photo before and after, as pages show it: a telling crop of both, and both as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow

from quietlight.frames import Image
from quietlight.report.pictures import Picture, most_telling, to_eight_bits

SIDE = 256
_WHOLE = (1000, 800)

Place = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class View:
    """What there is to see.

    Args:
        size: (height, width) of the photo.
        place: (top, left, height, width) of the crops in the photo.
        zoom: how often a pixel of a crop is repeated: 1, unless the photo is much smaller than `SIDE`.
        crops: before and after.
        whole: the photo before and after, at most 1000 x 800.
    """

    size: tuple[int, int]
    place: Place
    zoom: int
    crops: tuple[Picture, Picture]
    whole: tuple[Picture, Picture]

    @property
    def all_in_crops(self) -> bool:
        """Whether the crops hold the whole photo."""
        return self.place[2:] == self.size


def view_of(before: Image, after: Image) -> View:
    """The view of two photos of one size."""
    height, width = before.pixels.shape[:2]
    top, left = most_telling(after.pixels, SIDE)
    place = top, left, min(SIDE, height - top), min(SIDE, width - left)
    return View(
        size=(height, width),
        place=place,
        zoom=max(1, SIDE // max(place[2:])),
        crops=(crop_of(before, place), crop_of(after, place)),
        whole=(_whole(before), _whole(after)),
    )


def crop_of(image: Image, place: Place) -> Picture:
    """That place of a photo."""
    top, left, height, width = place
    return to_eight_bits(Image(image.pixels[top : top + height, left : left + width]))


def _whole(image: Image) -> Picture:
    picture = Pillow.fromarray(to_eight_bits(image))
    picture.thumbnail(_WHOLE, Pillow.Resampling.LANCZOS)
    return np.asarray(picture)
