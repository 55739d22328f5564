"""A report as one HTML file that needs nothing else: tables, box plots and confusion matrices as inline SVG, crops side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from quietlight.evaluate.confusion import Confusion, error_cells
from quietlight.evaluate.plots import CHANGE, LETTER, LINES, plots
from quietlight.evaluate.table import Measurement, Report, Row, Table, cells, confusions, score_names, title
from quietlight.io.files import written_beside

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1f24; --soft: #6b7280; --line: #d5d9e0; --paper: #fff; --box: #9cc3e6; --mark: #c2410c;
  --deep: #17456f }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa3ad; --line: #3a4048; --paper: #16181c; --box: #2f6690; --mark: #fb923c;
    --deep: #8cc4f2 }
}
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1180px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem }
p, figcaption { color: var(--soft) } nav a { margin-right: 1rem; color: inherit }
.wide { overflow-x: auto; margin-bottom: 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; text-align: right; white-space: nowrap }
th { border-bottom: 1px solid var(--line); font-weight: 600; white-space: normal; vertical-align: bottom }
th:first-child, td:first-child { text-align: left }
td.best { font-weight: 700 } tr.absent td { color: var(--soft) }
svg { display: block; width: 100%; max-width: 860px; height: auto; margin: .3rem 0;
  font: 13px system-ui, sans-serif; fill: var(--ink) }
.crops, .matrices { display: flex; flex-wrap: wrap; gap: .8rem; margin: .5rem 0 1.5rem }
.tick { text-anchor: middle; fill: var(--soft) } .name { text-anchor: end }
.grid, .picture, .line { fill: none } .grid { stroke: var(--line) } .picture { stroke: var(--soft); opacity: .45 }
.cell { fill: var(--deep) } .right { fill: none; stroke: var(--soft) } .count { text-anchor: middle } .on { fill: var(--paper) }
.line { stroke: var(--ink) } .box { fill: var(--box); stroke: var(--ink) } .mean { fill: var(--mark) }
figure { margin: 0; width: 256px } figure.boxes { width: auto; margin: 1.2rem 0 }
figure.strip { width: auto; margin: 0 0 1rem } .strip img { width: 100%; image-rendering: auto }
figure.matrix { width: auto; max-width: 100% } figcaption { font-size: 13px; min-height: 1.3em }
img { width: 256px; height: auto; display: block; image-rendering: pixelated; background: var(--line) }
"""


def write_page(report: Report, path: Path) -> None:
    """Write the page, beside and renamed."""
    with written_beside(path) as beside:
        beside.write_text(page(report), encoding="utf-8")


def page(report: Report) -> str:
    """The report as HTML."""
    links = "".join(f'<a href="#{escape(t.part)}">{escape(t.part)}</a>' for t in report.tables)
    parts = "".join(_part(report, table) for table in report.tables)
    threads = "1 thread" if report.threads == 1 else f"{report.threads} threads"
    heading = escape(f"{report.benchmark} · quietlight {report.version}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}{LINES}</style></head><body>'
        f"<h1>{heading}</h1><p>{escape(report.about)} Means over pictures; percentiles and width (the last less the first) "
        f"of the first score; seconds per megapixel (MP) as measured, with {threads} for the networks.</p>"
        f"{f'<nav>{links}</nav>' if len(report.tables) > 1 else ''}{parts}</body></html>\n"
    )


def _part(report: Report, table: Table) -> str:
    mine = [m for m in report.measurements if m.part == table.part]
    return (
        f'<h2 id="{escape(table.part)}">{escape(title(report, table))}</h2>{_table(table)}'
        f"{plots(table, mine)}{_matrices(confusions(table))}{_crops(report, table, mine)}"
    )


def _table(table: Table) -> str:
    header, *lines = cells(table)
    main = next(iter(score_names(table)), "")
    best = _best([r.means[main] for r in table.rows if main in r.means and not _is_told(r)], main)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = []
    for row, line in zip(table.rows, lines, strict=True):
        if row.absent:
            span = f'<td colspan="{len(header) - 1}" style="text-align:left">{escape(row.absent)}</td>'
            body.append(f'<tr class="absent"><td>{escape(row.system)}</td>{span}</tr>')
            continue
        first = ' class="best"' if row.means.get(main) == best and not _is_told(row) else ""
        system, score, *rest = (escape(cell) for cell in line)
        others = "".join(f"<td>{cell}</td>" for cell in rest)
        body.append(f'<tr><td title="{escape(row.about)}">{system}</td><td{first}>{score}</td>{others}</tr>')
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def _best(values: Sequence[float], name: str) -> float | None:
    """The highest of a score, the lowest of an error; none of what is neither good nor bad."""
    if not values or name == CHANGE:
        return None
    return min(values) if name.endswith("error") else max(values)


def _is_told(row: Row) -> bool:
    """Whether its name is one of those that know what no system can."""
    return "oracle" in row.system or row.system == "noisebreaker-p"


_CELL, _LINE = 30, 24


def _matrices(matrices: dict[str, Confusion]) -> str:
    """The shares of errors as a table, and a figure for each classifier."""
    if not matrices:
        return ""
    errors = [[escape(cell) for cell in line] for line in error_cells(matrices)]
    tags = ["th", *["td"] * len(errors)]
    lines = "".join(
        f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in line)}</tr>"
        for tag, line in zip(tags, errors, strict=False)
    )
    shares = f'<div class="wide"><table>{lines}</table></div>' if errors else ""
    figures = "".join(_matrix(system, matrix) for system, matrix in matrices.items())
    legend = "True classes down, found ones across; framed where right; the stronger the colour, the more of its row."
    return f'{shares}<p>{legend}</p><div class="matrices">{figures}</div>'


def _matrix(system: str, matrix: Confusion) -> str:
    """A confusion matrix as inline SVG: cells shaded by their share of the row."""
    left = 20 + LETTER * max(map(len, matrix.truths))
    slope = 0.72 * LETTER * max(map(len, matrix.found))  # of the names above, at 45°
    top, width = slope + 16, left + _CELL * len(matrix.found) + slope
    marks = [
        f'<text transform="translate({left + _CELL * (column + 0.5)} {top - 8:.1f}) rotate(-45)">{escape(name)}</text>'
        for column, name in enumerate(matrix.found)
    ]
    for row, (truth, counts) in enumerate(zip(matrix.truths, matrix.counts, strict=True)):
        y = top + _LINE * row
        marks.append(f'<text class="name" x="{left - 10}" y="{y + 17:.1f}">{escape(truth)}</text>')
        for column, count in enumerate(counts):
            x, share = left + _CELL * column, count / sum(counts)
            place = f'x="{x}" y="{y:.1f}" width="{_CELL}" height="{_LINE}"'
            if count:
                strong = " on" if share > 0.5 else ""
                marks.append(
                    f'<rect class="cell" {place} fill-opacity="{0.08 + 0.92 * share:.3f}"/>'
                    f'<text class="count{strong}" x="{x + _CELL / 2}" y="{y + 17:.1f}">{count}</text>'
                )
            if matrix.is_right(row, column):
                marks.append(f'<rect class="right" {place}/>')
    height = top + _LINE * len(matrix.truths) + 4
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" style="width:{width:.0f}px;max-width:100%"'
    return (
        f'<figure class="matrix"><figcaption>{escape(system)}</figcaption>'
        f'<svg {size} role="img" aria-label="what {escape(system)} confuses">{"".join(marks)}</svg></figure>'
    )


def _crops(report: Report, table: Table, measurements: Sequence[Measurement]) -> str:
    """One line of crops per shown sample: the truth, then every system's result; then the rows of whole pictures that there are."""
    lines = []
    for (part, sample), truth in report.truths.items():
        if part != table.part:
            continue
        shown = [m for m in measurements if m.sample == sample and m.crop]
        figures = [_figure(m.crop, f"{m.system} · {next(iter(m.values.values())):.2f}") for m in shown]
        lines.append(f'<p>{escape(sample)}</p><div class="crops">{_figure(truth, "truth")}{"".join(figures)}</div>')
        lines += [_strip(m) for m in shown if m.strip]
    return "".join(lines)


def _figure(png: str, caption: str) -> str:
    source = f"data:image/png;base64,{png}"
    return f'<figure><img alt="{escape(caption)}" src="{source}"><figcaption>{escape(caption)}</figcaption></figure>'


def _strip(measurement: Measurement) -> str:
    system = escape(measurement.system)
    source = f"data:image/jpeg;base64,{measurement.strip}"
    return f'<figure class="strip"><img alt="{system}" src="{source}"><figcaption>{system}</figcaption></figure>'
