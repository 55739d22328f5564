"""The door of the page: what the browser of a visitor needs passes, and nothing else reaches the library that draws the page.

That library has routes to read files, to call functions by name and to fetch addresses. None is needed here, so all are closed: a
request passes if it is on the list. A call that does pass names files, and the library copies whatever file or address is named;
so a call may name nothing but an upload. Nor may another site's page send anything (its origin is not ours), or a name that
somebody made lead to this machine be used to talk to a page that is bound to it alone (the host is not ours either).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quietlight.web.intake import Limits
from quietlight.web.rooms import Rooms, folder_bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PAGE = "/gradio_api"
UPLOAD, CALL = f"{_PAGE}/upload", f"{_PAGE}/queue/join"
_GET = frozenset(
    ("/", "/theme.css", "/favicon.ico", f"{_PAGE}/queue/data", f"{_PAGE}/upload_progress", f"{_PAGE}/startup-events")
)
_GET_BELOW = ("/assets/", "/static/", "/download/", f"{_PAGE}/heartbeat/")
_POST = frozenset((UPLOAD, CALL, f"{_PAGE}/cancel"))
_LONGEST_CALL = 1 << 16
"""Bytes of a request that is no upload: some numbers and names."""
_FORM = 1 << 16
"""Bytes of an upload beside those of its file."""
_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
_HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


def refusal(scope: Scope, local: bool, limits: Limits, uploaded: Callable[[], int]) -> tuple[int, str] | None:
    """Status and reason of a request that does not pass, None for one that does.

    Args:
        scope: of the request, as ASGI gives it.
        local: whether the page is for this machine alone.
        limits: for uploads.
        uploaded: bytes of uploads that lie there already.
    """
    headers = _headers(scope)
    host = headers.get("host", "")
    if local and urlsplit(f"//{host}").hostname not in _LOOPBACK:
        return 403, "This page is for the machine that it runs on: open it as http://127.0.0.1."
    path, method = scope["path"], scope["method"]
    if method in ("GET", "HEAD"):
        return None if path in _GET or path.startswith(_GET_BELOW) else (404, "There is nothing here.")
    if method != "POST" or path not in _POST:
        return 404, "There is nothing here."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return 403, "Another page may not send anything here."
    length = _length(scope)
    if length < 0:
        return 411, "A request says how long it is."
    if path != UPLOAD:
        return None if length <= _LONGEST_CALL else (413, "This is too long.")
    if length > limits.files * (limits.file_bytes + _FORM) or uploaded() + length > limits.bytes:
        return 413, f"No more than {limits.bytes >> 20} MB at once."
    return None


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _length(scope: Scope) -> int:
    """Bytes that a request says it has; -1 where it does not say."""
    said = _headers(scope).get("content-length", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else -1


def names_only_uploads(body: bytes, uploads: Path) -> bool:
    """Whether a call is JSON in which everything that stands for a file is one below `uploads`."""
    try:
        return _only_uploads(json.loads(body), uploads.resolve())
    except (ValueError, OSError, RecursionError):
        return False


def _only_uploads(value: Any, uploads: Path) -> bool:
    if isinstance(value, list):
        return all(_only_uploads(one, uploads) for one in value)
    if not isinstance(value, dict):
        return True
    if "path" in value:
        path = value["path"]
        if not isinstance(path, str) or value.get("is_stream"):
            return False
        named = Path(path)
        if named.is_symlink() or not named.is_file() or not named.resolve().is_relative_to(uploads):
            return False
    return all(_only_uploads(one, uploads) for one in value.values())


class Guard:
    """`app`, for the requests that pass; its answers say that nothing of other places belongs to the page."""

    def __init__(self, app: App, rooms: Rooms, local: bool) -> None:
        self._app = app
        self._rooms = rooms
        self._local = local
        self._coming = 0  # bytes of uploads that have begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks for it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                kept = [pair for pair in message["headers"] if pair[0].decode("latin-1").lower() not in _HEADERS]
                message = {**message, "headers": [*kept, *own]}
            await send(message)

        limits, uploads = self._rooms.limits, self._rooms.uploads
        refused = refusal(scope, self._local, limits, lambda: self._coming + folder_bytes(uploads))
        if refused is None and scope["method"] == "POST" and scope["path"] == CALL:
            body = await _body(receive)
            receive = _again(body, receive)
            if not names_only_uploads(body, uploads):
                refused = 403, "This file was not uploaded here."
        if refused is None:
            size = _length(scope) if scope["path"] == UPLOAD else 0
            self._coming += size
            try:
                await self._app(scope, receive, guarded)
            finally:
                self._coming -= size
            return
        status, reason = refused
        plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await guarded({"type": "http.response.start", "status": status, "headers": plain})
        await send({"type": "http.response.body", "body": reason.encode()})


async def _body(receive: Receive) -> bytes:
    """All of a request, no longer than calls are, whatever length it said."""
    body, more = b"", True
    while more and len(body) <= _LONGEST_CALL:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and bool(message.get("more_body"))
    return body if not more else b""


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already once more, and then what comes after it."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> MutableMapping[str, Any]:
        return left.pop() if left else await receive()

    return again


def is_loopback(host: str) -> bool:
    """Whether what is bound to a host can be reached from its machine alone."""
    return host in _LOOPBACK or host.startswith("127.")
