"""The page in a real browser: a server as people start it, and visitors, of whom all that they ask the network for is noted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 240_000
"""Milliseconds that a machine which does much else may take."""
DROP = "#ql-drop input[type=file]"


@dataclass
class Server:
    """One that runs: its address, and the folder that it may put temporary files into."""

    url: str
    temporary: Path
    process: subprocess.Popen[str]

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = os.environ.get("QUIETLIGHT_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.fail("no Chromium is found: apt install chromium, or say where it is in QUIETLIGHT_CHROMIUM")
    return found


def started(temporary: Path, *command: str) -> Server:
    """A server by a command that prints its address."""
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.search(r"http://\S+", line)
    assert address, f"no address, but: {line!r}"
    return Server(address[0], temporary, process)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    running = started(tmp_path_factory.mktemp("server") / "tmp", "-m", "quietlight", "serve", "--port", "0")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = Path(os.environ.get("QUIETLIGHT_SCREENSHOTS", "web-screenshots"))
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser(chromium) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@dataclass
class Visitor:
    """One with a window of their own, and what went over the network for it."""

    page: Any
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def drop(self, *paths: Path) -> None:
        self.page.set_input_files(DROP, [str(path) for path in paths])

    def card(self, name: str) -> Any:
        return self.page.locator(".card", has_text=name)

    def choose(self, name: str) -> None:
        self.card(name).locator(".pick").click()
        self.page.wait_for_selector(f".card.chosen:has-text('{name}')")
        self.page.wait_for_timeout(500)

    def settle(self) -> None:
        """Wait until everything was looked at."""
        self.page.wait_for_selector(".card")
        self.page.wait_for_function("!document.querySelector('.card.looking')")
        self.page.wait_for_timeout(500)

    def after(self) -> str:
        return str(self.page.get_attribute("#ql-viewer .after", "src"))

    def set(self, slider: str, value: float) -> None:
        """Move a slider, and wait for its picture."""
        earlier = self.after()
        self.page.fill(f"#ql-{slider} input[type=number]", str(value))
        self.page.keyboard.press("Tab")
        self.page.wait_for_function("e => document.querySelector('#ql-viewer .after').src !== e", arg=earlier)

    def file(self, label: str) -> None:
        self.page.locator("#ql-format label", has_text=label).click()
        self.page.wait_for_timeout(500)

    def make(self, name: str) -> None:
        self.page.click("#ql-make")
        self.page.wait_for_selector(f".files a:has-text('{name}')")

    def download(self, name: str, to: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.click(f".files a:has-text('{name}')")
        assert download.value.suggested_filename == name
        to.mkdir(exist_ok=True)
        download.value.save_as(to / name)
        return to / name

    def command(self) -> str:
        return str(self.page.inner_text("#ql-remarks code"))


@pytest.fixture
def visit(browser, server) -> Iterator[Callable[..., Visitor]]:
    """A maker of visitors. None of them may ask anybody else for anything, nor may their pages complain."""
    visitors: list[Visitor] = []

    def make(width: int = 1440, height: int = 900, url: str = server.url, **options: Any) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE)
        visitor = Visitor(context.new_page())
        visitors.append(visitor)
        visitor.page.on("request", lambda request: visitor.asked.append(request.url))
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitor.page.on("console", lambda m: visitor.complaints.append(m.text) if m.type == "error" else None)
        visitor.page.goto(url)
        visitor.page.wait_for_selector(DROP, state="attached")
        visitor.page.wait_for_timeout(500)
        return visitor

    yield make
    for visitor in visitors:
        visitor.page.context.close()
        strange = [url for url in visitor.asked if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))]
        assert not strange
        assert not visitor.complaints
