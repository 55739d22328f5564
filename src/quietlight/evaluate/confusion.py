"""Judgements of noise -> how often and how nearly they are right, how well they know it, and what is taken for what.

A classifier may have other classes than `CLASSES`. One that lies within a class of these counts as that class; where some are
wider, as "gaussian 0-55", the classifier is scored by type (the nature) alone. Sources: Lemarchand et al. 2020 (NoiseBreaker),
section 4.2, for the kinds of errors; Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3, for the calibration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quietlight.analysis.judgement import Judgement
from quietlight.evaluate.sample import Output, Sample, Values
from quietlight.frames import Floats, UnusableInput
from quietlight.noise.classes import TABLES, NoiseClass

CLASSES = TABLES["table1-camera"]
"""What is told apart; scores hold places in it, and its length stands for any other noise."""
_USUAL = len(TABLES["table1"])  # the first of them, which every matrix has as its columns
_NAMES = [*(one.name for one in CLASSES), "other"]
_TYPES = [*(one.nature or "clean" for one in CLASSES), "other"]
_CLEAN = _NAMES.index("clean")
_LOW = {_NAMES.index(name) for name in ("gaussian 0-15", "speckle 0-15", "uniform 10")}

PAPER = {
    "low noise for clean or other low noise": 0.29,
    "clean for low noise": 0.14,
    "right type, wrong level": 0.26,
    "other": 0.31,
}
"""Kinds of errors, and their shares of all errors in the paper; the last is what its text leaves."""
BINS = 10
"""Of the certainty, for its calibration error."""


@dataclass(frozen=True)
class Confusion:
    """How often each class was taken for each.

    Args:
        truths: names of the true classes, which are the rows.
        found: names of the columns: classes, or types where a classifier was scored by type.
        counts: [row][column].
        errors: shares of all errors by the kinds of `PAPER`; empty where there are none to share: nothing wrong, one true class
            only, or a classifier scored by type.
    """

    truths: list[str]
    found: list[str]
    counts: list[list[int]]
    errors: dict[str, float]

    def is_right(self, row: int, column: int) -> bool:
        """Whether that cell counts right answers."""
        truth = self.truths[row]
        return self.found[column] in (truth, truth.partition(" ")[0])


def class_score(output: Output, sample: Sample) -> Values:
    """Places of the true class (`info` "class") and of the found one, certainty, accuracies (0 or 1), error of the level.

    "accuracy" is left out where a classifier is scored by type, "level error" (in the unit of the nature) where it is wrong or
    there is no noise.
    """
    if not isinstance(output, Judgement):
        raise UnusableInput("this benchmark takes classifiers, which judge the noise of photos")
    truth = int(sample.info["class"])
    places = [_place(one) for one in output.classes]
    found = places[output.index]
    certainty = sum(p for place, p in zip(places, output.probabilities, strict=True) if place == found)
    values = {"truth": truth, "found": found, "certainty": certainty}
    if all(map(_fits, output.classes, places)):
        values["accuracy"] = float(found == truth)
    values["type accuracy"] = float(_TYPES[found] == _TYPES[truth])
    if _right(values) and truth != _CLEAN:
        values["level error"] = abs(output.level - float(sample.info["level"]))
    return values


def _place(one: NoiseClass) -> int:
    """Place of the class that it lies in, else of the first of its nature."""
    same = [place for place, other in enumerate(CLASSES) if other.nature == one.nature]
    return next((place for place in same if _fits(one, place)), same[0] if same else len(CLASSES))


def _fits(one: NoiseClass, place: int) -> bool:
    """Whether it is no wider than the class of that place; other noise always is."""
    return place == len(CLASSES) or CLASSES[place].low <= one.low <= one.high <= CLASSES[place].high


def _right(values: Values) -> float:
    return values.get("accuracy", values["type accuracy"])


def class_summary(values: Sequence[Values]) -> dict[str, Any]:
    """Means of what is defined, calibration error and confusion of the scores of `class_score`, as a table's row takes them.

    "sigma error" and "p error" are mean errors of the level of gaussian and bernoulli noise that was recognised.
    """
    groups = {
        "accuracy": [one["accuracy"] for one in values if "accuracy" in one],
        "type accuracy": [one["type accuracy"] for one in values],
        "sigma error": _level_errors(values, "gaussian"),
        "p error": _level_errors(values, "bernoulli"),
    }
    means = {name: float(np.mean(group)) for name, group in groups.items() if group}
    certainty, right = np.array([[one["certainty"], _right(one)] for one in values]).T
    return {
        "means": {**means, "calibration error": calibration_error(certainty, right)},
        "confusion": confusion(values),
    }


def _level_errors(values: Sequence[Values], nature: str) -> list[float]:
    return [one["level error"] for one in values if "level error" in one and _TYPES[int(one["truth"])] == nature]


def calibration_error(certainty: Floats, right: Floats) -> float:
    """How far certainty [N] and the share of right answers (0 or 1) [N] lie apart, mean over equal bins of the certainty.

    >>> round(calibration_error(np.array([0.75, 0.75, 0.75, 0.75]), np.array([1.0, 1.0, 1.0, 0.0])), 6)
    0.0
    >>> round(calibration_error(np.array([0.95, 0.15]), np.array([0.0, 0.0])), 6)
    0.55
    """
    places = np.minimum((certainty * BINS).astype(int), BINS - 1)
    gaps = np.bincount(places, right - certainty)
    return float(np.abs(gaps).sum() / len(certainty))


def confusion(values: Sequence[Values]) -> Confusion:
    """The confusion matrix of the scores of one classifier on one part, classes in the order of `CLASSES`."""
    by_class = "accuracy" in values[0]
    pairs = Counter((int(one["truth"]), int(one["found"])) for one in values)
    truths = sorted({truth for truth, _ in pairs})
    columns = {*range(_USUAL), *(place for pair in pairs for place in pair)}
    names = _NAMES if by_class else _TYPES
    found = list(dict.fromkeys(names[place] for place in sorted(columns)))
    counts = [[0] * len(found) for _ in truths]
    for (truth, place), count in pairs.items():
        counts[truths.index(truth)][found.index(names[place])] += count
    errors = _errors(pairs) if by_class and len(truths) > 1 else {}
    return Confusion([_NAMES[truth] for truth in truths], found, counts, errors)


def _errors(pairs: Mapping[tuple[int, int], int]) -> dict[str, float]:
    wrong = {pair: count for pair, count in pairs.items() if pair[0] != pair[1]}
    totals = dict.fromkeys(PAPER, 0)
    for pair, count in wrong.items():
        totals[_kind(*pair)] += count
    return {kind: total / sum(wrong.values()) for kind, total in totals.items()} if wrong else {}


def _kind(truth: int, found: int) -> str:
    low, clean, level, other = PAPER
    if truth in _LOW and found in {*_LOW, _CLEAN}:
        return low
    if truth == _CLEAN and found in _LOW:
        return clean
    return level if _TYPES[truth] == _TYPES[found] else other


def matrix_cells(matrix: Confusion) -> list[list[str]]:
    """A header of short names, and one list of cells per true class; "·" for none."""
    header = ["", *map(_short, matrix.found)]
    rows = zip(matrix.truths, matrix.counts, strict=True)
    return [header, *([truth, *(str(count) if count else "·" for count in counts)] for truth, counts in rows)]


def _short(name: str) -> str:
    """A name for narrow columns: two letters, and where the range begins.

    >>> _short("gaussian 15-35"), _short("uniform 50"), _short("clean")
    ('ga15', 'un50', 'cl')
    """
    nature, _, span = name.partition(" ")
    return nature[:2] + span.partition("-")[0]


def error_cells(matrices: Mapping[str, Confusion]) -> list[list[str]]:
    """A header, one list of cells for each classifier that has errors to share, and the paper's; nothing where none has any."""
    rows = {name: matrix.errors for name, matrix in matrices.items() if matrix.errors}
    shares = {**rows, "NoiseBreaker, the paper": PAPER} if rows else {}
    lines = [[name, *(f"{share:.0%}" for share in errors.values())] for name, errors in shares.items()]
    return [["shares of errors", *PAPER], *lines] if lines else []
