"""Image, image -> a number: PSNR, SSIM, CameraNet's colour error. Arrays are [H, W] or [H, W, C], values in [0, data_range]."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Floats


def psnr(image: Floats, truth: Floats, data_range: float = 1.0) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; infinite for equal arrays.

    >>> round(psnr(np.zeros((4, 4)), np.full((4, 4), 0.1)), 2)
    20.0
    """
    error = float(np.mean(np.square(np.subtract(image, truth, dtype=np.float64))))
    return math.inf if error == 0 else 10 * math.log10(data_range**2 / error)


def _blur(plane: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Separable filter of symmetric weights, an odd number of them, valid area only."""
    half = len(weights) // 2
    for _ in (0, 1):
        rows = len(plane) - 2 * half
        total = plane[half : half + rows] * weights[half]
        for i, weight in enumerate(weights[:half]):
            total += (plane[i : i + rows] + plane[2 * half - i : 2 * half - i + rows]) * weight
        plane = np.ascontiguousarray(total.T)
    return plane


def ssim(image: Floats, truth: Floats, data_range: float = 1.0) -> float:
    """Structural similarity, Wang et al. 2004: Gaussian window of sigma 1.5 (11x11), K1 0.01, K2 0.03, mean over channels.

    Statistics are taken where the window lies inside the picture, as the authors do. Raises ValueError below 11x11.
    """
    if image.shape != truth.shape or min(image.shape[:2]) < 11:
        raise ValueError(f"ssim needs two arrays of one shape, at least 11x11, not {image.shape} and {truth.shape}")
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    channels = []
    for x, y in zip(np.atleast_3d(image).T, np.atleast_3d(truth).T, strict=True):
        x, y = x.astype(np.float64), y.astype(np.float64)
        mx, my = _blur(x, weights), _blur(y, weights)
        vx, vy = _blur(x * x, weights) - mx * mx, _blur(y * y, weights) - my * my
        cxy = _blur(x * y, weights) - mx * my
        score = (2 * mx * my + c1) * (2 * cxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
        channels.append(float(score.mean()))
    return float(np.mean(channels))


def color_error(image: Floats, truth: Floats) -> float:
    """CameraNet's colour error: mean angle in degrees between RGB vectors where the true luminance is in (0.05, 0.95).

    Arrays [H, W, 3] in [0, 1]. NaN where no pixel qualifies. Source: Liang et al. 2019, section IV-B; the released code's mask.
    """
    a, b = image.reshape(-1, 3).astype(np.float64), truth.reshape(-1, 3).astype(np.float64)
    luminance = b @ np.array([0.299, 0.587, 0.114])
    keep = (luminance > 0.05) & (luminance < 0.95)
    a, b = a[keep], b[keep]
    norms = np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-12)
    cosine = np.clip(np.sum(a * b, axis=1) / norms, -1, 1)
    return float(np.degrees(np.arccos(cosine)).mean()) if len(a) else math.nan
