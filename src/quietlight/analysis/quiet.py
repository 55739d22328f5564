"""Noise in textured pictures: the variance of the picture's quietest components, extrapolated to no structure at all.

After Pyatykh, Hesser and Zheng 2013 (the smallest eigenvalues of the patch covariance are the noise's) and Chen, Zhu and Heng
2015, with three changes against the picture's structure. The components are learned on one half of the patches and measured on
the other, so that they are unbiased however few there are. Patches are chosen by the energy in the *other* components, which is
independent of the noise in the measured ones. And since what structure is left shows in those others too, the measurement is
extrapolated, along the line from quieter to busier patches, to the point where all components are equally strong: white noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Floats

LIMIT = 100_000
"""Patches looked at; large pictures are sampled on a grid."""
FEWEST = 400
"""Patches below which nothing is said."""
MEASURED = 3
"""Components that are measured: the quietest ones."""
TRAINING = 0.15
"""Share of the patches, the quietest, that the components are learned from."""
QUIETEST, NEXT = 0.1, 0.3
"""Shares of each signal level's patches that make the quieter group (the measurement) and, up to the second, the busier one."""


LEAST_ERROR = 1e-6
"""Error of a level without any noise, such as an exactly constant one: it is to be weighted, too."""


@dataclass(frozen=True)
class Patches:
    """Patches of a picture: `means` [N, P] of each plane, `details` [N, P * D], all their DCT coefficients but the mean."""

    means: NDArray[np.float64]
    details: NDArray[np.float32]

    def where(self, keep: NDArray[np.bool_]) -> Patches:
        """Some of the patches."""
        return Patches(self.means[keep], self.details[keep])


@dataclass(frozen=True)
class Levels:
    """Measured noise of groups of patches of similar signal, as multiples of the variance that was assumed: each [L].

    Args:
        ratio: noise variance over the assumed one.
        error: standard error of `ratio`, the doubt about structure included.
        signal, inverse: what the ratio means for a variance linear in the signal: ratio = shot * signal + read * inverse.
        count: patches.
    """

    ratio: NDArray[np.float64]
    error: NDArray[np.float64]
    signal: NDArray[np.float64]
    inverse: NDArray[np.float64]
    count: NDArray[np.int64]


def cut(planes: Floats | Sequence[Floats], side: int, limit: int = LIMIT) -> Patches:
    """At most about `limit` patches of `side` x `side` pixels of P planes [H, W]; none where the picture is smaller."""
    count, (height, width) = len(planes), planes[0].shape
    if min(height, width) < side:
        return Patches(np.zeros((0, count)), np.zeros((0, count * (side**2 - 1)), np.float32))
    stride = grid_step(height, width, limit)
    windows = [np.lib.stride_tricks.sliding_window_view(p, (side, side))[::stride, ::stride] for p in planes]
    pixels = np.stack([window.reshape(-1, side**2) for window in windows]).astype(np.float32)
    details = (pixels @ _cosines(side)[1:].T).transpose(1, 0, 2).reshape(-1, count * (side**2 - 1))
    return Patches(pixels.mean(2, dtype=np.float64).T, details)


def grid_step(height: int, width: int, limit: int) -> int:
    """Pixels between patches, so that there are at most about `limit`."""
    return max(1, math.ceil(math.sqrt(height * width / limit)))


def _cosines(side: int) -> NDArray[np.float32]:
    """The two-dimensional DCT [side², side²], its first row the mean."""
    k, x = np.arange(side)[:, None], np.arange(side)[None]
    one = np.cos(np.pi * (2 * x + 1) * k / (2 * side)) * np.sqrt(np.where(k == 0, 1, 2) / side)
    return np.kron(one, one).astype(np.float32)


def finest(patches: Patches) -> NDArray[np.float64]:
    """Energy [N] of each patch's finest diagonal detail: a first guess of the noise variance, too large on texture."""
    finest_of_planes = patches.details.reshape(*patches.means.shape, -1)[..., -1]
    energy: NDArray[np.float64] = np.mean(np.square(finest_of_planes, dtype=np.float64), axis=1)
    return energy


def equal_groups(signal: Floats, count: int) -> list[NDArray[np.intp]]:
    """Indices of `signal` in `count` groups of rising signal and equal size."""
    return [group for group in np.array_split(np.argsort(signal, kind="stable"), count) if len(group)]


def measure(patches: Patches, variance: NDArray[np.float64], groups: Sequence[NDArray[np.intp]]) -> Levels:
    """Measure the noise of groups of patches against an assumed `variance` [N, P] of every patch and plane.

    Call it again with a better assumption: quietness is judged relative to it.
    """
    planes = patches.means.shape[1]
    inverse_deviation: NDArray[np.float32] = np.reciprocal(np.sqrt(variance)).astype(np.float32)
    scaled = patches.details * np.repeat(inverse_deviation, patches.details.shape[1] // planes, axis=1)
    quietness: NDArray[np.float32] = np.mean(np.square(scaled), axis=1, dtype=np.float32)
    for _ in range(2):  # Components of the quiet patches, then of those that are quiet in their view.
        measured, quietness, shares = _energies(scaled, quietness <= _lowest(quietness, TRAINING), planes)
    terms = np.stack([shares * np.maximum(patches.means, 0) / variance, shares / variance]).sum(2)
    rows = []
    for group in groups:
        order = group[np.argsort(quietness[group])]
        first, second = int(np.ceil(QUIETEST * len(group))), int(np.ceil(NEXT * len(group)))
        quiet, busy = order[:first], order[first : max(second, first + 1)] if len(order) > first else order
        energies = [values[part].mean() for part in (quiet, busy) for values in (quietness, measured)]
        rows.append([*energies, terms[0, quiet].mean(), terms[1, quiet].mean(), len(quiet)])
    q, e, q_busy, e_busy, signal, inverse, count = np.array(rows).T
    # Overlapping patches tell less than their number: a sixth, measured on flat pictures.
    chance = 2 / (count * MEASURED / 6)
    ratio, leftover = _without_structure(q, e, q_busy - q, e_busy - e, e**2 * chance)
    # 2% for what no model gets right.
    error = np.maximum(np.sqrt(ratio**2 * (chance + 0.02**2) + leftover**2), LEAST_ERROR)
    return Levels(ratio, error, signal, inverse, count.astype(np.int64))


def _lowest(values: NDArray[np.float32], share: float) -> float:
    return float(np.quantile(values, share))


def _energies(
    scaled: NDArray[np.float32], chosen: NDArray[np.bool_], planes: int
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64]]:
    """Energy [N] in the quietest components, energy [N] in all others, and the planes' shares [N, P] in the former.

    Each half of the patches (in stretches, so that the halves hardly overlap) is seen in the components of the other half.
    """
    count = len(scaled)
    half = np.arange(count) * 64 // count % 2 == 1
    measured, others, shares = np.empty(count), np.empty(count, np.float32), np.empty((count, planes))
    for here, there in ((half, ~half), (~half, half)):
        examples = scaled[there & chosen]
        _, vectors = np.linalg.eigh(examples.T @ examples)
        energy = np.square(scaled[here] @ vectors)
        measured[here] = energy[:, :MEASURED].mean(1)
        others[here] = energy[:, MEASURED:].mean(1)
        shares[here] = np.square(vectors[:, :MEASURED]).reshape(planes, -1, MEASURED).sum(1).mean(1)
    return measured, others, shares


def _without_structure(
    q: NDArray[np.float64],
    e: NDArray[np.float64],
    rise: NDArray[np.float64],
    response: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(noise, doubt) of levels: where the line from the quieter to the busier patches, equally steep in all, meets e = q.

    Args:
        q: energy in the other components.
        e: energy in the measured ones.
        rise: of `q` from the quieter to the busier patches.
        response: of `e`.
        spread: variance of `e` by chance.
    """
    weight = np.divide(rise, q**2, out=np.zeros_like(q), where=q > 0)
    scale = max(float(np.sum(weight * rise)), 1e-12)
    chance = float(np.sqrt(np.sum(weight**2 * 1.5 * spread))) / scale
    # A slope within chance is none: on an even ramp it would take away noise for a structure that never reached it.
    slope = float(np.clip(np.sum(weight * response) / scale - chance, 0, 0.5))
    noise = np.maximum(np.where(q > e, (e - slope * q) / (1 - slope), e), 0.1 * e)
    return noise, slope * np.maximum(q - noise, 0)
