"""Lost pixels, found and replaced with the help of an estimate of what they were.

The primary denoiser for bernoulli and salt-and-pepper noise is a network that estimates the clean picture; of what it says,
only the lost pixels are taken, so that everything else stays as it was, with its noise, for the primaries that come after.
`impulses` has the rule that needs no network. Works on numpy arrays and torch tensors of any shape, one picture at a time.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

from quietlight.noise.nature import namespace

Pixels = Any
"""A floating numpy array or torch tensor."""

CONTRAST = 12 / 255
"""Least distance of the estimate from the end of the scale: nearer, a pixel at the end is nothing unusual."""
_FAR = 3.0
"""Standard deviations from the end beyond which noise hardly ever clips."""
_RAREST = 1e-4


def lost(noisy: Pixels, estimate: Pixels) -> Pixels:
    """Which values of `noisy` (in [0, 1]) are at an end of the scale because they were lost, not because noise was clipped.

    Those at a distance from the estimate at which losing is the likelier reason of the two (Bayes; gaussian noise of the deviation
    that the other pixels have from the estimate). How often pixels are lost is counted where noise hardly reaches the end, or, in a
    picture that stays within its reach, as far from the end as this picture usually gets; less what clipping explains there.
    """
    residual = noisy - estimate
    inside = (noisy > 0) & (noisy < 1)
    sigma = float((residual**2 * inside).sum() / max(int(inside.sum()), 1)) ** 0.5
    black = (noisy <= 0) & (estimate > _reach(noisy <= 0, estimate, sigma))
    white = (noisy >= 1) & (estimate < 1 - _reach(noisy >= 1, 1 - estimate, sigma))
    return black | white


def _reach(at_end: Pixels, distance: Pixels, sigma: float) -> float:
    """Distance from the end beyond which a pixel there is more probably lost than clipped."""
    mean, square = float(distance.mean()), float((distance**2).mean())
    usual = 0.99 * (mean + max(square - mean**2, 0.0) ** 0.5)  # a little less, so that a flat picture gets there
    begin = max(min(_FAR * sigma, usual), CONTRAST)
    far = distance > begin
    clipped = NormalDist().cdf(-begin / sigma) if sigma else 0.0
    rate = int((at_end & far).sum()) / max(int(far.sum()), 1) - clipped
    rate = min(max(rate, _RAREST), 0.5)
    return max(-NormalDist().inv_cdf(rate / (1 - rate) if rate < 0.5 else 0.5) * sigma, CONTRAST)


def repaired(noisy: Pixels, estimate: Pixels) -> Pixels:
    """`noisy` with its lost values replaced by the estimate's."""
    return namespace(noisy).where(lost(noisy, estimate), estimate, noisy)
