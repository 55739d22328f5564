"""Many files -> many files: which inputs, which of them together, which outputs, one after the other, going on after failures."""

from __future__ import annotations

import glob
import shutil
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from quietlight.frames import Frame, UnusableInput
from quietlight.io import PHOTO_SUFFIXES, RawFormat, read_file
from quietlight.io.burst import is_payload, payloads, read_burst
from quietlight.io.files import written_beside
from quietlight.io.grouping import group
from quietlight.io.sequence import is_sequence, with_reference

_WILDCARDS = frozenset("*?[")
BurstChoice = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class Job:
    """One input, a file or a burst of several, and the folder of its output, relative to the output folder.

    Args:
        source: the file; of a burst the one that it is known by: the reference if somebody said which that is, else the first.
        folder: of the output.
        found: whether it was found in a folder, not named.
        frames: the files of a burst, in order; empty for a single file.
        reference: the index of the reference among them, where it is known.
        name: what a burst that is a folder is called, instead of by its source.
    """

    source: Path
    folder: Path = Path()
    found: bool = False
    frames: tuple[Path, ...] = ()
    reference: int | None = None
    name: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of the job."""
        return self.frames or (self.source,)

    @property
    def stem(self) -> str:
        """What its result is named after."""
        return self.name or self.source.stem

    @property
    def title(self) -> str:
        """What people are told it is."""
        name = self.name or self.source.name
        return f"{name} (burst of {len(self.frames)})" if self.frames else name


@dataclass
class Outcome:
    """What became of one job: "done", "skipped" or "failed"; `frames` are the files of a burst."""

    source: Path
    target: Path | None
    state: str
    message: str = ""
    seconds: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    frames: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON takes it."""
        target = None if self.target is None else str(self.target)
        return {**self.__dict__, "source": str(self.source), "target": target, "frames": [str(f) for f in self.frames]}


def find_inputs(inputs: Sequence[str], suffixes: Set[str] | None, without: Path | None = None) -> list[Job]:
    """Files, folders (searched through all their levels) and glob patterns -> jobs in sorted order, each file once.

    An input that leads to no file becomes a job that fails, so that the others are done. What lies beside the frames of the HDR+
    data set (lens shading and colour as files) is left out.

    Args:
        inputs: what the user named.
        suffixes: of the files that are taken from folders and patterns; None takes all. A file named by itself is always taken.
        without: a folder whose files are left out: that of the outputs.
    """
    jobs: dict[Path, Job] = {}
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            files = _without_companions(_files_below(path, suffixes, without))
            found = [Job(file, file.parent.relative_to(path), found=True) for file in files]
        elif path.exists() or not _WILDCARDS & set(name):
            found = [Job(path)]
        else:
            matches = (Path(match) for match in sorted(glob.glob(name, recursive=True)))
            wanted = (match for match in matches if match.is_file() and _is_wanted(match, suffixes))
            found = [Job(match) for match in _without_companions(wanted)]
        for job in found or [Job(path)]:
            jobs.setdefault(job.source.resolve(), job)
    return list(jobs.values())


def _is_wanted(path: Path, suffixes: Set[str] | None) -> bool:
    return suffixes is None or path.suffix.lower() in suffixes


def _without_companions(paths: Iterable[Path]) -> list[Path]:
    """Of folders that hold frames of the HDR+ data set, only those."""
    paths = list(paths)
    folders = {path.parent for path in paths if is_payload(path)}
    return [path for path in paths if path.parent not in folders or is_payload(path)]


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


def as_bursts(
    jobs: Sequence[Job],
    choice: BurstChoice,
    raw_format: RawFormat | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Job]:
    """Jobs of single files -> jobs of bursts and of single files, in the order of their first files.

    Files called as those of the HDR+ data set are one burst per folder, called like it, unless `choice` is off.

    Args:
        jobs: of `find_inputs`.
        choice: auto: of the others, those that `io.grouping.group` takes together, called like the first; on: all that were named,
            called like the first, and all of each folder that was searched, called like it; off: none.
        raw_format: describes files without a header.
        progress: called with the finished share, from 0 to 1.
    """
    if choice == "off":
        return list(jobs)
    together: dict[Hashable, list[Path]] = {}
    rest: list[Path] = []
    for job in jobs:
        if is_payload(job.source) or (choice == "on" and job.found):
            together.setdefault(job.source.parent, []).append(job.source)
        elif choice == "on" and not job.source.is_dir():
            together.setdefault("named", []).append(job.source)
        else:
            rest.append(job.source)
    found = group(rest, raw_format, progress) if choice == "auto" else [(path,) for path in rest]
    burst_of = {path: burst for burst in [*map(tuple, together.values()), *found] for path in burst}
    job_of = {job.source: job for job in jobs}
    return [
        _joined([job_of[path] for path in burst], choice)
        for burst in dict.fromkeys(burst_of[job.source] for job in jobs)
    ]


def _joined(members: Sequence[Job], choice: BurstChoice) -> Job:
    """The jobs of one burst as one."""
    first = members[0]
    frames, reference = tuple(job.source for job in members), None
    of_data_set = all(is_payload(path) for path in frames)
    if len(frames) == 1:
        return first
    if of_data_set:
        frames, reference = payloads(frames)
    if of_data_set or (choice == "on" and first.found):
        name = first.source.parent.resolve().name
        return Job(frames[reference or 0], first.folder.parent, first.found, frames, reference, name)
    return replace(first, frames=frames)


def read_job(
    job: Job, raw_format: RawFormat | None = None, progress: Callable[[float], None] = lambda _: None
) -> Frame:
    """The frame of a single file, or the Burst of several. Raises UnusableInput as `io.read` does."""
    if not job.frames:
        return read_file(job.source, raw_format)
    burst = read_burst(job.frames, lambda path: read_file(path, raw_format), raw_format, job.reference, progress)
    return with_reference(burst, job.frames[0].parent) if is_sequence(job.frames) else burst


def target_of(job: Job, out: Path, template: str, suffix: str) -> Path:
    """Where the output of a job goes; `template` holds {stem} and {suffix}, whose values are those of the job and `suffix`.

    Raises UnusableInput for a template that names other fields or leaves the folder.
    """
    try:
        name = template.format(stem=job.stem, suffix=suffix)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise UnusableInput(f"the template {template!r} takes only {{stem}} and {{suffix}}") from error
    if not name or Path(name).name != name:
        raise UnusableInput(f"the template {template!r} must give a plain file name, not {name!r}")
    return out / job.folder / name


def run(
    jobs: Sequence[Job],
    plan: Callable[[Job], Path],
    work: Callable[[Job, Path], dict[str, Any]],
    overwrite: bool = False,
    report: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Do every job, whatever happens to the others.

    Args:
        plan: job -> target; may raise UnusableInput.
        work: (job, target) -> record: reads, computes and writes.
        overwrite: do jobs whose target exists, which are skipped otherwise.
        report: told each outcome as it comes.
    """
    outcomes: list[Outcome] = []
    # No result may replace a source, its own or another's, nor the result of another one.
    taken = {file.resolve(): file for job in jobs for file in job.files}
    for job in jobs:
        outcome = replace(_run_one(job, plan, work, overwrite, taken), frames=job.frames)
        outcomes.append(outcome)
        report(outcome)
    return outcomes


def _run_one(
    job: Job,
    plan: Callable[[Job], Path],
    work: Callable[[Job, Path], dict[str, Any]],
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
        record = work(job, target)
        copy_sidecars(job.source, target, overwrite)
    except UnusableInput as error:
        named = any(str(file) in str(error) for file in job.files)
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
