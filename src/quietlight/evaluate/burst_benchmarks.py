"""The benchmarks of bursts: the paper's gray ones, and raws with the motion of real hands and scenes.

Gray: Mildenhall et al. 2018, with pictures halved instead of quartered. Photos go through x^2.2; a frame is the mean of 2x2 pixels
and of red, green and blue, displaced by `data.bursts.shifts`, whose far frames are the paper's; white level 1. Shifts by
`default_rng([20171206, 0, i])`, i the index of the picture, noise by `default_rng([20171206, gain, i])`.

Raws: picture i of Kodak24 by camera i mod 4 as in `raw_benchmarks`, seen by hands that turn up to half a degree, with an object
that moves in every one and exposures that differ by 2%. Motion by `default_rng([20181127, 0, i])`, noise by
`default_rng([20181127, number of the level from 1, i])`, read by UPI's line without its jitter.

All frames lie inside the photo, but for what rotation turns out of it. Nothing is clipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.random import default_rng

from quietlight.camera.bayer import unpack
from quietlight.camera.unprocess import fixed_camera, tagged, unprocess
from quietlight.data.bursts import FAR, NEAR, SCALE, shifts
from quietlight.data.motion import Hands, burst_of, random_motion
from quietlight.evaluate.benchmarks import CBSD68, KODAK24
from quietlight.evaluate.burst_sample import BORDER, burst_sample, gray_score, gray_seen, raw_burst_score
from quietlight.evaluate.raw_benchmarks import CAMERAS
from quietlight.evaluate.raw_sample import raw_sample, raw_seen
from quietlight.evaluate.sample import Benchmark, Part, Sample, as_floats
from quietlight.frames import Floats, RawFrame, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.noise.sensor import ShotRead

FRAMES = 8
GAINS = {1: (-2.2, -2.6), 2: (-1.8, -2.2), 4: (-1.4, -1.8), 8: (-1.1, -1.5)}
"""Gain -> log10 of the read noise's deviation and of the shot variance: 4 and 8 are beyond what KPN learns from."""
LEVELS = (1e-3, 4e-3, 1.2e-2)
"""Shot variances of `burst-raw`."""
_SSIM = 11
_GRAY_SEED, _RAW_SEED = 20171206, 20181127


def kpn_gray() -> Benchmark:
    """The paper's four gains; fewer frames at gain 4; and at gain 8 without frames that are far away."""
    parts = [_gray_part(f"gain-{gain}", gain) for gain in GAINS]
    parts += [_gray_part(f"gain-4-frames-{frames}", 4, frames=frames) for frames in (2, 4)]
    parts.append(_gray_part("gain-8-near", 8, far=NEAR))
    about = (
        "KPN's gray bursts of CBSD68 and Kodak24, halved: eight frames displaced by up to 2 pixels, some by up to 16, with noise "
        "that systems are told; in sRGB's curve, without 8 pixels along the border; GAIN is over the reference."
    )
    rows = (
        "reference", "mean", "mean-aligned", "hdrplus-authors", "hdrplus-unaligned", "hdrplus-whole", "hdrplus", "mean-oracle",
        "classical", "nlm", "bm3d", "kpn-gray-unaligned", "kpn-gray", "hdrplus-kpn-gray",
    )  # fmt: skip
    return Benchmark(about, tuple(parts), gray_score, kind="bursts", rows=rows, seen=gray_seen)


def kpn_ablation() -> Benchmark:
    """The same bursts at the four gains."""
    parts = tuple(_gray_part(f"gain-{gain}", gain) for gain in GAINS)
    about = "KPN without its parts, on the bursts of kpn-gray."
    rows = (
        "reference", "hdrplus", "kpn-short", "kpn-short-unaligned", "kpn-1-frame", "kpn-unannealed", "kpn-blind", "kpn-direct",
    )  # fmt: skip
    return Benchmark(about, parts, gray_score, kind="bursts", rows=rows, seen=gray_seen)


def burst_raw() -> Benchmark:
    """All pictures at the three levels of shot noise."""
    parts = tuple(
        Part(f"shot-{shot:g}", (KODAK24,), partial(_raw_sample, number, shot))
        for number, shot in enumerate(LEVELS, start=1)
    )
    about = (
        "Kodak24, halved, as bursts of eight raws of four cameras from a hand that shifts and turns, in each an object that moves, "
        "with shot and read noise that systems are told; scored like raw-kodak, MOVING PSNR where the object is."
    )
    rows = (
        "reference", "mean", "mean-aligned", "mean-oracle", "hdrplus", "fan-teacher", "fan-plus", "hdrplus-fan-plus",
        "kpn-unaligned", "kpn",
    )  # fmt: skip
    return Benchmark(about, parts, raw_burst_score, kind="bursts", rows=rows, seen=raw_seen)


def _gray_part(name: str, gain: int, frames: int = FRAMES, far: float = FAR) -> Part:
    return Part(name, (CBSD68, KODAK24), partial(_gray_sample, gain, frames, far))


def _gray_sample(gain: int, frames: int, far: float, index: int, files: Sequence[Path]) -> Sample:
    """The first so many frames of a burst of `FRAMES`."""
    path = files[index]
    light = (_photo(path) ** 2.2).mean(axis=2)
    height, width = _halved(path, light, 2 * BORDER + _SSIM)
    margin = SCALE * FAR
    moved = margin + np.rint(SCALE * shifts(FRAMES, default_rng([_GRAY_SEED, 0, index]), far=far)).astype(int)
    cuts = [light[top:, left:][: SCALE * height, : SCALE * width] for top, left in moved[:frames]]
    clean = np.stack([cut.reshape(height, SCALE, width, SCALE).mean(axis=(1, 3)) for cut in cuts]).astype(np.float32)
    read, shot = (10**exponent for exponent in GAINS[gain])
    name = f"{path.parent.name} {path.name}"
    return burst_sample(name, clean, RawFrame(clean[0], "MONO"), ShotRead(shot, read**2), (_GRAY_SEED, gain, index))


def _raw_sample(number: int, shot: float, index: int, files: Sequence[Path]) -> Sample:
    path, rendering = files[index], fixed_camera(CAMERAS[index % len(CAMERAS)])
    photo = _photo(path)
    height, width = (side // 2 * 2 for side in _halved(path, photo, 2 * _SSIM))
    motion = random_motion(FRAMES, (height, width), Hands(moving=1), default_rng([_RAW_SEED, 0, index]))
    scene = torch.from_numpy(unprocess(photo, rendering)).float().permute(2, 0, 1)[None]
    planes, moving = burst_of(scene.contiguous(), [motion], (height, width))
    clean = np.stack([unpack(p, "RGGB") for p in planes[0].numpy()])
    tags = tagged(clean[0], rendering)
    sample = burst_sample(path.name, clean, tags, ShotRead.at(shot), (_RAW_SEED, number, index))
    shown = raw_sample(path.name, tags, tags).info
    return Sample(
        sample.name, sample.input, sample.truth, {**sample.info, **shown, "moving": moving[0, 0].numpy() > 0.5}
    )


def _photo(path: Path) -> Floats:
    """[H, W, 3] in [0, 1], float64."""
    pixels = as_floats(read_photo(path)).astype(np.float64)
    if pixels.shape[2] != 3:
        raise UnusableInput(f"{path}: the pictures of this benchmark are in colour")
    return pixels


def _halved(path: Path, photo: Floats, least: int) -> tuple[int, int]:
    """Height and width of the frames of a photo, which even the far ones lie in."""
    height, width = (side // SCALE - 2 * FAR for side in photo.shape[:2])
    if min(height, width) < least:
        raise UnusableInput(
            f"{path}: the pictures of this benchmark have {SCALE * (least + 2 * FAR)} pixels a side or more"
        )
    return height, width
