"""All reports of a folder on one page: what became of every file, a picture of it, and a link to its own page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from quietlight.analysis import words
from quietlight.io.files import written_beside
from quietlight.report.style import html

PAGE, RECORD = "index.html", "index.json"
_SUFFIX = ".report.json"


@dataclass(frozen=True)
class Entry:
    """One line of the page.

    Args:
        name: of the result, with the folder that it lies in.
        title: the sentence that its own page begins with, or what went wrong.
        page: the address of its page from here; empty of a file that failed.
        seconds: that it took.
        thumbnails: JPEGs in base64, before and after, or after alone.
    """

    name: str
    title: str
    page: str = ""
    seconds: float = 0.0
    thumbnails: tuple[str, ...] = ()


def write_index(folder: Path, failed: Sequence[tuple[str, str]] = (), command: str = "") -> Path | None:
    """Write the page and the JSON of all reports below `folder`; the page's path, or None where there are fewer than two files.

    Args:
        failed: (file, reason) of those that have no report.
        command: the line that made them.
    """
    entries = [Entry(Path(name).name, reason) for name, reason in failed]
    entries += [entry for path in sorted(folder.rglob(f"*{_SUFFIX}")) if (entry := _entry(path, folder))]
    if len(entries) < 2:
        return None
    told = {
        "command": command,
        "failed": [{"file": name, "error": reason} for name, reason in failed],
        "reports": [
            {"name": e.name, "title": e.title, "page": e.page, "seconds": e.seconds} for e in entries if e.page
        ],
    }
    with written_beside(folder / RECORD) as beside:
        beside.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    with written_beside(folder / PAGE) as beside:
        beside.write_text(index_page(entries, command), encoding="utf-8")
    return folder / PAGE


def _entry(path: Path, folder: Path) -> Entry | None:
    """The entry of a report; None of a file that only has the name of one."""
    page = path.with_name(path.name.removesuffix(".json") + ".html")
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        seconds = sum(record["making"]["seconds"].values())
        title, thumbnails = str(record["title"]), tuple(map(str, record["thumbnails"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    name = page.relative_to(folder).as_posix()
    return Entry(name.removesuffix(".report.html"), title, quote(name), float(seconds), thumbnails)


def index_page(entries: Sequence[Entry], command: str) -> str:
    """The page: those that failed first, then a card for each report."""
    failed = [entry for entry in entries if not entry.page]
    told = [entry for entry in entries if entry.page]
    count = f"{len(told)} result{'' if len(told) == 1 else 's'}"
    title = f"{count}, {len(failed)} failed" if failed else count
    time = words.seconds(sum(entry.seconds for entry in told))
    again = f'<dl class="list command"><div><dd>{escape(command)}</dd></div></dl>' if command else ""
    head = f'<h1>{title}</h1><p class="lead">{time} of work. Every picture leads to its report.</p>{again}'
    return html(title, f"{head}{_failures(failed)}<div class='cards'>{''.join(map(_card, told))}</div>")


def _failures(failed: Iterable[Entry]) -> str:
    lines = "".join(f"<li><b>{escape(entry.name)}</b> {escape(entry.title)}</li>" for entry in failed)
    return f'<section><header><h2>Failed</h2></header><ul class="failed">{lines}</ul></section>' if lines else ""


def _card(entry: Entry) -> str:
    names = ("before", "after")[-len(entry.thumbnails) :]
    pictures = "".join(
        f'<img loading="lazy" alt="{name}" src="data:image/jpeg;base64,{escape(picture)}">'
        for name, picture in zip(names, entry.thumbnails, strict=False)
    )
    return (
        f'<a class="card" href="{escape(entry.page)}"><span class="pair">{pictures}</span><b>{escape(entry.name)}</b>'
        f"<span>{escape(entry.title)}</span><small>{words.seconds(entry.seconds)}</small></a>"
    )
