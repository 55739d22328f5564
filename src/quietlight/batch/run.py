"""Jobs -> results, in turn: what is done already is left, the rest is done whatever happens to the others, and all is noted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from quietlight.batch import remote
from quietlight.batch.fingerprint import fingerprint
from quietlight.batch.inputs import Job
from quietlight.batch.journal import Journal, Sources
from quietlight.batch.outcome import Outcome, reason
from quietlight.batch.places import Folder, Place, stamp_of
from quietlight.batch.tasks import Task
from quietlight.batch.work import Order, Work
from quietlight.frames import UnusableInput
from quietlight.io import require_file
from quietlight.io.header import read_header

_AHEAD = 30_000_000
"""Pixels of a file up to which the next one is read, and the one before written, while it is computed: larger ones would fill the
memory."""


@dataclass
class Watch:
    """What happens to the orders of a run: noted in the journal, and told. Any thread may tell."""

    orders: Sequence[Order]
    journal: Journal | None
    report: Callable[[Outcome], None]
    progress: Callable[[float, str], None]
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._shares: dict[int, float] = {}
        self._all, self._done = max(sum(order.size for order in self.orders), 1), 0

    def begun(self, index: int) -> None:
        """Work on an order begins."""
        order = self.orders[index]
        with self._lock:
            if self.journal is not None:
                self.journal.begin(order.name, order.sources)
        self.share(index, 0.0)

    def share(self, index: int, share: float) -> None:
        """So much of an order is done."""
        with self._lock:
            self._shares[index] = share
            under_way = sum(share * self.orders[i].size for i, share in self._shares.items())
            self.progress((self._done + under_way) / self._all, self.orders[index].job.title)

    def ended(self, index: int, outcome: Outcome) -> None:
        """An order is done, or failed."""
        order = self.orders[index]
        with self._lock:
            self._shares.pop(index, None)
            self._done += order.size
            self.outcomes[index] = outcome
            if self.journal is not None:
                facts = {"source": outcome.source, "seconds": round(outcome.seconds, 3), "message": outcome.message}
                self.journal.end(order.name, order.sources, outcome.state, **facts)
            self.progress(self._done / self._all, order.job.title)
            self.report(outcome)


class Runner(Protocol):
    """Who does the orders: `in_turn`, or those that `workers.in_processes` and `cluster.on_cluster` give."""

    def __call__(self, orders: Sequence[Order], task: Task, place: Place, overwrite: bool, watch: Watch) -> None:
        """Do every order, and tell the watch of it."""


def in_turn(orders: Sequence[Order], task: Task, place: Place, overwrite: bool, watch: Watch) -> None:
    """One order after the other, in this process; small files are read before their turn, and written after it."""
    work = [
        Work(order, task, place, overwrite, lambda share, index=index: watch.share(index, share))  # type: ignore[misc]
        for index, order in enumerate(orders)
    ]
    small = [isinstance(place, Folder) and _is_small(order.job) for order in orders]
    reading: Future[None] | None = None
    writing: Future[None] | None = None
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        for index, one in enumerate(work):
            if reading is None:
                watch.begun(index)
                one.read()
            else:
                reading.result()
            reading = None
            if small[index] and small[index + 1 : index + 2] == [True]:
                watch.begun(index + 1)
                reading = reader.submit(work[index + 1].read)
            one.compute()
            if writing is not None:
                writing.result()
            writing = writer.submit(lambda index=index, one=one: watch.ended(index, one.write()))  # type: ignore[misc]
            if reading is None:
                writing.result()


def _is_small(job: Job) -> bool:
    """Whether two more like it fit into memory without a thought."""
    if job.url or job.frames:
        return False
    try:
        header = read_header(job.source)
    except (UnusableInput, OSError):
        return False
    return header is not None and header.height * header.width <= _AHEAD


def run(
    jobs: Sequence[Job],
    task: Task,
    place: Place,
    *,
    overwrite: bool = False,
    journal: bool = True,
    runner: Runner = in_turn,
    report: Callable[[Outcome], None] = lambda _: None,
    progress: Callable[[float, str], None] = lambda *_: None,
) -> list[Outcome]:
    """Do every job, whatever happens to the others; what became of each, in their order.

    Args:
        jobs: what is to be done.
        task: how.
        place: where results go.
        overwrite: do jobs whose result exists, too, but for those that the journal knows as done, by this very task.
        journal: keep one, and believe it.
        runner: who does them.
        report: told each outcome as it comes.
        progress: told the finished share of all that is to be done, and what is worked on.
    """
    book = Journal(place, fingerprint(task)) if journal else None
    plan = _Plan(jobs, task, place, book, overwrite)
    settled = {index: outcome for index, job in enumerate(jobs) if (outcome := plan.take(index, job)) is not None}
    for outcome in settled.values():
        report(outcome)
    watch = Watch(list(plan.orders.values()), book, report, progress)
    if watch.orders:
        runner(watch.orders, task, place, overwrite, watch)
    found = {index: watch.outcomes[number] for number, index in enumerate(plan.orders)}
    return [outcome for _, outcome in sorted((settled | found).items())]


class _Plan:
    """Which jobs are to be done, and as what."""

    def __init__(self, jobs: Sequence[Job], task: Task, place: Place, journal: Journal | None, overwrite: bool) -> None:
        self.task, self.place, self.journal, self.overwrite = task, place, journal, overwrite
        self.orders: dict[int, Order] = {}
        # No result may replace a source, its own or another's, nor the result of another one.
        self._taken = {key: job.place for job in jobs for key in _keys(job)}

    def take(self, index: int, job: Job) -> Outcome | None:
        """Order the job; the outcome of one that is not to be done, or cannot be."""
        target: str | None = None
        try:
            name = self.task.plan(job)
            target = self.place.shown(name)
            if (other := self._taken.get(self.place.key(name))) is not None:
                raise UnusableInput(
                    f"{job.place}: its result {target} would replace {other} or its result: choose another --template"
                )
            self._taken[self.place.key(name)] = job.place
            if self.journal is not None:
                _require_files(job)
            order = Order(job, name, _sources(job))
            objection = self._objection(order)
        except (UnusableInput, OSError) as error:
            return Outcome.of(job, target, "failed", reason(job, error))
        if objection == "":
            return Outcome.of(job, target, "kept", f"{target} is there from before")
        if objection is not None and not self.overwrite:
            return Outcome.of(job, target, "skipped", f"{target} {objection} (--overwrite replaces it)")
        self.orders[index] = order
        return None

    def _objection(self, order: Order) -> str | None:
        """See `Journal.objection`."""
        if self.journal is None:
            return None if self.place.stamp(order.name) is None else "exists"
        if self.journal.abandoned(order.name):
            self.place.clear(order.name)
        return self.journal.objection(order.name, order.sources)


def _keys(job: Job) -> list[str]:
    return [job.url] if job.url else [str(file.resolve()) for file in job.files]


def _require_files(job: Job) -> None:
    """Raise UnusableInput where one is missing, before anything is noted."""
    for file in () if job.url else job.files:
        require_file(file)


def _sources(job: Job) -> Sources:
    """Name and stamp of every file. Raises OSError where there is none."""
    if job.url:
        return [[job.source.name, *remote.stamp_of(job.url)]]
    return [[file.name, *stamp_of(file)] for file in job.files]
