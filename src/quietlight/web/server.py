"""Starting the page, and clearing away behind it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quietlight.frames import UnusableInput
from quietlight.web.guard import Guard, is_loopback
from quietlight.web.intake import Limits
from quietlight.web.look import warm
from quietlight.web.rooms import Rooms
from quietlight.web.tasks import Desk, Task

_SWEEP = 15.0
"""Seconds between two looks for rooms to be deleted, at most."""
_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_SSR_MODE": "False", "GRADIO_MCP_SERVER": "False", "GRADIO_NUM_PORTS": "1",
    "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1",
}  # fmt: skip
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]


def serve(host: str, port: int, limits: Limits, told: Callable[[str], None]) -> None:
    """Serve the page until the process is asked to stop; then everything that visitors brought is deleted.

    Args:
        host, port: where to listen; port 0 takes any free one.
        limits: of what visitors may bring.
        told: is given the address, once it can be opened.

    Raises:
        UnusableInput: where the extra is missing, the port is taken, or the host is none of this machine.
    """
    with _rooms(limits) as rooms, _stoppable():
        _load()
        with _listening(host, port) as door:
            shown = f"[{host}]" if ":" in host else host
            _run(rooms, door, is_loopback(host), lambda: told(f"http://{shown}:{door.getsockname()[1]}"))


def _load() -> None:
    """Load what draws the page, which looks at the environment then."""
    os.environ.update(_QUIET)
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise UnusableInput(
            f"the page needs an extra ({error.name} is missing): pip install 'quietlight[web]'"
        ) from error


def _run(rooms: Rooms, door: socket.socket, local: bool, begun: Callable[[], None]) -> None:
    import uvicorn

    desk = Desk()
    try:
        desk.put(Task(lambda _: warm()))
        app = Guard(_app(rooms, desk), rooms, local)
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, server_header=False, timeout_graceful_shutdown=2
        )
        begun()
        uvicorn.Server(config).run(sockets=[door])
    finally:
        desk.close()


def _app(rooms: Rooms, desk: Desk) -> Any:
    """The page and the finished files."""
    import gradio as gr
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import FileResponse

    from quietlight.web.actions import Actions
    from quietlight.web.page import build, text

    def download(key: str) -> FileResponse:
        made = rooms.made(key)
        if made is None or not made.path.is_file():
            raise HTTPException(404, "This file is not here any more: make it again.")
        fresh = {"cache-control": "no-store"}
        return FileResponse(made.path, media_type="application/octet-stream", filename=made.path.name, headers=fresh)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.get("/download/{key}")(download)
    page = build(Actions(rooms, desk), rooms.limits, rooms.leave)
    page.has_launched = (
        True  # else the library checks no path, as it takes a page that is mounted for one that is being written
    )
    theme = gr.themes.Base(font=FONTS, font_mono=["ui-monospace", "monospace"])
    return gr.mount_gradio_app(
        app,
        page,
        "/",
        allowed_paths=[],
        show_error=False,
        max_file_size=rooms.limits.file_bytes,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        footer_links=[],
        run_history=False,
        theme=theme,
        css=text("page.css"),
        favicon_path=str(Path(__file__).with_name("icon.svg")),
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens. Raises UnusableInput where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
            door.listen(128)
        except (OSError, OverflowError) as error:
            raise UnusableInput(_why_not(host, port, error)) from error
        yield door


def _why_not(host: str, port: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return (
            f"port {port} is taken, perhaps by another quietlight serve: choose one with --port, or 0 for any free one"
        )
    if code == errno.EACCES:
        return f"port {port} is not for everybody: choose one above 1023 with --port"
    return f"{host}: cannot be listened on ({getattr(error, 'strerror', None) or error}): --host is an address of this machine"


@contextmanager
def _stoppable() -> Iterator[None]:
    """What else would end the process at once ends it as Ctrl-C does, so that it clears away."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signals = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _rooms(limits: Limits) -> Iterator[Rooms]:
    """Rooms that are swept while they are there, and deleted at the end; whatever the process writes meanwhile lies among them."""
    rooms = Rooms(limits)
    os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = str(rooms.uploads)
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(min(_SWEEP, limits.grace)):
            rooms.sweep()

    threading.Thread(target=sweep, daemon=True).start()
    try:
        yield rooms
    finally:
        over.set()
        tempfile.tempdir = None
        rooms.close()
