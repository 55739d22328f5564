"""Runs systems over the samples of a benchmark, side by side, and remembers what is finished."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from quietlight import __version__, machine
from quietlight.evaluate import BENCHMARKS
from quietlight.evaluate.journal import Journal
from quietlight.evaluate.peers import Peer, names, peer
from quietlight.evaluate.pictures import crop_of, liveliest, strip_of
from quietlight.evaluate.sample import REVISION, Benchmark, Part, Sample, digest
from quietlight.evaluate.table import Measurement, Report, Row, Table, summarise
from quietlight.frames import Image, UnusableInput
from quietlight.registry import resolve

Watch = Callable[[int, int, str], None]
"""Told (measurements done, measurements in all, what is worked on)."""
_SHOWN = 3


def evaluate(
    name: str,
    data: Path,
    *,
    systems: Sequence[str] = (),
    parts: Sequence[str] = (),
    limit: int | None = None,
    journal: Path | None = None,
    watch: Watch = lambda *_: None,
) -> Report:
    """Measure systems on a benchmark.

    Args:
        name: of BENCHMARKS.
        data: the folder that holds the folders of the data sets.
        systems: what `peer` takes; none means every system and peer of the benchmark's kind that takes such samples.
        parts: names of parts, or what such names begin with before a hyphen; none means all.
        limit: of the samples of each part, the first so many.
        journal: a file that keeps finished measurements; those it has already, of the same input and weights, are not repeated.

    Raises:
        UnusableInput: an unknown name, a data set that is not there (before anything is computed), a system that was asked for and
            cannot take the samples.
    """
    benchmark: Benchmark = resolve(BENCHMARKS, name, "benchmark")()
    chosen = _choose(benchmark, parts)
    peers = [peer(spec, benchmark.kind) for spec in systems or benchmark.rows or names(benchmark.kind)]
    twice = {p.name for p in peers if sum(p.name == other.name for other in peers) > 1}
    if twice:
        raise UnusableInput(f"two systems have the name {', '.join(sorted(twice))}: give each once")
    samples = {part.name: part.samples(data) for part in chosen}
    run = _Run(name, benchmark, peers, bool(systems), _shown(benchmark), Journal(journal), watch)
    run.total = sum(len(makers[:limit]) for makers in samples.values()) * sum(not p.absent for p in peers)
    tables = tuple(run.part(part, samples[part.name][:limit], len(samples[part.name])) for part in chosen)
    return Report(name, benchmark.about, __version__, machine.cores(), tables, tuple(run.measurements), run.truths)


def _choose(benchmark: Benchmark, wanted: Sequence[str]) -> list[Part]:
    known = [part.name for part in benchmark.parts]
    for want in wanted:
        if not any(_matches(name, want) for name in known):
            raise UnusableInput(f"unknown part {want!r}: it is one of {', '.join(known)}")
    return [part for part in benchmark.parts if not wanted or any(_matches(part.name, want) for want in wanted)]


def _shown(benchmark: Benchmark) -> int:
    if benchmark.kind == "classes":
        return 0
    return benchmark.shown or (1 if len(benchmark.parts) > 1 else _SHOWN)


def _matches(name: str, want: str) -> bool:
    return name == want or name.startswith(f"{want}-")


@dataclass
class _Run:
    """One evaluation under way. `named` tells whether a user asked for just these peers; `shown`: pictures of a part with crops."""

    name: str
    benchmark: Benchmark
    peers: list[Peer]
    named: bool
    shown: int
    journal: Journal
    watch: Watch
    measurements: list[Measurement] = field(default_factory=list)
    truths: dict[tuple[str, str], str] = field(default_factory=dict)
    done: int = 0
    total: int = 0

    def part(self, part: Part, samples: Sequence[Callable[[], Sample]], available: int) -> Table:
        """Every system on every sample of a part; sample by sample, so that an interrupted run has compared all of them."""
        inputs = hashlib.sha256()
        able = [p for p in self.peers if not p.absent]
        found: dict[str, list[Measurement]] = {p.name: [] for p in able}
        channels = 1
        for index, make in enumerate(samples):
            sample = make()
            channels = sample.input.pixels.shape[2] if isinstance(sample.input, Image) else 1
            content = digest(sample.input)
            inputs.update(content)
            truth = self.benchmark.seen(None, sample) if index < self.shown else None
            place = None if truth is None else liveliest(truth)
            if truth is not None and place is not None:
                self.truths[part.name, sample.name] = crop_of(truth, place)
            for one in list(able):
                self.watch(self.done, self.total, f"{part.name}  {one.name}  {sample.name}")
                key = (
                    self.name,
                    part.name,
                    sample.name,
                    one.name,
                    one.fingerprint(channels),
                    hashlib.sha256(content).hexdigest(),
                    REVISION,
                )
                try:
                    found[one.name].append(self._measured(key, one, part.name, sample, place))
                    self.done += 1
                except UnusableInput as error:
                    if self.named:
                        raise UnusableInput(f"{one.name} on {self.name}: {error}") from error
                    able.remove(one)
                    self.total -= len(samples) - index
        verified = inputs.hexdigest() == part.sha256 if part.sha256 and len(samples) == available else None
        rows = [
            summarise(p, found[p.name], self.benchmark.summary, channels)
            if p in able
            else Row(p.name, p.about, p.absent)
            for p in self.peers
            if p in able or p.absent
        ]
        self.measurements += [m for p in able for m in found[p.name]]
        return Table(part.name, len(samples), available, verified, tuple(rows))

    def _measured(
        self, key: tuple[str, ...], one: Peer, part: str, sample: Sample, place: tuple[int, int] | None
    ) -> Measurement:
        if key not in self.journal.known:
            begin = time.perf_counter()
            output = one.run(sample)
            seconds = time.perf_counter() - begin
            megapixels = np.shape(sample.truth)[0] * np.shape(sample.truth)[1] / 1e6
            seen = None if place is None else self.benchmark.seen(output, sample)
            crop = "" if place is None or seen is None else crop_of(seen, place)
            row = None if place is None else self.benchmark.strip(output, sample)
            strip = "" if row is None else strip_of(row)
            values = self.benchmark.score(output, sample)
            self.journal.add(key, Measurement(one.name, part, sample.name, values, seconds / megapixels, crop, strip))
        return self.journal.known[key]
