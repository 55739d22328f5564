"""Measurements -> plots as inline SVG: boxes of a score, and a line for each operator on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from quietlight.evaluate.table import Measurement, Row, Table

CHANGE = "change"
"""The score that is drawn picture by picture."""
LETTER = 7.5
"""Mean width of one, in pixels."""
LINES = """.curve { fill: none; stroke-width: 1.6 } .key { stroke: none }
.c0 { stroke: #0891b2; fill: #0891b2 } .c1 { stroke: #65a30d; fill: #65a30d } .c2 { stroke: #8b5cf6; fill: #8b5cf6 }
.c3 { stroke: #ea580c; fill: #ea580c } .curve { fill: none }"""
"""Style of the lines."""
_WIDTH, _RIGHT, _STEP = 860, 30, 26
_PLOT, _TOP, _LEFT = 300, 30, 60
_ALONE = "text { font: 13px system-ui, sans-serif; fill: #555 } .tick { text-anchor: middle } .grid { fill: none; stroke: #bbb }"


def plots(table: Table, measurements: Sequence[Measurement]) -> str:
    """The figures of a part: boxes of the first score, and of those like it of other columns; lines where changes are measured."""
    rows = [row for row in table.rows if row.percentiles]
    if not rows:
        return ""
    first, *others = rows[0].percentiles
    like_it = [name for name in others if first.endswith(" psnr") and name.endswith(" psnr")]
    boxes = "".join(_boxes(name, rows, measurements) for name in (first, *like_it))
    return boxes + (_figure(rows, measurements) if first == CHANGE else "")


def _values(name: str, row: Row, measurements: Sequence[Measurement]) -> list[float]:
    return [m.values[name] for m in measurements if m.system == row.system and name in m.values]


def _boxes(name: str, rows: Sequence[Row], measurements: Sequence[Measurement]) -> str:
    """Box plots of a score as inline SVG."""
    values = {row.system: _values(name, row, measurements) for row in rows}
    marked = ticks(min(map(min, values.values())), max(map(max, values.values())))
    left = 20 + LETTER * max(map(len, values))
    bottom = _STEP * len(rows) + 6

    def x(value: float) -> float:
        return round(left + (value - marked[0]) / (marked[-1] - marked[0]) * (_WIDTH - left - _RIGHT), 1)

    marks = [
        f'<path class="grid" d="M{x(t)} 2V{bottom}"/><text class="tick" x="{x(t)}" y="{bottom + 18}">{t:g}</text>'
        for t in marked
    ]
    for index, row in enumerate(rows):
        y = _STEP * index + _STEP / 2 + 4
        p10, p25, p50, p75, p90 = (x(value) for value in row.percentiles[name])
        pictures = "".join(f"M{x(value)} {y - 4}v8" for value in values[row.system])
        marks.append(
            f'<text class="name" x="{left - 12}" y="{y + 4}">{escape(row.system)}</text><path class="picture" d="{pictures}"/>'
            f'<path class="line" d="M{p10} {y}H{p90}"/>'
            f'<rect class="box" x="{p25}" y="{y - 8}" width="{max(p75 - p25, 1):.1f}" height="16"/>'
            f'<path class="line" stroke-width="2" d="M{p50} {y - 8}v16"/>'
            f'<circle class="mean" cx="{x(row.means[name])}" cy="{y}" r="3.5"/>'
        )
    legend = f"{name.upper()}: box 25 to 75%, whiskers 10 to 90%, line the median, dot the mean, ticks the pictures"
    return (
        f'<figure class="boxes"><figcaption>{escape(legend)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {bottom + 24}" role="img" aria-label="{escape(legend)}">{"".join(marks)}</svg></figure>'
    )


def _figure(rows: Sequence[Row], measurements: Sequence[Measurement]) -> str:
    size, marks = _curves(rows, measurements)
    legend = f"{CHANGE.upper()} of every picture, in the order of the last row's"
    return (
        f'<figure class="boxes"><figcaption>{escape(legend)}</figcaption>'
        f'<svg viewBox="{size}" role="img" aria-label="{escape(legend)}">{marks}</svg></figure>'
    )


def curves_file(table: Table, measurements: Sequence[Measurement]) -> str:
    """The lines of a part as an SVG file of its own, for light and for dark pages."""
    size, marks = _curves([row for row in table.rows if row.percentiles], measurements)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}"><style>{LINES} {_ALONE}</style>{marks}</svg>\n'


def _curves(rows: Sequence[Row], measurements: Sequence[Measurement]) -> tuple[str, str]:
    """The view box, and what is in it: a line for each row over all pictures, sorted by the last row's values."""
    values = {row.system: np.array(_values(CHANGE, row, measurements)) for row in rows}
    order = np.argsort(values[rows[-1].system], kind="stable")
    marked = ticks(0, max(v.max() for v in values.values()))
    bottom = _TOP + _PLOT

    def y(value: float) -> float:
        return round(bottom - value / marked[-1] * _PLOT, 1)

    marks = [
        f'<path class="grid" d="M{_LEFT} {y(t)}H{_WIDTH - _RIGHT}"/>'
        f'<text class="tick" x="{_LEFT - 22}" y="{y(t) + 4}">{t:g}</text>'
        for t in marked
    ]
    x = np.linspace(_LEFT, _WIDTH - _RIGHT, max(len(order), 2))
    place = float(_LEFT)
    for number, (name, found) in enumerate(values.items()):
        points = " ".join(f"{left:.1f},{y(value)}" for left, value in zip(x, found[order], strict=False))
        marks.append(f'<polyline class="curve c{number % 4}" points="{points}"/>')
        marks.append(f'<rect class="key c{number % 4}" x="{place:.0f}" y="6" width="14" height="10"/>')
        marks.append(f'<text x="{place + 20:.0f}" y="16">{escape(name)}</text>')
        place += 50 + LETTER * len(name)
    return f"0 0 {_WIDTH} {bottom + 10}", "".join(marks)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`, at most eleven of them.

    >>> ticks(14.2, 33.9)
    [10.0, 15.0, 20.0, 25.0, 30.0, 35.0]
    """
    span = max(high - low, 0.1)
    unit = 10 ** np.floor(np.log10(span))
    step = next(unit * f for f in (0.1, 0.2, 0.5, 1, 2) if span / (unit * f) <= 8)
    first = int(np.floor(low / step))
    last = max(int(np.ceil(high / step)), first + 1)
    return [float(round(i * step, 6)) for i in range(first, last + 1)]
