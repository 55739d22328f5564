"""What the tasks of `denoise` and `develop` share: how noise is taken away, by which engine, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from quietlight.analysis.calibrate import Calibration
from quietlight.batch.inputs import Job
from quietlight.batch.reports import Clock, Reports
from quietlight.batch.tasks import Progress, read_job
from quietlight.engine.choice import AUTO
from quietlight.frames import Frame, RawFrame
from quietlight.io import RawFormat


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """Most arguments are those of `pipeline.denoise`.

    Args:
        engine: a name of `ENGINES`, or "auto".
        raw_format: describes files without a header.
        reports: None for no reports.
        template: what results are called, see `inputs.target_of`.
    """

    strength: float = 1.0
    chroma: float | None = None
    noise_scale: float = 1.0
    calibration: Calibration | None = None
    dark: RawFrame | None = None
    banding: bool = False
    engine: str = AUTO
    raw_format: RawFormat | None = None
    reports: Reports | None = None
    template: str = field(default="{stem}{suffix}", compare=False)

    def timed(self, job: Job, name: PurePosixPath, progress: Progress) -> tuple[Frame, Clock]:
        """The frame of a job whose result is called so, and the clock, which has counted its reading."""
        if self.reports:
            self.reports.planned(name)  # refuses existing ones before anything is computed
        clock = Clock()
        with clock.part("reading"):
            return read_job(job, self.raw_format, progress), clock

    def options(self, progress: Progress) -> dict[str, Any]:
        """For `pipeline.denoise` and `pipeline.develop`."""
        return {
            "strength": self.strength,
            "chroma": self.chroma,
            "noise_scale": self.noise_scale,
            "calibration": self.calibration,
            "dark": self.dark,
            "banding": self.banding,
            "frugal": self.reports is None,
            "record": True,
            "progress": progress,
        }
