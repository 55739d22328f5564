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

from quietlight.camera.bayer import pack
from quietlight.camera.develop import Rendering, develop, neutral_rendering
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.evaluate import RAW_PEERS
from quietlight.evaluate.benchmarks import KODAK24
from quietlight.evaluate.sample import Benchmark, Output, Part, Sample, Values, as_floats, capped_psnr, frame_of
from quietlight.frames import Floats, NoiseProfile, RawFrame, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.metrics import ssim
from quietlight.noise.sensor import ShotRead

LEVELS = (1e-4, 1e-3, 4e-3, 1.2e-2)
BINS = tuple(float(f"{shot:.3g}") for shot in np.geomspace(*ShotRead.levels, 8))
"""Of shot noise, for the analysis of subranges; their numbers follow those of LEVELS."""
_CAMERAS = "ABCD"
_SEED = 20210302
_MAIN = ("noisy", "classical", "bm3d", "fan-teacher", "fan-plus", "fan")


def raw_kodak() -> Benchmark:
    """All pictures at the four levels of shot noise."""
    parts = tuple(_part(number, shot) for number, shot in enumerate(LEVELS))
    about = (
        "Kodak24 as raws of four cameras, with shot and read noise that systems are told; PSNR and SSIM of the raws, and of both "
        "developed alike (SEEN). GRADIENT ERROR is that of the developed picture's differences of neighbours, 0-255."
    )
    return Benchmark(about, parts, raw_score, kind="raws", rows=_MAIN, seen=raw_seen)


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
    clean = unprocessed_frame(photo, fixed_camera(_CAMERAS[index % len(_CAMERAS)]))
    noise = ShotRead.at(shot)
    noisy = noise.sample(clean.mosaic, default_rng([_SEED, number, index]))
    profile = NoiseProfile((noise.shot,), (noise.read,)).overstated(told)
    rendering = neutral_rendering(clean)
    info = {"rendering": rendering, "seen": _developed(clean, rendering)}
    return Sample(files[index].name, replace(clean, mosaic=noisy, noise=profile), clean.mosaic, info)


def _developed(frame: RawFrame, rendering: Rendering) -> Floats:
    return as_floats(develop(frame, rendering, bits=16))


def raw_seen(output: Output | None, sample: Sample) -> Floats | None:
    """The raw developed, [H, W, 3] in [0, 1], with the rendering of the clean one, which is the truth."""
    truth: Floats = sample.info["seen"]
    if output is None:
        return truth
    frame = frame_of(output)
    return _developed(frame, sample.info["rendering"]) if isinstance(frame, RawFrame) else None


def raw_score(output: Output, sample: Sample) -> Values:
    """Scores of a raw and of the picture developed from it.

    "psnr" in dB and "ssim" of its planes, "gain" in dB over the input; of the developed picture "seen psnr", "seen ssim", and
    "gradient error", the mean error of its differences of neighbours, 0-255: where detail is lost, it rises.
    """
    frame = frame_of(output)
    if not isinstance(frame, RawFrame) or not isinstance(sample.input, RawFrame):
        raise UnusableInput("this benchmark takes systems that make raws")
    if frame.mosaic.shape != sample.truth.shape:
        raise UnusableInput(f"the result of {sample.name} is {frame.mosaic.shape}, not {sample.truth.shape}")
    planes, true_planes = (np.moveaxis(pack(m, frame.cfa), 0, 2) for m in (frame.mosaic, sample.truth))
    seen, truth = raw_seen(output, sample), raw_seen(None, sample)
    assert seen is not None and truth is not None
    value = capped_psnr(frame.mosaic, sample.truth)
    return {
        "psnr": value,
        "ssim": ssim(planes, true_planes),
        "gain": value - capped_psnr(sample.input.mosaic, sample.truth),
        "seen psnr": capped_psnr(seen, truth),
        "seen ssim": ssim(seen, truth),
        "gradient error": 255 * float(np.mean([np.abs(np.diff(seen - truth, axis=axis)).mean() for axis in (0, 1)])),
    }
