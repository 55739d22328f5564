"""Orders done by several processes of this machine, each with its share of the cores, and each with its own model in memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from quietlight import machine
from quietlight.batch.outcome import Outcome
from quietlight.batch.places import Place
from quietlight.batch.run import Runner, Watch
from quietlight.batch.tasks import Task
from quietlight.batch.work import Order, Work

_TELL = 0.2
"""Seconds between two reports of one file's progress."""
_PATIENCE = 10.0
"""Seconds that a worker is given to clean up when it is told to stop."""


def in_processes(count: int) -> Runner:
    """A runner of so many processes, which share the cores evenly."""
    return partial(_run, count)


@dataclass
class _Worker:
    """A process, the line to it, and the index of the order that it is at; -1 while it waits for one."""

    process: SpawnProcess
    line: Connection
    index: int = -1


def _run(count: int, orders: Sequence[Order], task: Task, place: Place, overwrite: bool, watch: Watch) -> None:
    count = min(count, len(orders))
    waiting = iter(range(len(orders)))
    crew = _Crew(task, place, overwrite)
    with _threads_limited(max(machine.cores() // count, 1)):
        try:
            busy = [worker for worker in [crew.hired() for _ in range(count)] if _give(worker, waiting, orders, watch)]
            while busy:
                for line in wait([worker.line for worker in busy]):
                    worker = next(worker for worker in busy if worker.line is line)
                    busy.remove(worker)
                    if not _listen(worker, orders, place, watch):
                        worker = crew.hired()
                    if worker.index >= 0 or _give(worker, waiting, orders, watch):
                        busy.append(worker)
        finally:
            crew.dismiss()


class _Crew:
    """All processes that were ever started."""

    def __init__(self, *work: Any) -> None:
        self._work = work
        self._context = multiprocessing.get_context("spawn")
        self._processes: list[SpawnProcess] = []

    def hired(self) -> _Worker:
        """A new one."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, *self._work), daemon=True)
        with _interrupts_kept_off():
            process.start()
        theirs.close()
        self._processes.append(process)
        return _Worker(process, ours)

    def dismiss(self) -> None:
        """End those that are still at it."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(_PATIENCE)
            process.kill()


@contextmanager
def _interrupts_kept_off() -> Iterator[None]:
    """Processes started inside the block never see an interrupt, which a terminal sends to all: who started them decides."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _give(worker: _Worker, waiting: Iterator[int], orders: Sequence[Order], watch: Watch) -> bool:
    """Give the worker its next order; let it go where there is none, and say so."""
    worker.index = next(waiting, -1)
    if worker.index < 0:
        worker.line.close()
        return False
    watch.begun(worker.index)
    with contextlib.suppress(OSError):  # a worker that is gone is noticed when it is listened to
        worker.line.send(orders[worker.index])
    return True


def _listen(worker: _Worker, orders: Sequence[Order], place: Place, watch: Watch) -> bool:
    """What the worker has to say; False where it is gone."""
    try:
        said: float | Outcome = worker.line.recv()
    except (EOFError, OSError):
        worker.process.join()
        order = orders[worker.index]
        how = f"its process ended with code {worker.process.exitcode}, perhaps for want of memory: try fewer --jobs"
        watch.ended(worker.index, Outcome.of(order.job, place.shown(order.name), "failed", f"{order.job.place}: {how}"))
        return False
    if isinstance(said, Outcome):
        watch.ended(worker.index, said)
        worker.index = -1
    else:
        watch.share(worker.index, said)
    return True


@contextmanager
def _threads_limited(count: int) -> Iterator[None]:
    """Processes started inside the block compute in so many threads."""
    wanted = machine.thread_limits(count)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _serve(line: Connection, task: Task, place: Place, overwrite: bool) -> None:
    """What a worker does: orders, until there are none or the other end is gone."""
    told = 0.0

    def progress(share: float) -> None:
        nonlocal told
        if time.monotonic() - told > _TELL:
            told = time.monotonic()
            line.send(share)

    with contextlib.suppress(EOFError, OSError):
        while True:
            order: Order = line.recv()
            # Leave by an exception, so that half-written files are removed; at other times there is nothing to remove.
            signal.signal(signal.SIGTERM, _leave)
            outcome = Work(order, task, place, overwrite, progress).run()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            line.send(outcome)


def _leave(*_: Any) -> None:
    raise SystemExit(1)
