"""`quietlight evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quietlight.evaluate import BENCHMARKS, CLASSIFIERS, PEERS


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def evaluate(
    benchmark: Annotated[str, typer.Argument(metavar="BENCHMARK", help=f"One of {', '.join(BENCHMARKS)}.")],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR", envvar="QUIETLIGHT_DATA", help="The folder that holds the data sets, a folder each."
        ),
    ] = Path("data"),
    systems: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help=f"Rows of the table: systems, {', '.join(PEERS)}, a .safetensors file, or NAME=FILE to give a row other weights; "
            f"of noisebreaker-classes: {', '.join(CLASSIFIERS)}. Default: all that take such pictures.",
        ),
    ] = "",
    parts: Annotated[
        str, typer.Option(metavar="A,B", help="Only these parts, such as bsd68-25 of awgn, or bsd68.")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N pictures of each part.")] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="F", help="Write the numbers; beside it a journal (.jsonl), from which an interrupted run goes on."
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="F", help="Write a page with box plots and crops, or confusion matrices.")
    ] = None,
) -> None:
    """Compare systems with each other and with other people's methods, on the same fixed inputs.

    Examples:
      quietlight evaluate bsd68-mixture --data ~/denoising --json mixture.json --html mixture.html

      quietlight evaluate awgn --parts bsd68-25 --systems noisy,classical,unet-gray=runs/unet-gray/unet-gray.safetensors
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from quietlight.evaluate.page import write_page
    from quietlight.evaluate.run import evaluate as run_evaluate
    from quietlight.evaluate.table import as_text, title

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        report = run_evaluate(
            benchmark,
            data,
            systems=_split(systems),
            parts=_split(parts),
            limit=limit,
            journal=None if json is None else json.with_suffix(".jsonl"),
            watch=lambda done, total, what: bar.update(task, completed=done, total=total, description=what),
        )
    for table in report.tables:
        typer.echo(f"{title(report, table)}\n{as_text(table)}\n")
    if json is not None:
        report.write_json(json)
    if html is not None:
        write_page(report, html)
