"""KPN as a system: a burst of raws merged into one by kernels that a network predicts for every pixel of every frame.

Mildenhall et al., "Burst Denoising with Kernel Prediction Networks", CVPR 2018. Before the network the frames are brought onto the
reference by whole steps of a plane, which leaves every value as the sensor gave it; its kernels undo the rest, and turn away from
what does not fit. Around it stand the guards of the denoiser of single raws: noise outside of what was learnt from is faded out or
brought into the range, clipped highlights stay, and so does mean brightness.
"""

from __future__ import annotations

from dataclasses import replace

from quietlight.frames import Burst, Image, RawFrame
from quietlight.systems import Result
from quietlight.systems.bursts import Progress, halves, raws_of, record_of
from quietlight.systems.kpn_seen import DEFAULTS, see
from quietlight.systems.merge import hdrplus
from quietlight.systems.raw_guards import keep_means
from quietlight.zoo import Weights

_ALIGNING = 0.4
"""Share of the time that aligning and moving takes."""


def kpn(
    burst: Burst | RawFrame | Image,
    *,
    weights: Weights | str | None = None,
    aligned: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Merge a burst of raws onto its reference frame.

    Args:
        burst: of raws of one size, pattern and exposure; its reference has a noise profile, which holds for all. Where it names
            no reference, the sharpest frame is. Raws of three planes go through `hdrplus`: no network was trained for them.
        weights: of a KPN, or their name in the zoo, or a .safetensors file; `DEFAULTS` where None.
        aligned: align the frames first; else they are taken to lie on each other up to motion that kernels undo.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the reference with merged mosaic and with the noise profile of the result, its own times "noise_left", the share of its
        variance that the kernels' weights leave; and a record: that of `record_of`, the weights, what share of the change was
        made ("share"), the frames that the network saw ("used"), those "left_out" because nearly nothing in them fits,
        and effective_frames, 1 / noise_left, which counts the averaging within frames, too. Networks without kernels tell none.

        Of more frames than the network takes, those that fit best are used. Where it learnt from full bursts alone, fewer frames
        take turns in its places. One frame goes through it as a burst of one: a denoiser of single raws does better.

    Raises:
        UnusableInput: for what is no burst of raws, frames that differ, unknown noise, or weights of another kind of network.
    """
    raws = raws_of(burst, "kpn")
    first = raws.frames[0]
    if first.cfa not in DEFAULTS:
        result = hdrplus(burst, aligned=aligned, progress=progress)
        return replace(result, record={**result.record, "merged_by": "hdrplus"})
    aligning, merging = halves(progress, _ALIGNING if aligned else 0)
    seen = see(raws, weights, aligned, aligning)
    record = {
        **record_of(raws, seen.fields),
        "used": [raws.indices[i] for i in seen.used],
        "left_out": [raws.indices[i] for i in seen.left_out],
        "weights": seen.net.weights.name,
        "share": seen.share,
    }
    mosaic = seen.merged(merging)
    keep_means(mosaic, first.mosaic, first.cfa)
    left = seen.noise_left()
    record |= {"noise_left": left, "effective_frames": None if left is None else 1 / left}
    return Result(replace(first, mosaic=mosaic, noise=None if left is None else raws.noise.averaged(1 / left)), record)
