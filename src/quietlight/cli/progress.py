"""What a person sees while files are looked at and worked on: a bar with the time left, one line per file, and a summary."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from quietlight.analysis.words import sentence
from quietlight.batch import BurstChoice, Job, Outcome, Place, Runner, Task, as_bursts, find_inputs, in_turn, run
from quietlight.io import RawFormat
from quietlight.report.sheet import is_report

_STATES = {"done": "done", "kept": "there from before", "skipped": "skipped", "failed": "failed"}


def find_jobs(
    inputs: Sequence[str],
    suffixes: Set[str] | None,
    without: str | Path | None,
    choice: BurstChoice,
    raw_format: RawFormat | None,
) -> list[Job]:
    """The files that the inputs lead to, bursts among them made one job each, under a progress bar; says what `auto` found."""
    files = [job for job in find_inputs(inputs, suffixes, without) if not (job.found and is_report(job.source))]
    with _bar() as bar:
        task = bar.add_task("looking for bursts", total=1.0)
        jobs = as_bursts(files, choice, raw_format, lambda share: bar.update(task, completed=share))
    bursts = [job for job in jobs if job.frames]
    if choice == "auto" and bursts:
        count, frames = len(bursts), sum(len(job.frames) for job in bursts)
        found = "1 burst" if count == 1 else f"{count} bursts"
        typer.echo(f"{found} of {frames} frames found; --burst off takes every file by itself", err=True)
    return jobs


def run_with_progress(
    jobs: Sequence[Job],
    task: Task,
    place: Place,
    *,
    overwrite: bool,
    as_json: bool,
    journal: bool = True,
    runner: Runner = in_turn,
    conclude: Callable[[list[Outcome]], None] = lambda _: None,
) -> None:
    """Do the jobs under a progress bar, print what became of them, and leave with exit code 1 if one failed.

    Arguments as for `run`; `as_json` prints the outcomes to standard output; `conclude` is told all of them.
    """
    told: list[Outcome] = []
    with _bar() as bar:
        row = bar.add_task("", total=1.0)

        def report(outcome: Outcome) -> None:
            told.append(outcome)
            if outcome.state != "kept" or len(jobs) == 1:
                bar.console.print(_line(outcome), highlight=False, markup=False, soft_wrap=True)

        def progress(share: float, title: str) -> None:
            bar.update(row, completed=share, description=f"{len(told)}/{len(jobs)}  {title}")

        try:
            outcomes = run(
                jobs,
                task,
                place,
                overwrite=overwrite,
                journal=journal,
                runner=runner,
                report=report,
                progress=progress,
            )
        except KeyboardInterrupt:
            bar.stop()
            again = "; the same command goes on from there" if journal else ""
            typer.echo(f"quietlight: stopped, {_counted(told)} of {len(jobs)}{again}", err=True)
            raise typer.Exit(130) from None
    conclude(outcomes)
    if as_json:
        json.dump([outcome.to_dict() for outcome in outcomes], sys.stdout, indent=2, default=str)
        sys.stdout.write("\n")
    if len(outcomes) > 1:
        typer.echo(_counted(outcomes), err=True)
        for outcome in outcomes:
            if outcome.state == "failed":
                typer.echo(f"  {outcome.message}", err=True)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def _counted(outcomes: Sequence[Outcome]) -> str:
    """How many of which kind."""
    counts = {words: sum(o.state == state for o in outcomes) for state, words in _STATES.items()}
    return ", ".join(f"{count} {words}" for words, count in counts.items() if count) or "0 done"


@contextmanager
def _bar() -> Iterator[Progress]:
    with _own_stderr() as file:
        console = Console(file=file)
        columns = (
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"),
            TimeRemainingColumn(),
        )  # fmt: skip
        # A pace of many files, not of the last half minute, so that the time left is that of all.
        quiet = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=quiet, speed_estimate_period=600) as bar:
            yield bar


@contextmanager
def _own_stderr() -> Iterator[TextIO]:
    """Standard error by a handle of its own: while a raw is read in one thread, LibRaw's is muted, and another may have news."""
    try:
        handle = os.dup(sys.stderr.fileno())
    except (OSError, ValueError):  # no file: a window, a test
        yield sys.stderr
        return
    with open(handle, "w", encoding=sys.stderr.encoding, errors="replace") as file:  # noqa: PTH123  # a handle is no path
        yield file


def _line(outcome: Outcome) -> str:
    if outcome.state == "done":
        said = f"\n  {sentence(outcome.record)}" if "steps" in outcome.record else ""
        frames = f"burst of {len(outcome.frames)} from {Path(outcome.frames[0]).name}, " if outcome.frames else ""
        return f"{outcome.target}  ({frames}{outcome.seconds:.1f} s){said}"
    return f"{'quietlight' if outcome.state == 'failed' else outcome.state}: {outcome.message}"
