"""Measurements -> tables: means, percentiles and costs of every system, as JSON, and as cells for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from quietlight.evaluate.peers import Peer
from quietlight.frames import UnusableInput
from quietlight.io.files import written_beside

PERCENTILES = (10, 25, 50, 75, 90)


@dataclass(frozen=True)
class Measurement:
    """One system on one sample.

    Args:
        values: the scores by name.
        seconds: per megapixel.
        crop: of the result, a PNG in base64; empty for samples that are not shown.
    """

    system: str
    part: str
    sample: str
    values: dict[str, float]
    seconds: float
    crop: str = ""


@dataclass(frozen=True)
class Row:
    """One system on all samples of a part.

    Args:
        absent: why there are no numbers, such as "not trained".
        means: of the scores by name.  percentiles: of the scores by name, at `PERCENTILES`.
        seconds: per megapixel, the median.
        parameters, gmac: of its network, gmac per megapixel of the picture.  steps, device, sha256: of its weights.
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
            del measurement["crop"]
        with written_beside(path) as beside:
            beside.write_text(json.dumps(fields, indent=1, allow_nan=False) + "\n")

    @classmethod
    def read_json(cls, path: Path) -> Self:
        """What `write_json` wrote. Raises UnusableInput for other files."""
        try:
            fields: dict[str, Any] = json.loads(path.read_text())
            tables = (Table(**{**t, "rows": tuple(Row(**r) for r in t["rows"])}) for t in fields.pop("tables"))
            measurements = (Measurement(**m) for m in fields.pop("measurements"))
            return cls(tables=tuple(tables), measurements=tuple(measurements), **fields)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableInput(f"{path}: is no report of quietlight evaluate --json: {error}") from error


def summarise(peer: Peer, measurements: Sequence[Measurement], channels: int) -> Row:
    """The row of a peer, from its measurements on pictures of so many channels."""
    row = Row(peer.name, peer.about, **_costs(peer, channels))
    names = measurements[0].values
    scores = {name: np.array([m.values[name] for m in measurements]) for name in names}
    return Row(
        **{
            **row.__dict__,
            "means": {name: float(v.mean()) for name, v in scores.items()},
            "percentiles": {name: np.percentile(v, PERCENTILES).tolist() for name, v in scores.items()},
            "seconds": float(np.median([m.seconds for m in measurements])),
        }
    )


def _costs(peer: Peer, channels: int) -> dict[str, Any]:
    """Costs and origin of a peer's network. A network for gray runs once for each channel."""
    if peer.weights is None:
        return {}
    from quietlight.engine.costs import costs_of

    costs, metadata = costs_of(peer.weights), peer.weights.metadata
    passes = channels // int(peer.weights.arguments.get("channels", 1))
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
        f"{table.samples} pictures"
        if table.samples == table.available
        else f"{table.samples} of {table.available} pictures"
    )
    verdict = {None: "", True: ", inputs verified by sha256", False: ", NOT THE FIXED INPUTS: their sha256 differs"}
    return f"{report.benchmark}, {table.part}: {many}{verdict[table.verified]}"


def cells(table: Table) -> list[list[str]]:
    """A header and one list of cells per row. Percentiles are those of the first score."""
    names = next((list(row.means) for row in table.rows if row.means), [])
    shares = [f"{p}%" for p in PERCENTILES] if names else []
    costs = ["parameters", "GMAC/MP", "s/MP", "steps", "device"]
    lines = [["system", *(name.upper() for name in names), *shares, *costs]]
    for row in table.rows:
        if row.absent:
            lines.append([row.system, row.absent, *[""] * (len(lines[0]) - 2)])
            continue
        lines.append(
            [
                row.system,
                *(_score(row.means[name]) for name in names),
                *(_score(value) for value in row.percentiles[names[0]]),
                "" if row.parameters is None else _count(row.parameters),
                "" if row.gmac is None else f"{row.gmac:.1f}",
                "" if row.seconds is None else f"{row.seconds:.2f}",
                row.steps,
                row.device,
            ]
        )
    return lines


def _score(value: float) -> str:
    return f"{value:.2f}" if abs(value) > 2 else f"{value:.3f}"


def _count(number: int) -> str:
    """A count of parameters as papers give it: 774 k, 1.24 M."""
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.0f} k"


def as_text(table: Table) -> str:
    """The table for a terminal or a text file, however wide that is."""
    header, *lines = cells(table)
    full = [line for line, row in zip(lines, table.rows, strict=True) if not row.absent]
    widths = [max(map(len, column)) for column in zip(header, *full, strict=True)]
    names = max(len(line[0]) for line in (header, *lines))

    def aligned(line: list[str]) -> str:
        return "  ".join([line[0].ljust(names), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])

    absent = [f"{row.system.ljust(names)}  {row.absent}" if row.absent else "" for row in table.rows]
    return "\n".join([aligned(header), *(why or aligned(line) for why, line in zip(absent, lines, strict=True))])


def as_markdown(table: Table) -> str:
    """The table for a Markdown page."""
    header, *lines = ([cell.replace("|", "\\|") for cell in line] for line in cells(table))
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *lines))
