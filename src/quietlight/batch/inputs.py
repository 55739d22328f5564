"""What a user names -> jobs: which files, which of them together, and what their results are called."""

from __future__ import annotations

import glob
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from quietlight.batch import remote
from quietlight.batch.journal import results_in
from quietlight.batch.places import is_url, local
from quietlight.frames import UnusableInput
from quietlight.io import RawFormat
from quietlight.io.burst import is_payload, payloads
from quietlight.io.grouping import group

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
        url: where the file is, if in a store (`remote`); `source` is then no more than its name.
    """

    source: Path
    folder: Path = Path()
    found: bool = False
    frames: tuple[Path, ...] = ()
    reference: int | None = None
    name: str = ""
    url: str = ""

    @property
    def place(self) -> str:
        """What people are told where it is."""
        return self.url or str(self.source)

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


def find_inputs(inputs: Sequence[str], suffixes: Set[str] | None, without: str | Path | None = None) -> list[Job]:
    """Files, folders (searched through all their levels), glob patterns, all by URL, too -> jobs in sorted order, each file once.

    An input that leads to no file becomes a job that fails, so that the others are done. What lies beside the frames of the HDR+
    data set (lens shading and colour as files) is left out.

    Args:
        inputs: what the user named.
        suffixes: of the files that are taken from folders and patterns; None takes all. A file named by itself is always taken.
        without: a folder whose files are left out: that of the outputs. Where it is the one that is searched, its journal tells
            which of them are.
    """
    jobs: dict[Path | str, Job] = {}
    outputs = None if without is None or is_url(str(without)) else Path(without)
    made = set() if outputs is None else results_in(outputs)
    for name in map(local, inputs):
        if is_url(name):
            jobs |= {job.url: job for job in _in_store(name, suffixes, str(without or ""))}
            continue
        path = Path(name)
        if path.is_dir():
            files = _without_companions(_files_below(path, suffixes, outputs))
            found = [Job(file, file.parent.relative_to(path), found=True) for file in files]
        elif path.exists() or not _WILDCARDS & set(name):
            found = [Job(path)]
        else:
            matches = (Path(match) for match in sorted(glob.glob(name, recursive=True)))
            wanted = (match for match in matches if match.is_file() and _is_wanted(match, suffixes))
            found = [Job(match) for match in _without_companions(wanted)]
        for job in found or [Job(path)]:
            if not (job.found and job.source.resolve() in made):
                jobs.setdefault(job.source.resolve(), job)
    return list(jobs.values())


def _in_store(url: str, suffixes: Set[str] | None, without: str) -> list[Job]:
    found = [
        Job(Path(path.name), Path(path.parent), found=True, url=place)
        for place, path in remote.find(url, suffixes, without)
    ]
    return found or [Job(Path(PurePosixPath(url).name), url=url)]


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

    Files called as those of the HDR+ data set are one burst per folder, called like it, unless `choice` is off. Files of stores
    are taken by themselves, behind the others.

    Args:
        jobs: of `find_inputs`.
        choice: auto: of the others, those that `io.grouping.group` takes together, called like the first; on: all that were named,
            called like the first, and all of each folder that was searched, called like it; off: none.
        raw_format: describes files without a header.
        progress: called with the finished share, from 0 to 1.

    Raises UnusableInput for files of stores where `choice` is on.
    """
    if choice == "off":
        return list(jobs)
    if stored := [job for job in jobs if job.url]:
        if choice == "on":
            raise UnusableInput(
                f"{stored[0].url}: bursts are looked for in folders: copy it to one, or take --burst off"
            )
        return [*as_bursts([job for job in jobs if not job.url], choice, raw_format, progress), *stored]
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


def target_of(job: Job, template: str, suffix: str) -> PurePosixPath:
    """What the result of a job is called in the folder of results; `template` holds {stem} and {suffix}: the job's, and `suffix`.

    Raises UnusableInput for a template that names other fields or leaves the folder.
    """
    try:
        name = template.format(stem=job.stem, suffix=suffix)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise UnusableInput(f"the template {template!r} takes only {{stem}} and {{suffix}}") from error
    if not name or Path(name).name != name:
        raise UnusableInput(f"the template {template!r} must give a plain file name, not {name!r}")
    return PurePosixPath(job.folder.as_posix()) / name
