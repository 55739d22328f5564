"""What `--report` writes: a report of each result as it is made, and the page that leads to all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from quietlight.report.repeat import Command

if TYPE_CHECKING:
    from quietlight.batch import Job, Outcome
    from quietlight.frames import Burst, Image, RawFrame
    from quietlight.report.sheet import ReportFiles
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
    """The reports of one run of a verb; none without a folder.

    Args:
        folder: for the reports, or None.
        out: the folder of the results, or None where they are not kept.
        overwrite: replace reports that exist.
        command: that was given.
    """

    folder: Path | None
    out: Path | None
    overwrite: bool
    command: Command

    def planned(self, job: Job, target: Path | None) -> ReportFiles | None:
        """The files of the report of a result. Raises UnusableInput for existing ones."""
        from quietlight.report.sheet import report_files

        if self.folder is None:
            return None
        place = job.folder if target is None or self.out is None else target.parent.relative_to(self.out)
        name = (job.name or job.source.name) if target is None else target.name
        return report_files(self.folder / place, name, self.overwrite)

    def write(
        self,
        files: ReportFiles,
        job: Job,
        target: Path | None,
        seen: tuple[RawFrame | Image | Burst, Result],
        clock: Clock,
        raw: RawFrame | None = None,
    ) -> None:
        """Write the report of a result; `seen` is what it was made of, and the result itself."""
        from quietlight.report.making import Making
        from quietlight.report.sheet import write_report

        inputs = [str(job.source.parent)] if job.name else [str(file) for file in job.files]
        changed = {"report": ("--report", str(files.page.parent)), "overwrite": ("--overwrite",)}
        if target is not None:
            changed["out"] = ("--out", str(target.parent))
        making = Making(
            command=self.command.line(inputs, **changed),
            folder=str(Path.cwd()),
            sources=tuple(str(file) for file in job.files),
            target="" if target is None else str(target),
            seconds=clock.seconds,
        )
        write_report(files, *seen, making, raw)

    def finish(self, failed: Sequence[tuple[str, str]]) -> None:
        """Write the page of all reports in the folder, and say where it is; `failed` are (file, reason)."""
        from quietlight.report.index import write_index

        if self.folder is not None and (page := write_index(self.folder, failed, self.command.line())):
            typer.echo(f"reports: {page}", err=True)

    def finished(self, outcomes: Sequence[Outcome]) -> None:
        """`finish`, of what became of all files."""
        self.finish([(str(outcome.source), outcome.message) for outcome in outcomes if outcome.state == "failed"])
