"""Options that several verbs share, each with the help text it has everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quietlight.engine import ENGINES
from quietlight.engine.choice import AUTO

if TYPE_CHECKING:
    from quietlight.analysis.calibrate import Calibration
    from quietlight.batch import Place, Runner
    from quietlight.frames import RawFrame
    from quietlight.io import RawFormat


class BurstChoice(StrEnum):
    """Which files are shots of one scene, to be made into one."""

    auto = "auto"
    on = "on"
    off = "off"


Engines = StrEnum("Engines", {name: name for name in (AUTO, *ENGINES)})  # type: ignore[misc]  # read from the registry
ANY_ENGINE = Engines(AUTO)

Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT...", help="Files, folders (with all below them) or quoted globs.")
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the results; made if missing.")]
Results = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Folder for the results, or a path such as s3://bucket/clean; made if missing.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that exist; they are skipped otherwise.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", min=1, metavar="N", help="Files at once, by a process each, which share the cores; else 1."
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local",
        help="Do it on a Ray cluster, whose machines see all paths: its address, auto, or local. --jobs is the number of workers.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON list to standard output, one entry per file.")]
Burst = Annotated[
    BurstChoice,
    typer.Option(
        help="Several shots of one scene become one. auto finds them: same folder, camera and exposure, seconds apart, same scene. "
        "on takes all files named, and all of each folder, as one. off takes every file by itself."
    ),
]
RawFormatFile = Annotated[
    Path | None,
    typer.Option(
        "--raw-format", metavar="FILE.toml", help="Describes headerless raws: size, bits, packing, pattern, levels."
    ),
]
Profile = Annotated[
    Path | None,
    typer.Option("--profile", metavar="FILE.json", help="Noise of your camera, measured by analyze --calibrate."),
]
Dark = Annotated[
    Path | None, typer.Option("--dark", metavar="FILE", help="A dark frame, same camera and exposure, to subtract.")
]
Banding = Annotated[bool, typer.Option("--banding", help="Remove row banding from raws.")]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="DIR",
        help="Also write, per file, a page of what was found and done (HTML), a picture and JSON; and a page of all of them.",
    ),
]
Engine = Annotated[
    Engines, typer.Option(help="What runs the networks; auto takes the fastest of those installed for each of them.")
]
Strength = Annotated[float, typer.Option(min=0, max=1, help="Share of the noise to remove: out = in + S (clean - in).")]
Chroma = Annotated[
    float | None, typer.Option(min=0, max=1, help="The same for colour noise; as --strength if not given.")
]
NoiseScale = Annotated[
    float, typer.Option(min=0.1, max=10, help="Raws: take the noise to be this many times stronger than measured.")
]


def use_engine(choice: StrEnum) -> str:
    """Have the networks of this process computed by an engine; its name. Raises UnusableInput where it is not installed."""
    from quietlight.engine import use

    use(choice.value)
    return str(choice)


def place(out: str) -> Place:
    """Where results go."""
    from quietlight.batch.places import Folder, is_url, local
    from quietlight.batch.remote import Store

    return Store(out) if is_url(local(out)) else Folder(Path(local(out)))


def runner(jobs: int | None, cluster: str | None) -> Runner:
    """Who does the work."""
    if cluster is not None:
        from quietlight.batch.cluster import on_cluster

        return on_cluster(cluster, jobs)
    if jobs is not None and jobs > 1:
        from quietlight.batch.workers import in_processes

        return in_processes(jobs)
    from quietlight.batch import in_turn

    return in_turn


def load_raw_format(path: Path | None) -> RawFormat | None:
    """The description of headerless raws, if one was given."""
    from quietlight.io import read_raw_format

    return None if path is None else read_raw_format(path)


def load_calibration(path: Path | None) -> Calibration | None:
    """The camera's measured noise, if a file was given."""
    from quietlight.analysis import profile_file

    return None if path is None else profile_file.load(path)


def load_dark(path: Path | None, raw_format: RawFormat | None) -> RawFrame | None:
    """The dark frame, if one was given."""
    from quietlight.frames import RawFrame, UnusableInput
    from quietlight.io import read_file

    if path is None:
        return None
    dark = read_file(path, raw_format)
    if not isinstance(dark, RawFrame):
        raise UnusableInput(f"{path}: a dark frame is a raw file, not a photo")
    return dark
