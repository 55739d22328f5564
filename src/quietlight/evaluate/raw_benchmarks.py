"""The benchmarks of raws: Kodak's photos as the raws of known cameras, with a sensor's noise that every system is told.

Picture i of Kodak24, in the string order of the files, is unprocessed for camera i mod 4 of A, B, C, D (Brooks et al. 2019; their
pure matrices, fixed white balance, brightness 0.8), as an RGGB mosaic. Noise: N(0, shot·x + read), read by UPI's line without its
jitter, neither clipped nor rounded, by `default_rng([20210302, number of the level, i])`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import default_rng

from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.evaluate import RAW_PEERS
from quietlight.evaluate.benchmarks import KODAK24
from quietlight.evaluate.raw_sample import RAW_ROWS, raw_sample, raw_score, raw_seen
from quietlight.evaluate.sample import Benchmark, Part, Sample, as_floats
from quietlight.frames import NoiseProfile, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.noise.sensor import ShotRead

LEVELS = (1e-4, 1e-3, 4e-3, 1.2e-2)
BINS = tuple(float(f"{shot:.3g}") for shot in np.geomspace(*ShotRead.levels, 8))
"""Of shot noise, for the analysis of subranges; their numbers follow those of LEVELS."""
CAMERAS = "ABCD"
_SEED = 20210302


def raw_kodak() -> Benchmark:
    """All pictures at the four levels of shot noise."""
    parts = tuple(_part(number, shot) for number, shot in enumerate(LEVELS))
    about = (
        "Kodak24 as raws of four cameras, with shot and read noise that systems are told; PSNR and SSIM of the raws, and of both "
        "developed alike (SEEN). GRADIENT ERROR is that of the developed picture's differences of neighbours, 0-255."
    )
    return Benchmark(about, parts, raw_score, kind="raws", rows=RAW_ROWS, seen=raw_seen)


def raw_fan_ablation() -> Benchmark:
    """The same, noise over- and understated by 2, and eight levels for the analysis of subranges (8 pictures each)."""
    parts = [_part(number, shot) for number, shot in enumerate(LEVELS)]
    for number, shot in ((1, 1e-3), (2, 4e-3)):
        parts += [_part(number, shot, told, f"-told-{word}") for told, word in ((2.0, "twice"), (0.5, "half"))]
    parts += [
        _part(len(LEVELS) + number, shot, name=f"bin-{number + 1}-shot-{shot:g}", count=8)
        for number, shot in enumerate(BINS)
    ]
    about = (
        "FAN without its parts, with the noise's deviation over- and understated by 2, and for subranges of the noise."
    )
    rows = ("noisy", "classical", *(name for name in RAW_PEERS if name.startswith("fan")))
    return Benchmark(about, tuple(parts), raw_score, kind="raws", rows=rows, seen=raw_seen)


def _part(
    number: int, shot: float, told: float = 1.0, suffix: str = "", name: str = "", count: int | None = None
) -> Part:
    name = name or f"shot-{shot:g}{suffix}"
    return Part(name, (KODAK24,), partial(_sample, number, shot, told), count)


def _sample(number: int, shot: float, told: float, index: int, files: Sequence[Path]) -> Sample:
    photo = as_floats(read_photo(files[index])).astype(np.float64)
    if photo.shape[2] != 3:
        raise UnusableInput(f"{files[index]}: the pictures of this benchmark are in colour")
    clean = unprocessed_frame(photo, fixed_camera(CAMERAS[index % len(CAMERAS)]))
    noise = ShotRead.at(shot)
    noisy = noise.sample(clean.mosaic, default_rng([_SEED, number, index]))
    profile = NoiseProfile((noise.shot,), (noise.read,)).overstated(told)
    return raw_sample(files[index].name, replace(clean, mosaic=noisy, noise=profile), clean)
