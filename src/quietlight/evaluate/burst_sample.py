"""What the benchmarks of bursts share: samples, and how a merged frame is scored and seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from quietlight.camera.tone import srgb_encode
from quietlight.evaluate.raw_sample import raw_made, raw_score, reference_of
from quietlight.evaluate.sample import Output, Sample, Values, capped_psnr, frame_of
from quietlight.frames import Burst, Floats, NoiseProfile, RawFrame
from quietlight.metrics import ssim
from quietlight.noise.sensor import ShotRead
from quietlight.systems import Result

Mosaics = NDArray[np.float32]

BORDER = 8
"""Pixels along every side of a gray picture that do not count, as in the paper."""


@dataclass(frozen=True)
class Merged(Result):
    """What kernels merged; `masses` computes the sums of their weights, [N, h, w] of the planes of all frames, the reference first.

    They are computed when a score asks for them, so that they do not count as time that merging takes.
    """

    masses: Callable[[], Floats] = field(kw_only=True)


def noisy_frames(clean: Mosaics, tags: RawFrame, noise: ShotRead, seed: Sequence[int]) -> tuple[RawFrame, ...]:
    """The noisy frames of clean ones [N, H, W], all with the tags of one and the true noise profile."""
    rng: Generator = default_rng(list(seed))
    profile = NoiseProfile((noise.shot,), (noise.read,))
    return tuple(replace(tags, mosaic=mosaic, noise=profile) for mosaic in noise.sample(clean, rng))


def burst_sample(
    name: str, clean: Mosaics, tags: RawFrame, noise: ShotRead, seed: Sequence[int], **info: Any
) -> Sample:
    """The sample of a burst whose clean frames are [N, H, W], the reference first.

    Of its info, "aligned" are frames with the same noise that lie on each other, for oracles.
    """
    still = np.broadcast_to(clean[0], clean.shape).astype(np.float32)
    info["aligned"] = noisy_frames(still, tags, noise, seed)
    return Sample(name, Burst(noisy_frames(clean, tags, noise, seed), reference=0), clean[0], info)


def gray_seen(output: Output | None, sample: Sample) -> Floats | None:
    """A gray frame, or the truth, as people see it: in sRGB's curve, clipped, without its border, [H, W, 1]."""
    frame = sample.truth if output is None else frame_of(output)
    linear = frame.mosaic if isinstance(frame, RawFrame) else frame
    return _shown(linear)[..., None] if isinstance(linear, np.ndarray) else None


def _shown(linear: Floats) -> Floats:
    shown = np.clip(srgb_encode(linear), 0, 1)[BORDER:-BORDER, BORDER:-BORDER]
    return np.asarray(shown, np.float64)


def gray_score(output: Output, sample: Sample) -> Values:
    """Scores of a gray frame as it is shown: "psnr" in dB, "ssim", and "gain" in dB over the reference; and `mass_scores`."""
    made, truth, noisy = map(_shown, (raw_made(output, sample).mosaic, sample.truth, reference_of(sample).mosaic))
    value = capped_psnr(made, truth)
    scores = {"psnr": value, "ssim": ssim(made, truth), "gain": value - capped_psnr(noisy, truth)}
    return scores | mass_scores(output, sample)


def raw_burst_score(output: Output, sample: Sample) -> Values:
    """Those of `raw_score`; "moving psnr", of the raw where something moves; and `mass_scores`."""
    moving = sample.info["moving"].repeat(2, 0).repeat(2, 1)
    made = raw_made(output, sample).mosaic
    scores = raw_score(output, sample) | {"moving psnr": capped_psnr(made[moving], sample.truth[moving])}
    return scores | mass_scores(output, sample)


def mass_scores(output: Output, sample: Sample) -> Values:
    """Of what kernels merged, their masses, the sums of their weights: how much of a result comes from which frame.

    The "reference mass", and the "other mass", the mean of the other frames'; 1/N each where all count alike. Where something
    moves, "moving mass" is the reference's there, and "still mass" that of everywhere else.
    """
    if not isinstance(output, Merged):
        return {}
    first, *others = output.masses()
    values = {"reference mass": float(first.mean()), "other mass": float(np.mean(others))}
    if "moving" in sample.info:
        moving = sample.info["moving"]
        values |= {"moving mass": float(first[moving].mean()), "still mass": float(first[~moving].mean())}
    return values
