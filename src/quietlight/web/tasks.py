"""Work in the background: one thread for short things and one for long ones, in the order in which they were asked for."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Literal

Progress = Callable[[float], None]
State = Literal["waiting", "working", "done", "failed", "cancelled"]
_SOON = 2.0
"""Seconds before which no time left is told."""


class Cancelled(Exception):
    """Raised inside of work that nobody wants any more, when it next tells how far it is."""


class Task:
    """One piece of work: how far it is, and whether it is still wanted. It ends in one of three states.

    `share` is the finished part, from 0 to 1; `error` is what it raised.
    """

    def __init__(self, work: Callable[[Progress], None]) -> None:
        self._work = work
        self._wanted = True
        self._begun: float | None = None
        self.state: State = "waiting"
        self.share = 0.0
        self.error: Exception | None = None

    def run(self) -> None:
        """Do it, unless it was cancelled before."""
        self._begun = time.monotonic()
        try:
            self.tell(0.0)
            self.state = "working"
            self._work(self.tell)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except Exception as error:  # Told to the visitor whose work it was; the thread goes on with the next.
            self.error = error
            self.state = "failed"

    def tell(self, share: float) -> None:
        """Say how far it is; raises Cancelled where nobody wants it any more."""
        if not self._wanted:
            raise Cancelled
        self.share = max(self.share, share)

    def cancel(self) -> None:
        """Let it end soon, without a result."""
        self._wanted = False
        if self.state == "waiting":
            self.state = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in ("waiting", "working")

    @property
    def so_far(self) -> float:
        """Seconds since it was begun; 0 before."""
        return 0.0 if self._begun is None else time.monotonic() - self._begun

    @property
    def seconds_left(self) -> float | None:
        """By how long it took so far; None where that tells nothing yet."""
        passed = self.so_far
        told = self.state == "working" and passed > _SOON and self.share > 0.02
        return passed * (1 - self.share) / self.share if told else None


class Desk:
    """The two threads. What is short does not wait for what is long. Neither keeps the program from ending."""

    def __init__(self) -> None:
        self._queues: dict[bool, queue.Queue[Task | None]] = {long: queue.Queue() for long in (False, True)}
        self._tasks: list[Task] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(q,), daemon=True) for q in self._queues.values()]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _work(tasks: queue.Queue[Task | None]) -> None:
        while (task := tasks.get()) is not None:
            task.run()

    def put(self, task: Task, *, long: bool = False) -> Task:
        """Have a task done when its turn comes."""
        with self._lock:
            self._tasks = [one for one in self._tasks if not one.is_over]
            self._tasks.append(task)
        self._queues[long].put(task)
        return task

    def close(self, patience: float = 5.0) -> None:
        """Cancel everything, and wait, for no more seconds than `patience`, until it has ended."""
        with self._lock:
            for task in self._tasks:
                task.cancel()
        for tasks in self._queues.values():
            tasks.put(None)
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
