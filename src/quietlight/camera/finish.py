"""Linear sRGB -> display sRGB: a photographer's finish, the truth that CameraNet's second network learns from.

Deterministic and free of anybody's presets, in the order of HDR+ (Hasinoff et al. 2016, section 6): two synthetic exposures of the
luminance, fused (Mertens, Kautz and Van Reeth 2007, of whose measures only well-exposedness counts); the ratio applied to all
colours; contrast, saturation and sharpness. It brings out noise, so it is made of clean frames. The neutral look of `develop` has
nothing to do with it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.tone import srgb_decode, srgb_encode
from quietlight.frames import Floats

Plane = NDArray[np.float32]
Gain = tuple[float, float]
"""Factors of the dark and of the bright exposure: of a whole frame, and the same for any part of it."""

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_MEANS = (0.42, 0.58)
"""Of the dark and of the bright exposure, as displayed."""
_WHITE = 99.9
"""Percentile of the brightest colour that the dark exposure takes to white: few lamps and reflections may lie above."""
_DIMMEST = 0.8
"""Of a picture without shadows, where the dark exposure takes that percentile: snow is white, though the mean says gray."""
_NEAREST, _FARTHEST = 2.0, 16.0
"""Bright exposure per dark one, at least and at most."""
_LOOKED_AT = 1 << 16
"""Pixels that the gain is found by, about."""
_EXPOSEDNESS = 0.2
_CONTRAST, _CHROMA, _SHARPNESS = 0.06, 1.12, 0.35
_RATIOS = (0.5, 1.5)
"""Below the dark exposure and above the bright one, how far the fused one may lead: farther are only halos."""
_TINY = np.float32(1e-6)


def finish_gain(linear: Floats) -> Gain:
    """The exposures of a whole frame [H, W, 3] of linear sRGB: by means as displayed, and white just reached.

    The bright one is 2 to 16 times the dark one. Where white and mean contradict each other, in pictures without shadows and in
    those without light, the dark one is between 0.8 of what white asks for and that. Whatever factor a frame is multiplied by, its
    gains are divided by, so that its finish stays. A black frame has (1, 1).
    """
    step = max(1, math.isqrt(linear.shape[0] * linear.shape[1] // _LOOKED_AT))
    light = np.maximum(linear[::step, ::step], 0)
    luminance = (light @ _LUMINANCE).astype(np.float64)
    white = float(np.percentile(light.max(axis=2), _WHITE))
    if white <= 0:
        return 1.0, 1.0
    wanted = [_gain_to_mean(luminance * (1 / white), mean) for mean in _MEANS]
    dark = min(max(wanted[0], _DIMMEST), 1.0)
    bright = min(max(wanted[1], _NEAREST * dark), _FARTHEST * dark)
    return dark / white, bright / white


def _gain_to_mean(luminance: Floats, mean: float) -> float:
    """The gain with which the picture has a mean as displayed, within 2^±5; the mean grows with the gain, so it is halved in on."""
    low, high = -5.0, 5.0
    for _ in range(16):
        middle = (low + high) / 2
        shown = float(srgb_encode(np.minimum(luminance * 2**middle, 1)).mean())
        low, high = (middle, high) if shown < mean else (low, middle)
    return float(2**low)


def finish(linear: Floats, gain: Gain | None = None) -> NDArray[np.float32]:
    """Linear sRGB [H, W, 3], black 0, of any exposure -> display sRGB [H, W, 3], float32 in [0, 1].

    Without a `gain` that of the picture is taken; a part of a frame is given that of the whole (`finish_gain`).
    """
    light = np.maximum(linear, 0).astype(np.float32)
    dark, bright = gain or finish_gain(light)
    luminance = light @ _LUMINANCE
    ratio = srgb_decode(_fused(luminance, dark, bright)) / np.maximum(luminance, _TINY)
    light *= np.clip(ratio, _RATIOS[0] * dark, _RATIOS[1] * bright)[..., None]
    display = srgb_encode(_within_gamut(light))
    display -= np.float32(_CONTRAST) * np.sin(np.float32(2 * math.pi) * display)
    return np.clip(_colorful_and_sharp(display), 0, 1)


def _fused(luminance: Plane, dark: float, bright: float) -> Plane:
    """The two exposures as displayed, each pixel from where it is well exposed, [H, W].

    With two pictures, weights that sum to one and a linear pyramid, fusing them is to add to the dark one the weighted pyramid of
    their difference.
    """
    shown = [srgb_encode(np.minimum(luminance * np.float32(g), 1)) for g in (dark, bright)]
    weights = [np.exp(-0.5 * ((x - 0.5) / _EXPOSEDNESS) ** 2) for x in shown]
    share = weights[1] / (weights[0] + weights[1])
    levels = max(0, int(math.log2(min(luminance.shape))) - 3)
    fused: Plane = np.clip(shown[0] + _blended(shown[1] - shown[0], share, levels), 0, 1)
    return fused


def _blended(difference: Plane, share: Plane, levels: int) -> Plane:
    """Each band of `difference` times the blurred `share`, put together again (Burt and Adelson 1983)."""
    if levels == 0:
        return difference * share
    coarse = _reduced(difference)
    band = difference - _expanded(coarse, difference.shape)
    return band * share + _expanded(_blended(coarse, _reduced(share), levels - 1), difference.shape)


def _reduced(plane: Plane) -> Plane:
    """Every second row and column after (1, 4, 6, 4, 1)/16; mirrored at the edges."""
    for _ in (0, 1):
        p = np.pad(plane, ((2, 2), (0, 0)), mode="reflect")
        rows = len(plane)
        a, b, c, d, e = (p[i : i + rows : 2] for i in range(5))
        plane = np.ascontiguousarray(((a + e) + (b + d) * 4 + c * 6).T) / np.float32(16)
    return plane


def _expanded(plane: Plane, shape: tuple[int, ...]) -> Plane:
    """The inverse of taking every second, with the same filter."""
    for size in shape:
        p = np.pad(plane, ((1, 1), (0, 0)), mode="edge")
        rows = np.empty((size, plane.shape[1]), np.float32)
        rows[::2] = (p[:-2] + p[2:] + p[1:-1] * 6) / np.float32(8)
        rows[1::2] = ((p[1:-1] + p[2:]) / np.float32(2))[: size // 2]
        plane = np.ascontiguousarray(rows.T)
    return plane


def _within_gamut(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours above 1 moved towards gray of their luminance until they fit, so that they keep their hue."""
    highest = light.max(axis=2)
    over = highest > 1
    rgb = light[over]
    gray = np.minimum(rgb @ _LUMINANCE, 1)
    share = (1 - gray) / np.maximum(highest[over] - gray, _TINY)
    light[over] = gray[:, None] + (rgb - gray[:, None]) * np.minimum(share, 1)[:, None]
    return light


def _colorful_and_sharp(display: NDArray[np.float32]) -> NDArray[np.float32]:
    """More colour around the luma; of the luma, more of what a Gaussian of sigma 1 takes away."""
    luma = display @ _LUMINANCE
    sharper = luma + np.float32(_SHARPNESS) * (luma - _blurred(luma))
    display -= luma[..., None]
    display *= np.float32(_CHROMA)
    display += sharper[..., None]
    return display


def _blurred(plane: Plane) -> Plane:
    """By a Gaussian of sigma 1, edges mirrored."""
    weights = np.exp(-0.5 * np.arange(-3, 4) ** 2.0)
    weights /= weights.sum()
    for _ in (0, 1):
        rows = len(plane)
        p = np.pad(plane, ((3, 3), (0, 0)), mode="symmetric")
        total: Any = p[3 : 3 + rows] * np.float32(weights[3])
        for i in (0, 1, 2):
            total += (p[i : i + rows] + p[6 - i : 6 - i + rows]) * np.float32(weights[i])
        plane = np.ascontiguousarray(total.T)
    return plane
