"""`quietlight synthesize`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from quietlight.cli import options as opt
from quietlight.cli.synthesize_burst import burst
from quietlight.cli.synthesize_isp import isp
from quietlight.cli.synthesize_raw import raw

if TYPE_CHECKING:
    from quietlight.data.photo_noise import Strike

synthesize = typer.Typer(
    name="synthesize", help="Make training data out of photos.", no_args_is_help=True, pretty_exceptions_enable=False
)

_UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LIMITS = {"training": "30MiB", "validation": "3MiB"}
_SPREAD = 0.1


synthesize.command()(raw)
synthesize.command()(burst)
synthesize.command()(isp)


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
    from quietlight.batch import find_inputs
    from quietlight.cli.pair_run import command_line, make_pairs
    from quietlight.data.photo_pairs import PhotoPairs
    from quietlight.io import PHOTO_SUFFIXES

    jobs = find_inputs(photos, PHOTO_SUFFIXES, out)
    pairs = PhotoPairs(
        out,
        _strikes(like, noise, spread),
        seed,
        suffix=f".{suffix}",
        like=like.name if like else "",
        photos=photos[0] if Path(photos[0]).is_dir() else str(jobs[0].source.parent),
        command=command_line(
            "photo", photos, [*_how(like, noise, spread), "--seed", str(seed), "--format", suffix], out
        ),
        overwrite=overwrite,
    )
    try:
        make_pairs(jobs, pairs)
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


def _how(like: Path | None, noise: str | None, spread: float | None) -> list[str]:
    """The options that say what the noise is."""
    if like is None:
        return ["--noise", noise or ""]
    return ["--like", str(like), "--spread", f"{_SPREAD if spread is None else spread:g}"]


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
