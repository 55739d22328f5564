"""Many files -> many files: which inputs, which outputs, one after the other, going on after failures."""

from __future__ import annotations

import glob
import shutil
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quietlight.frames import UnusableInput
from quietlight.io import PHOTO_SUFFIXES
from quietlight.io.files import written_beside

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True)
class Job:
    """One input and the folder of its output, relative to the output folder."""

    source: Path
    folder: Path = Path()


@dataclass
class Outcome:
    """What became of one job: "done", "skipped" or "failed"."""

    source: Path
    target: Path | None
    state: str
    message: str = ""
    seconds: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON takes it."""
        target = None if self.target is None else str(self.target)
        return {**self.__dict__, "source": str(self.source), "target": target}


def find_inputs(inputs: Sequence[str], suffixes: Set[str] | None, without: Path | None = None) -> list[Job]:
    """Files, folders (searched through all their levels) and glob patterns -> jobs in sorted order, each file once.

    An input that leads to no file becomes a job that fails, so that the others are done.

    Args:
        inputs: what the user named.
        suffixes: of the files that are taken from folders and patterns; None takes all. A file named by itself is always taken.
        without: a folder whose files are left out: that of the outputs.
    """
    jobs: dict[Path, Job] = {}
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            found = [Job(file, file.parent.relative_to(path)) for file in _files_below(path, suffixes, without)]
        elif path.exists() or not _WILDCARDS & set(name):
            found = [Job(path)]
        else:
            matches = (Path(match) for match in sorted(glob.glob(name, recursive=True)))
            found = [Job(match) for match in matches if match.is_file() and _is_wanted(match, suffixes)]
        for job in found or [Job(path)]:
            jobs.setdefault(job.source.resolve(), job)
    return list(jobs.values())


def _is_wanted(path: Path, suffixes: Set[str] | None) -> bool:
    return suffixes is None or path.suffix.lower() in suffixes


def _files_below(folder: Path, suffixes: Set[str] | None, without: Path | None) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        own = (
            without is not None
            and path.resolve().is_relative_to(without.resolve())
            and folder.resolve() != without.resolve()
        )
        if path.is_file() and not hidden and not own and _is_wanted(path, suffixes):
            yield path


def target_of(job: Job, out: Path, template: str, suffix: str) -> Path:
    """Where the output of a job goes; `template` holds {stem} and {suffix}, whose values are the input's stem and `suffix`.

    Raises UnusableInput for a template that names other fields or leaves the folder.
    """
    try:
        name = template.format(stem=job.source.stem, suffix=suffix)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise UnusableInput(f"the template {template!r} takes only {{stem}} and {{suffix}}") from error
    if not name or Path(name).name != name:
        raise UnusableInput(f"the template {template!r} must give a plain file name, not {name!r}")
    return out / job.folder / name


def run(
    jobs: Sequence[Job],
    plan: Callable[[Job], Path],
    work: Callable[[Path, Path], dict[str, Any]],
    overwrite: bool = False,
    report: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Do every job, whatever happens to the others.

    Args:
        plan: job -> target; may raise UnusableInput.
        work: (source, target) -> record: reads, computes and writes.
        overwrite: do jobs whose target exists, which are skipped otherwise.
        report: told each outcome as it comes.
    """
    outcomes: list[Outcome] = []
    # No result may replace a source, its own or another's, nor the result of another one.
    taken = {job.source.resolve(): job.source for job in jobs}
    for job in jobs:
        outcome = _run_one(job, plan, work, overwrite, taken)
        outcomes.append(outcome)
        report(outcome)
    return outcomes


def _run_one(
    job: Job,
    plan: Callable[[Job], Path],
    work: Callable[[Path, Path], dict[str, Any]],
    overwrite: bool,
    taken: dict[Path, Path],
) -> Outcome:
    target: Path | None = None
    begin = time.perf_counter()
    try:
        target = plan(job)
        if (other := taken.get(target.resolve())) is not None:
            raise UnusableInput(
                f"{job.source}: its result {target} would replace {other} or its result: choose another --template"
            )
        taken[target.resolve()] = job.source
        if target.exists() and not overwrite:
            return Outcome(job.source, target, "skipped", f"{target} exists (--overwrite replaces it)")
        record = work(job.source, target)
        copy_sidecars(job.source, target, overwrite)
    except UnusableInput as error:
        named = str(job.source) in str(error)
        return Outcome(job.source, target, "failed", str(error) if named else f"{job.source}: {error}")
    except MemoryError:
        return Outcome(job.source, target, "failed", f"{job.source}: there is not enough memory for it")
    except OSError as error:
        return Outcome(job.source, target, "failed", f"{error.filename or job.source}: {error.strerror or error}")
    except Exception as error:  # A fault of ours on one file must not cost the user the others.
        reason = f"{type(error).__name__} {error}".strip()
        return Outcome(job.source, target, "failed", f"{job.source}: a fault in quietlight, please report it: {reason}")
    return Outcome(job.source, target, "done", seconds=time.perf_counter() - begin, record=record)


def copy_sidecars(source: Path, target: Path, overwrite: bool) -> None:
    """Copy the XMP sidecars of a raw (`IMG.xmp`, `IMG.CR3.xmp`) beside the DNG made of it; existing ones stay unless overwritten.

    Beside a developed photo they would have their edits applied a second time, and those of a photo are not for a raw made of it.
    """
    if target.suffix.lower() != ".dng" or source.suffix.lower() in PHOTO_SUFFIXES:
        return
    pairs = (
        (source.with_suffix(".xmp"), target.with_suffix(".xmp")),
        (source.with_name(source.name + ".xmp"), target.with_name(target.name + ".xmp")),
    )
    for sidecar, copy in pairs:
        if sidecar.is_file() and (overwrite or not copy.exists()):
            with written_beside(copy) as beside:
                shutil.copyfile(sidecar, beside)
