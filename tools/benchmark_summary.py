"""Sums up docs/benchmarks.md: plots for docs/benchmark-plots.md, and README's table between its markers.

Usage: python tools/benchmark_summary.py [--check]; --check writes nothing, and gives exit code 1 where something would be written.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from quietlight.io.files import written_beside

ROOT = Path(__file__).parent.parent
PAGE, README, PLOTS = ROOT / "docs/benchmarks.md", ROOT / "README.md", ROOT / "docs/pictures"
BEGIN, END = "<!-- numbers: python tools/benchmark_summary.py -->", "<!-- end of numbers -->"
Table = dict[str, dict[str, str]]
"""System -> column -> what is printed there."""


class Line(NamedTuple):
    """One line of README's table: what it is about, its part of the page, and the systems of its columns."""

    about: str
    part: str
    before: str
    classical: str
    ours: str


README_LINES = (
    Line("a raw of a dim room", "raw-kodak, shot-0.004", "noisy", "classical", "fan-plus"),
    Line(
        "eight raws from a hand in the dark, in which things move",
        "burst-raw, shot-0.012",
        "reference",
        "hdrplus",
        "hdrplus-fan-plus",
    ),
    Line("JPEGs of three cameras, ISO 800 to 6400", "polyu, polyu", "noisy", "classical", "noisebreaker"),
    Line("a gray photo with two noises", "bsd68-mixture, bsd68", "noisy", "classical", "noisebreaker"),
)
PLOTTED = {
    "raw": ("raw-kodak, shot-0.0001", "raw-kodak, shot-0.001", "raw-kodak, shot-0.004", "raw-kodak, shot-0.012"),
    "burst": ("burst-raw, shot-0.001", "burst-raw, shot-0.004", "burst-raw, shot-0.012"),
    "photo": ("bsd68-mixture, bsd68", "cbsd68-mixture, cbsd68", "polyu, polyu"),
    "gray-burst": ("kpn-gray, gain-1", "kpn-gray, gain-2", "kpn-gray, gain-4", "kpn-gray, gain-8"),
}
"""Plot -> the parts of the page that it shows."""
_WIDTH, _LEFT, _RIGHT, _STEP, _HEAD = 760, 170, 60, 24, 46
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#777}.end{text-anchor:end}.mid{text-anchor:middle}"
    ".name{font-weight:600;font-size:13px}.whole{stroke:#8fa9c4;stroke-width:2}.box{fill:#c3d3e2;stroke:#6d8aa8}.mean{fill:#c2410c}.grid{stroke:#9994}"
)


def tables(text: str) -> dict[str, Table]:
    """Part of the page -> its table."""
    found: dict[str, Table] = {}
    for section in text.split("\n### ")[1:]:
        rows = [[cell.strip() for cell in row.strip("| ").split("|")] for row in re.findall(r"^\|.*$", section, re.M)]
        if rows:
            head, _, *body = rows
            found[section.partition(":")[0]] = {row[0]: dict(zip(head, row, strict=False)) for row in body}
    return found


def readme_table(pages: Mapping[str, Table]) -> str:
    """README's table."""
    lines = [
        "| PSNR in dB | before | without learning | quietlight | s per megapixel |",
        "|---|---:|---:|---:|---:|",
    ]
    for line in README_LINES:
        table = pages[line.part]
        before, classical, ours = (table[name]["PSNR"] for name in (line.before, line.classical, line.ours))
        address = f"docs/benchmarks.md#{re.sub(r'[^a-z0-9-]', '', line.part.partition(',')[0])}"
        lines.append(
            f"| [{line.about}]({address}) | {before} | {classical} | **{ours}** | {table[line.ours]['s/MP']} |"
        )
    return "\n".join(lines)


def plot(parts: Sequence[str], pages: Mapping[str, Table]) -> str:
    """Every system of some parts as SVG: the 10% to 90% and 25% to 75% percentiles of its PSNR over the pictures, and the mean."""
    rows: list[tuple[str, list[float]]] = []
    for part in parts:
        rows.append((part, []))
        for system, cells in pages[part].items():
            if cells.get("10%"):
                rows.append((system, [float(cells[key]) for key in ("10%", "25%", "75%", "90%", "PSNR")]))
    values = [value for _, row in rows for value in row]
    low, high = int(min(values)), int(max(values)) + 1
    height = _HEAD + _STEP * len(rows) + 8

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - low) / (high - low)

    step = max(1, (high - low) // 8)
    drawn = [
        f'<text class="end" x="{_WIDTH - 4}" y="16">PSNR, dB: mean (dot), middle half (box), 10% to 90% (line)</text>'
    ]
    for tick in range(low, high + 1, step):
        drawn.append(f'<path class="grid" d="M{x(tick):.1f} {_HEAD - 8}V{height - 6}"/>')
        drawn.append(f'<text class="mid" x="{x(tick):.1f}" y="{_HEAD - 12}">{tick}</text>')
    for number, (name, row) in enumerate(rows):
        y = _HEAD + _STEP * number + 12
        if not row:
            drawn.append(f'<text class="name" x="4" y="{y + 5}">{escape(name)}</text>')
            continue
        least, lower, upper, most, mean = map(x, row)
        drawn.append(
            f'<text class="end" x="{_LEFT - 12}" y="{y + 4}">{escape(name)}</text>'
            f'<path class="whole" d="M{least:.1f} {y}H{most:.1f}"/>'
            f'<rect class="box" x="{lower:.1f}" y="{y - 6}" width="{upper - lower:.1f}" height="12" rx="2"/>'
            f'<circle class="mean" cx="{mean:.1f}" cy="{y}" r="4"/>'
            f'<text x="{_WIDTH - _RIGHT + 14}" y="{y + 4}">{row[-1]:.2f}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
        f"<style>{_STYLE}</style>{''.join(drawn)}</svg>\n"
    )


def files(page: str, readme: str) -> dict[Path, str]:
    """What this tool writes: path -> text."""
    pages = tables(page)
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    texts = {README: f"{head}{BEGIN}\n\n{readme_table(pages)}\n\n{END}{tail}"}
    for name, parts in PLOTTED.items():
        texts[PLOTS / f"plot-{name}.svg"] = plot([part for part in parts if part in pages], pages)
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    texts = files(PAGE.read_text(encoding="utf-8"), README.read_text(encoding="utf-8"))
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(path.relative_to(ROOT))
        if not arguments.check:
            with written_beside(path) as beside:
                beside.write_text(texts[path], encoding="utf-8")
    if arguments.check and stale:
        parser.exit(1, "these are not what docs/benchmarks.md says: python tools/benchmark_summary.py\n")


if __name__ == "__main__":
    main()
