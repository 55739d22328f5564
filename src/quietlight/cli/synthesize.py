"""`quietlight synthesize`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

synthesize = typer.Typer(
    name="synthesize", help="Make training data out of photos.", no_args_is_help=True, pretty_exceptions_enable=False
)

_UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LIMITS = {"training": "30MiB", "validation": "3MiB"}


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
