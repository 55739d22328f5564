"""`quietlight evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from quietlight.evaluate import BENCHMARKS, CLASSIFIERS, PEERS, SPEED, SUBMISSIONS
from quietlight.frames import UnusableInput
from quietlight.registry import resolve


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def evaluate(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK",
            help=f"One of {', '.join([*BENCHMARKS, *SUBMISSIONS, SPEED])}.",
            autocompletion=lambda incomplete: [
                n for n in (*BENCHMARKS, *SUBMISSIONS, SPEED) if n.startswith(incomplete)
            ],
        ),
    ],
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
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=f"Of {', '.join(SUBMISSIONS)}, whose truth is withheld: the folder for the results of one system, for its authors "
            "to score.",
        ),
    ] = None,
) -> None:
    """Compare systems with each other and with other people's methods, on the same fixed inputs.

    Examples:
      quietlight evaluate bsd68-mixture --data ~/denoising --json mixture.json --html mixture.html

      quietlight evaluate awgn --parts bsd68-25 --systems noisy,classical,unet-gray=runs/unet-gray/unet-gray.safetensors

      quietlight evaluate dnd --systems fan-plus --submission out

      quietlight evaluate speed --parts 12,24 --json speed.json
    """
    if benchmark == SPEED:
        if html is not None or submission is not None or limit is not None:
            raise UnusableInput("speed has no pictures: leave out --html, --submission and --limit")
        _measure_speed(_split(systems), _split(parts), json)
        return
    if benchmark in SUBMISSIONS:
        if parts or json is not None or html is not None:
            raise UnusableInput(f"{benchmark} gives files, no scores: leave out --parts, --json and --html")
        _submit(benchmark, data, submission, _split(systems), limit)
        return
    if submission is not None:
        raise UnusableInput(f"--submission is for {', '.join(SUBMISSIONS)}: {benchmark} has its truth and gives scores")

    from quietlight.evaluate.page import write_page
    from quietlight.evaluate.run import evaluate as run_evaluate
    from quietlight.evaluate.table import as_text, title

    with _progress() as watch:
        report = run_evaluate(
            benchmark,
            data,
            systems=_split(systems),
            parts=_split(parts),
            limit=limit,
            journal=None if json is None else json.with_suffix(".jsonl"),
            watch=watch,
        )
    for table in report.tables:
        typer.echo(f"{title(report, table)}\n{as_text(table)}\n")
    if json is not None:
        report.write_json(json)
    if html is not None:
        write_page(report, html)


def _measure_speed(systems: list[str], sizes: list[str], json: Path | None) -> None:
    from quietlight.evaluate.speed import SIZES, speed

    try:
        megapixels = [float(size) for size in sizes] or SIZES
    except ValueError:
        raise UnusableInput(
            f"the parts of speed are sizes in megapixels, such as 12,24, not {','.join(sizes)}"
        ) from None
    with _progress() as watch:
        found = speed(systems, megapixels, watch)
    typer.echo(found.as_text())
    if json is not None:
        found.write_json(json)


def _submit(name: str, data: Path, out: Path | None, systems: list[str], limit: int | None) -> None:
    if out is None:
        raise UnusableInput(
            f"the truth of {name} is withheld: give --submission DIR, a folder for what its authors score"
        )
    with _progress() as watch:
        made = resolve(SUBMISSIONS, name, "submission")(data, out, systems=systems, limit=limit, watch=watch)
    typer.echo(
        f"{out}: {made.written} boxes written by {made.system}, {made.kept} kept. There is no score: the truth of {name} is "
        "withheld. Bundle the files with its authors' script and send them in."
    )


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A bar that is told (done, in all, what is worked on)."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)
