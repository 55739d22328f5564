"""What `--report` asks for: a report of each file, and a page that leads to all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from quietlight.cli.repeat import command_of

if TYPE_CHECKING:
    from quietlight.batch import Outcome
    from quietlight.batch.reports import Reports


def reports_of(context: typer.Context, folder: Path | None, overwrite: bool) -> Reports | None:
    """The reports of a verb; none without a folder."""
    from quietlight.batch.reports import Reports

    return None if folder is None else Reports(folder, command_of(context), overwrite)


def finish(reports: Reports | None, failed: Sequence[tuple[str, str]]) -> None:
    """Write the page of all reports in the folder, and say where it is; `failed` are (file, reason)."""
    from quietlight.report.index import write_index

    if reports is not None and (page := write_index(reports.folder, failed, reports.command.line())):
        typer.echo(f"reports: {page}", err=True)


def finished(reports: Reports | None, outcomes: Sequence[Outcome]) -> None:
    """`finish`, of what became of all files."""
    finish(reports, [(outcome.source, outcome.message) for outcome in outcomes if outcome.state == "failed"])
