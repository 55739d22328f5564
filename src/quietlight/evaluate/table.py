"""Measurements -> tables: means, percentiles and costs of every system, as JSON, and as cells for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from quietlight.evaluate.confusion import Confusion, error_cells, matrix_cells
from quietlight.evaluate.peers import Peer
from quietlight.evaluate.sample import PERCENTILES, Values, in_order
from quietlight.frames import UnusableInput
from quietlight.io.files import written_beside


@dataclass(frozen=True)
class Measurement:
    """One system on one sample.

    Args:
        values: the scores by name; those that the sample has not are left out.
        seconds: per megapixel.
        crop: of the result, a PNG in base64; empty for samples that are not shown.
        strip: a row of pictures, a JPEG in base64; empty where there is none.
    """

    system: str
    part: str
    sample: str
    values: Values
    seconds: float
    crop: str = ""
    strip: str = ""


@dataclass(frozen=True)
class Row:
    """One system on all samples of a part.

    Args:
        absent: why there are no numbers, such as "not trained".
        means: of the scores by name.  percentiles: of the scores by name, at `PERCENTILES`.
        seconds: per megapixel, the median.
        parameters, gmac: of its network, gmac per megapixel of the picture.  steps, device, sha256: of its weights. Of a system
            that chooses from several networks there are the parameters of all, and all sha256, with spaces between.
        confusion: of a classifier's classes.
        extras: more of all samples together, by the names of their columns, such as the "least gain".
    """

    system: str
    about: str
    absent: str = ""
    means: dict[str, float] = field(default_factory=dict)
    percentiles: dict[str, list[float]] = field(default_factory=dict)
    seconds: float | None = None
    parameters: int | None = None
    gmac: float | None = None
    steps: str = ""
    device: str = ""
    sha256: str = ""
    confusion: Confusion | None = None
    extras: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """One part of a benchmark: `samples` of `available` pictures; `verified` where the inputs have a fixed sha256."""

    part: str
    samples: int
    available: int
    verified: bool | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Report:
    """All that an evaluation found.

    Args:
        threads: that torch computed with.
        truths: (part, sample) -> crop of the truth, a PNG in base64, for the samples that are shown; not part of the JSON.
    """

    benchmark: str
    about: str
    version: str
    threads: int
    tables: tuple[Table, ...]
    measurements: tuple[Measurement, ...]
    truths: dict[tuple[str, str], str] = field(default_factory=dict)

    def write_json(self, path: Path) -> None:
        """Everything but the pictures, beside and renamed."""
        fields = asdict(self)
        del fields["truths"]
        for measurement in fields["measurements"]:
            del measurement["crop"], measurement["strip"]
        with written_beside(path) as beside:
            beside.write_text(json.dumps(fields, indent=1, allow_nan=False) + "\n")

    @classmethod
    def read_json(cls, path: Path) -> Self:
        """What `write_json` wrote. Raises UnusableInput for other files."""
        try:
            fields: dict[str, Any] = json.loads(path.read_text())
            tables = (Table(**{**t, "rows": tuple(map(_read_row, t["rows"]))}) for t in fields.pop("tables"))
            measurements = (Measurement(**m) for m in fields.pop("measurements"))
            return cls(tables=tuple(tables), measurements=tuple(measurements), **fields)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableInput(f"{path}: is no report of quietlight evaluate --json: {error}") from error


def _read_row(fields: dict[str, Any]) -> Row:
    matrix = fields.get("confusion")
    return Row(**{**fields, "confusion": Confusion(**matrix) if matrix else None})


def summarise(
    peer: Peer,
    measurements: Sequence[Measurement],
    summary: Callable[[Sequence[Values]], dict[str, Any]],
    channels: int,
) -> Row:
    """The row of a peer, from its measurements on pictures of so many channels and their benchmark's summary."""
    seconds = float(np.median([m.seconds for m in measurements]))
    found = summary([m.values for m in measurements])
    return Row(peer.name, peer.about, **found, seconds=seconds, **_costs(peer, channels))


def _costs(peer: Peer, channels: int) -> dict[str, Any]:
    """Costs and origin of a peer's network. A network for gray runs once for each channel, one for colours at least once."""
    used = peer.used(channels)
    if not used:
        return {}
    from quietlight.engine.costs import costs_of

    if peer.weights is None or peer.pool:  # the picture decides which of them run, and on how much of it
        each = [costs_of(weights) for weights in used]
        facts = {"parameters": sum(c.parameters for c in each), "sha256": " ".join(weights.sha256 for weights in used)}
        return facts | ({"gmac": max(c.gmac for c in each)} if peer.alone else {})
    costs, metadata = costs_of(peer.weights), peer.weights.metadata
    passes = max(1, channels // int(peer.weights.arguments.get("channels", 1)))
    return {
        "parameters": costs.parameters,
        "gmac": costs.gmac * passes,
        "steps": metadata.get("steps", ""),
        "device": metadata.get("device", ""),
        "sha256": peer.weights.sha256,
    }


def title(report: Report, table: Table) -> str:
    """The heading of a table, with what must be known to trust it."""
    many = (
        f"{table.samples} picture{'' if table.samples == 1 else 's'}"
        if table.samples == table.available
        else f"{table.samples} of {table.available} pictures"
    )
    verdict = {None: "", True: ", inputs verified by sha256", False: ", NOT THE FIXED INPUTS: their sha256 differs"}
    return f"{report.benchmark}, {table.part}: {many}{verdict[table.verified]}"


def score_names(table: Table) -> list[str]:
    """The scores that its systems have, in their common order: some systems lack some."""
    return in_order(row.means for row in table.rows)


def cells(table: Table) -> list[list[str]]:
    """A header and one list of cells per row. Percentiles are those of the first score."""
    names = score_names(table)
    shares = [f"{p}%" for p in PERCENTILES] if any(row.percentiles for row in table.rows) else []
    extras = in_order(row.extras for row in table.rows)
    costs = ["parameters", "GMAC/MP", "s/MP", "steps", "device"]
    lines = [["system", *(name.upper() for name in names), *shares, *extras, *costs]]
    for row in table.rows:
        if row.absent:
            lines.append([row.system, row.absent, *[""] * (len(lines[0]) - 2)])
            continue
        lines.append(
            [
                row.system,
                *(_score(name, row.means) for name in names),
                *(_number(value) for value in row.percentiles.get(names[0], [])),
                *(_score(name, row.extras) for name in extras),
                "" if row.parameters is None else _count(row.parameters),
                "" if row.gmac is None else f"{row.gmac:.1f}",
                "" if row.seconds is None else f"{row.seconds:.2f}",
                row.steps,
                row.device,
            ]
        )
    return lines


def _score(name: str, values: Values) -> str:
    """What there is of that name; gains show their sign."""
    if name not in values:
        return ""
    return f"{values[name]:+.2f}" if "gain" in name else _number(values[name])


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) > 2 else f"{value:.4f}" if 0 < abs(value) < 0.05 else f"{value:.3f}"


def _count(number: int) -> str:
    """A count of parameters as papers give it: 774 k, 1.24 M."""
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.0f} k"


def confusions(table: Table) -> dict[str, Confusion]:
    """The confusion of every classifier, by its name."""
    return {row.system: row.confusion for row in table.rows if row.confusion is not None}


def as_text(table: Table) -> str:
    """The table, and what its classifiers confuse, for a terminal or a text file, however wide that is."""
    return _joined(table, _text, "{}: true classes down, found ones across")


def as_markdown(table: Table) -> str:
    """The table, and what its classifiers confuse, for a Markdown page."""
    return _joined(table, _markdown, "`{}`: true classes down, found ones across\n")


def _joined(table: Table, written: Callable[[list[list[str]]], str], heading: str) -> str:
    matrices = confusions(table)
    blocks = [written(cells(table))]
    blocks += [written(errors)] if (errors := error_cells(matrices)) else []
    blocks += [f"{heading.format(name)}\n{written(matrix_cells(matrix))}" for name, matrix in matrices.items()]
    return "\n\n".join(blocks)


def _text(lines: list[list[str]]) -> str:
    """Cells in columns. In a line whose other cells are empty the second is why there are none, and widens no column."""
    why = {index: line[1] for index, line in enumerate(lines) if line[1] and not any(line[2:])}
    full = [line for index, line in enumerate(lines) if index not in why]
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    names = max(len(line[0]) for line in lines)

    def aligned(line: list[str]) -> str:
        return "  ".join([line[0].ljust(names), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])

    return "\n".join(
        f"{line[0].ljust(names)}  {why[index]}" if index in why else aligned(line) for index, line in enumerate(lines)
    )


def _markdown(lines: list[list[str]]) -> str:
    header, *body = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *body))
