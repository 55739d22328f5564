"""Kernels and their masses as pictures: white is nothing, blue adds, and orange takes away."""

from __future__ import annotations

import numpy as np

from quietlight.frames import Floats
from quietlight.report.pictures import Picture

_ADDS, _TAKES = (18, 58, 99), (194, 65, 12)


def kernel_picture(kernel: Floats, strongest: float) -> Picture:
    """A kernel [K, K] as [K, K, 3]; weights of `strongest` are the fullest colour. Roots, so that small weights are seen."""
    share = kernel / max(strongest, 1e-12)
    return _coloured(np.sign(share) * np.sqrt(np.abs(share)))


def share_picture(shares: Floats) -> Picture:
    """Shares [H, W] as [H, W, 3]; 1 is the fullest colour."""
    return _coloured(shares)


def _coloured(values: Floats) -> Picture:
    strength = np.clip(np.abs(values), 0, 1)[..., None]
    full = np.where(values[..., None] < 0, np.array(_TAKES), np.array(_ADDS))
    return np.asarray(np.rint(255 + strength * (full - 255)), np.uint8)
