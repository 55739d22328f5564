"""Measures what a second worker brings: `python tools/workers.py [--files 8] [--megapixels 6] [--json workers.json]`.

`quietlight denoise` on made raws, by one worker of one thread, and by two; each twice, in turn, on a machine that does nothing
else. Seconds are those of the clock; those of the same command on one small raw, which is nearly all start-up, are taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from quietlight import machine
from quietlight.evaluate import speed_frames as frames
from quietlight.io import write

SMALL, TIMES = 0.1, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--megapixels", type=float, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quietlight-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        write(frames.raw(SMALL), folder / "small.dng")
        write(frames.raw(options.megapixels), folder / "in" / "0.dng")
        for number in range(1, options.files):
            shutil.copy(folder / "in" / "0.dng", folder / "in" / f"{number}.dng")
        starts, taken = {1: [], 2: []}, {1: [], 2: []}
        for _ in range(TIMES):
            for workers in (1, 2):
                starts[workers].append(seconds(folder / "small.dng", workers, folder / "out"))
                taken[workers].append(seconds(folder / "in", workers, folder / "out"))
    one, two = (min(taken[workers]) - min(starts[workers]) for workers in (1, 2))
    found = {"files": options.files, "megapixels": options.megapixels, "one": one, "two": two, "ratio": one / two}
    print(json.dumps({key: round(value, 3) for key, value in found.items()}))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def seconds(source: Path, workers: int, out: Path) -> float:
    """Of the command, its results not there yet."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "quietlight", "denoise", str(source), "--out", str(out), "--burst", "off"]
    environment = os.environ | machine.thread_limits(workers)  # which the workers share
    begin = time.perf_counter()
    subprocess.run([*command, "--jobs", str(workers)], check=True, capture_output=True, env=environment)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
