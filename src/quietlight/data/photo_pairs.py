"""Photos -> a folder of noisy and clean pairs, with noise like that which was found in some photo.

"The noise distribution being known, large training databases generation becomes feasible" (NoiseBreaker, Lemarchand et al. 2020,
section 1). Pairs here are files, for any program that learns from such; our own training adds its noise itself, and wants no more
than `PhotoPairs.recipe`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from quietlight import __version__
from quietlight.data.pair_folder import CARD, MANIFEST, PairFolder, generator, place_of
from quietlight.data.photo_noise import Strike, strike
from quietlight.frames import Array, Image, Metadata, UnusableInput
from quietlight.io import read_file

RECIPE = "recipe-data.toml"
LICENCE = "the licence of the pictures is that of their sources"


@dataclass
class PhotoPairs(PairFolder):
    """Pairs of photos.

    Args:
        noise: in the order in which they strike.
        seed: everything random follows from it.
        like: name of the report that the noise was taken from, "" if of none.
        photos: the folder of the photos, for the recipe.
    """

    noise: tuple[Strike, ...]
    seed: int
    suffix: str = field(default=".png", kw_only=True)
    like: str = field(default="", kw_only=True)
    photos: str = field(default="", kw_only=True)

    facts: ClassVar = {"bits": int, "channels": int}

    def _settings(self) -> dict[str, Any]:
        noise = [{"nature": s.nature, "low": s.low, "high": s.high, "unit": s.unit} for s in self.noise]
        return {"noise": noise, "seed": self.seed, "format": self.suffix[1:]}

    def _notes(self) -> dict[str, Any]:
        return {"like": self.like or None, "licence": LICENCE}

    def _planned(self, source: Path, name: str) -> dict[str, Any]:
        place = place_of(source, name)
        rng = generator(self.seed, place, "levels")
        noises = [{"nature": s.nature, "level": rng.uniform(s.low, s.high), "unit": s.unit} for s in self.noise]
        return {"source": place, "seed": self.seed, "noises": noises}

    def _pictures(self, source: Path, entry: Mapping[str, Any]) -> tuple[Image, Image, dict[str, Any]]:
        """Depth and colours stay, floats get 16 bits; the colour profile stays, other metadata and alpha do not."""
        image = read_file(source)
        if not isinstance(image, Image):
            raise UnusableInput(f"{source}: is a raw, and pairs are made of photos: develop it first")
        clean = replace(image, pixels=_as_integers(image.pixels), alpha=None, metadata=Metadata())
        noises = [s.at(drawn["level"]) for s, drawn in zip(self.noise, entry["noises"], strict=True)]
        noisy = replace(clean, pixels=strike(clean.pixels, noises, generator(self.seed, entry["source"], "pixels")))
        return noisy, clean, {"bits": 8 * clean.pixels.itemsize, "channels": clean.pixels.shape[2]}

    def _descriptions(self) -> dict[str, str]:
        return {CARD: self.card(), RECIPE: self.recipe()}

    def recipe(self) -> str:
        """The [data] table of a recipe that trains on this noise, in TOML."""
        made = self.entries.values()
        channels = max((entry["channels"] for entry in made), default=3)
        eight_bit = all(entry["bits"] == 8 for entry in made)
        like = f", like that in {self.like!r}," if self.like else ""
        lines = [
            f"# Training adds this noise{like} to clean photos itself: for a recipe of quietlight train.",
            "[data]",
            'name = "photos"',
            f"source = {json.dumps(self.photos, ensure_ascii=False)} # a folder of .jpg photos, or a pack of them",
            f"channels = {channels}",
            f"eight_bit = {str(eight_bit).lower()}",
            "noise = [",
            *(f"  {s.to_recipe()}, # {s.unit}" for s in self.noise),
            "]",
        ]
        return "\n".join(lines) + "\n"

    def card(self) -> str:
        """What the folder is, for people, in Markdown."""
        made = list(self.entries.values())
        deep, gray = sum(e["bits"] == 16 for e in made), sum(e["channels"] == 1 for e in made)
        like = f"like that found in `{self.like}`" if self.like else "of known kinds and levels"
        ranges = ((s, f"{s.low:g}" if s.low == s.high else f"{s.low:g} to {s.high:g}") for s in self.noise)
        lines = [
            "# Pairs of noisy and clean photos",
            "",
            f"{len(made)} pairs, made by quietlight {__version__}.",
            f"`clean/NAME` is a photo, `noisy/NAME` the same with noise {like}.",
            "",
            f"    {self.command}",
            "",
            "The noises, in the order in which they strike. Of each picture, levels are drawn uniformly from these ranges:",
            "",
            "| noise | level | unit |",
            "|---|---|---|",
            *(f"| {s.nature} | {span} | {s.unit} |" for s, span in ranges),
            "",
            f"- {len(made) - deep} pairs have 8 bits, {deep} have 16; {gray} are gray, {len(made) - gray} in colour.",
            "- Noise is added to the values of the file, not to linear light, then clipped and rounded once, as files are.",
            f"- The noise of a picture follows from the seed ({self.seed}) and its file name. `{MANIFEST}` has its levels.",
            f"- `{RECIPE}` is the `[data]` table of a recipe with this noise, for `quietlight train`.",
            f"- Licence: {LICENCE}.",
        ]
        return "\n".join(lines) + "\n"


def _as_integers(pixels: Array) -> Array:
    """Uint8 and uint16 as they are, floats in [0, 1] as uint16."""
    if pixels.dtype != np.float32:
        return pixels
    return np.rint(np.clip(pixels, 0, 1) * np.float32(65535)).astype(np.uint16)
