"""One measurement of speed, in a process whose peak memory is its own: `python -m` this, with JSON, prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from quietlight import engine
from quietlight.zoo import Weights

_MATRIX, _SECONDS = 1536, 1.0


def main() -> None:
    """Read what is asked for from the command line: {"case", "megapixels", "engine"}, or {"peak": "float32" or "bfloat16"}."""
    asked = json.loads(sys.argv[1])
    print(json.dumps(peak(asked["peak"]) if "peak" in asked else measured(**asked)))


def measured(case: str, megapixels: float, engine: str) -> dict[str, float]:
    """Seconds of CPU and wall, peak memory in MB, and what networks did: their GFLOP and their seconds of CPU."""
    from quietlight.evaluate.speed_cases import cases
    from quietlight.evaluate.speed_programs import programs

    meter = _Meter.installed(engine)
    with tempfile.TemporaryDirectory(prefix="quietlight-") as folder:
        work = cases()[case].prepare(megapixels, Path(folder))
        meter.reset()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    called = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    memory = after.ru_maxrss / 1000 if case in programs() else _peak_memory()
    return {"cpu": cpu + called, "wall": wall, "memory": memory, "gflop": meter.gflop(), "network": meter.cpu}


@dataclass
class _Meter:
    """Stands in for `engine.run`: counts what networks compute, and the time that takes."""

    run: Callable[..., Any]
    cpu: float = 0.0
    megapixels: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Weights] = field(default_factory=dict)

    @classmethod
    def installed(cls, name: str) -> _Meter:
        """In the place of `engine.run`, for this process, whose networks are all run by an engine."""
        meter = cls(partial(engine.run, engine=name))
        engine.run = meter
        return meter

    def reset(self) -> None:
        """What warmed up does not count."""
        self.cpu = 0.0
        self.megapixels.clear()

    def __call__(self, weights: Weights, *arrays: Any, **how: Any) -> Any:
        begin = time.process_time()
        result = self.run(weights, *arrays, **how)
        if how.get("method", "forward") == "forward":  # parts of a network cost what nobody counted
            self.cpu += time.process_time() - begin
            shape = arrays[0].shape
            of_mosaic = 4 if shape[-3] == 4 else 1
            pixels = shape[0] * shape[-2] * shape[-1] * of_mosaic
            self.weights[weights.name] = weights
            self.megapixels[weights.name] = self.megapixels.get(weights.name, 0.0) + pixels / 1e6
        return result

    def gflop(self) -> float:
        """By torch's count, where it is there; else 0."""
        try:
            from quietlight.engine.costs import costs_of
        except ImportError:
            return 0.0
        return sum(2 * costs_of(self.weights[name]).gmac * pixels for name, pixels in self.megapixels.items())


def _peak_memory() -> float:
    """Of this process, in MB; what it was started by does not count where the system tells."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) / 1e6 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def peak(precision: str) -> dict[str, float]:
    """GFLOP per CPU second that products of large matrices reach in a precision; 0 without torch."""
    try:
        import torch
    except ImportError:
        return {"peak": 0.0}
    one, other = (torch.ones(_MATRIX, _MATRIX, dtype=getattr(torch, precision)) for _ in range(2))
    torch.mm(one, other)
    count, begin = 0, time.process_time()
    while count < 2 or time.process_time() - begin < _SECONDS:
        torch.mm(one, other)
        count += 1
    return {"peak": 2 * _MATRIX**3 * count / 1e9 / (time.process_time() - begin)}


if __name__ == "__main__":
    main()
