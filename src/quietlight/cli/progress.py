"""What a person sees while files are looked at and worked on: a bar with the time left, one line per file, and a summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from quietlight.analysis.words import sentence
from quietlight.batch import BurstChoice, Job, Outcome, as_bursts, find_inputs, run
from quietlight.io import RawFormat
from quietlight.report.sheet import is_report

Report = Callable[[float], None]
JobWork = Callable[[Job, Path, Report], dict[str, Any]]
READING = 0.2
"""Share of the time that a burst's files take to be read."""


def find_jobs(
    inputs: Sequence[str],
    suffixes: Set[str] | None,
    without: Path | None,
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
    plan: Callable[[Job], Path],
    work: JobWork,
    overwrite: bool,
    as_json: bool,
    conclude: Callable[[list[Outcome]], None] = lambda _: None,
) -> None:
    """Do the jobs under a progress bar, print what became of them, and leave with exit code 1 if one failed.

    `work` takes the job, the target and a function to be told the finished share of the file; `conclude` is told all outcomes.
    """
    with _bar() as bar:
        task = bar.add_task("", total=len(jobs))
        finished = 0

        def work_on(job: Job, target: Path) -> dict[str, Any]:
            bar.update(task, description=job.title)
            return work(job, target, lambda share: bar.update(task, completed=finished + share))

        def report(outcome: Outcome) -> None:
            nonlocal finished
            finished += 1
            bar.update(task, completed=finished)
            bar.console.print(_line(outcome), highlight=False, markup=False, soft_wrap=True)

        outcomes = run(jobs, plan, work_on, overwrite, report)
    conclude(outcomes)
    if as_json:
        json.dump([outcome.to_dict() for outcome in outcomes], sys.stdout, indent=2, default=str)
        sys.stdout.write("\n")
    counts = {state: sum(o.state == state for o in outcomes) for state in ("done", "skipped", "failed")}
    if len(outcomes) > 1:
        typer.echo(", ".join(f"{count} {state}" for state, count in counts.items() if count), err=True)
    if counts["failed"]:
        raise typer.Exit(1)


def in_two(progress: Report, first: float) -> tuple[Report, Report]:
    """The progress of two things, one after the other, of which the first is that share of the work."""
    return lambda share: progress(first * share), lambda share: progress(first + (1 - first) * share)


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _line(outcome: Outcome) -> str:
    if outcome.state == "done":
        said = f"\n  {sentence(outcome.record)}" if "steps" in outcome.record else ""
        frames = f"burst of {len(outcome.frames)} from {outcome.frames[0].name}, " if outcome.frames else ""
        return f"{outcome.target}  ({frames}{outcome.seconds:.1f} s){said}"
    return f"{'quietlight' if outcome.state == 'failed' else 'skipped'}: {outcome.message}"
