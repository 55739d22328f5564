"""`quietlight doctor`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

_SIGNS = {"ok": ("ok", typer.colors.GREEN), "missing": ("--", typer.colors.YELLOW), "wrong": ("!!", typer.colors.RED)}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object to standard output instead.")] = False,
) -> None:
    """Check this installation: libraries, engines, machine, weights, and a small raw and photo from file to file.

    What is missing (--) is told with what would bring it, and does no harm. What is wrong (!!) has to be mended; the exit code is
    then 1.

    Examples:
      quietlight doctor

      quietlight doctor --json > doctor.json
    """
    from quietlight.doctor import examine

    checks = []
    for check in examine():
        checks.append(check)
        if as_json:
            continue
        sign, color = _SIGNS[check.state]
        typer.echo(f"{typer.style(sign, fg=color)}  {check.name:<22}{check.found}")
        if check.advice:
            typer.echo(f"{'':<26}{check.advice}")
    wrong = sum(check.state == "wrong" for check in checks)
    if as_json:
        typer.echo(json.dumps({"ok": not wrong, "checks": [check.to_dict() for check in checks]}, indent=2))
    else:
        typer.echo(f"{wrong} wrong: mend {'it' if wrong == 1 else 'them'} first" if wrong else "All is well.")
    if wrong:
        raise typer.Exit(1)
