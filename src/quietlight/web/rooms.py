"""Visitors and what they brought: each has a room of their own, a private folder that is deleted when they leave.

Nothing of one room is ever looked up from another: a room is found by the session that the server was given by the page, pictures
by their key within the room, and finished files by a key that nobody can guess.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quietlight.batch import Job
from quietlight.frames import UnusableInput
from quietlight.web.intake import Limits
from quietlight.web.look import Study, View
from quietlight.web.tasks import Task
from quietlight.web.wishes import Wishes


@dataclass(frozen=True)
class Made:
    """A finished file: its path, the key that it is fetched by, and what it was made with."""

    path: Path
    key: str
    wishes: Wishes
    record: dict[str, Any]
    seconds: float


@dataclass
class Item:
    """One picture of a visitor: a file or a burst, what is known of it, and what is being done with it.

    Args:
        key: by which the page names it.
        title: what people call it.
        job: its files; None where they were refused, and `refusal` says why.
        wishes: of the page's controls.
        looking, making: the tasks that ran last.
        made: finished files by name.
    """

    key: str
    title: str
    job: Job | None
    refusal: str = ""
    wishes: Wishes = field(default_factory=lambda: Wishes(".jpg"))
    study: Study | None = None
    view: View | None = None
    looking: Task | None = None
    making: Task | None = None
    made: dict[str, Made] = field(default_factory=dict)

    def cancel(self) -> None:
        """Let what is being done with it end."""
        for task in (self.looking, self.making):
            if task is not None:
                task.cancel()


class Room:
    """What one visitor brought.

    `chosen` is the key of the picture that the page is about, `notice` a line that it tells, and `drawn` what it shows already.
    """

    def __init__(self, folder: Path, limits: Limits, clock: Callable[[], float]) -> None:
        self.folder = folder
        self.items: dict[str, Item] = {}
        self.chosen: str | None = None
        self.notice = ""
        self.drawn: dict[str, Any] = {}
        self.lock = threading.Lock()
        self._limits = limits
        self._clock = clock
        self.touch()

    def touch(self) -> None:
        """Its visitor is there."""
        self.touched, self.left = self._clock(), False

    @property
    def current(self) -> Item | None:
        """The picture that the page is about."""
        return self.items.get(self.chosen or "")

    @property
    def is_busy(self) -> bool:
        """Whether anything is going on that the page waits for."""
        tasks = [task for item in list(self.items.values()) for task in (item.looking, item.making)]
        return any(task is not None and not task.is_over for task in tasks)

    @property
    def is_stale(self) -> bool:
        """Whether it has been without its visitor for too long."""
        return self._clock() - self.touched > (self._limits.grace if self.left else self._limits.age)

    @property
    def bytes(self) -> int:
        """What its files take."""
        return folder_bytes(self.folder)

    def new_folder(self) -> Path:
        """A further folder in it, of a name that nobody can guess."""
        folder = self.folder / secrets.token_urlsafe(12)
        folder.mkdir(mode=0o700)
        return folder

    def check_room_for(self, files: int, size: int) -> None:
        """Raises UnusableInput where so many more files, or bytes, are too many."""
        if sum(len(i.job.files) for i in self.items.values() if i.job) + files > self._limits.files:
            raise UnusableInput(f"no more than {self._limits.files} files at once: take some away first")
        if self.bytes + size > self._limits.bytes:
            raise UnusableInput(
                f"no more than {self._limits.bytes >> 20} MB at once, results included: take some away first"
            )

    def forget(self, key: str) -> None:
        """Delete a picture and its results."""
        item = self.items.pop(key, None)
        if item is None:
            return
        item.cancel()
        paths = [made.path for made in item.made.values()] + list(item.job.files if item.job else ())
        for path in paths:
            path.unlink(missing_ok=True)
        if self.chosen == key:
            self.chosen = next(iter(self.items), None)

    def clear(self) -> None:
        """Delete everything."""
        for item in self.items.values():
            item.cancel()
        self.items.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


class Rooms:
    """All rooms, below one folder that is for this program alone and goes with it."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.root = Path(tempfile.mkdtemp(prefix="quietlight-page-"))  # of mode 0700
        self.uploads = self.root / "uploads"
        self.uploads.mkdir(mode=0o700)
        self._rooms: dict[str, Room] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def of(self, session: str) -> Room:
        """The room of a session, a new one where it has none. Raises UnusableInput where there are too many."""
        with self._lock:
            room = self._rooms.get(session)
            if room is None:
                self._sweep()
                if len(self._rooms) >= self.limits.visitors:
                    raise UnusableInput("too many visitors at once: try again in some minutes")
                folder = self.root / secrets.token_urlsafe(24)
                folder.mkdir(mode=0o700)
                room = self._rooms[session] = Room(folder, self.limits, self._clock)
            room.touch()
            return room

    def leave(self, session: str) -> None:
        """The page of a session was closed: its room goes soon, unless it comes back."""
        with self._lock:
            room = self._rooms.get(session)
            if room is not None:
                room.touch()
                room.left = True

    def sweep(self) -> None:
        """Delete the rooms whose visitors are gone, and uploads that nobody claimed."""
        with self._lock:
            self._sweep()
        now = time.time()
        for path in self.uploads.rglob("*"):
            if path.is_file() and now - path.stat().st_mtime > self.limits.grace:
                path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        for session in [s for s, room in self._rooms.items() if room.is_stale]:
            self._rooms.pop(session).clear()

    def made(self, key: str) -> Made | None:
        """The finished file of a key."""
        with self._lock:
            every = [
                made for room in self._rooms.values() for i in list(room.items.values()) for made in i.made.values()
            ]
        return next((made for made in every if secrets.compare_digest(made.key.encode(), key.encode())), None)

    def close(self) -> None:
        """Delete everything."""
        with self._lock:
            for room in self._rooms.values():
                room.clear()
            self._rooms.clear()
        shutil.rmtree(self.root, ignore_errors=True)


def folder_bytes(folder: Path) -> int:
    """What the files of a folder take."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
