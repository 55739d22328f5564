"""Prints what denoising a raw costs beside what rawpy takes to develop it: a Markdown table.

Usage: python tools/raw_speed.py [--systems fan fan-plus] [--megapixels 12 24] [--threads 2]

The frame is made: gradients and texture with shot noise 1e-3. A system denoises the frame in memory, and rawpy's default develops
the same mosaic, opened before. CPU seconds are those of the process in all its threads, without start-up, after one small frame to
warm up; each system runs in a process of its own, whose peak memory, all libraries included, is the last column.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rawpy
import torch

from quietlight.frames import NoiseProfile, RawFrame
from quietlight.io.dng import write_dng
from quietlight.pipeline import denoise
from quietlight.systems.fan import fan

RAWPY = "rawpy"
SYSTEMS: dict[str, Callable[[RawFrame], Any]] = {
    "fan": lambda frame: fan(frame, weights="fan"),
    "fan-plus": lambda frame: fan(frame, weights="fan-plus"),
    "classical": lambda frame: denoise(frame, system="classical"),
}


def made(megapixels: float) -> RawFrame:
    """An RGGB raw of that size, 4 to 3."""
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4) / 64) * 64
    rows, columns = np.mgrid[:height, : height * 4 // 3].astype(np.float32)
    scene = 0.2 + 0.15 * np.sin(rows / 300) * np.cos(columns / 170) + 0.05 * np.sin(rows * columns / 3e4)
    noise = NoiseProfile((1e-3,), (1e-6,))
    drawn = np.random.default_rng(12).standard_normal(scene.shape, np.float32)
    mosaic = scene + np.sqrt(noise.variance(scene)) * drawn
    return RawFrame(mosaic.astype(np.float32), "RGGB", white_balance=(2.0, 1.0, 1.6), noise=noise, iso=800)


def measured(system: str, megapixels: float, threads: int) -> dict[str, float]:
    """CPU and wall seconds, and the peak memory in MB, of this process."""
    torch.set_num_threads(threads)
    frame = made(megapixels)
    if system == RAWPY:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.dng"
            write_dng(frame, path)
            with rawpy.imread(str(path)) as raw:
                return timed(raw.postprocess)
    run = SYSTEMS[system]
    run(replace(frame, mosaic=frame.mosaic[:512, :512]))
    return timed(lambda: run(frame))


def timed(work: Callable[[], Any]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=[*SYSTEMS, RAWPY], default=list(SYSTEMS))
    parser.add_argument("--megapixels", nargs="+", type=float, default=[12.0, 24.0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="measure the one system here, and print JSON")
    options = parser.parse_args()
    if options.json:
        print(json.dumps(measured(options.systems[0], options.megapixels[0], options.threads)))
        return
    print("| | MP | CPU s | s | CPU s, times rawpy's | peak MB |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for size in options.megapixels:
        rawpys = 0.0
        for system in [RAWPY, *options.systems]:
            command = [
                sys.executable,
                __file__,
                "--json",
                "--systems",
                system,
                "--megapixels",
                size,
                "--threads",
                options.threads,
            ]
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            rawpys = rawpys or found["cpu"]
            ratio = found["cpu"] / rawpys
            cells = f"{found['cpu']:.1f} | {found['wall']:.1f} | {ratio:.1f} | {found['memory']:.0f}"
            print(f"| {system} | {size:g} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
