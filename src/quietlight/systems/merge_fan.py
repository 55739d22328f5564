"""A burst of raws merged without learning, then denoised as one raw: HDR+ averages what fits, FAN removes the noise that is left.

HDR+ itself ends with a spatial filter (Hasinoff et al. 2016, section 5); a learned denoiser does that better. It is told one noise
for the merged frame as a whole. Where frames do not fit, more is left, and stays in part.
"""

from __future__ import annotations

from quietlight.frames import Burst, Image, RawFrame
from quietlight.systems import Result
from quietlight.systems.bursts import Progress, halves
from quietlight.systems.fan import DEFAULT, fan
from quietlight.systems.merge import hdrplus
from quietlight.zoo import Weights

_MERGING = 0.75
"""Share of the time that merging takes."""


def hdrplus_fan(
    burst: Burst | RawFrame | Image, *, weights: Weights | str = DEFAULT, progress: Progress | None = None
) -> Result:
    """Merge a burst of raws onto its reference frame, and denoise the merged one.

    Args:
        burst: as for `hdrplus`.
        weights: as for `fan`.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the denoised frame with its noise profile; and the record of `hdrplus`, with that of `fan` as "denoised".

    Raises:
        UnusableInput: as `hdrplus` and `fan` do.
    """
    merging, denoising = halves(progress, _MERGING)
    merged = hdrplus(burst, progress=merging)
    assert isinstance(merged.frame, RawFrame)
    clean = fan(merged.frame, weights=weights, progress=denoising)
    return Result(clean.frame, {**merged.record, "denoised": clean.record})
