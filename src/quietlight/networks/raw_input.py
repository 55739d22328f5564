"""How a network is told the noise of a raw: by a map of its standard deviation, or by the k-sigma transform.

Planes R, Gr, Gb, B [B, 4, H, W], linear, black 0, white 1, negative values kept; variances `shot` and `read` [B, 4, 1, 1] as in
the DNG NoiseProfile: variance(x) = shot·x + read.
"""

from __future__ import annotations

import torch
from torch import Tensor

ANCHOR = 1e-3
"""Shot variance that the k-sigma transform leads every raw to."""
_LEAST = 1e-9  # no raw is without noise, and no division without a divisor


def noise_map(planes: Tensor, shot: Tensor, read: Tensor) -> Tensor:
    """Standard deviation of the noise of every value: sqrt(shot·max(x, 0) + read) (Brooks et al. 2019, section 4)."""
    return torch.sqrt(shot * planes.clip(min=0) + read + _LEAST)


def k_sigma(planes: Tensor, shot: Tensor, read: Tensor) -> Tensor:
    """Values whose variance is ANCHOR times their mean, however strong the noise was (Wang et al. 2020, PMRID, section 3.2).

    x/shot + read/shot² has its mean for its variance; the anchor brings it back to a picture's range.
    """
    shot = shot + _LEAST
    return ANCHOR * (planes / shot + read / shot**2)


def undo_k_sigma(values: Tensor, shot: Tensor, read: Tensor) -> Tensor:
    """The inverse of `k_sigma`."""
    shot = shot + _LEAST
    return (values / ANCHOR - read / shot**2) * shot
