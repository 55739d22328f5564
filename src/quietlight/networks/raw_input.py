"""How a network is told the noise of a raw: by a map of its standard deviation, or by the k-sigma transform.

Planes R, Gr, Gb, B [B, 4, H, W], linear, black 0, white 1, negative values kept; variances `shot` and `read` [B, 4, 1, 1] as in
the DNG NoiseProfile: variance(x) = shot·x + read. Everything here is computed in float32: noise of 0.1% is lost in half precision.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

ANCHOR = 1e-3
"""Shot variance that the k-sigma transform leads every raw to."""
_LEAST = 1e-9  # no raw is without noise, and no division without a divisor
_CELL, _REACH = 4, 16.0


def noise_map(planes: Tensor, shot: Tensor, read: Tensor) -> Tensor:
    """Standard deviation of the noise of every value: sqrt(shot·max(x, 0) + read) (Brooks et al. 2019, section 4)."""
    return torch.sqrt(shot * planes.clip(min=0) + read + _LEAST)


def in_noise(planes: Tensor, deviation: Tensor) -> Tensor:
    """How far every value stands out of its surroundings, in standard deviations of its noise; compressed, to 16 at most.

    So noise looks the same at every level, and what is much stronger than it need not be told apart. The surroundings are means of
    4x4 values of its plane, with bilinear values between. H and W are multiples of 4.
    """
    means = functional.avg_pool2d(planes, _CELL)
    around = functional.interpolate(means, scale_factor=_CELL, mode="bilinear", align_corners=False)
    ratio = (planes - around) / deviation
    return ratio / torch.sqrt(1 + (ratio / _REACH).square())


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


def precisely(layer: nn.Module, x: Tensor) -> Tensor:
    """The layer in float32, whatever the precision of the rest: small noise on large values needs it."""
    if not any(map(torch.is_autocast_enabled, ("cpu", "cuda"))):
        return layer(x)  # type: ignore[no-any-return]
    with torch.autocast(x.device.type, enabled=False):
        y: Tensor = layer(x.float())
        return y
