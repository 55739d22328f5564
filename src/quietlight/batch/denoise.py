"""The task of `quietlight denoise`: a raw becomes a DNG, a photo keeps its format, a burst becomes one picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from quietlight.batch.cleaning import Cleaning
from quietlight.batch.inputs import Job, target_of
from quietlight.batch.reports import Clock
from quietlight.batch.tasks import Progress, photo_suffix
from quietlight.engine import use
from quietlight.frames import Burst, Frame, Image, UnusableInput
from quietlight.io import write
from quietlight.pipeline import denoise
from quietlight.systems import Result


@dataclass(frozen=True, kw_only=True)
class Denoise(Cleaning):
    """See `tasks.Task`; arguments as for `pipeline.denoise`.

    Args:
        local, remove: for photos; raws among the files go without.
    """

    grain: float = 0.0
    local: bool = False
    remove: tuple[str, ...] = ()
    template: str = field(default="{stem}_clean{suffix}", compare=False)

    def plan(self, job: Job) -> PurePosixPath:
        return target_of(job, self.template, photo_suffix(job, self.raw_format) or ".dng")

    def read(self, job: Job, progress: Progress) -> tuple[Frame, Clock]:
        frame, clock = self.timed(job, self.plan(job), progress)
        if (self.local or self.remove) and isinstance(frame, Burst) and isinstance(frame.frames[0], Image):
            raise UnusableInput("--local and --remove are for single photos: add --burst off")
        return frame, clock

    def compute(self, read: tuple[Frame, Clock], progress: Progress) -> tuple[Frame | None, Result, Clock]:
        frame, clock = read
        use(self.engine)
        with clock.part("denoising"):
            result = self._denoised(frame, progress)
        return frame if self.reports else None, result, clock

    def _denoised(self, frame: Frame, progress: Progress) -> Result:
        photo = isinstance(frame, Image)
        result: Result = denoise(
            frame,
            grain=self.grain,
            local=self.local and photo,
            remove=self.remove if photo else (),
            **self.options(progress),
        )
        return result

    def write(self, job: Job, computed: tuple[Frame | None, Result, Clock], target: Path) -> dict[str, Any]:
        before, result, clock = computed
        with clock.part("writing"):
            write(result.frame, target)
        if self.reports and before is not None:
            self.reports.write(self.plan(job), job, target, (before, result), clock)
        return result.record
