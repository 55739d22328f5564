"""`quietlight train`."""

from __future__ import annotations

import math
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from quietlight.train.trainer import Status

_UNITS = {"s": 1, "m": 60, "h": 3600}


def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe in TOML, such as recipes/unet-gray.toml.")],
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Change a key of the recipe; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Checkpoints, log and weights; default runs/NAME.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint in the folder, if there is one.")
    ] = False,
    budget: Annotated[
        str, typer.Option(metavar="9m", help="Stop cleanly, with a checkpoint, within this time (s, m, h).")
    ] = "",
    device: Annotated[
        str, typer.Option(help="cpu, cuda or mps; auto takes a CUDA GPU where there is one, else the CPU.")
    ] = "auto",
) -> None:
    """Train the network of a recipe. Killed or out of time, it goes on with --resume as if nothing had happened.

    Data that a recipe names are looked for here and in the folder that the variable QUIETLIGHT_DATA names.

    Examples:
      quietlight train recipes/unet-gray.toml --set data.source=photos

      torchrun --nproc-per-node 2 -m quietlight train RECIPE --resume
    """
    begun = time.monotonic()
    from rich.console import Console
    from rich.live import Live

    from quietlight.frames import UnusableInput
    from quietlight.train.recipe import load

    loaded = load(recipe, change or [])
    allowed = seconds(budget) if budget else math.inf
    folder = out or Path("runs") / loaded.name
    if not resume and any(folder.glob("step-*.safetensors")):
        raise UnusableInput(f"{folder}: holds a training already: go on with --resume, or give another --out")
    from quietlight.train.trainer import train as run_train

    console = Console(stderr=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def watch(status: Status) -> None:
            live.update(progress_line(loaded.name, status), refresh=True)
            if status.validation is not None:
                console.print(progress_line(loaded.name, status), highlight=False, markup=False, soft_wrap=True)

        weights = run_train(loaded, folder, device, allowed - (time.monotonic() - begun), watch)
    if os.environ.get("RANK", "0") == "0":
        typer.echo(str(weights) if weights else f"{folder}: not finished; go on with --resume")


def progress_line(name: str, status: Status) -> str:
    """Where a run stands, in one line."""
    left = (status.steps - status.step) / max(status.steps_per_second, 1e-9)
    validation = "" if status.validation is None else f"  validation {status.validation:.2f}"
    return (
        f"{name}  {status.step}/{status.steps}  loss {status.losses['total']:.5f}  rate {status.rate:.1e}"
        f"  {status.steps_per_second:.2f} steps/s  {left / 60:.0f} min left{validation}"
    )


def seconds(text: str) -> float:
    """A duration such as "90s", "9m", "1.5h" in seconds.

    >>> seconds("1.5h")
    5400.0
    """
    from quietlight.frames import UnusableInput

    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None:
        raise UnusableInput(f"a duration is a number with s, m or h, such as 9m, not {text!r}")
    return float(match[1]) * _UNITS[match[2]]
