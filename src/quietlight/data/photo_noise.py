"""Noises in the order in which they strike a photo: as a person names them, or as a report found them.

NoiseBreaker (Lemarchand et al. 2020, section 1) takes noise for a sequence of natures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.data.pair_folder import read_json
from quietlight.frames import Array, UnusableInput
from quietlight.noise import NOISES
from quietlight.noise.nature import Nature
from quietlight.registry import resolve

PHOTO_NOISES = {name: where for name, where in NOISES.items() if not where.startswith("quietlight.noise.sensor:")}
"""The natures that strike photos; those of a sensor are defined on its linear raws."""
LARGEST = 1e6
"""Levels above mean nothing, and overflow somewhere."""
DIGITS = 4
"""Of the ends of a range made from a found level, so that recipe, manifest and draw have the same numbers."""


@dataclass(frozen=True)
class Strike:
    """One noise of a sequence: its nature (of `PHOTO_NOISES`) and the range that its level is drawn from, uniformly.

    Raises UnusableInput for what is no such nature, and for levels that it cannot have.
    """

    nature: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.nature in NOISES and self.nature not in PHOTO_NOISES:
            raise UnusableInput(f"{self.nature} is noise of raws; photos have {', '.join(PHOTO_NOISES)}")
        if self.low > self.high:
            raise UnusableInput(f"the range of {self.nature} levels is empty: {self.low:g}..{self.high:g}")
        if self.high > LARGEST:
            raise UnusableInput(f"{self.nature} noise of level {self.high:g}: levels are at most {LARGEST:g}")
        for end in (self.low, self.high):
            self.at(end)

    @property
    def unit(self) -> str:
        """What the level is measured in."""
        kind: type[Nature] = resolve(PHOTO_NOISES, self.nature, "noise")
        return kind.unit

    def at(self, level: float) -> Nature:
        """The noise of that level."""
        kind: type[Nature] = resolve(PHOTO_NOISES, self.nature, "noise")
        return kind.at(level)

    def to_recipe(self) -> str:
        """An entry of a recipe's `noise`.

        >>> Strike("gaussian", 10, 30).to_recipe()
        '{ name = "gaussian", level = [10, 30] }'
        """
        level = f"{self.low:.9g}" if self.low == self.high else f"[{self.low:.9g}, {self.high:.9g}]"
        return f'{{ name = "{self.nature}", level = {level} }}'


def parse_noise(text: str) -> tuple[Strike, ...]:
    """Noises in the order in which they strike, each NATURE=LEVEL or NATURE=LOW..HIGH. Raises UnusableInput for other text.

    >>> [(s.nature, s.low, s.high) for s in parse_noise("gaussian=10..30,bernoulli=0.05")]
    [('gaussian', 10.0, 30.0), ('bernoulli', 0.05, 0.05)]
    """
    strikes = []
    for entry in text.split(","):
        nature, _, level = entry.partition("=")
        low, dots, high = level.partition("..")
        try:
            ends = float(low), float(high if dots else low)
        except ValueError:
            raise UnusableInput(
                f"a noise is NATURE=LEVEL or NATURE=LOW..HIGH, such as gaussian=10..30, not {entry!r}"
            ) from None
        strikes.append(Strike(nature.strip(), *ends))
    return tuple(strikes)


def like_report(path: Path, spread: float) -> tuple[Strike, ...]:
    """The noises that a report names, in the order in which they strike, each level give or take the share `spread` of it.

    Args:
        path: JSON of `denoise --report`, whose "steps" are the noises in the order of their removal, or of `analyze --json` on one
            file, whose "findings" begin with the dominating noise, to be removed first. What is removed first struck last.

    Raises UnusableInput for reports of raws, of several files and without noise, and for what is no report.
    """
    report = _report(path)
    steps = report["steps"] if "steps" in report else report.get("findings")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise UnusableInput(f"{path}: this JSON lists no noises: make it with analyze --json, or denoise --report")
    # A step of no nature is the verdict "clean", and what was not kept was not removed either.
    removed = [step for step in steps if step.get("kept", True) is not False and step.get("nature") != ""]
    if not removed:
        raise UnusableInput(f"{path}: no noise was found in this photo: name some with --noise")
    try:
        return tuple(_around(step, spread) for step in reversed(removed))
    except UnusableInput as error:
        raise UnusableInput(f"{path}: {error}") from error


def _report(path: Path) -> dict[str, Any]:
    """The one report of a photo in a file."""
    report = read_json(path, "a report")
    if isinstance(report, list) and len(report) == 1:
        report = report[0]
    if isinstance(report, list):
        raise UnusableInput(f"{path}: holds {len(report)} reports: give that of one photo")
    if not isinstance(report, dict):
        raise UnusableInput(f"{path}: not a report: make it with analyze --json, or denoise --report")
    if report.get("kind") == "raw" or "noise_from" in report:
        raise UnusableInput(f"{path}: the report of a raw; pairs of photos need that of a photo")
    return report


def _around(step: Mapping[str, Any], spread: float) -> Strike:
    nature: Any = step.get("nature")
    level: Any = step.get("level")
    if not isinstance(nature, str):
        raise UnusableInput(f"a noise has a nature, one of {', '.join(PHOTO_NOISES)}, not {nature!r:.60}")
    if type(level) not in (int, float) or not abs(level) <= LARGEST:
        raise UnusableInput(
            f"the level of its {nature:.60} noise is a finite number of at most {LARGEST:g}, not {level!r:.60}"
        )
    low, high = sorted(float(f"{level * end:.{DIGITS}g}") for end in (1 - spread, 1 + spread))
    return Strike(nature, low, high)


def strike(pixels: Array, noises: Sequence[Nature], rng: np.random.Generator) -> Array:
    """The clean pixels [H, W, C], uint8 or uint16, with the noises one after the other; clipped and rounded once, as in a file."""
    white = np.iinfo(pixels.dtype).max
    noisy: Array = pixels.astype(np.float32) / np.float32(white)
    for noise in noises:
        noisy = noise.sample(noisy, rng)
    stored: Array = np.rint(np.clip(noisy, 0, 1) * white).astype(pixels.dtype)
    return stored
