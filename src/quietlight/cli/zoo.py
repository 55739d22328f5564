"""`quietlight zoo`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from quietlight.zoo import Weights

zoo = typer.Typer(
    name="zoo", help="The trained networks that come along.", no_args_is_help=True, pretty_exceptions_enable=False
)


def _beginning(incomplete: str) -> list[str]:
    """The weights whose names begin so, for a shell."""
    from quietlight.zoo import names

    return [name for name in names() if name.startswith(incomplete)]


@zoo.command("list")
def list_() -> None:
    """List the weights that come along; a checkout has some that the wheel has not.

    Examples:
      quietlight zoo list
    """
    from rich.console import Console
    from rich.table import Table

    from quietlight.zoo import in_wheel, names, read

    table = Table("name", "wheel", "network", "parameters", "trained", "validation", box=None, pad_edge=False)
    for name in names():
        weights = read(name)
        table.add_row(
            name,
            "yes" if in_wheel(name) else "no",
            weights.network,
            f"{_parameters(weights):,}",
            _trained(weights),
            weights.metadata.get("validation", ""),
        )
    if table.row_count:
        Console(width=100).print(table)
    else:
        typer.echo("no weights come with this copy: train some with quietlight train")


@zoo.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="Weights of the zoo, or a .safetensors file that quietlight train wrote.", autocompletion=_beginning
        ),
    ],
) -> None:
    """Show what weights are, and the recipe that they were trained by.

    Examples:
      quietlight zoo show unet-gray
    """
    from quietlight.zoo import in_wheel, path_of, read

    weights = read(name)
    facts = {
        "file": f"{path_of(name)} ({path_of(name).stat().st_size / 1e6:.1f} MB)",
        "wheel": "part of it" if in_wheel(name) else "not part of it",
        "sha256": weights.sha256,
        "network": f"{weights.network} {json.dumps(weights.arguments, sort_keys=True)}",
        "parameters": f"{_parameters(weights):,}",
        "trained": _trained(weights),
        "validation": weights.metadata.get("validation", "unknown"),
    }
    for key, value in facts.items():
        typer.echo(f"{key:<12}{value}")
    if "recipe" in weights.metadata:
        typer.echo(f"recipe\n{json.dumps(json.loads(weights.metadata['recipe']), indent=2)}")


@zoo.command()
def verify() -> None:
    """Check that all weights of the zoo are there, unaltered. The exit code is 1 where they are not.

    Examples:
      quietlight zoo verify
    """
    from quietlight.frames import UnusableInput
    from quietlight.zoo import hashes, in_wheel, names, read

    wrong = 0
    for name in sorted({*names(), *hashes()}):
        try:
            place = "" if in_wheel(name) else ", not part of the wheel"
            typer.echo(f"{name}: as committed{place}, sha256 {read(name).sha256}")
        except UnusableInput as error:
            wrong += 1
            typer.echo(f"{name}: {error}", err=True)
    if wrong:
        raise typer.Exit(1)


def _parameters(weights: Weights) -> int:
    return sum(tensor.size for tensor in weights.tensors.values())


def _trained(weights: Weights) -> str:
    facts = weights.metadata
    return f"{facts['steps']} steps on {facts.get('device', 'unknown')}" if "steps" in facts else "unknown"
