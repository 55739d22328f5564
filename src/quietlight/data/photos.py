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
    """One noise of a mixture: its nature, the range that its level is drawn from, uniformly, and how often it strikes."""

    nature: type[Nature]
    low: float
    high: float
    chance: float = 1.0

    @classmethod
    def of(cls, entry: Any) -> Step:
        """From a recipe's `{ name = "gaussian", level = [0, 55], chance = 0.5 }`; one number is a fixed level, no chance 1.

        Raises UnusableInput for anything else, and for levels that the noise cannot have.
        """
        if not isinstance(entry, Mapping) or set(entry) - {"chance"} != {"name", "level"}:
            raise UnusableInput(f"a noise of a recipe is a table with the keys name, level and chance, not {entry!r}")
        chance = entry.get("chance", 1.0)
        if type(chance) not in (int, float) or not 0 <= chance <= 1:
            raise UnusableInput(f"the chance of a noise lies between 0 and 1, not at {chance!r}")
        level = entry["level"]
        pair = list(level) if isinstance(level, list | tuple) else [level, level]
        if len(pair) != 2 or not all(type(v) in (int, float) for v in pair) or pair[0] > pair[1]:
            raise UnusableInput(f"the level of a noise is a number or a range such as [0, 55], not {level!r}")
        nature: type[Nature] = resolve(NOISES, entry["name"], "noise")
        for end in pair:
            nature.at(end)
        return cls(nature, float(pair[0]), float(pair[1]), float(chance))

    def strikes(self, rng: np.random.Generator) -> bool:
        """Whether this sample gets the noise; one that always strikes draws no number for it."""
        return self.chance == 1 or rng.random() < self.chance


class PhotoCrops:
    """The photos of one part in memory, and random crops of them.

    Args:
        source: a pack, or a folder whose training part is taken; looked for in the folder QUIETLIGHT_DATA, too.
        held_out: the pack of validation photos; not needed for a folder, which has both.
        channels: 1 or 3.
        patch: side of a crop.
        device: where the photos lie.
        validation: take the validation photos instead.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    def __init__(
        self, source: str, held_out: str, channels: int, patch: int, device: torch.device, validation: bool
    ) -> None:
        if channels not in (1, 3) or patch < 1:
            raise UnusableInput("of the data, channels is 1 or 3 and patch at least 1")
        place = located(held_out or source) if validation else located(source)
        if validation and not held_out and not place.is_dir():
            raise UnusableInput(
                f"{place}: a pack has one part only: name that of the validation photos as data.held_out"
            )
        self.patch, self.channels, self.device = patch, channels, device
        photos = [p for p in read_photos(place, validation, channels == 1) if min(p.shape[:2]) >= patch]
        if not photos:
            raise UnusableInput(f"{place}: no photo is as large as a crop of {patch} pixels")
        self.sizes = [p.shape[:2] for p in photos]
        self.starts = np.cumsum([0] + [p.size for p in photos])
        # One flat buffer, so that a whole batch is cut out by a single gather.
        self.pixels = torch.from_numpy(np.concatenate([p.reshape(-1) for p in photos])).to(device)
        # A photo is drawn in proportion to the number of crops that it holds.
        areas = np.array([(h - patch + 1) * (w - patch + 1) for h, w in self.sizes], np.float64)
        self.shares = np.cumsum(areas / areas.sum())

    def cut(self, draws: Sequence[np.random.Generator]) -> Tensor:
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


class NoisyPhotos:
    """Random crops of photos with a mixture of noises.

    Args:
        source, held_out, channels, patch, device, validation: as for `PhotoCrops`; validation crops are larger.
        noise: the noises in the order in which they strike, each `{ name, level = [low, high], chance }`.
        eight_bit: clip and round the noisy crops as 8-bit files do.

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
        if not isinstance(noise, list | tuple):
            raise UnusableInput("of the data, noise is a list of tables")
        self.steps = [Step.of(entry) for entry in noise]
        side = VALIDATION_PATCH if validation else patch
        self.crops = PhotoCrops(source, held_out, channels, side, device, validation)
        self.eight_bit = eight_bit
        self.generator = torch.Generator(device)

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """{"input", "truth"}: float32 [B, C, patch, patch]; truth in [0, 1], input around it, or in it where 8-bit."""
        draws = [np.random.default_rng([seed, index]) for index in indices]
        truth = self.crops.cut(draws).float() / 255
        noisy = torch.stack([self._noisy(x, rng) for x, rng in zip(truth, draws, strict=True)])
        return {"input": eight_bit(noisy) if self.eight_bit else noisy, "truth": truth}

    def _noisy(self, clean: Tensor, rng: np.random.Generator) -> Tensor:
        self.generator.manual_seed(int(rng.integers(2**63)))
        noisy = clean
        for step in (step for step in self.steps if step.strikes(rng)):
            noisy = step.nature.at(rng.uniform(step.low, step.high)).sample(noisy, self.generator)
        return noisy
