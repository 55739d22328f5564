"""Sources -> a folder of pairs, made one after the other before a person's eyes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import typer

from quietlight.batch import Folder, Job
from quietlight.batch.tasks import Progress
from quietlight.cli.progress import run_with_progress
from quietlight.frames import UnusableInput

if TYPE_CHECKING:
    from quietlight.data.pair_folder import PairFolder


def make_pairs(jobs: Sequence[Job], pairs: PairFolder) -> None:
    """Make the pairs that are missing, all of them with the folder's `overwrite`; exit code 1 if one failed.

    Raises UnusableInput for sources in the folder of the pairs, and for a folder that `resume` refuses.
    """
    folder = pairs.folder.resolve()
    if inside := [job.source for job in jobs if job.source.resolve().is_relative_to(folder)]:
        raise UnusableInput(f"{inside[0]}: lies in the folder of the pairs: choose another --out")
    noisy = pairs.folder / pairs.parts[0]
    targets = {job: noisy / job.folder / f"{_stem(job.source)}{pairs.ending}" for job in jobs}
    # Of sources whose pairs would be called the same, the first one.
    owners = {target: job for job, target in reversed(targets.items())}

    def name(target: Path) -> str:
        return target.relative_to(noisy).as_posix()

    def plan(job: Job) -> PurePosixPath:
        if (owner := owners[targets[job]]) is not job:
            raise UnusableInput(f"{job.source}: its pair would be called as that of {owner.source}: rename one of them")
        return PurePosixPath(name(targets[job]))

    pairs.resume({name(target) for target in owners})
    todo = [job for job, target in targets.items() if pairs.overwrite or not pairs.is_made(job.source, name(target))]
    if len(todo) < len(jobs):
        typer.echo(f"{len(jobs) - len(todo)} pairs are there already", err=True)
    with pairs:
        run_with_progress(todo, _Making(pairs, plan), Folder(noisy), overwrite=True, as_json=False, journal=False)


@dataclass(frozen=True)
class _Making:
    """Pairs as a task: all of it is computing, since a pair is written as it is made."""

    pairs: PairFolder
    plan: Callable[[Job], PurePosixPath]

    def read(self, job: Job, _progress: Progress) -> Job:
        return job

    def compute(self, job: Job, progress: Progress) -> dict[str, Any]:
        self.pairs.progress = progress
        return self.pairs.make(job.source, str(self.plan(job)))

    def write(self, _job: Job, made: dict[str, Any], _target: Path) -> dict[str, Any]:
        return made


def _stem(source: Path) -> str:
    return source.name if source.is_dir() else source.stem


def command_line(verb: str, sources: Sequence[str], options: Sequence[str], out: Path) -> str:
    """What to type for the same pairs; of many files, which a shell may have listed, only the first."""
    shown = sources if len(sources) <= 3 else [sources[0], "..."]
    return shlex.join(["quietlight", "synthesize", verb, *shown, *options, "--out", str(out)])
