"""Lost pixels, found and replaced with the help of an estimate of what they were.

The primary denoiser for bernoulli and salt-and-pepper noise is a network that estimates the clean picture; of what it says,
only the lost pixels are taken, so that everything else stays as it was, with its noise, for the primaries that come after.
`impulses` has the rule that needs no network. Works on numpy arrays and torch tensors [H, W] or [C, H, W], one picture at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

from quietlight.arrays import Pixels, namespace

CONTRAST = 12 / 255
"""Least distance of the estimate from the end of the scale: nearer, a pixel at the end is nothing unusual."""
_FAR = 3.0
"""Standard deviations from the end beyond which noise hardly ever clips."""
_RAREST = 1e-4


@dataclass(frozen=True)
class Rule:
    """Distances of the estimate from black, and from white, beyond which a value at that end is lost and not clipped.

    Args:
        alone: of a value in one plane.
        whole: of pixels that are at the end in all planes, where there are several: the root of the sum of squares over the planes.
    """

    alone: tuple[float, float]
    whole: tuple[float, float]

    @classmethod
    def of(cls, noisy: Pixels, estimate: Pixels) -> Rule:
        """By a picture [H, W] or [C, H, W] in [0, 1], or a part of it: see `lost`."""
        residual = noisy - estimate
        inside = (noisy > 0) & (noisy < 1)
        sigma = float((residual**2 * inside).sum() / max(int(inside.sum()), 1)) ** 0.5
        ends = [_ends(*pair) for pair in ((noisy, estimate), (1 - noisy, 1 - estimate))]
        alone, whole = (
            tuple(_reach(at_end, distance, sigma) for at_end, distance in pairs) for pairs in zip(*ends, strict=True)
        )
        return cls(alone, whole)  # type: ignore[arg-type]

    def lost(self, noisy: Pixels, estimate: Pixels) -> Pixels:
        """Which values of this picture were lost."""
        found = False
        for value, distance, alone, whole in zip(
            (noisy, 1 - noisy), (estimate, 1 - estimate), self.alone, self.whole, strict=True
        ):
            for (at_end, away), reach in zip(_ends(value, distance), (alone, whole), strict=True):
                found = found | (at_end & (away > reach))
        return found


def lost(noisy: Pixels, estimate: Pixels) -> Pixels:
    """Which values of `noisy` (in [0, 1]) are at an end of the scale because they were lost, not because noise was clipped.

    Those at a distance from the estimate at which losing is the likelier reason of the two (Bayes; gaussian noise of the deviation
    that the other pixels have from the estimate). How often pixels are lost is counted where noise hardly reaches the end, or, in a
    picture that stays within its reach, as far from the end as this picture usually gets; less what clipping explains there.
    Of several planes [C, H, W], pixels at the end in all of them are counted apart, and their distance is that of the planes
    together: noise seldom clips all at once, and losing a whole pixel is the rule.
    """
    return Rule.of(noisy, estimate).lost(noisy, estimate)


def _ends(value: Pixels, distance: Pixels) -> tuple[tuple[Pixels, Pixels], tuple[Pixels, Pixels]]:
    """(which are at the end alone, their distances), (which are there in all planes, their distances)."""
    at_end = value <= 0
    if value.ndim < 3 or len(value) == 1:
        return (at_end, distance), (at_end & False, distance)
    whole = at_end.all(0)[None]
    return (at_end & ~whole, distance), (whole, (distance.clip(0) ** 2).sum(0)[None] ** 0.5)


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
