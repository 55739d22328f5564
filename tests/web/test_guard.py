"""Nothing passes the door but what the page of a visitor needs."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from quietlight.web.guard import UPLOAD, Guard, is_loopback, names_only_uploads, refusal


def answered(question):
    """What a coroutine returns; in a thread of its own, since a browser's loop may run in ours."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, question).result()


JOIN = "/gradio_api/queue/join"


def status(limits, method: str, path: str, local: bool = True, uploaded: int = 0, **headers: str) -> int:
    """Of the refusal of a request; 0 where it passes."""
    given = {"host": "127.0.0.1:7860", "content-length": "10"} | {k.replace("_", "-"): v for k, v in headers.items()}
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
    }
    refused = refusal(scope, local, limits, lambda: uploaded)
    return refused[0] if refused else 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/assets/a.js"),
        ("GET", "/gradio_api/queue/data"),
        ("POST", JOIN),
        ("POST", UPLOAD),
        ("GET", "/download/x"),
    ],
)
def test_the_page_gets_what_it_needs(limits, method, path):
    assert status(limits, method, path) == 0


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd", "/gradio_api/proxy=http://x", "/gradio_api/info", "/config",
        "/gradio_api/openapi.json", "/gradio_api/call/run", "/gradio_api/run/predict", "/gradio_api/api/predict", "/monitoring",
        "/gradio_api/component_server", "/gradio_api/vibe-code", "/gradio_api/runs", "/docs", "/openapi.json", "/file=/etc/passwd",
        "/gradio_api/stream/a/b/c/playlist-file", "/custom_component/a/b/c/d", "/login", "/gradio_api/mcp/", "/etc/passwd",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_else_passes(limits, method, path):
    assert status(limits, method, path) == 404


def test_only_its_own_page_sends_anything(limits):
    assert status(limits, "POST", JOIN, origin="http://127.0.0.1:7860") == 0
    for origin in ("https://evil.example", "http://127.0.0.1:80", "null"):
        assert status(limits, "POST", JOIN, origin=origin) == 403


def test_a_page_for_this_machine_is_asked_for_by_its_name(limits):
    for host in ("127.0.0.1:7860", "localhost:7860", "[::1]:7860", "localhost"):
        assert status(limits, "GET", "/", host=host) == 0
    for host in ("evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""):
        assert status(limits, "GET", "/", host=host) == 403
        assert status(limits, "GET", "/", local=False, host=host) == 0
    assert is_loopback("127.0.0.1") and is_loopback("::1")
    assert not is_loopback("0.0.0.0") and not is_loopback("192.168.0.7")


def test_what_is_sent_is_bounded(limits):
    assert status(limits, "POST", JOIN, content_length="1000000") == 413
    assert status(limits, "POST", JOIN, content_length="") == 411
    assert status(limits, "POST", UPLOAD, content_length="") == 411
    assert status(limits, "POST", UPLOAD, content_length=str(limits.bytes // 2)) == 0
    assert status(limits, "POST", UPLOAD, content_length=str(limits.bytes // 2), uploaded=limits.bytes) == 413
    assert status(limits, "POST", UPLOAD, content_length=str(limits.files * limits.file_bytes * 2)) == 413


def test_a_call_names_uploads_alone(rooms, noisy_photo):
    mine = rooms.uploads / "mine.png"
    mine.write_bytes(b"mine")
    link = rooms.uploads / "link.png"
    link.symlink_to(noisy_photo)
    for path, fine in {
        mine: True,
        noisy_photo: False,
        link: False,
        rooms.uploads: False,
        mine / ".." / ".." / "x": False,
    }.items():
        for data in (
            [{"path": str(path)}],
            [[{"path": str(path)}]],
            {"a": {"b": [1, {"path": str(path), "url": "x"}]}},
        ):
            assert names_only_uploads(json.dumps({"data": data, "fn_index": 0}).encode(), rooms.uploads) is fine
    for path in ("http://127.0.0.1/x", "file:///etc/passwd", "", 7, None, ["x"], "\0"):
        assert not names_only_uploads(json.dumps({"data": [{"path": path}]}).encode(), rooms.uploads)
    assert not names_only_uploads(json.dumps({"path": str(mine), "is_stream": True}).encode(), rooms.uploads)
    assert names_only_uploads(b'{"data": ["path", 0.5, null, {}]}', rooms.uploads)
    for broken in (b"", b"{", b"[" * 60_000, b"\xff"):
        assert not names_only_uploads(broken, rooms.uploads)


def test_a_call_is_read_and_given_on_whole(rooms):
    got: list[bytes] = []

    async def app(scope, receive, send):
        while True:
            message = await receive()
            got.append(message["body"])
            if not message["more_body"]:
                return await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(*pieces: bytes) -> int:
        waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        waiting[-1]["more_body"] = False
        sent: list[Any] = []

        async def send(message):
            sent.append(message)

        async def receive():
            return waiting.pop(0)

        headers = [(b"host", b"localhost"), (b"content-length", b"9")]
        await Guard(app, rooms, True)(
            {"type": "http", "method": "POST", "path": JOIN, "headers": headers}, receive, send
        )
        return sent[0]["status"]

    assert answered(ask(b'{"data"', b": [1, 2]}")) == 200
    assert b"".join(got) == b'{"data": [1, 2]}'
    assert answered(ask(b'{"data": [{"path": "/etc/passwd"}]}')) == 403
    assert answered(ask(*[b" " * 60_000] * 3)) == 403


def test_every_answer_says_that_nothing_of_other_places_belongs_to_it(rooms):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Referrer-Policy", b"unsafe-url")]})
        await send({"type": "http.response.body", "body": b"page"})

    sent: list[Any] = []

    async def ask(path: str) -> None:
        async def send(message):
            sent.append(message)

        async def receive():
            return {}

        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")]}
        await Guard(app, rooms, True)(scope, receive, send)

    for path in ("/", "/nowhere"):
        answered(ask(path))
    starts = [message for message in sent if message["type"] == "http.response.start"]
    assert [start["status"] for start in starts] == [200, 404]
    for start in starts:
        headers = dict(start["headers"])
        assert b"default-src 'self'" in headers[b"content-security-policy"]
        assert headers[b"referrer-policy"] == b"no-referrer"
