"""Shot and read noise of one raw picture from itself: variance(x) = shot * x + read, fitted over signal levels.

The model is Foi et al. 2008's. Where they correct clipped levels, we leave them out: a level within three standard deviations
of the darkest or brightest value, or near white, is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quietlight.analysis.quiet import FEWEST, Patches, cut, equal_groups, finest, measure
from quietlight.frames import Floats

SIDE = 4
"""Of the patches, in pixels of one colour: small enough to find flat ones, large enough to tell structure from noise."""
LEVELS = 12
ROUNDS = 6
NEAR_WHITE = 0.95
"""Sensors bend before they saturate."""
MIDDLE = 0.18
"""Mid-gray, where the error is given."""


@dataclass(frozen=True)
class Fit:
    """The line, its relative error at mid-gray (of the standard deviation), and the points (signal, variance, patches)."""

    shot: float
    read: float
    error: float
    points: tuple[tuple[float, float, int], ...]


def fit(planes: Sequence[Floats]) -> Fit | None:
    """The noise of the planes [H, W] of a raw, or None where too few patches are neither clipped nor missing."""
    patches = cut(planes, SIDE)
    if len(patches.means) < FEWEST:
        return None
    darkest = min(float(plane.min()) for plane in planes)
    brightest = min(max(float(plane.max()) for plane in planes), NEAR_WHITE)
    guess = finest(patches)
    signal = np.maximum(patches.means.mean(1), 0)
    shot, read, _ = _line(
        np.stack([signal, np.ones_like(signal)], 1), np.minimum(guess, np.median(guess)), np.ones_like(guess)
    )
    for _ in range(ROUNDS):
        variance = np.maximum(shot * np.maximum(patches.means, 0) + read, 1e-12)
        reach = 3 * np.sqrt(variance)
        usable = np.all((patches.means - reach > darkest) & (patches.means + reach < brightest), axis=1)
        if usable.sum() < FEWEST:
            return None
        seen = patches.where(usable)
        levels = measure(seen, variance[usable], _groups(seen))
        shot, read, error = _line(np.stack([levels.signal, levels.inverse], 1), levels.ratio, 1 / levels.error**2)
    points = zip(levels.signal / levels.inverse, levels.ratio / levels.inverse, levels.count, strict=True)
    return Fit(shot, read, error, tuple((float(x), float(v), int(n)) for x, v, n in points))


def _groups(patches: Patches) -> list[NDArray[np.intp]]:
    return equal_groups(patches.means.mean(1), LEVELS)


def _line(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Weighted least squares of values = shot * terms[:, 0] + read * terms[:, 1], neither negative.

    Returns (shot, read, relative error of the standard deviation at mid-gray).
    """
    middle = np.array([MIDDLE, 1.0])
    normal = (terms * weights[:, None]).T @ terms
    target = (terms * weights[:, None]).T @ values
    # Terms of a picture of one signal are proportional: the ridge keeps the division possible, the split is then arbitrary.
    normal += 1e-9 * np.diag(np.diag(normal)) + 1e-300 * np.eye(2)
    solution = np.linalg.solve(normal, target)
    if solution.min() < 0:
        kept = 1 if solution[0] < 0 else 0
        solution = np.zeros(2)
        solution[kept] = max(target[kept] / normal[kept, kept], 0)
        spread = middle[kept] ** 2 / normal[kept, kept]
    else:
        spread = float(middle @ np.linalg.solve(normal, middle))
    level = float(middle @ solution)
    return float(solution[0]), float(solution[1]), 0.5 * float(np.sqrt(spread)) / level if level > 0 else np.inf
