"""A folder of pairs `noisy/NAME` and `clean/NAME` that says how each was made, and that an interrupted run goes on with.

What the pairs are of is told by the kinds of folders: `photo_pairs`, `raw_pairs`, `burst_pairs`, `burst_folder` and `isp_folder`.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np

from quietlight import __version__
from quietlight.frames import UnusableInput
from quietlight.io import write
from quietlight.io.files import written_beside

PARTS = ("noisy", "clean")
MANIFEST, CARD = "manifest.json", "README.md"
SAVED_EVERY = 5.0
"""Seconds. A long manifest takes long to write; pairs that a killed run did not enter are made again, and come out equal."""


@dataclass
class PairFolder(ABC):
    """A folder that is filled with pairs; a context, at whose end all that describes them is written.

    A pair depends on its source, its name (with the folders below the one that was searched) and the folder's settings alone.

    Args:
        folder: where to.
        suffix: of the pictures, with its dot.
        command: how this was called, for the card.
        overwrite: make pairs anew that are there, and replace others of other settings.
        entries: what the manifest says of each pair, by its name: JSON values.
        progress: told the finished share of a pair that takes long.
    """

    folder: Path
    suffix: str = field(kw_only=True)
    command: str = field(default="", kw_only=True)
    overwrite: bool = field(default=False, kw_only=True)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    progress: Callable[[float], None] = field(default=lambda _: None, init=False)
    _saved: float = field(default=-math.inf, init=False)

    parts: ClassVar[tuple[str, str]] = PARTS
    """Folders of the two pictures of a pair."""
    many: ClassVar[str] = "pairs"
    """What the manifest calls the list of them."""
    facts: ClassVar[Mapping[str, type]]
    """What `_pictures` tells of a pair beside what was planned, and its kinds."""

    @property
    def ending(self) -> str:
        """What the name of a pair ends with: with it, `noisy/NAME` is the noisy picture."""
        return self.suffix

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """What all pairs of the folder have in common, as JSON gives it back."""

    def _notes(self) -> dict[str, Any]:
        """What else the manifest says of all of them."""
        return {}

    @abstractmethod
    def _planned(self, source: Path, name: str) -> dict[str, Any]:
        """What is known of a pair before it is made, as JSON gives it back: at least its "source"."""

    @abstractmethod
    def _pictures(self, source: Path, entry: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """The noisy and the clean picture of a planned pair, and its `facts`. Raises UnusableInput for a source without them."""

    @abstractmethod
    def _descriptions(self) -> dict[str, str]:
        """The texts beside the manifest, by their file's name; the `CARD` is one of them."""

    def resume(self, names: Set[str]) -> None:
        """Take over the pairs that are there; `names` are those that are going to be.

        Raises UnusableInput for a folder of somebody else, and where pairs of other settings would be replaced without `overwrite`,
        or would stay beside the new ones.
        """
        path = self.folder / MANIFEST
        if not path.exists():
            there = [
                self.folder / name for name in (*self.parts, *self._descriptions()) if (self.folder / name).exists()
            ]
            if there and not self.overwrite:
                raise UnusableInput(f"{there[0]}: exists, without {MANIFEST}: choose another --out, or --overwrite")
            return
        manifest = read_json(path, "a manifest of pairs")
        try:
            entries = {entry["name"]: entry for entry in map(self._checked, manifest[self.many])}
            other = " and ".join(key for key, value in self._settings().items() if manifest[key] != value)
        except (KeyError, TypeError, ValueError):
            raise UnusableInput(f"{path}: not a manifest of such pairs: choose another --out") from None
        if not other or not entries:
            self.entries = entries
        elif not self.overwrite:
            raise UnusableInput(f"{path}: these pairs have other {other}: choose another --out, or --overwrite")
        elif left := sorted(set(entries) - names):
            raise UnusableInput(f"{path}: {left[0]} has other {other}, and would stay: choose another --out")

    def _checked(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        kinds = {"name": str, "source": str, **self.facts}
        return {**entry, **{key: kind(entry[key]) for key, kind in kinds.items()}}

    def is_made(self, source: Path, name: str) -> bool:
        """Whether the pair is there as `make` would make it."""
        return self._is_there(name) and self._entry(source, name).items() <= self.entries.get(name, {}).items()

    def _is_there(self, name: str) -> bool:
        return all(self.path(part, name).is_file() for part in self.parts)

    def path(self, part: str, name: str) -> Path:
        """Where a part of a pair lies."""
        return self.folder / part / name

    def make(self, source: Path, name: str) -> dict[str, Any]:
        """Make one pair; its entry of the manifest is returned.

        Raises UnusableInput for sources that do not serve, and where the name is that of another one's pair.
        """
        entry = self._entry(source, name)
        made_of = self.entries.get(name, entry)["source"]
        if made_of != entry["source"] and not self.overwrite:
            raise UnusableInput(f"{source}: {self.path(self.parts[0], name)} is made of {made_of}: rename one of them")
        noisy, clean, facts = self._pictures(source, entry)
        if time.monotonic() - self._saved > SAVED_EVERY:
            self._save()  # before the first pair, too: it says whose the folder is
        for part, picture in zip(reversed(self.parts), (clean, noisy), strict=True):
            self._store(picture, self.path(part, name))
        self.entries[name] = {**entry, **facts}
        return self.entries[name]

    def _store(self, picture: Any, path: Path) -> None:
        write(picture, path)

    def _entry(self, source: Path, name: str) -> dict[str, Any]:
        return {"name": name, **self._planned(source, name)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.entries:
            self._save()
            for name, text in self._descriptions().items():
                _write(self.folder / name, text)

    def _save(self) -> None:
        table = {
            "quietlight": __version__,
            **self._notes(),
            **self._settings(),
            self.many: [self.entries[name] for name in sorted(self.entries)],
        }
        _write(self.folder / MANIFEST, json.dumps(table, indent=1) + "\n")
        self._saved = time.monotonic()


def place_of(source: Path, name: str) -> str:
    """What a source is called in the manifest: its file's name, below the folders of its pair."""
    return (Path(name).parent / source.name).as_posix()


def generator(seed: int, place: str, purpose: str) -> np.random.Generator:
    """The generator of one source for one purpose; those of others have nothing to do with it."""
    digest = hashlib.sha256(f"{purpose} {place}".encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:16])])


def read_json(path: Path, kind: str) -> Any:
    """The JSON of a file in UTF-8, or in the UTF-16 that some shells write. Raises UnusableInput: that it is not `kind`."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read as {kind}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{path}: not {kind}: it is no JSON: {error}") from error


def _write(path: Path, text: str) -> None:
    # Names of files need not be UTF-8.
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="replace")
