"""Orders done by the workers of a Ray cluster: a pool of actors, each with its own model in memory, and a GPU where there are any.

Ray Data deals them out, starts a worker again that died, and gives what it was at to another: a result is written beside and
renamed, so that nothing is lost by that. All machines must see the paths: a shared folder, or a store.
"""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from quietlight import machine
from quietlight.batch.outcome import Outcome
from quietlight.batch.places import Folder, Place
from quietlight.batch.run import Runner, Watch
from quietlight.batch.tasks import Task
from quietlight.batch.work import Order, Work
from quietlight.frames import UnusableInput

_PATIENCE = 10.0
"""Seconds until a cluster has to answer."""
_TRIES = 3
"""Times that an order is given to a worker, if those before died: one that kills every worker must not go round for ever."""


def on_cluster(address: str, workers: int | None) -> Runner:
    """A runner on the cluster at an address, "auto" for the one of this machine, or "local" for one that ends with us.

    Args:
        address: as `ray.init` takes it.
        workers: how many; None for one per GPU, or one per machine where there is none. They share the cores evenly.
    """
    return partial(_run, address, workers)


def _run(
    address: str, workers: int | None, orders: Sequence[Order], task: Task, place: Place, overwrite: bool, watch: Watch
) -> None:
    ray = _connected(address)
    reason = "no word of it came back"
    try:
        has = ray.cluster_resources()
        gpus = int(has.get("GPU", 0))
        count = min(workers or gpus or sum(node["Alive"] for node in ray.nodes()), len(orders))
        threads = max(int(has["CPU"]) // count, 1)
        for index in range(len(orders)):
            watch.begun(index)
        tries = ray.remote(num_cpus=0)(_Tries).remote()
        given = ([_everywhere(order) for order in orders], task, _absolute(place), overwrite, tries)
        found = ray.data.from_items(list(range(len(orders))), override_num_blocks=len(orders)).map_batches(
            _Worker,
            fn_constructor_args=given,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=count, max_tasks_in_flight_per_actor=1),
            num_cpus=threads,
            num_gpus=min(gpus / count, 1) if gpus else None,
            runtime_env={"env_vars": machine.thread_limits(threads)},
        )
        for row in found.iter_rows():
            watch.ended(int(row["index"]), Outcome(**json.loads(row["outcome"])))
    except ray.exceptions.RayError as error:
        reason = f"its workers could not start: {_last_line(error)}"
    finally:
        ray.shutdown()
    for index in sorted(set(range(len(orders))) - set(watch.outcomes)):
        watch.ended(index, _failed(orders[index], place, reason))


def _failed(order: Order, place: Place, reason: str) -> Outcome:
    return Outcome.of(order.job, place.shown(order.name), "failed", f"{order.job.place}: {reason}")


def _last_line(error: Exception) -> str:
    """What a traceback ends with."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" ^~")]
    return lines[-1][:200] if lines else type(error).__name__


def _connected(address: str) -> Any:
    """The library, connected. Raises UnusableInput where it is missing, or nobody answers."""
    # It is not asked what else it would tell, and where to.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UnusableInput("--cluster needs Ray Data: pip install 'quietlight[distributed]'") from error
    where: dict[str, Any] = {"include_dashboard": False} if address == "local" else {"address": address}
    try:
        _knock(address)
        ray.init(**where, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnusableInput(f"--cluster {address}: no Ray cluster answers there ({reason})") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    return ray


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at HOST:PORT, which Ray would wait for; ValueError where that is no port."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host:
        socket.create_connection((host, int(port)), _PATIENCE).close()


def _everywhere(order: Order) -> Order:
    """The order with paths that hold on every machine that shares the folder."""
    job = order.job
    if job.url:
        return order
    frames = tuple(frame.absolute() for frame in job.frames)
    return replace(order, job=replace(job, source=job.source.absolute(), frames=frames))


def _absolute(place: Place) -> Place:
    return Folder(place.root.absolute()) if isinstance(place, Folder) else place


class _Tries:
    """How often an order was given to a worker: an actor of its own, since workers that die forget."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def another(self, index: int) -> int:
        """Count one more; how many that makes."""
        self.counts[index] += 1
        return self.counts[index]


class _Worker:
    """What an actor does with the indices of orders."""

    def __init__(self, orders: Sequence[Order], task: Task, place: Place, overwrite: bool, tries: Any) -> None:
        self.orders, self.task, self.place, self.overwrite, self.tries = orders, task, place, overwrite, tries

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        indices = [int(index) for index in batch["item"]]
        return {"index": indices, "outcome": [json.dumps(self._done(i).to_dict(), default=str) for i in indices]}

    def _done(self, index: int) -> Outcome:
        import ray

        order = self.orders[index]
        if ray.get(self.tries.another.remote(index)) > _TRIES:
            reason = f"{_TRIES} workers died of it, perhaps for want of memory: try fewer --jobs"
            return _failed(order, self.place, reason)
        return Work(order, self.task, self.place, self.overwrite, lambda _: None).run()
