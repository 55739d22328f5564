"""What a person sees while files are worked on: a bar with the time left, one line per file, and a summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from quietlight.analysis.words import sentence
from quietlight.batch import Job, Outcome, run

FileWork = Callable[[Path, Path, Callable[[float], None]], dict[str, Any]]


def run_with_progress(
    jobs: Sequence[Job], plan: Callable[[Job], Path], work: FileWork, overwrite: bool, as_json: bool
) -> None:
    """Do the jobs under a progress bar, print what became of them, and leave with exit code 1 if one failed.

    `work` takes the source, the target and a function to be told the finished share of the file.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(jobs))
        finished = 0

        def work_on(source: Path, target: Path) -> dict[str, Any]:
            bar.update(task, description=source.name)
            return work(source, target, lambda share: bar.update(task, completed=finished + share))

        def report(outcome: Outcome) -> None:
            nonlocal finished
            finished += 1
            bar.update(task, completed=finished)
            bar.console.print(_line(outcome), highlight=False, markup=False, soft_wrap=True)

        outcomes = run(jobs, plan, work_on, overwrite, report)
    if as_json:
        json.dump([outcome.to_dict() for outcome in outcomes], sys.stdout, indent=2, default=str)
        sys.stdout.write("\n")
    counts = {state: sum(o.state == state for o in outcomes) for state in ("done", "skipped", "failed")}
    if len(outcomes) > 1:
        typer.echo(", ".join(f"{count} {state}" for state, count in counts.items() if count), err=True)
    if counts["failed"]:
        raise typer.Exit(1)


def _line(outcome: Outcome) -> str:
    if outcome.state == "done":
        said = f"\n  {sentence(outcome.record)}" if "steps" in outcome.record else ""
        return f"{outcome.target}  ({outcome.seconds:.1f} s){said}"
    return f"{'quietlight' if outcome.state == 'failed' else 'skipped'}: {outcome.message}"
