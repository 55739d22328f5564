"""The command line: one file per verb. Nothing heavy is imported before a verb runs, so that --help answers at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from quietlight import __version__
from quietlight.cli.analyze import analyze
from quietlight.cli.denoise import denoise
from quietlight.cli.develop import develop
from quietlight.cli.doctor import doctor
from quietlight.cli.evaluate import evaluate
from quietlight.cli.serve import serve
from quietlight.cli.synthesize import synthesize
from quietlight.cli.train import train
from quietlight.cli.zoo import zoo
from quietlight.frames import UnusableInput

app = typer.Typer(
    name="quietlight",
    help="Turn noisy captures into clean photographs, and say what the noise was.",
    epilog="Exit codes: 0 all well, 1 something failed, 2 the command was not understood, 130 stopped by hand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(analyze)
app.command()(denoise)
app.command()(develop)
app.command()(serve)
app.add_typer(synthesize)
app.command()(train)
app.command()(evaluate)
app.add_typer(zoo)
app.command()(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"quietlight {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turn noisy captures into clean photographs, and say what the noise was."""


def main() -> None:
    """Run the command line; what a user can mend is said in one line."""
    try:
        app()
    except UnusableInput as error:
        typer.echo(f"quietlight: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(f"quietlight: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("quietlight: stopped", err=True)
        sys.exit(130)
