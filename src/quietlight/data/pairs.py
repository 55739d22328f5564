"""Photos -> a folder of noisy and clean pairs, with noise like that which was found in some photo.

"The noise distribution being known, large training databases generation becomes feasible" (NoiseBreaker, Lemarchand et al. 2020,
section 1). Noise is taken for a sequence of natures, as there. Pairs here are files, for any program that learns from such; our
own training adds its noise itself, and wants no more than `PairFolder.recipe`.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from quietlight import __version__
from quietlight.frames import Array, Image, Metadata, UnusableInput
from quietlight.io import read_file, write
from quietlight.io.files import written_beside
from quietlight.noise import NOISES
from quietlight.noise.nature import Nature
from quietlight.registry import resolve

PHOTO_NOISES = {name: where for name, where in NOISES.items() if not where.startswith("quietlight.noise.sensor:")}
"""The natures that strike photos; those of a sensor are defined on its linear raws."""
PARTS = ("noisy", "clean")
MANIFEST, CARD, RECIPE = "manifest.json", "README.md", "recipe-data.toml"
LICENCE = "the licence of the pictures is that of their sources"
LARGEST = 1e6
"""Levels above mean nothing, and overflow somewhere."""
DIGITS = 4
"""Of the ends of a range made from a found level, so that recipe, manifest and draw have the same numbers."""
SAVED_EVERY = 5.0
"""Seconds. A long manifest takes long to write; pairs that a killed run did not enter are made again, and come out equal."""


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
    report = _json(path, "a report")
    if isinstance(report, list) and len(report) == 1:
        report = report[0]
    if isinstance(report, list):
        raise UnusableInput(f"{path}: holds {len(report)} reports: give that of one photo")
    if not isinstance(report, dict):
        raise UnusableInput(f"{path}: not a report: make it with analyze --json, or denoise --report")
    if report.get("kind") == "raw" or "noise_from" in report:
        raise UnusableInput(f"{path}: the report of a raw; pairs of photos need that of a photo")
    return report


def _json(path: Path, kind: str) -> Any:
    try:
        return json.loads(path.read_bytes())  # in UTF-8, or in the UTF-16 that some shells write
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read as {kind}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{path}: not {kind}: it is no JSON: {error}") from error


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


@dataclass
class PairFolder:
    """A folder that is filled with pairs `noisy/NAME` and `clean/NAME`; a context, at whose end all that describes them is written.

    A pair depends on the photo, its file's name (with the folders below the one that was searched) and the seed alone.

    Args:
        folder: where to.
        noise: in the order in which they strike.
        seed: everything random follows from it.
        suffix: of the pictures: ".png" or ".tif".
        like: name of the report that the noise was taken from, "" if of none.
        photos: the folder of the photos, for the recipe.
        command: how this was called, for the card.
        overwrite: make pairs anew that are there, and replace others of another noise.
        entries: what the manifest says of each pair, by its name.
    """

    folder: Path
    noise: tuple[Strike, ...]
    seed: int
    suffix: str = ".png"
    like: str = ""
    photos: str = ""
    command: str = ""
    overwrite: bool = False
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    _saved: float = field(default=-math.inf, init=False)

    def resume(self, names: Set[str]) -> None:
        """Take over the pairs that are there; `names` are those that are going to be.

        Raises UnusableInput for a folder of somebody else, and where pairs of other noise, seed or format would be replaced without
        `overwrite`, or would stay beside the new ones: a folder holds pairs of one noise.
        """
        path = self.folder / MANIFEST
        if not path.exists():
            there = [self.folder / name for name in (*PARTS, CARD, RECIPE) if (self.folder / name).exists()]
            if there and not self.overwrite:
                raise UnusableInput(f"{there[0]}: exists, without {MANIFEST}: choose another --out, or --overwrite")
            return
        manifest = _json(path, "a manifest of pairs")
        try:
            entries = {entry["name"]: entry for entry in map(_checked, manifest["pairs"])}
            alike = all(manifest[key] == value for key, value in self._settings().items())
        except (KeyError, TypeError, ValueError):
            raise UnusableInput(f"{path}: not a manifest of pairs: choose another --out") from None
        if alike or not entries:
            self.entries = entries
        elif not self.overwrite:
            raise UnusableInput(
                f"{path}: these pairs have other noise, seed or format: choose another --out, or --overwrite"
            )
        elif left := sorted(set(entries) - names):
            raise UnusableInput(
                f"{path}: {left[0]} has other noise, seed or format, and would stay: choose another --out"
            )

    def _settings(self) -> dict[str, Any]:
        noise = [{"nature": s.nature, "low": s.low, "high": s.high, "unit": s.unit} for s in self.noise]
        return {"noise": noise, "seed": self.seed, "format": self.suffix[1:]}

    def is_made(self, source: Path, name: str) -> bool:
        """Whether the pair is there as `make` would make it."""
        there = all((self.folder / part / name).is_file() for part in PARTS)
        return there and self._entry(source, name).items() <= self.entries.get(name, {}).items()

    def make(self, source: Path, name: str) -> dict[str, Any]:
        """Make one pair of a photo of any format; its entry of the manifest is returned.

        Depth and colours stay, floats get 16 bits; the colour profile stays, other metadata and alpha do not.

        Raises UnusableInput for what cannot be read as a photo, and where the name is that of another photo's pair.
        """
        entry = self._entry(source, name)
        made_of = self.entries.get(name, entry)["source"]
        if made_of != entry["source"] and not self.overwrite:
            raise UnusableInput(f"{source}: {self.folder / 'noisy' / name} is made of {made_of}: rename one of them")
        image = read_file(source)
        if not isinstance(image, Image):
            raise UnusableInput(f"{source}: is a raw, and pairs are made of photos: develop it first")
        image = replace(image, pixels=_as_integers(image.pixels), alpha=None, metadata=Metadata())
        noises = [s.at(drawn["level"]) for s, drawn in zip(self.noise, entry["noises"], strict=True)]
        noisy = replace(image, pixels=strike(image.pixels, noises, self._rng(entry["source"], "pixels")))
        if time.monotonic() - self._saved > SAVED_EVERY:
            self._save()  # before the first pair, too: it says whose the folder is
        write(image, self.folder / "clean" / name)
        write(noisy, self.folder / "noisy" / name)
        self.entries[name] = {**entry, "bits": 8 * image.pixels.itemsize, "channels": image.pixels.shape[2]}
        return self.entries[name]

    def _entry(self, source: Path, name: str) -> dict[str, Any]:
        """What is known of a pair before it is made."""
        place = (Path(name).parent / source.name).as_posix()
        rng = self._rng(place, "levels")
        noises = [{"nature": s.nature, "level": rng.uniform(s.low, s.high), "unit": s.unit} for s in self.noise]
        return {"name": name, "source": place, "seed": self.seed, "noises": noises}

    def _rng(self, source: str, purpose: str) -> np.random.Generator:
        digest = hashlib.sha256(f"{purpose} {source}".encode("utf-8", "surrogateescape")).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest[:16])])

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.entries:
            self._save()
            _write(self.folder / CARD, self.card())
            _write(self.folder / RECIPE, self.recipe())

    def _save(self) -> None:
        table = {
            "quietlight": __version__,
            "like": self.like or None,
            "licence": LICENCE,
            **self._settings(),
            "pairs": [self.entries[name] for name in sorted(self.entries)],
        }
        _write(self.folder / MANIFEST, json.dumps(table, indent=1) + "\n")
        self._saved = time.monotonic()


def _checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {"name": str, "source": str, "bits": int, "channels": int}
    return {**entry, **{key: kind(entry[key]) for key, kind in kinds.items()}}


def _write(path: Path, text: str) -> None:
    # Names of files need not be UTF-8.
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="replace")


def _as_integers(pixels: Array) -> Array:
    """Uint8 and uint16 as they are, floats in [0, 1] as uint16."""
    if pixels.dtype != np.float32:
        return pixels
    return np.rint(np.clip(pixels, 0, 1) * np.float32(65535)).astype(np.uint16)
