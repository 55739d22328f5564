"""Prints what merging without learning reaches on gray bursts of KPN's protocol: a Markdown table of PSNR in dB at each gain.

Usage: python tools/burst_baselines.py FOLDER... [--pictures 12] [--gains 1 2 4 8]

Mildenhall et al. 2018, with pictures halved instead of quartered: area-halved linear gray pictures, eight frames, displaced by
up to 2 pixels in steps of a half, white level 1, sRGB's curve, 8 pixels cropped. Seeds are fixed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from quietlight.camera.tone import srgb_encode
from quietlight.frames import Burst, Floats, Image, NoiseProfile, RawFrame
from quietlight.io import read_file
from quietlight.metrics import psnr
from quietlight.systems.merge import AUTHORS_TUNING, TUNING, hdrplus, mean
from quietlight.systems.warp import onto_first, planes_of, warp, with_planes

NOISE = {1: (-2.2, -2.6), 2: (-1.8, -2.2), 4: (-1.4, -1.8), 8: (-1.1, -1.5)}
"""Gain -> log10 of the read deviation and of the shot variance."""
FRAMES, STEPS, MARGIN, CROP = 8, 4, 6, 8


def burst_of(photo: Floats, gain: int, rng: np.random.Generator) -> tuple[Burst, Floats, Floats]:
    """A burst of a display-referred photo [H, W, 3], the clean reference, and the mean of frames that lie on each other."""
    light = (photo**2.2).mean(axis=2)
    height, width = ((side - 2 * MARGIN) // 2 * 2 for side in light.shape)
    shifts = [(0, 0), *(rng.integers(-STEPS, STEPS + 1, 2) for _ in range(FRAMES - 1))]
    clean = []
    for down, right in shifts:
        cut = light[MARGIN + down :, MARGIN + right :][:height, :width]
        clean.append(cut.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))
    deviation, shot = (10**exponent for exponent in NOISE[gain])
    profile = NoiseProfile((shot,), (deviation**2,))
    noise = [np.sqrt(profile.variance(frame)) * rng.standard_normal(frame.shape) for frame in clean]
    pairs = zip(clean, noise, strict=True)
    frames = tuple(RawFrame((c + n).astype(np.float32), "MONO", noise=profile) for c, n in pairs)
    return Burst(frames), clean[0], clean[0] + np.mean(noise, axis=0)


def rows(burst: Burst, oracle: Floats) -> Iterator[tuple[str, Floats]]:
    """What is compared."""
    first, *others = (frame for frame in burst.frames if isinstance(frame, RawFrame))
    yield "reference frame", first.mosaic
    yield from merged("not aligned", burst)
    if first.noise is None:
        raise ValueError("the noise of a burst must be known")
    planes, fields = onto_first([first, *others], first.noise)
    yield from merged("aligned, whole steps", Burst((first, *(with_planes(first, p) for p in planes))))
    reference = planes_of(first)
    planes = [warp(planes_of(o), field, reference, subpixel=True) for o, field in zip(others, fields, strict=True)]
    yield from merged("aligned, interpolated", Burst((first, *(with_planes(first, p) for p in planes))))
    yield "mean of frames that lie on each other (oracle)", oracle


def merged(how: str, burst: Burst) -> Iterator[tuple[str, Floats]]:
    """The mean, and the merge with both constants, of frames that lie as they shall."""
    yield f"mean, {how}", mean(burst, aligned=False).mosaic
    for name, tuning in (("the authors' c", AUTHORS_TUNING), ("our c", TUNING)):
        result = hdrplus(burst, aligned=False, tuning=tuning)
        if isinstance(result.frame, RawFrame):
            yield f"HDR+, {name}, {how}", result.frame.mosaic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--gains", nargs="+", type=int, choices=NOISE, default=list(NOISE))
    options = parser.parse_args()
    paths = [path for folder in options.folders for path in sorted(folder.rglob("*.png"))]
    chosen = paths[:: max(len(paths) // options.pictures, 1)][: options.pictures]
    scores: dict[str, dict[int, list[float]]] = {}
    for gain in options.gains:
        for index, path in enumerate(chosen):
            photo = read_file(path)
            if not isinstance(photo, Image):
                raise SystemExit(f"{path}: not a photo")
            burst, truth, oracle = burst_of(photo.pixels / np.float64(255), gain, np.random.default_rng([index, gain]))
            for name, result in rows(burst, oracle):
                shown = (np.clip(srgb_encode(x), 0, 1)[CROP:-CROP, CROP:-CROP] for x in (result, truth))
                scores.setdefault(name, {}).setdefault(gain, []).append(psnr(*shown))
    print("| |", *(f" gain {gain} |" for gain in options.gains))
    print("| --- |", *(" ---: |" for _ in options.gains))
    for name, values in scores.items():
        print(f"| {name} |", *(f" {np.mean(values[gain]):.2f} |" for gain in options.gains))


if __name__ == "__main__":
    main()
