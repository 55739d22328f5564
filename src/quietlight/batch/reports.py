"""The reports that a task writes beside its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from quietlight.frames import Frame
from quietlight.report.sheet import ReportFiles, report_files, write_report
from quietlight.systems import Result


@dataclass(frozen=True)
class Reports:
    """A report per result in `folder`, under the result's name; existing ones stay unless overwritten."""

    folder: Path
    overwrite: bool = field(default=False, compare=False)

    def files(self, name: PurePosixPath) -> ReportFiles:
        """The files that report on a result. Raises UnusableInput for existing ones."""
        return report_files(self.folder / name.parent, name.name, self.overwrite)

    def write(self, name: PurePosixPath, before: Frame, result: Result) -> None:
        """What was done, see `report.sheet.write_report`."""
        write_report(self.files(name), before, result)
