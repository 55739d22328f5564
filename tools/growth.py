"""Measures how time and memory of the command line grow with pictures and with their number, and draws it: docs/growth.svg.

Usage: python tools/growth.py [--megapixels 1 10 100] [--files 1 100 1000] [--out docs/growth.svg] [--json growth.json]

`quietlight denoise` runs on made raws, and on made photos, of each size; and on so many raws of 256 x 256. Time is that of the CPU
in all threads, less that of the same command on one picture of 256 x 256, which is nearly all start-up; memory is the most that the
process had. Prints a Markdown table, with what each step is per megapixel or file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.evaluate import speed_frames as frames
from quietlight.frames import Frame, Image, RawFrame
from quietlight.io import write

SMALL = 256
LEAST = 0.1
"""CPU seconds that can be told from the start-up; a point below is not drawn."""
WIDTH, HEIGHT, LEFT, TOP = 420, 300, 60, 40
LEGEND = {"raw": "raws, megapixels", "photo": "photos, megapixels", "files": "files of 256 x 256"}
COLORS = {"raw": "#1f6fb4", "photo": "#c4511d", "files": "#2f855a"}


@dataclass(frozen=True)
class Point:
    """CPU seconds after start-up, and peak MB, of so many megapixels or files."""

    of: str
    count: float
    cpu: float
    memory: float

    def least(self, other: Point | None) -> Point:
        """This one, with the lesser time of both: what else a machine does takes time, and gives none."""
        return self if other is None else replace(self, cpu=min(self.cpu, other.cpu))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", nargs="+", type=float, default=[1, 10, 100])
    parser.add_argument("--files", nargs="+", type=int, default=[1, 100, 1000])
    parser.add_argument("--out", type=Path, default=Path("docs/growth.svg"))
    parser.add_argument("--json", type=Path, help="where numbers are kept; those that are there are not measured again")
    parser.add_argument("--again", action="store_true", help="do measure them again; of two times the lesser counts")
    options = parser.parse_args()
    known = json.loads(options.json.read_text()) if options.json and options.json.exists() else []
    points = [Point(**entry) for entry in known]
    wanted = [(kind, size) for size in options.megapixels for kind in ("raw", "photo")]
    wanted += [("files", float(count)) for count in options.files]
    print("| | | CPU s after start-up | each | peak MB |\n| --- | ---: | ---: | ---: | ---: |")
    for of, count in wanted:
        point = next((p for p in points if (p.of, p.count) == (of, count)), None)
        if point is None or options.again:
            before, point = point, measured(of, count)
            point = point.least(before)
            points = [other for other in points if other is not before] + [point]
            if options.json:
                options.json.write_text(json.dumps([asdict(p) for p in points], indent=2) + "\n")
        unit = "files" if of == "files" else f"MP, {of}"
        print(f"| {count:g} | {unit} | {point.cpu:.1f} | {point.cpu / count:.3f} | {point.memory:.0f} |", flush=True)
    options.out.write_text(drawn(points))


def measured(of: str, count: float) -> Point:
    with tempfile.TemporaryDirectory(prefix="quietlight-") as name:
        folder = Path(name)
        suffix = ".jpg" if of == "photo" else ".dng"
        apart(write_small, of, folder / f"small{suffix}")
        start, _ = run([folder / f"small{suffix}"], folder / "start")
        if of == "files":
            files = [folder / "in" / f"{number:04}.dng" for number in range(int(count))]
            files[0].parent.mkdir()
            for file in files:
                shutil.copy(folder / "small.dng", file)
            cpu, memory = run([folder / "in"], folder / "out")
            return Point(of, count, cpu - start, memory)
        apart(write_made, of, count, folder / f"made{suffix}")
        cpu, memory = run([folder / f"made{suffix}"], folder / "out")
    return Point(of, count, cpu - start, memory)


def apart(make: Callable[..., None], *arguments: Any) -> None:
    """In a process of its own: the most memory that a process had counts for those that it starts, too."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(make, *arguments).result()


def write_made(of: str, megapixels: float, path: Path) -> None:
    write((frames.raw if of == "raw" else frames.photo)(megapixels), path)


def write_small(of: str, path: Path) -> None:
    write(small(of), path)


def small(of: str) -> Frame:
    frame = frames.photo(0.2) if of == "photo" else frames.raw(0.2)
    if isinstance(frame, Image):
        return Image(np.ascontiguousarray(frame.pixels[:SMALL, :SMALL]))
    assert isinstance(frame, RawFrame)
    return RawFrame(
        frame.mosaic[:SMALL, :SMALL].copy(), frame.cfa, frame.white_balance, noise=frame.noise, iso=frame.iso
    )


def run(inputs: list[Path], out: Path) -> tuple[float, float]:
    """CPU seconds and peak MB of the command."""
    command = [sys.executable, "-m", "quietlight", "denoise", *map(str, inputs), "--out", str(out), "--burst", "off"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command[2:])}: failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


# --- The picture


def drawn(points: list[Point]) -> str:
    """Two panels, both axes logarithmic: CPU seconds, and peak memory, over megapixels or files."""
    panels = [panel(points, "cpu", "CPU seconds after start-up", 0), panel(points, "memory", "peak memory, MB", WIDTH)]
    legend = "".join(
        f'<text x="{LEFT + 150 * i}" y="{HEIGHT + 60}" fill="{COLORS[of]}">{words}</text>'
        for i, (of, words) in enumerate(LEGEND.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH + 40} {HEIGHT + 80}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(panels)}{legend}</svg>\n'
    )


def panel(points: list[Point], what: str, title: str, left: int) -> str:
    values = [max(getattr(point, what), LEAST) for point in points]
    across = decades([point.count for point in points])
    up = decades(values)

    def place(count: float, value: float) -> tuple[float, float]:
        x = left + LEFT + (np.log10(count) - across[0]) / (across[1] - across[0]) * (WIDTH - LEFT - 20)
        y = HEIGHT - (np.log10(value) - up[0]) / (up[1] - up[0]) * (HEIGHT - TOP)
        return round(float(x), 1), round(float(y), 1)

    parts = [f'<text x="{left + LEFT}" y="{TOP - 15}" font-weight="bold">{title}</text>']
    for axis, (low, high) in (("x", across), ("y", up)):
        for decade in range(low, high + 1):
            x, y = place(10.0**decade, 10.0 ** up[0]) if axis == "x" else place(10.0 ** across[0], 10.0**decade)
            end = (x, TOP) if axis == "x" else (left + WIDTH - 20, y)
            parts.append(f'<line x1="{x}" y1="{y}" x2="{end[0]}" y2="{end[1]}" stroke="#ddd"/>')
            at = (x - 8, y + 18) if axis == "x" else (left + 8, y + 4)
            parts.append(f'<text x="{at[0]}" y="{at[1]}" fill="#555">{10.0**decade:g}</text>')
    for of, color in COLORS.items():
        own = sorted((p for p in points if p.of == of and getattr(p, what) >= LEAST), key=lambda p: p.count)
        places = [place(p.count, getattr(p, what)) for p in own]
        line = " ".join(f"{x},{y}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{color}"/>' for x, y in places]
    return "".join(parts)


def decades(values: list[float]) -> tuple[int, int]:
    """The powers of ten that hold all values."""
    low, high = int(np.floor(np.log10(min(values)))), int(np.ceil(np.log10(max(values))))
    return low, max(high, low + 1)


if __name__ == "__main__":
    main()
