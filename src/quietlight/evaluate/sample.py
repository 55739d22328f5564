"""What a benchmark is made of: data sets of files, parts that make samples of them, a score, and a summary of scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from quietlight.analysis.judgement import Judgement
from quietlight.frames import Burst, Floats, Frame, Image, UnusableInput
from quietlight.io.kind import PHOTO_FORMATS
from quietlight.metrics import psnr, ssim
from quietlight.systems import Result
from quietlight.systems.impulses import full_scale
from quietlight.systems.primaries import DROPS

UNTOUCHED = 100.0
"""PSNR in dB that stands for no error at all, or for any smaller one than a single value of an 8-bit picture off by one."""
PERCENTILES = (10, 25, 50, 75, 90)
REVISION = "2"
"""Of the scores: another where they change, so that stored results of old ones are not mixed with new ones."""

Kind = Literal["photos", "classes", "raws", "bursts", "looks", "operators"]
"""Of a benchmark: its systems give photos, judgements of their noise, raws, a raw of a burst of them, or a photo of a raw; or they
are no systems but what is done to a picture."""
Output = Frame | Judgement | Result
"""What a system gives; a `Result` where it is scored by its steps, too."""
Values = dict[str, float]
"""Scores of one sample by name; those that it has not are left out."""


@dataclass(frozen=True)
class Sample:
    """One input and its truth.

    Args:
        name: the file's, or another that no other sample of its part has.
        input: what a system gets.
        truth: what it should give: values in [0, 1], of the shape of the input's pixels.
        info: what else is known of the noise: "natures" (of NOISES, in the order in which they struck), "sigma" (0-255), "mask"
            (bool, the pixels hit by impulses), and the like. Oracles look at it, systems do not.
    """

    name: str
    input: Frame
    truth: Floats
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataSet:
    """Photos, or other `formats`, in a folder of the data folder: `pattern` says which, `source` where a user gets them.

    Of the sorted list only every so manieth is taken, from the first on, where `every` is not 1.
    """

    folder: str
    source: str
    pattern: str = "*"
    formats: tuple[str, ...] = tuple(PHOTO_FORMATS)
    every: int = 1

    def files(self, data: Path) -> list[Path]:
        """The files, in string order. Raises UnusableInput where there are none, with what to do."""
        folder = data / self.folder
        found = [p for p in folder.glob(self.pattern) if p.suffix.lower() in self.formats and p.name[0] != "."]
        if not found:
            raise UnusableInput(
                f"{folder}: no pictures{'' if self.pattern == '*' else f' {self.pattern}'} there: get {self.source}, "
                f"or let --data or QUIETLIGHT_DATA name the folder that holds {self.folder}"
            )
        return sorted(found)[:: self.every]


@dataclass(frozen=True)
class Part:
    """One table of a benchmark: pictures under one kind of noise.

    Args:
        data: the sets that it takes its pictures from.
        make: (index, files of all these sets) -> Sample; the same at every call.
        count: how many samples; None: `each` for every file.
        sha256: of the inputs as `digest` takes them, one after the other, where the whole part is evaluated; empty where nobody
            fixed it.
    """

    name: str
    data: tuple[DataSet, ...]
    make: Callable[[int, Sequence[Path]], Sample]
    count: int | None = None
    sha256: str = ""
    each: int = 1

    def samples(self, folder: Path) -> list[Callable[[], Sample]]:
        """All samples, each made when it is called. Raises UnusableInput where a data set is not in the folder."""
        files = [file for one in self.data for file in one.files(folder)]
        return [partial(self.make, index, files) for index in range(self.count or self.each * len(files))]


def each_file(name: str, data: DataSet, make: Callable[[int, Path], Sample], sha256: str = "") -> Part:
    """The part of a data set each of whose files gives one sample, by `make`: (index, file) -> Sample."""
    return Part(name, (data,), lambda index, files: make(index, files[index]), sha256=sha256)


def frame_of(output: Output) -> Frame | Judgement:
    """What a system gives, without its record."""
    return output.frame if isinstance(output, Result) else output


def photo_score(output: Output, sample: Sample) -> Values:
    """Scores of a photo on the numbers as they are stored, and of the steps that made it, where there is a record of them.

    "psnr" in dB and "ssim", mean over channels; "gain" in dB over the input. Where impulses struck: "precision", the share of the
    values changed by steps against impulses that were hit, and "recall", the share of those hit that were changed. "unsure" as
    the record says (0 or 1).
    """
    image = frame_of(output)
    if not isinstance(image, Image):
        raise UnusableInput("this benchmark takes systems that make photos")
    pixels = as_floats(image)
    if pixels.shape != sample.truth.shape:
        raise UnusableInput(f"the result of {sample.name} is {pixels.shape}, not {sample.truth.shape}")
    values = {"psnr": capped_psnr(pixels, sample.truth), "ssim": ssim(pixels, sample.truth)}
    if isinstance(sample.input, Image):
        values["gain"] = values["psnr"] - capped_psnr(as_floats(sample.input), sample.truth)
    return values | (_step_scores(output, sample) if isinstance(output, Result) else {})


def capped_psnr(pixels: Floats, truth: Floats) -> float:
    """PSNR in dB, `UNTOUCHED` at most."""
    return min(psnr(pixels, truth), UNTOUCHED)


def _step_scores(result: Result, sample: Sample) -> Values:
    """Those of them that are defined; "unsure" comes last, so that the order of the others is the same for all systems."""
    values: Values = {}
    if "steps" in result.record and "mask" in sample.info:
        hit = np.asarray(sample.info["mask"])
        changed = np.zeros_like(hit)
        pictures = [one.pixels for one in (sample.input, *result.stages) if isinstance(one, Image)]
        for (before, after), step in zip(pairwise(pictures), result.record["steps"], strict=True):
            if step["nature"] in DROPS:
                changed |= before != after
        right = int((hit & changed).sum())
        shares = {"precision": (right, int(changed.sum())), "recall": (right, int(hit.sum()))}
        values = {name: part / whole for name, (part, whole) in shares.items() if whole}
    return values | ({"unsure": float(result.record["unsure"])} if "unsure" in result.record else {})


def averages(values: Sequence[Values]) -> dict[str, Any]:
    """Means and percentiles of each score over the samples that have it, as a table's row takes them.

    More of all together: "width", from the first to the last percentile of the first score, and the "least gain".
    """
    names = in_order(values)
    scores = {name: np.array([one[name] for one in values if name in one]) for name in names}
    percentiles = {name: np.percentile(v, PERCENTILES).tolist() for name, v in scores.items()}
    extras = {"width": percentiles[names[0]][-1] - percentiles[names[0]][0]}
    if "gain" in scores:
        extras["least gain"] = float(scores["gain"].min())
    return {
        "means": {name: float(v.mean()) for name, v in scores.items()},
        "percentiles": percentiles,
        "extras": extras,
    }


def clean_score(output: Output, sample: Sample) -> Values:
    """Scores of a photo made of a clean one: "psnr", "ssim", and "same", whether nothing was changed (0 or 1)."""
    values, image = photo_score(output, sample), frame_of(output)
    same = isinstance(image, Image) and isinstance(sample.input, Image) and digest(image) == digest(sample.input)
    return {"psnr": values["psnr"], "ssim": values["ssim"], "same": float(same)}


def clean_summary(values: Sequence[Values]) -> dict[str, Any]:
    """The same of these; of the photos that were changed, the "least psnr"."""
    changed = [one["psnr"] for one in values if not one["same"]]
    return averages(values) | {"extras": {"least psnr": min(changed)} if changed else {}}


def in_order(groups: Iterable[Iterable[str]]) -> list[str]:
    """All names of all groups, in their common order: some groups lack some. Those that share none come one after the other.

    >>> in_order([["b", "d"], ["a", "b", "c", "d"], ["e"]])
    ['a', 'b', 'c', 'd', 'e']
    """
    names: list[str] = []
    for group in map(list, groups):
        place = 0 if any(name in names for name in group) else len(names)
        for name in group:
            if name not in names:
                names.insert(place, name)
            place = names.index(name) + 1
    return names


def photo_seen(output: Output | None, sample: Sample) -> Floats | None:
    """Of a result, or of the truth where that is None, what people see, [H, W, C] in [0, 1]; nothing where that is no photo."""
    if output is None:
        return sample.truth if np.ndim(sample.truth) == 3 else None
    image = frame_of(output)
    return as_floats(image) if isinstance(image, Image) else None


@dataclass(frozen=True)
class Benchmark:
    """Samples and their score.

    Args:
        about: one sentence: which pictures, which noise, which protocol.
        score: (result, sample) -> numbers by name; the first is the one that boxes and percentiles show, higher is better.
        summary: of the scores of all samples of a part -> fields of a table's row, "means" and the like.
        kind: of the systems that it is for.
        rows: names of the systems that are compared where a user names none; empty for all of the kind.
        seen: (result, or None for the truth; sample) -> the picture that a page shows crops of, or nothing.
        strip: (result, sample) -> a row of pictures that a page shows of the same samples, [H, W, 3] in [0, 1], or nothing.
        shown: how many samples of a part a page shows; None: three, or one where there are several parts.
    """

    about: str
    parts: tuple[Part, ...]
    score: Callable[[Output, Sample], Values] = photo_score
    summary: Callable[[Sequence[Values]], dict[str, Any]] = averages
    kind: Kind = "photos"
    rows: tuple[str, ...] = ()
    seen: Callable[[Output | None, Sample], Floats | None] = photo_seen
    strip: Callable[[Output, Sample], Floats | None] = lambda _output, _sample: None
    shown: int | None = None


def as_floats(image: Image) -> Floats:
    """The pixels as float32, white 1."""
    return image.pixels.astype(np.float32) / np.float32(full_scale(image.pixels))


def digest(frame: Frame) -> bytes:
    """The numbers of a frame as bytes: float32, white 1, rows first; those of a burst one frame after the other."""
    frames = frame.frames if isinstance(frame, Burst) else (frame,)
    arrays = (as_floats(one) if isinstance(one, Image) else one.mosaic for one in frames)
    return b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in arrays)
