"""How noisy a photo is: one Gaussian sigma that holds at any texture and clipping, and the share of lost pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from quietlight.analysis.quiet import FEWEST, LIMIT, Patches, cut, equal_groups, finest, grid_step, measure
from quietlight.frames import Array, Floats, Image

SIDE = 8
SIDES_AMONG_LOST = (4, 3)
"""Where pixels are lost, few larger patches are without: tried in turn."""
LEVELS = 8
LEAST_LEFT = 0.7
"""Patches are used where clipping leaves this share of the variance, compared with the least clipped ones."""
REACH = 6
"""Pixels around a patch's own that its signal is taken from."""
ROUNDS = 4
SAMPLES = 20_000
"""Pixels whose neighbourhood is looked at for impulses."""
FEWEST_IMPULSES = 0.005
"""A smaller share is not reported: specular points and thin dark lines look the same."""
PEPPER = 0.25
"""Least share of black impulses, for one white one: white ones alone are stars, sparks and reflections."""
CONSTANT = 0.5
"""Share of exactly constant surroundings from which a picture is drawn."""
STEPS = 0.2
"""The same, and share of steps of nearly the full scale within three pixels, where both are met: noise would break the areas."""
FEWEST_SQUARES = 144
"""Surroundings that it takes to tell a drawing."""
TONES, FEWEST_TONES = 0.3, 10
"""Least share of pixels with a tone between the ends and next to other ones, and least number of such tones, in a photo."""


def gaussian_sigma(planes: Floats, impulses: float = 0.0) -> float:
    """Standard deviation of the noise of [C, H, W] in [0, 1], clipped or not: root mean square over the planes.

    Where `impulses` (their share of the pixels) is above 0, patches that hold a 0 or a 1 are left aside. NaN where the picture is
    too small, drawn, or nothing of it is usable.
    """
    if is_drawn(planes):
        return math.nan
    variances = [_plane_variance(plane, LIMIT // len(planes), impulses > 0) for plane in planes]
    return math.sqrt(sum(variances) / len(variances))


def _plane_variance(plane: Floats, limit: int, skip_extremes: bool) -> float:
    for side in SIDES_AMONG_LOST if skip_extremes else (SIDE,):
        patches, signal = cut(plane[None], side, limit), _surroundings(plane, side, limit)
        if skip_extremes:
            extremes = ((plane <= 0) | (plane >= 1)).astype(np.float32)
            keep = cut(extremes[None], side, limit).means[:, 0] == 0
            patches, signal = patches.where(keep), signal[keep]
        if len(signal) >= FEWEST:
            return _converged(patches, signal)
    return math.nan


def _converged(patches: Patches, signal: NDArray[np.float64]) -> float:
    """The variance of the noise of patches whose clean values are about `signal` [N, 1]."""
    variance = max(float(np.median(finest(patches))), 1e-10)
    for _ in range(ROUNDS):
        assumed = np.maximum(clipped_variance(signal, math.sqrt(variance)), 1e-3 * variance)
        # Where much is clipped, little is left to measure: the least clipped parts decide.
        keep = assumed[:, 0] >= LEAST_LEFT * np.quantile(assumed, 0.9)
        if keep.sum() < FEWEST // 4:
            return math.nan
        levels = measure(patches.where(keep), assumed[keep], equal_groups(signal[keep, 0], LEVELS))
        weights = 1 / levels.error**2
        variance = max(variance * float(np.sum(weights * levels.ratio) / np.sum(weights)), 1e-10)
    return variance


def _surroundings(plane: Floats, side: int, limit: int) -> NDArray[np.float64]:
    """The signal [N, 1] of each patch: a patch's own mean goes with its noise, and would hide what was clipped."""
    if min(plane.shape) < side:
        return np.zeros((0, 1))
    wide = side + 2 * REACH
    stride = grid_step(plane.shape[0], plane.shape[1], limit)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(plane, REACH, mode="edge"), (wide, wide))
    means: NDArray[np.float32] = windows[::stride, ::stride].mean((2, 3), dtype=np.float32)
    return means.reshape(-1, 1).astype(np.float64)


def clipped_variance(mean: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Variance of N(m, sigma²) clipped to [0, 1], for m in [0, 1], where its mean after clipping is `mean`.

    Source: the moments of a censored normal variable (Foi 2009, section 2).
    """
    m = np.linspace(0, 1, 129)
    low, high = -m / sigma, (1 - m) / sigma
    cdf_low, cdf_high = (np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in zs]) for zs in (low, high))
    pdf_low, pdf_high = (np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) for z in (low, high))
    inside = cdf_high - cdf_low
    first = m * inside + sigma * (pdf_low - pdf_high) + (1 - cdf_high)
    second = (m**2 + sigma**2) * inside + 2 * m * sigma * (pdf_low - pdf_high) + (1 - cdf_high)
    second += sigma**2 * (low * pdf_low - high * pdf_high)
    variance: NDArray[np.float64] = np.interp(mean, first, second - first**2)
    return variance


def impulse_shares(planes: Floats) -> tuple[float, float]:
    """Shares of pixels that are (0, 1) in all channels although their neighbours are neither: bernoulli and salt-and-pepper.

    Clipped Gaussian noise makes such pixels too; what it would make is subtracted. Drawn pictures have none, and white ones count
    only beside black ones.
    """
    if is_drawn(planes):
        return 0.0, 0.0
    windows = _samples(planes)
    center, median = windows[:, :, 12], np.median(windows, axis=2)
    middle = np.all((median > 0.15) & (median < 0.85), axis=0)
    if middle.sum() < 200:
        return 0.0, 0.0
    beside = windows[:, middle][:, :, [7, 11, 13, 17]]
    center, median = center[:, middle], median[:, middle]
    sigma = max(1.4826 * float(np.median(np.abs(center - median))), 1e-6)
    shares = []
    for value, distance in ((0.0, median), (1.0, 1 - median)):
        hit = np.all(center == value, axis=0)
        lost = float(np.mean(hit))
        tail = np.array([0.5 * math.erfc(d / (sigma * math.sqrt(2))) for d in np.linspace(0.15, 0.85, 64)])
        clipped = np.prod(np.interp(distance, np.linspace(0.15, 0.85, 64), tail), axis=0)
        share = lost - 1.5 * float(np.mean(clipped))
        # Lines and letters have their like beside them.
        if lost and float(np.mean(np.all(beside == value, axis=0)[hit])) > 2 * lost + 0.03:
            share = 0.0
        shares.append(share if share >= FEWEST_IMPULSES else 0.0)
    black, white = shares
    return black, white if black >= PEPPER * white else 0.0


def is_drawn(planes: Floats) -> bool:
    """Whether [C, H, W] looks like a text, a diagram or a dither instead of a photo: its structure would pass for noise.

    A photo has many tones between black and white, side by side, and the least noise leaves no surroundings exactly constant but
    those that are clipped.
    """
    square = _samples(planes).reshape(len(planes), -1, 5, 5)[:, :, 1:4, 1:4].reshape(len(planes), -1, 9)
    if square.shape[1] < FEWEST_SQUARES:
        return False
    constant = np.all(square == square[..., 4:5], axis=(0, 2))
    between = np.any((square[..., 4] > 0) & (square[..., 4] < 1), axis=0) & ~constant
    steps = float(np.mean(np.any(np.ptp(square, axis=2) > 0.9, axis=0)))
    if constant.mean() > CONSTANT or between.mean() < TONES or (min(constant.mean(), steps) > STEPS):
        return True
    counts = np.unique(square[:, between, 4], return_counts=True)[1]
    return bool(np.sum(counts > 0.001 * counts.sum()) < FEWEST_TONES and len(counts) < 10 * FEWEST_TONES)


def _samples(planes: Floats) -> Floats:
    """5x5 surroundings [C, N, 25] of about `SAMPLES` pixels on a grid; none where the picture is smaller."""
    count, height, width = planes.shape
    if min(height, width) < 5:
        return np.zeros((count, 0, 25), np.float32)
    rows = np.linspace(2, height - 3, min(height - 4, math.ceil(math.sqrt(SAMPLES * height / width)))).astype(int)
    columns = np.linspace(2, width - 3, min(width - 4, math.ceil(math.sqrt(SAMPLES * width / height)))).astype(int)
    windows = np.lib.stride_tricks.sliding_window_view(planes, (5, 5), axis=(1, 2))[:, rows - 2][:, :, columns - 2]
    return windows.reshape(count, -1, 25)


def to_planes(pixels: Array) -> NDArray[np.float32]:
    """[H, W, C] of any stored type -> float32 [C, H, W] in [0, 1]."""
    white = np.iinfo(pixels.dtype).max if np.issubdtype(pixels.dtype, np.integer) else 1
    return (np.moveaxis(pixels, 2, 0) / np.float32(white)).astype(np.float32)


def squares(photo: Image, side: int, across: int) -> list[Image]:
    """Up to `across` by `across` squares of a photo, evenly spread; all of a photo that is smaller."""
    height, width = photo.pixels.shape[:2]

    def starts(size: int) -> NDArray[np.int_]:
        count = min(across, max(size // side, 1))
        return np.linspace(0, max(size - side, 0), count + 2)[1:-1].astype(int) if size > side else np.zeros(1, int)

    return [
        Image(photo.pixels[top : top + side, left : left + side]) for top in starts(height) for left in starts(width)
    ]
