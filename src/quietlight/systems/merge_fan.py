"""A burst of raws merged without learning, and denoised by FAN: HDR+ averages what fits, FAN removes the noise that is left.

HDR+ itself ends with a spatial filter (Hasinoff et al. 2016, section 5); a learned denoiser does that better. The merge is not
always better than one frame, though: something that moves a little is averaged in part, and so is detail so fine that it aliases,
which differs from frame to frame however well these are aligned. So FAN denoises the reference by itself, too, and where the
reference contradicts the merge, frequency by frequency, that is taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Burst, Image, RawFrame
from quietlight.systems import Result, lapped
from quietlight.systems.bursts import Progress, halves, mixed, raws_of
from quietlight.systems.fan import DEFAULT, fan
from quietlight.systems.merge import hdrplus, variances_of
from quietlight.systems.warp import planes_of, with_planes
from quietlight.zoo import Weights

_MERGING, _DENOISING = 0.6, 0.8
"""Shares of the time that merging takes, and of what is left that both runs of FAN do."""
_DOUBT = 0.1
"""Power, beyond that of the noise and in units of it, at which the reference contradicts a frequency of the merge by half.

Of 0.05, 0.1 and 0.2 the best on the middle of noise and sharpness; more trusts the merge more, which pays in blurred scenes.
"""


def hdrplus_fan(
    burst: Burst | RawFrame | Image, *, weights: Weights | str = DEFAULT, progress: Progress | None = None
) -> Result:
    """Merge a burst of raws onto its reference frame, and denoise it.

    Args:
        burst: as for `hdrplus`.
        weights: as for `fan`.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the denoised frame with its noise profile; and the record of `hdrplus`, with that of `fan` on the merged frame as
        "denoised", and "trusted", the share of the merge that is in the result; the rest is of the reference alone.

    Raises:
        UnusableInput: as `hdrplus` and `fan` do.
    """
    merging, rest = halves(progress, _MERGING)
    denoising, last = halves(rest, _DENOISING)
    merged = hdrplus(burst, progress=merging)
    raws = raws_of(burst, "hdrplus")
    first = replace(raws.frames[0], noise=raws.noise)
    assert isinstance(merged.frame, RawFrame)
    (alone, _), (both, record) = (
        _denoised(frame, weights, part)
        for frame, part in zip((first, merged.frame), halves(denoising, 0.5), strict=True)
    )
    reference, merge, own = map(planes_of, (first, both, alone))
    planes, trusted = reconciled(reference, merge, own, variances_of(raws.noise, first.cfa), last)
    noise = mixed(both.noise, alone.noise, trusted)
    return Result(
        replace(with_planes(first, planes), noise=noise), {**merged.record, "denoised": record, "trusted": trusted}
    )


def _denoised(frame: RawFrame, weights: Weights | str, progress: Progress | None) -> tuple[RawFrame, dict[str, Any]]:
    result = fan(frame, weights=weights, progress=progress)
    assert isinstance(result.frame, RawFrame)
    return result.frame, result.record


def reconciled(
    reference: lapped.Planes,
    merged: lapped.Planes,
    alone: lapped.Planes,
    variances: NDArray[np.float32],
    progress: Progress | None = None,
) -> tuple[lapped.Planes, float]:
    """The merge where it explains the reference up to noise, else what was made of the reference alone.

    If the merge is right, what it leaves of the reference, R, is noise, of power sigma² at every frequency. With S the mean of
    |R|² / sigma² over the planes and neighbouring frequencies, a frequency of the merge counts by d / (max(S - 1, 0) + d).

    Args:
        reference: noisy planes, [C, h, w].
        merged, alone: denoised ones, of the burst and of the reference.
        variances: shot and read of every plane, [C, 2].
        progress: called with the finished share, from 0 to 1.

    Returns:
        planes, and the mean share of the merge in them.
    """
    shot, read = variances.T[..., None, None, None, None]
    shares: list[float] = []

    def choose(frames: lapped.Planes) -> lapped.Planes:
        noisy, both, own = frames
        power = lapped.NOISE * (shot * lapped.levels(own) + read)
        rest = lapped.transformed(noisy - both)
        excess = np.maximum(lapped.smooth((rest.real**2 + rest.imag**2) / power) - 1, 0)
        share = _DOUBT / (excess + _DOUBT)
        shares.append(float(share.mean()))
        chosen: lapped.Planes = own.copy()
        lapped.add(chosen, share * lapped.transformed(both - own))
        return chosen

    planes = lapped.by_pieces(choose, np.stack([reference, merged, alone]), progress)
    return planes, float(np.mean(shares))
