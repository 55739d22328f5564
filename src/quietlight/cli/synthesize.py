"""`quietlight synthesize`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from quietlight.cli import options as opt

if TYPE_CHECKING:
    from quietlight.data.photo_noise import Strike

synthesize = typer.Typer(
    name="synthesize", help="Make training data out of photos.", no_args_is_help=True, pretty_exceptions_enable=False
)

_UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LIMITS = {"training": "30MiB", "validation": "3MiB"}
_SPREAD = 0.1


@synthesize.callback()
def _common() -> None:
    """Make training data out of photos."""


@synthesize.command()
def pack(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="A folder of .jpg photos.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The pack to write.")],
    part: Annotated[
        Literal["training", "validation"],
        typer.Option(help="Every 16th photo is kept apart for validation; the others are for training."),
    ] = "training",
    limit: Annotated[
        str, typer.Option(metavar="SIZE", help="Largest size of the pack; 30MiB for training, 3MiB for validation.")
    ] = "",
) -> None:
    """Put a folder of photos into one file, as JPEGs of the quality that fits, to take to a machine that trains.

    Examples:
      quietlight synthesize pack photos/ --out train.pack

      quietlight synthesize pack photos/ --out validation.pack --part validation
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from quietlight.data.pack import photo_files, write_pack
    from quietlight.frames import UnusableInput

    if out.exists():
        raise UnusableInput(f"{out}: exists already: remove it, or give another --out")
    count = len(photo_files(photos, part == "validation"))
    size = byte_count(limit or _LIMITS[part])
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{count} photos", total=1.0)
        quality = write_pack(photos, out, part == "validation", size, lambda share: bar.update(task, completed=share))
    typer.echo(f"{out}: {count} photos for {part}, JPEG quality {quality}, {out.stat().st_size / (1 << 20):.1f} MiB")


@synthesize.command()
def photo(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTOS...", help="Clean photos: a folder, files, or a quoted glob.")
    ],
    out: opt.Out,
    like: Annotated[
        Path | None,
        typer.Option(metavar="REPORT.json", help="Of a noisy photo, by analyze --json or denoise --report: its noise."),
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(metavar="NATURE=LEVEL,...", help="Instead of --like: noises in the order in which they strike."),
    ] = None,
    spread: Annotated[
        float | None,
        typer.Option(min=0, max=1, help=f"With --like: share by which levels vary; {_SPREAD} if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Everything random follows from it, and from the files' names.")] = 0,
    suffix: Annotated[Literal["png", "tif"], typer.Option("--format", help="Of the pictures; both are exact.")] = "png",
    overwrite: opt.Overwrite = False,
) -> None:
    """Make pairs of noisy and clean photos, with noise like that which was found in a photo of yours.

    DIR gets noisy/NAME and clean/NAME, their manifest.json and README.md, and recipe-data.toml, which is printed, too: that noise
    as quietlight train takes it. An interrupted run goes on where it was, and new photos are added.

    Examples:
      quietlight analyze IMG_0042.jpg --json > IMG_0042.json

      quietlight synthesize photo photos/ --like IMG_0042.json --out pairs

      quietlight synthesize photo photos/ --noise gaussian=10..30,bernoulli=0.05 --out pairs
    """
    from quietlight.batch import Job, find_inputs, target_of
    from quietlight.cli.progress import run_with_progress
    from quietlight.data.photo_pairs import PhotoPairs
    from quietlight.frames import UnusableInput
    from quietlight.io import PHOTO_SUFFIXES

    jobs = find_inputs(photos, PHOTO_SUFFIXES, out)
    pairs = PhotoPairs(
        out,
        _strikes(like, noise, spread),
        seed,
        suffix=f".{suffix}",
        like=like.name if like else "",
        photos=photos[0] if Path(photos[0]).is_dir() else str(jobs[0].source.parent),
        command=_command(photos, out, like, noise, spread, seed, suffix),
        overwrite=overwrite,
    )
    if inside := [job.source for job in jobs if job.source.resolve().is_relative_to(out.resolve())]:
        raise UnusableInput(f"{inside[0]}: lies in the folder of the pairs: choose another --out")
    noisy = out / "noisy"
    targets = {job: target_of(job, noisy, "{stem}{suffix}", pairs.suffix) for job in jobs}
    # Of photos whose pairs would be called the same, the first one.
    owners = {target: job for job, target in reversed(targets.items())}

    def name(target: Path) -> str:
        return target.relative_to(noisy).as_posix()

    def plan(job: Job) -> Path:
        if (owner := owners[targets[job]]) is not job:
            raise UnusableInput(f"{job.source}: its pair would be called as that of {owner.source}: rename one of them")
        return targets[job]

    def work(source: Path, target: Path, _: Callable[[float], None]) -> dict[str, Any]:
        return pairs.make(source, name(target))

    pairs.resume({name(target) for target in owners})
    todo = [job for job, target in targets.items() if overwrite or not pairs.is_made(job.source, name(target))]
    if len(todo) < len(jobs):
        typer.echo(f"{len(jobs) - len(todo)} pairs are there already", err=True)
    try:
        with pairs:
            run_with_progress(todo, plan, work, overwrite=True, as_json=False)
    finally:
        if pairs.entries:
            typer.echo(pairs.recipe(), nl=False)


def _strikes(like: Path | None, noise: str | None, spread: float | None) -> tuple[Strike, ...]:
    """The noise that the options ask for, in the order in which it strikes."""
    from quietlight.data.photo_noise import like_report, parse_noise

    if (like is None) == (noise is None):
        raise typer.BadParameter("the noise is given by one of --like REPORT.json and --noise NATURE=LEVEL,...")
    if like is not None:
        return like_report(like, _SPREAD if spread is None else spread)
    if spread is not None:
        raise typer.BadParameter("--spread belongs to --like; --noise takes ranges, such as gaussian=10..30")
    return parse_noise(noise or "")


def _command(
    photos: list[str], out: Path, like: Path | None, noise: str | None, spread: float | None, seed: int, suffix: str
) -> str:
    """What to type for the same pairs; of many files, which a shell may have listed, only the first."""
    shown = photos if len(photos) <= 3 else [photos[0], "..."]
    how = ["--noise", noise or ""]
    if like is not None:
        how = ["--like", str(like), "--spread", f"{_SPREAD if spread is None else spread:g}"]
    rest = ["--seed", str(seed), "--format", suffix, "--out", str(out)]
    return shlex.join(["quietlight", "synthesize", "photo", *shown, *how, *rest])


def byte_count(text: str) -> int:
    """A size such as "30MiB" or "3.5MB" in bytes.

    >>> byte_count("30MiB")
    31457280
    """
    from quietlight.frames import UnusableInput

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text)
    if match is None or match[2] not in _UNITS:
        raise UnusableInput(f"a size is a number with one of {', '.join(_UNITS)}, such as 30MiB, not {text!r}")
    return int(float(match[1]) * _UNITS[match[2]])
