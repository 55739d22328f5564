"""Photos -> (noisy, clean) crops: crops, turns and levels drawn by numpy, pixel noise drawn on the device that trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quietlight.data.pack import located, read_photos
from quietlight.frames import UnusableInput
from quietlight.noise import NOISES
from quietlight.noise.nature import Nature, eight_bit
from quietlight.registry import resolve

VALIDATION_PATCH = 192


@dataclass(frozen=True)
class Step:
    """One noise of a mixture: its nature and the range that its level is drawn from, uniformly."""

    nature: type[Nature]
    low: float
    high: float

    @classmethod
    def of(cls, entry: Any) -> Step:
        """From a recipe's `{ name = "gaussian", level = [0, 55] }`; one number is a fixed level.

        Raises UnusableInput for anything else, and for levels that the noise cannot have.
        """
        if not isinstance(entry, Mapping) or set(entry) != {"name", "level"}:
            raise UnusableInput(f"a noise of a recipe is a table with the keys name and level, not {entry!r}")
        level = entry["level"]
        pair = list(level) if isinstance(level, list | tuple) else [level, level]
        if len(pair) != 2 or not all(type(v) in (int, float) for v in pair) or pair[0] > pair[1]:
            raise UnusableInput(f"the level of a noise is a number or a range such as [0, 55], not {level!r}")
        nature: type[Nature] = resolve(NOISES, entry["name"], "noise")
        for end in pair:
            nature.at(end)
        return cls(nature, float(pair[0]), float(pair[1]))


class NoisyPhotos:
    """Random crops of photos with a mixture of noises.

    Args:
        source: a pack, or a folder whose training part is taken; looked for in the folder QUIETLIGHT_DATA, too.
        noise: the noises in the order in which they strike, each `{ name, level = [low, high] }`.
        channels: 1 or 3.
        patch: side of a crop.
        eight_bit: clip and round the noisy crops as 8-bit files do.
        held_out: the pack of validation photos; not needed for a folder, which has both.
        device: where the photos lie and the batches are made.
        validation: cut larger crops out of the validation photos instead.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    def __init__(
        self,
        source: str,
        noise: Sequence[Mapping[str, Any]],
        channels: int = 1,
        patch: int = 64,
        eight_bit: bool = True,
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if channels not in (1, 3) or patch < 1 or not isinstance(noise, list | tuple):
            raise UnusableInput("of the data, channels is 1 or 3, patch at least 1 and noise a list of tables")
        place = located(held_out or source) if validation else located(source)
        if validation and not held_out and not place.is_dir():
            raise UnusableInput(
                f"{place}: a pack has one part only: name that of the validation photos as data.held_out"
            )
        self.patch = VALIDATION_PATCH if validation else patch
        self.channels, self.eight_bit, self.device = channels, eight_bit, device
        self.steps = [Step.of(entry) for entry in noise]
        photos = [p for p in read_photos(place, validation, channels == 1) if min(p.shape[:2]) >= self.patch]
        if not photos:
            raise UnusableInput(f"{place}: no photo is as large as a crop of {self.patch} pixels")
        self.sizes = [p.shape[:2] for p in photos]
        self.starts = np.cumsum([0] + [p.size for p in photos])
        # One flat buffer, so that a whole batch is cut out by a single gather.
        self.pixels = torch.from_numpy(np.concatenate([p.reshape(-1) for p in photos])).to(device)
        # A photo is drawn in proportion to the number of crops that it holds.
        areas = np.array([(h - self.patch + 1) * (w - self.patch + 1) for h, w in self.sizes], np.float64)
        self.shares = np.cumsum(areas / areas.sum())
        self.generator = torch.Generator(device)

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """{"input", "truth"}: float32 [B, C, patch, patch]; truth in [0, 1], input around it, or in it where 8-bit."""
        draws = [np.random.default_rng([seed, index]) for index in indices]
        truth = self._crops(draws).float() / 255
        noisy = torch.stack([self._noisy(x, rng) for x, rng in zip(truth, draws, strict=True)])
        return {"input": eight_bit(noisy) if self.eight_bit else noisy, "truth": truth}

    def _crops(self, draws: Sequence[np.random.Generator]) -> Tensor:
        """[B, C, patch, patch], uint8: one crop per generator, in one of its eight orientations."""
        table = torch.tensor([self._walk(rng) for rng in draws]).to(self.device)
        first, down, right = (column[:, None, None, None] for column in table.unbind(1))
        side = torch.arange(self.patch, device=self.device)
        channel = torch.arange(self.channels, device=self.device)
        return self.pixels[first + channel[:, None, None] + down * side[:, None] + right * side]

    def _walk(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """Of one crop: the place of its first pixel in the buffer, and how far it is from there to the next below and beside."""
        photo = min(int(np.searchsorted(self.shares, rng.random(), side="right")), len(self.sizes) - 1)
        height, width = self.sizes[photo]
        top, left = int(rng.integers(height - self.patch + 1)), int(rng.integers(width - self.patch + 1))
        first = int(self.starts[photo]) + (top * width + left) * self.channels
        down, right = width * self.channels, self.channels
        for _ in range(int(rng.integers(4))):  # a quarter turn
            first, down, right = first + (self.patch - 1) * right, -right, down
        if rng.integers(2):  # mirrored
            first, right = first + (self.patch - 1) * right, -right
        return first, down, right

    def _noisy(self, clean: Tensor, rng: np.random.Generator) -> Tensor:
        self.generator.manual_seed(int(rng.integers(2**63)))
        noisy = clean
        for step in self.steps:
            noisy = step.nature.at(rng.uniform(step.low, step.high)).sample(noisy, self.generator)
        return noisy
