"""What was done in a folder of results, one JSON line per event, so that a killed run goes on where it stopped.

A result is known by its name in the folder. Its line says what it was made of (name, size and time of change of every source), by
which task (verb, options and version, as a fingerprint), and what the result was then; one that somebody changed is not ours any
more. A job's first line is written before its work begins: a result whose job began and never ended is made anew.
"""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from quietlight.batch.places import Folder, Place, Stamp

Sources = list[Stamp]
"""[name, size, when] of every file of a job."""

_STATES = ("begun", "done", "failed")


class Journal:
    """The journal of a place, as a task sees it."""

    def __init__(self, place: Place, task: str) -> None:
        self.place, self.task = place, task
        self._last: dict[str, dict[str, Any]] = {}
        self._done: dict[str, dict[str, Any]] = {}
        for line in place.journal():
            self._take(line)

    def _take(self, line: str) -> None:
        """Know what a line says; one that is damaged says nothing."""
        try:
            entry = json.loads(line)
            name, state = entry["result"], entry["state"]
        except (ValueError, KeyError, TypeError):
            return
        if isinstance(name, str) and state in _STATES:
            self._last[name] = entry
            if state == "done":
                self._done[name] = entry

    def names(self) -> set[str]:
        """Of all results that were ever begun."""
        return set(self._last)

    def objection(self, name: PurePosixPath, sources: Sources) -> str | None:
        """Why a result is not to be made, "" where it is as this task would make it; None where nothing speaks against it."""
        stamp = self.place.stamp(name)
        last, done = self._last.get(str(name), {}), self._done.get(str(name), {})
        if stamp is None or last.get("state") == "begun":
            return None
        if done.get("stamp") != stamp:
            return "was changed since it was made here" if done else "exists"
        if done.get("sources") != sources:
            return "was made of another file, or of this one before it changed"
        return "" if done.get("task") == self.task else "was made with other options"

    def abandoned(self, name: PurePosixPath) -> bool:
        """Whether a process of this machine that is gone began a result."""
        last = self._last.get(str(name), {})
        return last.get("state") == "begun" and last.get("by", "").startswith(f"{platform.node()}:") and _is_gone(last)

    def begin(self, name: PurePosixPath, sources: Sources) -> None:
        """Note that a result is being made."""
        self._note("begun", name, {"sources": sources, "by": f"{platform.node()}:{os.getpid()}"})

    def end(self, name: PurePosixPath, sources: Sources, state: str, **facts: Any) -> None:
        """Note what became of it, "done" or "failed", and what else is worth knowing."""
        stamp = {"stamp": self.place.stamp(name)} if state == "done" else {}
        self._note(state, name, {"sources": sources, **stamp, **facts})

    def _note(self, state: str, name: PurePosixPath, facts: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({"state": state, "result": str(name), "task": self.task, "at": at, **facts})
        self._take(line)
        self.place.note(line)


def _is_gone(entry: dict[str, Any]) -> bool:
    if os.name == "nt":  # where to ask after a process is to end it
        return False
    try:
        os.kill(int(entry["by"].rpartition(":")[2]), 0)
    except ProcessLookupError:
        return True
    except (ValueError, OSError, OverflowError):  # no number, or somebody else's process
        return False
    return False


def results_in(folder: Path) -> set[Path]:
    """Files of a folder that its journal knows as results."""
    return {folder.resolve() / name for name in Journal(Folder(folder), "").names()}
