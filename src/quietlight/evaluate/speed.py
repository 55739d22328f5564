"""What everything costs: seconds and memory per megapixel of every verb, system and engine, and of other people's programs.

Each measurement is a process of its own. Seconds are those of the CPU in all threads, so that what else runs on the machine hardly
counts, and those of the clock. Everything is compared with rawpy's default development of the same raw in the same run, and
networks with products of large matrices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from quietlight import __version__, machine
from quietlight.engine import ENGINES
from quietlight.evaluate.speed_cases import BASE, Case, cases
from quietlight.frames import UnusableInput
from quietlight.io.files import written_beside

SIZES = (12.0, 24.0)
"""Megapixels."""
PRECISIONS = ("float32", "bfloat16")
Watch = Callable[[int, int, str], None]
"""Told (measurements done, measurements in all, what is measured)."""


@dataclass(frozen=True)
class Row:
    """One measurement.

    Args:
        name, about: of the case.
        engine: that ran its networks; empty where it has none.
        megapixels: of the picture; of a burst, of one frame.
        cpu, wall: seconds.
        memory: the process's most, in MB, all libraries and the picture included.
        ratio: CPU seconds as multiples of rawpy's.
        rate: GFLOP per CPU second of its networks, 0 where unknown.
        failed: why there are no numbers.
    """

    name: str
    about: str
    engine: str
    megapixels: float
    cpu: float = 0.0
    wall: float = 0.0
    memory: float = 0.0
    ratio: float = 0.0
    rate: float = 0.0
    failed: str = ""


@dataclass(frozen=True)
class Speed:
    """All of a run; `peaks`: precision -> GFLOP per CPU second of matrix products."""

    rows: tuple[Row, ...]
    peaks: dict[str, float]
    threads: int
    version: str = __version__

    def as_text(self) -> str:
        """A Markdown table."""
        lines = [
            f"Quietlight {self.version}, {self.threads} threads; matrix products: "
            + ", ".join(f"{peak:.0f} GFLOP per CPU second in {name}" for name, peak in self.peaks.items()),
            "",
            "| | | engine | MP | CPU s/MP | s/MP | CPU, times rawpy's | peak MB | MB/MP | of the float32 peak | of bfloat16's |",
            "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        return "\n".join([*lines, *map(self._line, self.rows)])

    def _line(self, row: Row) -> str:
        if row.failed:
            return f"| {row.name} | {row.about} | | | {row.failed} | | | | | | |"
        shares = [f"{row.rate / self.peaks[name]:.0%}" if row.rate and self.peaks[name] else "" for name in PRECISIONS]
        per = row.megapixels
        numbers = (
            f"{row.cpu / per:.3f} | {row.wall / per:.3f} | {row.ratio:.1f} | {row.memory:.0f} | {row.memory / per:.0f}"
        )
        return f"| {row.name} | {row.about} | {row.engine} | {per:g} | {numbers} | {' | '.join(shares)} |"

    def write_json(self, path: Path) -> None:
        """All numbers."""
        with written_beside(path) as beside:
            beside.write_text(json.dumps(asdict(self), indent=2) + "\n")


def speed(systems: Sequence[str] = (), sizes: Sequence[float] = SIZES, watch: Watch = lambda *_: None) -> Speed:
    """Measure cases, by default all, on pictures of some sizes in megapixels, with all cores that we may use.

    Raises UnusableInput for an unknown case.
    """
    known = cases()
    if unknown := [name for name in systems if name not in known]:
        raise UnusableInput(f"unknown system {unknown[0]!r}: speed knows {'; '.join(known)}")
    chosen = {name: case for name, case in known.items() if name == BASE or not systems or name in systems}
    plan = [(name, case, engine, size) for size in sizes for name, case in chosen.items() for engine in _engines(case)]
    threads, rows = machine.cores(), []
    watch(0, len(plan), "matrix products")
    peaks = {precision: float(_ask(threads, peak=precision)["peak"]) for precision in PRECISIONS}
    bases: dict[float, float] = {}
    for number, (name, case, engine, size) in enumerate(plan):
        watch(number, len(plan), f"{name}  {engine}  {size:g} MP")
        row = Row(name, case.about, engine if case.network else "", size, failed=case.absent)
        rows.append(row if case.absent else _measured(row, engine, threads, bases))
    return Speed(tuple(rows), peaks, threads)


def _engines(case: Case) -> list[str]:
    """Those that are installed, for cases where they make a difference."""
    there = [name for name in ENGINES if find_spec(name)]
    return there if case.network and not case.absent else there[:1]


def _measured(row: Row, engine: str, threads: int, bases: dict[float, float]) -> Row:
    try:
        found = _ask(threads, case=row.name, megapixels=row.megapixels, engine=engine)
    except UnusableInput as error:
        return replace(row, failed=str(error))
    base = bases.setdefault(row.megapixels, found["cpu"])
    rate = found["gflop"] / found["network"] if found["network"] else 0.0
    cpu, wall, memory = (found[name] for name in ("cpu", "wall", "memory"))
    return replace(row, cpu=cpu, wall=wall, memory=memory, ratio=cpu / base, rate=rate)


def _ask(threads: int, **asked: Any) -> dict[str, float]:
    """What a process of its own measures. Raises UnusableInput with the last line of its error."""
    command = [sys.executable, "-m", "quietlight.evaluate.speed_process", json.dumps(asked)]
    environment = os.environ | machine.thread_limits(threads)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UnusableInput(said[-1] if said else f"its process ended with code {done.returncode}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
