"""`quietlight serve`."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="To listen on; 0 takes any free one.")] = 7860,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Whom to listen to: 127.0.0.1 is this machine alone, 0.0.0.0 everybody."),
    ] = "127.0.0.1",
) -> None:
    """Open a page in your browser: drop pictures, see their noise and what is removed, download clean files.

    Nothing leaves the machine that runs it. What is dropped is deleted when the page is closed, after an hour, and at the end.

    Examples:
      quietlight serve

      quietlight serve --port 8080 --host 0.0.0.0
    """
    from quietlight.web.guard import is_loopback
    from quietlight.web.intake import Limits
    from quietlight.web.server import serve as run

    def tell(address: str) -> None:
        typer.echo(f"Quietlight is at {address} (Ctrl-C stops it)")
        if not is_loopback(host):
            typer.echo("Everybody who reaches this machine can use it: there is no password.", err=True)

    run(host, port, Limits(), tell)
