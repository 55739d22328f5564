"""A file -> what the files beside it say of its licence and whom to credit.

Two customs are understood: a table ATTRIBUTION.tsv with a column "file" and a column "licence" (or "license"), and a text LICENSE,
LICENCE or COPYING, with any suffix, whose first line names the licence.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

TABLE = "ATTRIBUTION.tsv"
TEXTS = ("LICENSE", "LICENCE", "COPYING")
UNKNOWN = "unknown"
_LARGEST = 1 << 24


@dataclass(frozen=True)
class Licence:
    """The licence of a file, and whatever else a table says of it, by column: its source, author, changes made to it."""

    name: str = UNKNOWN
    credit: tuple[tuple[str, str], ...] = ()


def licence_of(file: Path, levels: int = 0) -> Licence | None:
    """What is said in the folder of a file, else in the folder above it, and so on `levels` folders up; None where nothing is.

    In the table of a folder above, a file has its path from there, or just its name.
    """
    for folder in [file.parent, *file.parent.parents][: levels + 1]:
        table = _table(folder.absolute())
        row = table.get(file.relative_to(folder).as_posix()) or table.get(file.name)
        if found := row or _text(folder.absolute()):
            return found
    return None


@lru_cache(maxsize=64)
def _table(folder: Path) -> dict[str, Licence]:
    text = _read(folder / TABLE)
    found = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        said = {key.strip().lower(): value.strip() for key, value in row.items() if key and value and value.strip()}
        name = said.pop("licence", "") or said.pop("license", "")
        if (file := said.pop("file", "")) and name:
            found[file] = Licence(name, tuple(said.items()))
    return found


@lru_cache(maxsize=64)
def _text(folder: Path) -> Licence | None:
    for path in sorted(folder.glob("[LlCc]*")):
        if path.stem.upper() in TEXTS and path.is_file():
            lines = (line.strip() for line in _read(path).splitlines())
            return Licence(next((line for line in lines if line), path.name))
    return None


def _read(path: Path) -> str:
    """The text of a file; nothing where there is none, or where it is too large to be one of these."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace") if path.stat().st_size <= _LARGEST else ""
    except OSError:
        return ""


def licence_lines(made: Iterable[Mapping[str, Any]], manifest: str) -> list[str]:
    """How many pictures have which licence, in Markdown."""
    counted = Counter(entry["licence"] for entry in made)
    return [
        f"- Licence: that of the sources, since pairs are adaptations. `{manifest}` has each, and whom to credit where known.",
        *(f"  - {count} of: {licence}" for licence, count in counted.most_common()),
    ]
