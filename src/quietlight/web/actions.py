"""What a visitor does on the page -> what becomes of the room. Nothing here knows how the page looks."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_urlsafe
from typing import cast

from quietlight.batch import BurstChoice, Job, as_bursts
from quietlight.frames import UnusableInput
from quietlight.web.intake import check, in_one_line, plain_names
from quietlight.web.look import Study, look, look_at
from quietlight.web.rooms import Item, Made, Room, Rooms
from quietlight.web.tasks import Desk, Progress, Task
from quietlight.web.wishes import Wishes, formats_of, limited, make


class Actions:
    """All of them, each told the session that it comes from."""

    def __init__(self, rooms: Rooms, desk: Desk) -> None:
        self._rooms = rooms
        self._desk = desk

    def take(self, session: str, uploads: Sequence[str], bursts: BurstChoice) -> Room:
        """Take over uploaded files, which must lie where uploads do, find the bursts among them, and begin to look at them."""
        room = self._entered(session)
        paths = [self._own(Path(name)) for name in dict.fromkeys(uploads)]
        try:
            room.check_room_for(len(paths), sum(path.stat().st_size for path in paths))
        except UnusableInput as error:
            room.notice = str(error)
            for path in paths:
                path.unlink(missing_ok=True)
            return room
        folder = room.new_folder()
        names = plain_names(path.name for path in paths)
        refusals: dict[Path, str] = {}
        for path, name in zip(paths, names, strict=True):
            shutil.move(path, folder / name)
            refusals[folder / name] = self._refusal(folder / name)
        jobs = {job.source: job for job in as_bursts([Job(p) for p, why in refusals.items() if not why], bursts)}
        for path, why in refusals.items():
            if why:
                path.unlink()
                self._add(room, Item(token_urlsafe(6), path.name, None, why))
            elif path in jobs:
                self._begin(room, jobs[path])
        return room

    def _refusal(self, path: Path) -> str:
        """Why a file is not taken; nothing where it is."""
        try:
            check(path, self._rooms.limits)
        except Exception as error:  # a decoder of strangers' files may raise anything
            return in_one_line(error, path.parent).removeprefix(f"{path.name}: ")
        return ""

    def _begin(self, room: Room, job: Job) -> None:
        item = Item(token_urlsafe(6), job.name or job.source.name, job, wishes=Wishes(next(iter(formats_of(job)))))
        self._add(room, item)

        def work(tell: Progress) -> None:
            item.study, item.view = look(job, tell)

        item.looking = self._desk.put(Task(work))

    def _own(self, path: Path) -> Path:
        """An uploaded file. Raises UnusableInput for any other."""
        if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(self._rooms.uploads.resolve()):
            raise UnusableInput("this file was not uploaded here")
        return path

    @staticmethod
    def _add(room: Room, item: Item) -> None:
        room.items[item.key] = item
        current = room.current
        if current is None or (current.job is None and item.job is not None):
            room.chosen = item.key

    def choose(self, session: str, key: str) -> Room:
        """Have the page show another picture."""
        room = self._entered(session)
        if self._item(room, key) is not None:
            room.chosen = key
            room.drawn = {}  # whatever was lost on the way to the page is sent again
        return room

    def forget(self, session: str, key: str) -> Room:
        """Delete a picture and what was made of it."""
        room = self._entered(session)
        room.forget(key)
        return room

    def move(self, session: str, row: float, column: float) -> Room:
        """Show another part of the chosen picture, around a place in shares of its height and width."""
        room = self._entered(session)
        item = room.current
        if item is not None and item.study is not None and item.looking is not None and item.looking.is_over:
            place = min(max(row, 0.0), 1.0), min(max(column, 0.0), 1.0)

            def work(tell: Progress) -> None:
                item.view = look_at(cast(Job, item.job), cast(Study, item.study), place, tell)

            item.looking = self._desk.put(Task(work))
        return room

    def wish(self, session: str, key: str, suffix: str | None, strength: float, chroma: float, exposure: float) -> Room:
        """Set the controls of a picture: of the one that they stood for, though another may be chosen by now."""
        room = self._entered(session)
        item = self._item(room, key)
        if item is not None and item.job is not None:
            known = suffix if suffix in formats_of(item.job) else item.wishes.suffix
            item.wishes = limited(known, strength, chroma, exposure)
        return room

    def make(self, session: str) -> Room:
        """Begin to make the file of the chosen picture."""
        room = self._entered(session)
        if room.current is not None:
            self._make(room, room.current)
        return room

    def make_all(self, session: str) -> Room:
        """Begin to make the files of all pictures that were looked at, each as it was wished."""
        room = self._entered(session)
        for item in room.items.values():
            self._make(room, item)
        return room

    def cancel(self, session: str, key: str) -> Room:
        """Make no file of a picture."""
        room = self._entered(session)
        item = self._item(room, key)
        if item is not None and item.making is not None:
            item.making.cancel()
        return room

    def see(self, session: str) -> Room:
        """Change nothing."""
        return self._rooms.of(session)

    def _entered(self, session: str) -> Room:
        """The room of somebody who does something: what was told before has been read."""
        room = self._rooms.of(session)
        room.notice = ""
        return room

    @staticmethod
    def _item(room: Room, key: str) -> Item | None:
        """A picture of the page, which may have been open for longer than the picture was kept."""
        item = room.items.get(key)
        if item is None:
            room.notice = "This picture is not kept any more, as nobody had touched it for long: drop it again."
        return item

    def _make(self, room: Room, item: Item) -> None:
        if item.job is None or item.study is None or (item.making and not item.making.is_over):
            return
        job, wishes = item.job, replace(item.wishes)
        try:
            room.check_room_for(0, 0)
        except UnusableInput as error:
            room.notice = str(error)
            return

        def work(tell: Progress) -> None:
            folder = room.new_folder()
            try:
                path, record = make(job, wishes, folder, tell)
                tell(1.0)
            except BaseException:  # Cancelled as well
                shutil.rmtree(folder, ignore_errors=True)
                raise
            seconds = task.so_far
            earlier = item.made.pop(path.name, None)
            item.made[path.name] = Made(path, token_urlsafe(32), wishes, record, seconds)
            if earlier is not None:
                earlier.path.unlink(missing_ok=True)

        task = Task(work)
        item.making = self._desk.put(task, long=True)
