"""The task of `quietlight develop`: raws and bursts of raws become photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

from quietlight.batch.cleaning import Cleaning
from quietlight.batch.inputs import Job, target_of
from quietlight.batch.reports import Clock
from quietlight.batch.tasks import Progress
from quietlight.engine import use
from quietlight.frames import Burst, Image, RawFrame, UnusableInput
from quietlight.io import write
from quietlight.pipeline import develop
from quietlight.systems import Result


@dataclass(frozen=True, kw_only=True)
class Develop(Cleaning):
    """See `tasks.Task`; most arguments are those of `pipeline.develop`.

    Args:
        file_format: jpg (8 bits), tif or png (16 bits).
        quality: of JPEG files.
    """

    file_format: str = "jpg"
    white_balance: str | float = "as-shot"
    exposure: float = 0.0
    denoise: Literal["auto", "off"] = "auto"
    look: str = "neutral"
    enhance: float | None = None
    quality: int = 95

    @property
    def bits(self) -> int:
        """Of the photos."""
        return 8 if self.file_format == "jpg" else 16

    def plan(self, job: Job) -> PurePosixPath:
        return target_of(job, self.template, f".{self.file_format}")

    def read(self, job: Job, progress: Progress) -> tuple[RawFrame | Burst, Clock]:
        frame, clock = self.timed(job, self.plan(job), progress)
        if isinstance(frame, Image) or (isinstance(frame, Burst) and isinstance(frame.frames[0], Image)):
            raise UnusableInput(f"{job.place}: is a photo, so developed already: use quietlight denoise")
        return frame, clock

    def compute(self, read: tuple[RawFrame | Burst, Clock], progress: Progress) -> Developed:
        frame, clock = read
        use(self.engine)
        with clock.part("developing"):
            result = self._rendering(frame)(
                denoise=self.denoise, look=self.look, enhance=self.enhance, **self.options(progress)
            )
        return Developed(result, clock, frame if self.reports else None)

    def _rendering(self, frame: RawFrame | Burst) -> Callable[..., Any]:
        return partial(develop, frame, white_balance=self.white_balance, exposure=self.exposure, bits=self.bits)

    def write(self, job: Job, computed: Developed, target: Path) -> dict[str, Any]:
        result, clock, frame = computed
        with clock.part("writing"):
            write(result.frame, target, self.quality)
        if self.reports and frame is not None:
            merged = isinstance(frame, Burst) and "places" in result.record
            raw = frame.frames[result.record.get("reference", 0)] if isinstance(frame, Burst) else frame
            assert isinstance(raw, RawFrame)
            before = self._rendering(raw)(denoise="off")
            self.reports.write(self.plan(job), job, target, (frame if merged else before, result), clock, raw)
        return result.record


class Developed(NamedTuple):
    """A photo, the time that it took, and what it was made of where a report wants that."""

    result: Result
    clock: Clock
    frame: RawFrame | Burst | None
