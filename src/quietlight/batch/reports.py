"""The reports that a task writes beside its results, each as its result is made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from quietlight.batch.inputs import Job
from quietlight.frames import Burst, Image, RawFrame
from quietlight.report.making import Making
from quietlight.report.repeat import Command
from quietlight.report.sheet import ReportFiles, report_files, write_report
from quietlight.systems import Result


@dataclass
class Clock:
    """The seconds of each part of the work on one file."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what is done inside as that part."""
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin


@dataclass(frozen=True)
class Reports:
    """The reports of one run of a verb.

    Args:
        folder: for the reports.
        command: that was given.
        overwrite: replace reports that exist.
    """

    folder: Path
    command: Command = field(compare=False)
    overwrite: bool = field(default=False, compare=False)

    def planned(self, name: PurePosixPath) -> ReportFiles:
        """The files of the report of a result, or of a file that has none. Raises UnusableInput for existing ones."""
        return report_files(self.folder / name.parent, name.name, self.overwrite)

    def write(
        self,
        name: PurePosixPath,
        job: Job,
        target: Path | None,
        seen: tuple[RawFrame | Image | Burst, Result],
        clock: Clock,
        raw: RawFrame | None = None,
    ) -> None:
        """Write the report of a result, or of a file that has none; `seen` is what it was made of, and the result itself."""
        files = self.planned(name)
        inputs = [str(job.source.parent)] if job.name else [job.place] if job.url else [str(file) for file in job.files]
        changed = {"report": ("--report", str(files.page.parent)), "overwrite": ("--overwrite",)}
        if target is not None:
            changed["out"] = ("--out", str(target.parent))
        making = Making(
            command=self.command.line(inputs, **changed),
            folder=str(Path.cwd()),
            sources=(job.place,) if job.url else tuple(str(file) for file in job.files),
            target="" if target is None else str(target),
            seconds=clock.seconds,
        )
        write_report(files, *seen, making, raw)
