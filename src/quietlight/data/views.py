"""Which part of which picture a sample shows, and which way up: for data sets whose pictures are several layers of one scene.

The released code of CameraNet meant to turn and mirror its crops, and did not; here a test counts all eight orientations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quietlight.frames import UnusableInput

BLOCK = 240
"""Whole frames of so many successive samples have one size, so that batches whose size divides it can be stacked."""

Size = tuple[int, int]


@dataclass(frozen=True)
class View:
    """The rectangle of picture `picture` that is seen, quarter turns to the left, and whether it is mirrored after them."""

    picture: int
    top: int
    left: int
    height: int
    width: int
    turns: int = 0
    mirrored: bool = False

    def of(self, layer: Tensor) -> Tensor:
        """[H, W, C] of the whole picture -> [C, h, w] of the view."""
        return self.turned(layer[self.top : self.top + self.height, self.left : self.left + self.width])

    def turned(self, part: Tensor) -> Tensor:
        """[height, width, C] that is already cut out -> [C, h, w]."""
        turned = torch.rot90(part.permute(2, 0, 1), self.turns, (1, 2))
        return (turned.flip(2) if self.mirrored else turned).contiguous()


class Crops:
    """Random square crops, in one of eight orientations; a picture is drawn in proportion to the number of crops that it holds.

    Args:
        sizes: of the pictures.
        side: of a crop.
        step: crops begin at multiples of it.

    Raises UnusableInput where no picture is large enough.
    """

    def __init__(self, sizes: Sequence[Size], side: int, step: int = 1) -> None:
        self.side, self.step = side, step
        self.places = [tuple((n - side) // step + 1 for n in size) if min(size) >= side else (0, 0) for size in sizes]
        areas = np.array([rows * columns for rows, columns in self.places], np.float64)
        if not areas.any():
            raise UnusableInput(f"no picture is as large as a crop of {side} pixels")
        self.shares = np.cumsum(areas / areas.sum())

    def view(self, _seed: int, _index: int, rng: np.random.Generator) -> View:
        """The view of a sample, drawn by its generator."""
        picture = int(np.searchsorted(self.shares, rng.random(), side="right"))
        top, left = (int(rng.integers(count)) * self.step for count in self.places[picture])
        turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        return View(picture, top, left, self.side, self.side, turns, mirrored)


class Wholes:
    """Whole pictures, the middle of them with sides that are multiples of `multiple`, in one of eight orientations.

    Args:
        sizes: of the pictures.
        multiple: of the sides.

    Raises UnusableInput where no picture has a side of one multiple.
    """

    def __init__(self, sizes: Sequence[Size], multiple: int) -> None:
        self.views = {
            number: View(number, (height - h) // 2, (width - w) // 2, h, w)
            for number, (height, width) in enumerate(sizes)
            if (h := height // multiple * multiple) and (w := width // multiple * multiple)
        }
        if not self.views:
            raise UnusableInput(f"no picture is as large as {multiple}x{multiple} pixels")
        self.kinds: dict[Size, list[View]] = {}
        for view in self.views.values():
            low, high = sorted((view.height, view.width))
            self.kinds.setdefault((low, high), []).append(view)

    def view(self, seed: int, index: int, rng: np.random.Generator) -> View:
        """The view of a sample: its block draws the size, its own generator the picture and the orientation."""
        block = np.random.default_rng([seed, index // BLOCK, BLOCK])
        drawn = list(self.views.values())[int(block.integers(len(self.views)))]
        low, high = sorted((drawn.height, drawn.width))
        size = (low, high) if block.integers(2) else (high, low)
        kind = self.kinds[low, high]
        view = kind[int(rng.integers(len(kind)))]
        turns = 2 * int(rng.integers(2)) + ((view.height, view.width) != size)
        if low == high:
            turns += int(rng.integers(2))
        mirrored = bool(rng.integers(2))
        return View(view.picture, view.top, view.left, view.height, view.width, turns, mirrored)


def stacked(layers: Sequence[Tensor]) -> Tensor:
    """[B, C, H, W]. Raises UnusableInput where whole frames of two sizes met."""
    if len({layer.shape for layer in layers}) > 1:
        raise UnusableInput(f"whole frames of two sizes are in one batch: choose a batch that divides {BLOCK}")
    return torch.stack(list(layers))
