"""What a benchmark is made of: data sets of files, parts that turn each file into a sample, and a score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.frames import Burst, Floats, Frame, Image, UnusableInput
from quietlight.io.kind import PHOTO_FORMATS
from quietlight.metrics import psnr, ssim
from quietlight.systems.impulses import full_scale

UNTOUCHED = 100.0
"""PSNR in dB that stands for no error at all, or for any smaller one than a single value of an 8-bit picture off by one."""


@dataclass(frozen=True)
class Sample:
    """One input and its truth.

    Args:
        name: the file's.
        input: what a system gets.
        truth: what it should give: values in [0, 1], of the shape of the input's pixels.
        info: what else is known of the noise: "sigma" (0-255), "mask" (bool, the pixels hit by impulses), and the like. Oracles
            look at it, systems do not.
    """

    name: str
    input: Frame
    truth: Floats
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataSet:
    """Photos in a folder of the data folder: `pattern` says which, `source` where a user gets them."""

    folder: str
    source: str
    pattern: str = "*"

    def files(self, data: Path) -> list[Path]:
        """The files, in string order. Raises UnusableInput where there are none, with what to do."""
        folder = data / self.folder
        found = [p for p in folder.glob(self.pattern) if p.suffix.lower() in PHOTO_FORMATS and p.name[0] != "."]
        if not found:
            raise UnusableInput(
                f"{folder}: no pictures{'' if self.pattern == '*' else f' {self.pattern}'} there: get {self.source}, "
                f"or let --data or QUIETLIGHT_DATA name the folder that holds {self.folder}"
            )
        return sorted(found)


@dataclass(frozen=True)
class Part:
    """One line of a benchmark: a data set under one kind of noise.

    Args:
        make: (index, file) -> Sample; the same at every call.
        sha256: of the inputs as `digest` takes them, one after the other, where the whole set is evaluated; empty where nobody
            fixed it.
    """

    name: str
    data: DataSet
    make: Callable[[int, Path], Sample]
    sha256: str = ""


def photo_score(output: Frame, sample: Sample) -> dict[str, float]:
    """PSNR and SSIM of a photo, on the numbers as they are stored, mean over channels."""
    if not isinstance(output, Image):
        raise UnusableInput("this benchmark takes systems that make photos")
    pixels = as_floats(output)
    if pixels.shape != sample.truth.shape:
        raise UnusableInput(f"the result of {sample.name} is {pixels.shape}, not {sample.truth.shape}")
    return {"psnr": min(psnr(pixels, sample.truth), UNTOUCHED), "ssim": ssim(pixels, sample.truth)}


@dataclass(frozen=True)
class Benchmark:
    """Samples and their score.

    Args:
        about: one sentence: which pictures, which noise, which protocol.
        score: (result, sample) -> numbers by name, higher is better; the first is the one that boxes and percentiles show.
    """

    about: str
    parts: tuple[Part, ...]
    score: Callable[[Frame, Sample], dict[str, float]] = photo_score


def as_floats(image: Image) -> Floats:
    """The pixels as float32, white 1."""
    return image.pixels.astype(np.float32) / np.float32(full_scale(image.pixels))


def digest(frame: Frame) -> bytes:
    """The numbers of a frame as bytes: float32, white 1, rows first; those of a burst one frame after the other."""
    frames = frame.frames if isinstance(frame, Burst) else (frame,)
    arrays = (as_floats(one) if isinstance(one, Image) else one.mosaic for one in frames)
    return b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in arrays)
