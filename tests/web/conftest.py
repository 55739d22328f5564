"""Visitors without a browser: rooms below a private folder, work done at once, and files as cameras write them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quietlight as ql
from quietlight.web.actions import Actions
from quietlight.web.intake import Limits
from quietlight.web.rooms import Rooms
from quietlight.web.tasks import Desk, Task


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class PatientDesk(Desk):
    """A desk whose tasks are done when a test says so, in the order in which they came."""

    def __init__(self) -> None:
        self.waiting: list[Task] = []

    def put(self, task: Task, *, long: bool = False) -> Task:
        self.waiting.append(task)
        return task

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop(0).run()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits() -> Limits:
    return Limits(files=6, file_bytes=2 << 20, bytes=8 << 20, pixels=400_000, visitors=3, age=100.0, grace=10.0)


@pytest.fixture
def rooms(limits: Limits, clock: Clock) -> Iterator[Rooms]:
    made = Rooms(limits, clock)
    yield made
    made.close()


@pytest.fixture
def desk() -> PatientDesk:
    return PatientDesk()


@pytest.fixture
def actions(rooms: Rooms, desk: PatientDesk) -> Actions:
    return Actions(rooms, desk)


@pytest.fixture
def upload(rooms: Rooms) -> Callable[..., list[str]]:
    """Files -> where they lie once a browser has sent them."""

    def send(*paths: Path) -> list[str]:
        sent = []
        for path in paths:
            folder = Path(tempfile.mkdtemp(dir=rooms.uploads))
            sent.append(shutil.copy(path, folder / path.name))
        return sent

    return send


@pytest.fixture
def noisy_photo(tmp_path: Path) -> Path:
    """Smooth patches with gaussian noise of sigma 25, as PNG."""
    y, x = np.mgrid[:150, :200] / 40
    clean = 0.5 + 0.25 * np.stack([np.sin(2 * x), np.sin(3 * y), np.sin(x + y)], axis=-1)
    noisy = clean + np.random.default_rng(0).normal(0, 25 / 255, clean.shape)
    path = tmp_path / "photo.png"
    ql.write(ql.Image(np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)), path)
    return path


@pytest.fixture
def raw(shoot, tmp_path: Path) -> Path:
    """A raw in colour, turned and cropped."""
    frame = ql.read(shoot(tmp_path / "gray.dng", camera="Turned Camera"))
    assert isinstance(frame, ql.RawFrame)
    turned = replace(frame, white_balance=(2.0, 1.0, 1.5), orientation=6, crop=(4, 6, 148, 210))
    ql.write(turned, tmp_path / "raw.dng")
    return tmp_path / "raw.dng"
