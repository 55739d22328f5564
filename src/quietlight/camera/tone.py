"""Linear light <-> display: gamma, sRGB's curve, and two tone curves, each beside its inverse.

For arrays and tensors of any shape, but for sRGB's inverse and our curve, which take arrays.

`smoothstep` is the curve of Brooks et al. 2019, for making training data; `neutral` is ours, for people.
"""

from __future__ import annotations

import numpy as np

from quietlight.arrays import Pixels, namespace
from quietlight.frames import Floats

MID_GRAY = 0.18
_CONTRAST = 1.35  # Chosen by eye: 1.15 left photographs flat and pale.


def srgb_encode(linear: Pixels) -> Pixels:
    """Linear -> display, sRGB's curve (IEC 61966-2-1); negative values stay on its linear part."""
    library = namespace(linear)
    high = 1.055 * library.clip(linear, 0.0031308, None) ** (1 / 2.4) - 0.055
    return library.where(linear <= 0.0031308, 12.92 * linear, high)


def srgb_decode(display: Floats) -> Floats:
    """Display -> linear, the inverse of `srgb_encode`."""
    high = ((np.maximum(display, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(display <= 0.04045, display / 12.92, high)


def gamma(linear: Pixels) -> Pixels:
    """Linear -> display by 1/2.2, from 1e-8 up (Brooks et al. 2019)."""
    return namespace(linear).clip(linear, 1e-8, None) ** (1 / 2.2)


def undo_gamma(display: Pixels) -> Pixels:
    """Display -> linear by 2.2, the inverse of `gamma`."""
    return namespace(display).clip(display, 1e-8, None) ** 2.2


def smoothstep(display: Pixels) -> Pixels:
    """The global tone curve of Brooks et al. 2019 on gamma-coded values: 3x² - 2x³, clipped to [0, 1]."""
    x = namespace(display).clip(display, 0, 1)
    return 3 * x**2 - 2 * x**3


def undo_smoothstep(display: Pixels) -> Pixels:
    """The inverse of `smoothstep`: 0.5 - sin(asin(1 - 2x) / 3)."""
    library = namespace(display)
    return 0.5 - library.sin(library.arcsin(1 - 2 * library.clip(display, 0, 1)) / 3)


def _rolloff(white: float) -> tuple[float, float]:
    """(top, k) of the curve top·x^c / (x^c + k) that keeps mid-gray and takes `white` to 1."""
    mid, end = MID_GRAY**_CONTRAST, white**_CONTRAST
    k = mid * (1 - MID_GRAY) / (MID_GRAY - mid / end)
    return 1 + k / end, k


def neutral(linear: Floats, white: float = 1.0) -> Floats:
    """Scene-linear -> display sRGB: a Naka-Rushton curve top·x^c / (x^c + k), then sRGB's.

    Keeps mid-gray (0.18), adds a little contrast around it, and rolls off smoothly to display white at `white`, the scene value
    (at least 1) that is the brightest one kept.
    """
    top, k = _rolloff(white)
    power = np.clip(linear, 0, white) ** _CONTRAST
    display: Floats = srgb_encode(top * power / (power + k))
    return display


def undo_neutral(display: Floats, white: float = 1.0) -> Floats:
    """Display sRGB in [0, 1] -> scene-linear in [0, white], the inverse of `neutral`."""
    top, k = _rolloff(white)
    level = srgb_decode(np.clip(display, 0, 1))
    return np.asarray((k * level / (top - level)) ** (1 / _CONTRAST))
