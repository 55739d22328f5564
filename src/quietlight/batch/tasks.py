"""What is done with a job, in three steps: read, compute, write."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from quietlight.batch.inputs import Job
from quietlight.frames import Frame
from quietlight.io import PHOTO_SUFFIXES, RawFormat, is_photo, read_file
from quietlight.io.burst import read_burst
from quietlight.io.files import written_beside
from quietlight.io.kind import output_suffix, suffix_for
from quietlight.io.sequence import is_sequence, with_reference

Progress = Callable[[float], None]
"""Told the finished share, from 0 to 1."""


class Task(Protocol):
    """What is done with every job; a dataclass of plain values, so that other processes can have it and `fingerprint` knows it.

    The steps of a job come in this order, those of two jobs at once: what a task keeps for itself must bear that.
    """

    def plan(self, job: Job, /) -> PurePosixPath:
        """The name of the job's result in the folder of results; may raise UnusableInput."""

    def read(self, job: Job, progress: Progress, /) -> Any:
        """What the job is about, in memory."""

    def compute(self, read: Any, progress: Progress, /) -> Any:
        """The result, in memory; `read` is the task's own, so it may be changed."""

    def write(self, job: Job, computed: Any, target: Path, /) -> dict[str, Any]:
        """Write the result; a record of what was done."""


def read_job(job: Job, raw_format: RawFormat | None = None, progress: Progress = lambda _: None) -> Frame:
    """The frame of a single file, or the Burst of several. Raises UnusableInput as `io.read` does."""
    if not job.frames:
        return read_file(job.source, raw_format)
    burst = read_burst(job.frames, lambda path: read_file(path, raw_format), raw_format, job.reference, progress)
    return with_reference(burst, job.frames[0].parent) if is_sequence(job.frames) else burst


def photo_suffix(job: Job, raw_format: RawFormat | None) -> str | None:
    """The suffix of a denoised photo, None for what is a raw. Of files in stores, and where there is none, the suffix decides."""
    if raw_format is not None:
        return None
    if job.url or not job.source.is_file() or job.source.stat().st_size == 0:
        return suffix_for(job.source.name)
    return output_suffix(job.source) if is_photo(job.source) else None


def copy_sidecars(source: Path, target: Path, overwrite: bool) -> None:
    """Copy the XMP sidecars of a raw (`IMG.xmp`, `IMG.CR3.xmp`) beside the DNG made of it; existing ones stay unless overwritten.

    Beside a developed photo they would have their edits applied a second time, and those of a photo are not for a raw made of it.
    """
    if target.suffix.lower() != ".dng" or source.suffix.lower() in PHOTO_SUFFIXES:
        return
    pairs = (
        (source.with_suffix(".xmp"), target.with_suffix(".xmp")),
        (source.with_name(source.name + ".xmp"), target.with_name(target.name + ".xmp")),
    )
    for sidecar, copy in pairs:
        if sidecar.is_file() and (overwrite or not copy.exists()):
            with written_beside(copy) as beside:
                shutil.copyfile(sidecar, beside)
