"""One job on its way through the steps of a task, whatever happens to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from quietlight.batch.inputs import Job
from quietlight.batch.journal import Sources
from quietlight.batch.outcome import Outcome, reason
from quietlight.batch.places import Place
from quietlight.batch.remote import brought
from quietlight.batch.tasks import Progress, Task, copy_sidecars

_READING = 0.2
"""Share of the time that a burst's files take to be read."""


@dataclass(frozen=True)
class Order:
    """A job that is to be done: its result's name, what tells its sources' content, and its size in bytes."""

    job: Job
    name: PurePosixPath
    sources: Sources

    @property
    def size(self) -> int:
        """Bytes of all files, at least one: a measure of the work."""
        return max(sum(int(source[1]) for source in self.sources), 1)


class Work:
    """An order being done: `read`, `compute` and `write` in turn, each in any thread; what fails ends it."""

    def __init__(self, order: Order, task: Task, place: Place, overwrite: bool, progress: Progress) -> None:
        self.order, self.task, self.place, self.overwrite, self.progress = order, task, place, overwrite, progress
        self.outcome: Outcome | None = None
        self._open = ExitStack()
        self._job, self._held = order.job, [None]
        self._seconds = 0.0

    def run(self) -> Outcome:
        """All steps."""
        self.read()
        self.compute()
        return self.write()

    def read(self) -> None:
        """Bring the files here and read them."""
        self._step(self._read)

    def compute(self) -> None:
        """Make the result of what was read."""
        self._step(self._compute)

    def write(self) -> Outcome:
        """Write the result, put it in its place, and clean up; what became of the order."""
        self._step(self._write)
        self._open.close()
        assert self.outcome is not None
        return self.outcome

    def _step(self, step: Callable[[], None]) -> None:
        if self.outcome is not None:
            return
        begin = time.perf_counter()
        try:
            step()
        except Exception as error:
            self._held.clear()
            target = self.place.shown(self.order.name)
            self.outcome = Outcome.of(self.order.job, target, "failed", reason(self.order.job, error))
        self._seconds += time.perf_counter() - begin

    def _read(self) -> None:
        if self.order.job.url:
            self._job = self._open.enter_context(brought(self.order.job))
        share = _READING if self._job.frames else 0.0
        self._held = [self.task.read(self._job, lambda done: self.progress(share * done))]

    def _compute(self) -> None:
        share = _READING if self._job.frames else 0.0
        self._held = [self.task.compute(self._held.pop(), lambda done: self.progress(share + (1 - share) * done))]

    def _write(self) -> None:
        begin = time.perf_counter()
        with self.place.opened(self.order.name) as target:
            record = self._written(target)
        target_name = self.place.shown(self.order.name)
        seconds = self._seconds + time.perf_counter() - begin
        self.outcome = Outcome.of(self.order.job, target_name, "done").after(seconds, record)

    def _written(self, target: Path) -> dict[str, Any]:
        record = self.task.write(self._job, self._held.pop(), target)
        copy_sidecars(self._job.source, target, self.overwrite)
        return record
