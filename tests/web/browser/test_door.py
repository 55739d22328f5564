"""Strangers who speak to the running server without a page: no path of its machine can be read or written."""

from __future__ import annotations

import http.client
import json
import random
import string
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("gradio", reason="the extra [web] is not installed: make test-web installs it and runs these")

from .conftest import started  # after the check

SECRET = "nobody else may read this"


def ask(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """A request whose path is sent as it is, and its answer."""
    with connected(url) as connection:
        connection.putrequest(method, path, skip_host="host" in headers, skip_accept_encoding=True)
        for name, value in ({"content-length": str(len(body))} | headers).items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def connected(url: str) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file={}", "/gradio_api/file=/..{}", "/gradio_api/file/{}", "/file={}", "/static/..{}", "/static//{}", "{}",
        "/static/../../../../../../../../../..{}", "/assets/../../../../../../../../../..{}", "/assets//..{}", "/svelte/..{}",
        "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{}", "/assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
        "/download/..{}", "/download/{}", "/download/%2e%2e{}", "/gradio_api/proxy=file://{}", "/gradio_api/heartbeat/..{}",
    ],
)  # fmt: skip
def test_no_path_is_read(server, secret, path):
    status, answer = ask(server.url, "GET", path.format(secret))
    assert status >= 400
    assert SECRET.encode() not in answer


def multipart(name: str, content: bytes) -> tuple[bytes, str]:
    head = f'--X\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
    return head.encode() + content + b"\r\n--X--\r\n", "multipart/form-data; boundary=X"


@pytest.mark.parametrize(
    "name", ["../../../evil.png", "..\\..\\evil.png", "/tmp/evil.png", "..%2f..%2fevil.png", "..", "a/../../b"]
)
def test_no_path_is_written(server, name):
    body, kind = multipart(name, b"evil")
    before = {path for path in server.temporary.rglob("*") if "uploads" not in path.parts}
    status, _ = ask(server.url, "POST", "/gradio_api/upload", body, content_type=kind)
    assert status in (200, 400, 422, 500)
    assert {path for path in server.temporary.rglob("*") if "uploads" not in path.parts} == before
    assert not Path("/tmp/evil.png").exists()
    assert not list(Path.cwd().glob("*evil*"))


def call(server: Any, function: int, data: list[Any], **more: Any) -> str:
    """What a function of the page answers to somebody who calls it by hand."""
    session = "".join(random.choices(string.ascii_lowercase, k=10))
    body = json.dumps({"data": data, "fn_index": function, "session_hash": session, **more}).encode()
    status, answer = ask(server.url, "POST", "/gradio_api/queue/join", body, content_type="application/json")
    if status != 200:
        return answer.decode()
    told = b""
    with connected(server.url) as connection:
        connection.request("GET", f"/gradio_api/queue/data?session_hash={session}")
        stream = connection.getresponse()
        while b"process_completed" not in told and b"close_stream" not in told and (line := stream.readline()):
            told += line
    return told.decode()


def test_functions_take_no_file_that_was_not_uploaded(server, secret):
    meta = {"meta": {"_type": "gradio.FileData"}}
    files = [
        {"path": str(secret), **meta},
        {"path": f"file://{secret}", **meta},
        {"path": f"{server.url}/theme.css", **meta},
    ]
    files += [{"path": str(secret), "url": f"{server.url}/theme.css", "is_stream": True, **meta}]
    for number in range(13):
        for file in files:
            assert call(server, number, [[file], "auto"]) == "This file was not uploaded here."
    assert secret.read_text() == SECRET
    assert not list(server.temporary.rglob("secret*"))
    assert not list(server.temporary.rglob("theme*"))


def test_the_library_itself_takes_none_either(secret):
    """The door is not all there is: what is behind it would refuse as well."""
    code = (
        "from quietlight.web import guard; guard.names_only_uploads = lambda *_: True;"
        "from quietlight.web.intake import Limits; from quietlight.web.server import serve;"
        "serve('127.0.0.1', 0, Limits(), lambda a: print(a, flush=True))"
    )
    running = started(secret.parent / "tmp", "-c", code)
    try:
        answer = call(running, 0, [[{"path": str(secret), "meta": {"_type": "gradio.FileData"}}], "auto"])
        assert '"success":false' in answer
        assert not list(running.temporary.rglob("secret*"))
    finally:
        running.stop()


def test_no_answer_tells_where_files_lie(server):
    _, page = ask(server.url, "GET", "/")
    assert str(server.temporary).encode() not in page
    assert str(Path(__file__).parents[3]).encode() not in page


def test_other_pages_and_other_names_are_sent_away(server):
    body, kind = multipart("a.png", b"x")
    assert (
        ask(server.url, "POST", "/gradio_api/upload", body, content_type=kind, origin="https://evil.example")[0] == 403
    )
    assert ask(server.url, "GET", "/", host="evil.example")[0] == 403
