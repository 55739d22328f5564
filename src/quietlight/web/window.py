"""The part of a picture that a preview shows: where it lies as people see it, and in the frame as it is stored.

Sizes are (height, width), places (row, column), in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from quietlight.camera.bayer import crop
from quietlight.frames import RawFrame

Size = tuple[int, int]
GRID = 32
"""Pixels of the networks' coarsest scale: begun on it, a part looks to them as in the whole. Even, as a Bayer pattern is."""


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def seen_from(self, other: Window) -> Window:
        """The same rectangle where (0, 0) is the first pixel of `other`."""
        return replace(self, top=self.top - other.top, left=self.left - other.left)


def around(row: float, column: float, size: Size, most: Size) -> Window:
    """The window of at most `most` whose middle is as near to a place as the picture of that size lets it be.

    >>> around(0, 500, (400, 600), (100, 200))
    Window(top=0, left=400, height=100, width=200)
    """
    height, width = (min(side, limit) for side, limit in zip(size, most, strict=True))
    top, left = (
        min(max(round(middle - side / 2), 0), whole - side)
        for middle, side, whole in zip((row, column), (height, width), size, strict=True)
    )
    return Window(top, left, height, width)


def grown(window: Window, margin: int, size: Size) -> Window:
    """The window with `margin` more on every side, as far as the picture reaches, begun on the grid of the networks."""
    top, left = (max(start - margin, 0) // GRID * GRID for start in (window.top, window.left))
    bottom = min(window.top + window.height + margin, size[0])
    right = min(window.left + window.width + margin, size[1])
    return Window(top, left, bottom - top, right - left)


def as_stored(window: Window, size: Size, orientation: int) -> Window:
    """A window of an upright picture of `size` -> the same of the picture that `camera.develop.upright` turned."""
    height, width = size
    top, left = window.top, window.left
    if orientation in (2, 3, 6, 7):
        left = width - left - window.width
    if orientation in (3, 4, 7, 8):
        top = height - top - window.height
    if orientation >= 5:
        return Window(left, top, window.width, window.height)
    return Window(top, left, window.height, window.width)


def upright_size(frame: RawFrame) -> Size:
    """The size of the photo that is developed of a raw."""
    height, width = frame.mosaic.shape[:2] if frame.crop is None else frame.crop[2:]
    return (width, height) if frame.orientation >= 5 else (height, width)


def part(frame: RawFrame, window: Window, margin: int) -> RawFrame:
    """The part of a raw that shows a window of its developed photo when it is developed, and `margin` around it to work with."""
    top, left = (0, 0) if frame.crop is None else frame.crop[:2]
    inner = as_stored(window, upright_size(frame), frame.orientation)
    inner = replace(inner, top=inner.top + top, left=inner.left + left)
    height, width = frame.mosaic.shape[:2]
    outer = grown(inner, margin, (height, width))
    piece = crop(replace(frame, crop=None), outer.top, outer.left, outer.height, outer.width)
    shown = inner.seen_from(outer)
    return replace(piece, crop=(shown.top, shown.left, shown.height, shown.width))
