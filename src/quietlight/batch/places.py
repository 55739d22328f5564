"""Where results go: a folder of this machine, or a path of a store that fsspec knows (`remote`), with one face."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from quietlight.io.files import remove_leftovers

JOURNAL = ".quietlight-journal.jsonl"

Stamp = list[int | str]
"""What tells one content of a file from another without reading it: its size, and when or as what it was written."""


class Place(Protocol):
    """A folder for results, whose names are relative to it."""

    def shown(self, name: PurePosixPath) -> str:
        """What people are told a result is called."""

    def key(self, name: PurePosixPath) -> str:
        """What tells whether a result and a source are one file: its path with all links followed, or its URL."""

    def stamp(self, name: PurePosixPath) -> Stamp | None:
        """Of a result, None where there is none."""

    def opened(self, name: PurePosixPath) -> AbstractContextManager[Path]:
        """A path of this machine for the result and what belongs beside it; they are there when the block has ended well."""

    def clear(self, name: PurePosixPath) -> None:
        """Remove what a process that was killed left of a result."""

    def journal(self) -> list[str]:
        """The lines of the journal."""

    def note(self, line: str) -> None:
        """Put a line at the journal's end before this returns."""


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, or one that it shares with others."""

    root: Path

    def shown(self, name: PurePosixPath) -> str:
        return str(self.root / name)

    def key(self, name: PurePosixPath) -> str:
        return str((self.root / name).resolve())

    def stamp(self, name: PurePosixPath) -> Stamp | None:
        path = self.root / name
        return stamp_of(path) if path.exists() else None

    @contextmanager
    def opened(self, name: PurePosixPath) -> Iterator[Path]:
        yield self.root / name  # `io` writes beside and renames

    def clear(self, name: PurePosixPath) -> None:
        remove_leftovers(self.root / name)

    def journal(self) -> list[str]:
        path = self.root / JOURNAL
        return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []

    def note(self, line: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        # Unbuffered, each line is one write at the end of the file, which other processes leave whole.
        with (self.root / JOURNAL).open("ab+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            # A line that was cut short, as the process was killed, must not swallow this one.
            cut = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * cut + line.encode() + b"\n")


def stamp_of(path: Path) -> Stamp:
    """Size and time of change of a file of this machine. Raises OSError where there is none."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def is_url(text: str) -> bool:
    """Whether a path is one of a store."""
    return "://" in text


def local(text: str) -> str:
    """A path of this machine where a URL only says so."""
    return text.removeprefix("file://") if text.startswith("file:///") else text
