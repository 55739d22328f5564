"""Gradual denoising: find the dominating noise of a photo, remove it with the denoiser made for it, look again, until clean.

Lemarchand et al., "NoiseBreaker: Gradual Image Denoising Guided by Noise Analysis", 2020, section 3. Departures, each measured in
docs/noisebreaker.md: the primary denoisers were trained for where they stand in the chain; guards end it where a step does not
help; a photo judged clean is left as it is; and where no class fits, a denoiser for all of them runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quietlight import zoo
from quietlight.analysis.classify import ACROSS, CLASSIFIER, classify
from quietlight.analysis.judgement import Judgement
from quietlight.analysis.photo import is_drawn, squares, to_planes
from quietlight.frames import Image, RawFrame, UnusableInput
from quietlight.noise.classes import NoiseClass
from quietlight.systems import Result
from quietlight.systems.primaries import (
    BLIND,
    DROPS,
    LEAST,
    LIMIT,
    POOLS,
    denoise,
    is_clean,
    primary,
    removed,
    replace_lost,
    weights_of,
)
from quietlight.systems.regions import by_region
from quietlight.zoo import Weights

Progress = Callable[[float], None]

UNSURE = 0.4
"""Probability of the classes of one denoiser, among all of noise, below which none is said to fit."""
NEARLY = 0.6
"""Of the probability that a photo is clean, the share from which camera noise is removed: the classifier was taught as many
pictures of each class, and we take camera noise for the most frequent one in photographs that people bring. Chosen on every second
pair of polyu, so that of 17 clean colour pictures of BSD68 no further one was taken for noisy."""
VISIBLE = 1.0
"""Standard deviation (0-255) of what a step removes below which it is taken back: that little, at 48 dB, is found in photographs
without noise, too, and nobody sees it go."""
PLAUSIBLE = 0.15
"""Probability from which lost pixels are looked for before anything else, and from which a further noise is worth a step."""


def noisebreaker(
    frame: RawFrame | Image,
    *,
    pool: str = "default",
    classifier: Weights | str = CLASSIFIER,
    across: int = ACROSS,
    truth: Sequence[str] | None = None,
    local: bool = False,
    fallback: bool = True,
    stages: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Denoise a photo step by step.

    Args:
        frame: a photo of any size and depth.
        pool: a name of `POOLS`.
        classifier: weights, or their name.
        across: as for `classify`; 1 lets one crop decide, as in the paper.
        truth: natures to remove, in this order, instead of those that the classifier finds: NoiseBreaker-P of the paper.
        local: decide region by region: see `regions`.
        fallback: run a denoiser for all noises where no class fits; else the most probable class is taken.
        stages: keep the photo as it was after each step, for a report; each takes as much memory as the photo.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the photo, and a record: "steps" (class, level, certainty, all probabilities, the denoiser, what was removed, the time, and
        whether it was kept), the "classifier", what is "left", why it "stopped" ("clean", "limit", "no gain", "unsure", "told"),
        whether it was "unsure" at some step, and whether the "fallback" ran. A photo in which no noise is found comes back as it
        is. With `truth` what is found is recorded, but decides nothing.

    Raises:
        UnusableInput: a raw, a pool that there is not, weights that were not trained.
    """
    if not isinstance(frame, Image):
        raise UnusableInput("noisebreaker denoises photos; a raw is denoised before it is developed, by another system")
    if pool not in POOLS:
        raise UnusableInput(f"unknown pool {pool!r}: it is one of {', '.join(POOLS)}")
    if local:
        return by_region(frame, pool, classifier, stages, progress or (lambda _: None))
    chain = _Chain((frame,), pool, progress or (lambda _: None), stages)
    if truth is None:
        chain.run(classifier, fallback, across)
    else:
        chain.follow(truth, classifier, across)
    chain.progress(1.0)
    return Result(chain.photos[0], chain.record, tuple(photos[0] for photos in chain.stages))


def examine(
    photo: Image, *, classifier: Weights | str = CLASSIFIER, side: int = 256, across: int = 2
) -> dict[str, Any]:
    """The record that `noisebreaker` would make: which noises, and how much of each, by some squares spread over the photo."""
    chain = _Chain(tuple(squares(photo, side, across)), "default", lambda _: None)
    chain.run(classifier, True, ACROSS)
    return chain.record


def repeat(photo: Image, record: Mapping[str, Any]) -> Image:
    """The photo after the steps that a record of `noisebreaker` or `examine` kept: on a whole whose parts told, or on a part."""
    for step in record["steps"]:
        if step["kept"]:
            photo = _removing(step["nature"], step["denoiser"])(photo, zoo.read(step["denoiser"]), lambda _: None)
    return photo


def _removing(nature: str, weights: str) -> Callable[[Image, Weights, Progress], Image]:
    """How a step runs its network: of lost pixels only those are taken, unless it is the denoiser for all noises."""
    return replace_lost if nature in DROPS and not weights.startswith(BLIND) else denoise


@dataclass
class _Chain:
    """Photos that share their noise (or parts of one photo) on their way to clean, and what was done to them."""

    photos: tuple[Image, ...]
    pool: str
    progress: Progress
    keeps: bool = False

    def __post_init__(self) -> None:
        self.record: dict[str, Any] = {"steps": [], "stopped": "clean", "fallback": False}
        self.stages: list[tuple[Image, ...]] = []
        self.done = 0
        self.used: set[str] = set()

    def run(self, classifier: Weights | str, fallback: bool, across: int) -> None:
        """Look and remove, until clean or until nothing helps."""
        self.record["unsure"] = False
        weights = self.classifier(classifier)
        look = classify(self.photos, weights, across)
        if all(is_drawn(to_planes(part.pixels)) for photo in self.photos for part in squares(photo, 512, 2)):
            look = look.without({c for c in look.classes if c.nature})  # its structure would pass for noise
        while noise := self.next_noise(look):
            unsure = self.belief(look, noise) < UNSURE
            self.record["unsure"] |= unsure
            blind = fallback and unsure
            if self.done == LIMIT or (blind and BLIND in self.used):
                self.record["stopped"] = "unsure" if blind else "limit"
                break
            self.record["fallback"] |= blind
            found = look.to_dict(look.classes.index(noise))
            if self.step(found, BLIND if blind else primary(self.pool, noise)):
                look = classify(self.photos, weights, across)
            elif blind or noise.nature not in DROPS:  # nothing is to be removed where a blind denoiser sees nothing
                self.record["stopped"] = "unsure" if blind else "no gain"
                break
        else:
            self.record["stopped"] = "unsure" if self.record["fallback"] else "no gain"
        if is_clean(look):
            self.record["stopped"] = "clean"
        self.record["left"] = look.to_dict()

    def follow(self, natures: Sequence[str], classifier: Weights | str, across: int) -> None:
        """Remove these noises, whatever a look says of them."""
        weights = self.classifier(classifier)
        self.record["stopped"] = "told"
        for nature in natures:
            denoiser = primary(self.pool, NoiseClass(nature))
            look = classify(self.photos, weights, across)
            known = [i for i, c in enumerate(look.classes) if c.nature == nature]
            told = Judgement((NoiseClass(nature),), (0.0,), (0.0,)).to_dict()
            found = look.to_dict(max(known, key=look.probabilities.__getitem__)) if known else told
            self.step(found, denoiser, least=0)
        self.record["left"] = classify(self.photos, weights, across).to_dict()

    def classifier(self, classifier: Weights | str) -> Weights:
        """The weights that look, which the record names."""
        weights = zoo.read(classifier) if isinstance(classifier, str) else classifier
        self.record["classifier"] = weights.name
        return weights

    def next_noise(self, look: Judgement) -> NoiseClass | None:
        """The noise to remove: the most probable one whose denoiser has not run, if there is one worth it.

        Lost pixels go first where they are plausible at all: what struck last hides what struck before, and the other way round
        they would be smeared.
        """
        left = look.without({c for c in look.classes if c.nature and primary(self.pool, c) in self.used})
        if is_clean(left):
            return self.nearly(left)
        lost = [c for c in left.classes if c.nature in DROPS]
        chances = dict(zip(left.classes, left.probabilities, strict=True))
        first = max(lost, key=chances.__getitem__, default=left.found)
        noise = first if chances[first] >= PLAUSIBLE else left.found
        known = look.probabilities[look.classes.index(noise)] >= PLAUSIBLE
        return noise if known or not self.used else None

    def nearly(self, clean: Judgement) -> NoiseClass | None:
        """Camera noise, where a photo taken for clean hardly less probably has it, and enough of it."""
        for noise, chance, level in zip(clean.classes, clean.probabilities, clean.levels, strict=True):
            if noise.nature == "camera" and level >= LEAST["camera"] and not clean.found.nature:
                return noise if chance >= NEARLY * clean.certainty else None
        return None

    def belief(self, look: Judgement, noise: NoiseClass) -> float:
        """How probable it is that the denoiser for a noise is the right one, if there is noise."""
        pairs = [pair for pair in zip(look.classes, look.probabilities, strict=True) if pair[0].nature]
        served = sum(p for c, p in pairs if primary(self.pool, c) == primary(self.pool, noise))
        return served / max(sum(p for _, p in pairs), 1e-9)

    def step(self, found: dict[str, Any], denoiser: str, least: float = VISIBLE) -> bool:
        """Remove one noise, or everything that the denoiser takes for noise; whether that was worth it, and was kept."""
        begin = time.perf_counter()
        done = self.done
        channels = self.photos[0].pixels.shape[2]
        weights = weights_of(denoiser, channels)
        run = _removing(found["nature"], weights.name)
        loses = run is replace_lost
        after = tuple(
            run(photo, weights, lambda share, done=done: self.progress(1 - 0.5 ** (done + share)))  # type: ignore[misc]
            for photo in self.photos
        )
        change = removed(self.photos, after)
        kept = change["deviation"] >= (0 if loses else least) and change["changed"] > 0
        seconds = round(time.perf_counter() - begin, 3)
        self.record["steps"].append(
            {**found, "denoiser": weights.name, "removed": change, "seconds": seconds, "kept": kept}
        )
        self.photos = after if kept else self.photos
        self.done += 1
        if self.keeps:
            self.stages.append(self.photos)
        self.used.add(denoiser)
        return kept
