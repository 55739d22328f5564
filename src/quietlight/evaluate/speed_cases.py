"""What the speed of is measured: every verb and system of ours, and other people's programs, on one made picture each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.evaluate import speed_frames as frames
from quietlight.evaluate import speed_programs as programs
from quietlight.frames import Frame, Image, RawFrame
from quietlight.io import read, write
from quietlight.pipeline import analyze, denoise, develop

FRAMES = 4
"""Of a burst."""
BASE = "rawpy"
"""What all are compared with: rawpy's default development of the opened raw."""
_SMALL = 0.2
"""Megapixels of the picture that warms a case up."""

Work = Callable[[], Any]
Prepare = Callable[[float, Path], Work]
"""(megapixels, a folder for files) -> what is measured, everything that does not count being done."""


@dataclass(frozen=True)
class Case:
    """One row.

    Args:
        about: what it does.
        prepare: see `Prepare`.
        network: whether engines make a difference.
        absent: why it cannot run here; empty where it can.
    """

    about: str
    prepare: Prepare
    network: bool = False
    absent: str = ""


def _of(make: Callable[[float], Frame], work: Callable[[Any], Any]) -> Prepare:
    """Work on a frame in memory, after the same on a small one."""

    def prepare(megapixels: float, _: Path) -> Work:
        work(make(_SMALL))
        frame = make(megapixels)
        return lambda: work(frame)

    return prepare


def _file(megapixels: float, folder: Path, make: Callable[[float], Frame], suffix: str) -> Path:
    path = folder / f"made{suffix}"
    write(make(megapixels), path)
    return path


def _files(make: Callable[[float], Frame], suffix: str, to: str, work: Callable[[Any], Any]) -> Prepare:
    """From a file to a file."""

    def prepare(megapixels: float, folder: Path) -> Work:
        def run(source: Path) -> None:
            write(work(read(source)), folder / f"result{to}")

        run(_file(_SMALL, folder, make, suffix))
        path = _file(megapixels, folder, make, suffix)
        return lambda: run(path)

    return prepare


def _rawpy(megapixels: float, folder: Path) -> Work:
    import rawpy

    raw = rawpy.imread(str(_file(megapixels, folder, frames.raw, ".dng")))
    raw.unpack()
    return lambda: raw.postprocess()


def _program(run: Callable[[Path, Path], None]) -> Prepare:
    def prepare(megapixels: float, folder: Path) -> Work:
        run(_file(_SMALL, folder, frames.raw, ".dng"), folder)
        path = _file(megapixels, folder, frames.raw, ".dng")
        return lambda: run(path, folder)

    return prepare


def _bm3d(photo: Image) -> Any:
    return import_module("bm3d").bm3d_rgb(photo.pixels.astype(np.float32) / 255, frames.SIGMA / 255)


def _nlm(photo: Image) -> Any:
    return import_module("cv2").fastNlMeansDenoisingColored(photo.pixels, None, frames.SIGMA, frames.SIGMA, 7, 21)


def _needs(case: Case, module: str) -> Case:
    return case if find_spec(module) else replace(case, absent=f"{module} is not installed")


def _burst(megapixels: float) -> Frame:
    return frames.burst(megapixels, FRAMES)


def _gray_burst(megapixels: float) -> Frame:
    """For KPN, whose weights are for monochrome raws."""
    return frames.burst(megapixels, FRAMES, "MONO")


def _denoised(system: str, **options: Any) -> Callable[[Any], Any]:
    return partial(denoise, system=system, **options)


def _developed(frame: RawFrame, **options: Any) -> Image:
    photo: Image = develop(frame, bits=8, **options)
    return photo


def cases() -> dict[str, Case]:
    """Name -> case, in the order of the rows; the first is what all are compared with."""
    merging = f"denoise, burst of {FRAMES}"
    return {
        BASE: Case("its default development, raw to photo", _rawpy),
        "analyze": Case("raw", _of(frames.raw, analyze)),
        "analyze-photo": Case("photo", _of(frames.photo, analyze), True),
        "fan": Case("denoise, raw", _of(frames.raw, _fan), True),
        "fan-plus": Case("denoise, raw", _of(frames.raw, _denoised("fan")), True),
        "classical": Case("denoise, raw", _of(frames.raw, _denoised("classical"))),
        "noisebreaker": Case("denoise, photo", _of(frames.photo, _denoised("noisebreaker")), True),
        "classical-photo": Case("denoise, photo", _of(frames.photo, _denoised("classical"))),
        "hdrplus": Case(merging, _of(_burst, _denoised("hdrplus"))),
        "hdrplus-fan": Case(merging, _of(_burst, _denoised("hdrplus-fan")), True),
        "kpn": Case(f"{merging}, monochrome", _of(_gray_burst, _denoised("kpn")), True),
        "hdrplus-kpn": Case(f"{merging}, monochrome", _of(_gray_burst, _denoised("hdrplus-kpn")), True),
        "neutral": Case("develop, raw, without denoising", _of(frames.raw, partial(_developed, denoise="off"))),
        "fan-plus-neutral": Case("develop, raw", _of(frames.raw, _developed), True),
        "cameranet": Case("develop, raw", _of(frames.raw, partial(_developed, look="cameranet")), True),
        "dng-to-dng": Case("fan-plus, DNG to DNG", _files(frames.raw, ".dng", ".dng", _denoised("fan")), True),
        "dng-to-jpeg": Case("fan-plus and neutral, DNG to JPEG", _files(frames.raw, ".dng", ".jpg", _developed), True),
        "jpeg-to-jpeg": Case(
            "noisebreaker, JPEG to JPEG", _files(frames.photo, ".jpg", ".jpg", _denoised("noisebreaker")), True
        ),
        **{
            name: Case(program.about, _program(program.run), absent=program.absent)
            for name, program in programs.programs().items()
        },
        "bm3d": _needs(Case("denoise, photo", _of(frames.photo, _bm3d)), "bm3d"),
        "opencv-nlm": _needs(Case("denoise, photo, non-local means of OpenCV", _of(frames.photo, _nlm)), "cv2"),
    }


def _fan(frame: RawFrame) -> Any:
    from quietlight.systems.fan import fan

    return fan(frame, weights="fan")
