"""What a classifier says of the noise of a photo."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from quietlight.noise import NOISES
from quietlight.noise.classes import NoiseClass
from quietlight.registry import resolve


@dataclass(frozen=True)
class Judgement:
    """The dominating noise of a photo, as far as one can tell.

    Args:
        classes: that were looked for.
        probabilities: of each of them; they add up to 1.
        levels: the level that the noise has if it is of that class, in the unit of its nature; 0 for clean.
    """

    classes: tuple[NoiseClass, ...]
    probabilities: tuple[float, ...]
    levels: tuple[float, ...]

    @property
    def index(self) -> int:
        """Place of the most probable class."""
        return max(range(len(self.classes)), key=self.probabilities.__getitem__)

    @property
    def found(self) -> NoiseClass:
        """The most probable class."""
        return self.classes[self.index]

    @property
    def level(self) -> float:
        """Its level."""
        return self.levels[self.index]

    @property
    def certainty(self) -> float:
        """Its probability."""
        return self.probabilities[self.index]

    def without(self, classes: Collection[NoiseClass]) -> Judgement:
        """The same where these classes are out of the question; clean where nothing else was believed in."""
        left = [0.0 if c in classes else p for c, p in zip(self.classes, self.probabilities, strict=True)]
        if not any(left):
            left = [0.0 if c.nature else 1.0 for c in self.classes]
        total = sum(left)
        return replace(self, probabilities=tuple(p / total for p in left)) if total > 0 else self

    def to_dict(self, index: int | None = None) -> dict[str, Any]:
        """As a record and JSON take it: the most probable class, or that of `index`, with its level and its probability."""
        index = self.index if index is None else index
        found = self.classes[index]
        return {
            "class": found.name,
            "nature": found.nature,
            "level": round(self.levels[index], 4),
            "unit": resolve(NOISES, found.nature, "noise").unit if found.nature else "",
            "certainty": round(self.probabilities[index], 4),
            "probabilities": {c.name: round(p, 4) for c, p in zip(self.classes, self.probabilities, strict=True)},
        }
