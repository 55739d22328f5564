"""A burst of raws merged by KPN and by HDR+, and what the kernels smoothed away taken from HDR+, frequency by frequency.

Both err in ways of their own: HDR+ leaves noise, of which it is known how much; kernels leave little, and blur. What the two differ
by is detail, then, as far as it is stronger than that noise: Wiener's filter of the difference.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Burst, Image, RawFrame
from quietlight.systems import Result, lapped
from quietlight.systems.bursts import Progress, halves, mixed
from quietlight.systems.kpn import kpn
from quietlight.systems.merge import hdrplus, variances_of
from quietlight.systems.warp import planes_of, with_planes
from quietlight.zoo import Weights

_KERNELS = 0.55
"""Share of the time that KPN takes."""
_UNSHARED = 0.75
"""Share of the noise of HDR+'s merge that counts against it: some of it is in KPN's as well, and no part of the difference."""


def hdrplus_kpn(
    burst: Burst | RawFrame | Image, *, weights: Weights | str | None = None, progress: Progress | None = None
) -> Result:
    """Merge a burst of raws onto its reference frame.

    Args:
        burst, weights: as for `kpn`.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the merged frame with its noise profile; and the record of `kpn`, with "given_back", the share of HDR+'s merge in it.

    Raises:
        UnusableInput: as `kpn` does.
    """
    by_kernels, by_tiles = halves(progress, _KERNELS)
    result = kpn(burst, weights=weights, progress=by_kernels)
    if "merged_by" in result.record:  # by HDR+ already
        return result
    merged = hdrplus(burst, progress=by_tiles)
    assert isinstance(result.frame, RawFrame)
    assert isinstance(merged.frame, RawFrame)
    assert merged.frame.noise is not None
    variances = variances_of(merged.frame.noise, merged.frame.cfa)
    planes, share = given_back(planes_of(result.frame), planes_of(merged.frame), variances)
    noise = mixed(merged.frame.noise, result.frame.noise, share)
    return Result(replace(with_planes(result.frame, planes), noise=noise), {**result.record, "given_back": share})


def given_back(
    smooth: lapped.Planes, noisy: lapped.Planes, variances: NDArray[np.float32]
) -> tuple[lapped.Planes, float]:
    """What kernels made, and of what another merge differs from it that which is stronger than its noise.

    With P the mean of the power of their difference over planes, neighbouring frequencies and tiles, and sigma² that of the noise,
    a frequency of the difference counts by max(1 - sigma² / P, 0).

    Args:
        smooth, noisy: planes of two results of one burst, [C, h, w].
        variances: shot and read of every plane of the noisy one, [C, 2].

    Returns:
        planes, and the mean share of the noisy one in them.
    """
    shot, read = _UNSHARED * variances.T[..., None, None, None, None]
    shares: list[float] = []

    def give(frames: lapped.Planes) -> lapped.Planes:
        by_kernels: lapped.Planes = frames[0]
        power = lapped.NOISE * (shot * lapped.levels(by_kernels) + read)
        difference = lapped.transformed(frames[1] - by_kernels)
        ratio = lapped.smooth((difference.real**2 + difference.imag**2) / power, times=2, wide=True)
        share = 1 - 1 / np.maximum(ratio, 1)
        shares.append(float(share.mean()))
        lapped.add(by_kernels, share * difference)
        return by_kernels

    return lapped.by_pieces(give, np.stack([smooth, noisy])), float(np.mean(shares))
