"""What a visitor wants of a picture -> its file, made by what the command line calls, so that the bytes are the same."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quietlight.batch import Job, read_job, target_of
from quietlight.frames import Image
from quietlight.io import is_photo, write
from quietlight.io.kind import output_suffix
from quietlight.pipeline import denoise, develop
from quietlight.systems import Result

Progress = Callable[[float], None]
_OF_RAWS = {".jpg": "JPEG", ".tif": "TIFF, 16 bits", ".png": "PNG, 16 bits", ".dng": "DNG"}
_OF_PHOTOS = {".jpg": "JPEG", ".tif": "TIFF", ".png": "PNG", ".webp": "WebP"}
MOST_EXPOSURE = 4.0
"""EV that can be added or taken."""


@dataclass(frozen=True)
class Wishes:
    """What is to be made of a picture.

    Args:
        suffix: of the file, one of `formats_of`.
        strength, chroma: as for `pipeline.denoise`.
        exposure: EV, of raws.
    """

    suffix: str
    strength: float = 1.0
    chroma: float = 1.0
    exposure: float = 0.0


def limited(suffix: str, strength: float, chroma: float, exposure: float) -> Wishes:
    """Wishes within their bounds, and as round as the command line would be told them."""

    def number(value: float, low: float, high: float) -> float:
        return float(f"{min(max(value, low), high):.3f}")

    return Wishes(suffix, number(strength, 0, 1), number(chroma, 0, 1), number(exposure, -MOST_EXPOSURE, MOST_EXPOSURE))


def formats_of(job: Job) -> dict[str, str]:
    """Suffix -> what it is called, of the files that can be made of a job; first what the command line would make."""
    if not is_photo(job.source):
        return _OF_RAWS
    own = output_suffix(job.source)
    known = next((s for s in _OF_PHOTOS if s == own.lower().replace("jpeg", "jpg").replace("tiff", "tif")), own)
    return {own: f"{_OF_PHOTOS.get(known, own[1:].upper())}, as it was"} | {
        suffix: name for suffix, name in _OF_PHOTOS.items() if suffix not in (known, ".webp")
    }


def template_of(job: Job, wishes: Wishes) -> str:
    """What the result is called, as the command line calls it."""
    if is_photo(job.source):
        return f"{{stem}}_clean{wishes.suffix}"
    return "{stem}_clean{suffix}" if wishes.suffix == ".dng" else "{stem}{suffix}"


def make(job: Job, wishes: Wishes, folder: Path, progress: Progress) -> tuple[Path, dict[str, Any]]:
    """Make the file in a folder: its path, and the record of what was done.

    Raises:
        UnusableInput: what cannot be read, denoised or written, and why.
    """
    reading = 0.2 if job.frames else 0.0
    frame = read_job(job, progress=lambda share: progress(reading * share))

    def working(share: float) -> None:
        progress(reading + (0.95 - reading) * share)

    options: dict[str, Any] = {"strength": wishes.strength, "chroma": wishes.chroma, "progress": working}
    result: Result
    if isinstance(frame, Image) or is_photo(job.source) or wishes.suffix == ".dng":
        result = denoise(frame, record=True, **options)
    else:
        bits = 8 if wishes.suffix == ".jpg" else 16
        result = develop(frame, record=True, exposure=wishes.exposure, bits=bits, **options)
    progress(0.95)
    target = folder / target_of(job, template_of(job, wishes), wishes.suffix)
    write(result.frame, target)
    return target, result.record


def command(job: Job, wishes: Wishes) -> str:
    """The command line that makes the same file."""
    names = [path.name for path in job.files]
    words = ["quietlight"]
    photo = is_photo(job.source)
    if photo or wishes.suffix == ".dng":
        words += ["denoise", *names, "--out", "clean"]
        if photo and wishes.suffix != output_suffix(job.source):
            words += ["--template", template_of(job, wishes)]
    else:
        words += ["develop", *names, "--out", "clean", "--format", wishes.suffix[1:]]
        words += ["--exposure", f"{wishes.exposure:g}"] if wishes.exposure else []
    words += ["--strength", f"{wishes.strength:g}"] if wishes.strength != 1 else []
    words += ["--chroma", f"{wishes.chroma:g}"] if wishes.chroma != wishes.strength else []
    words += ["--burst", "on"] if job.frames else []
    return shlex.join(words)
