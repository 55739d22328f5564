"""Finished measurements in a file, one JSON line each, so that an interrupted evaluation goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from quietlight.evaluate.table import Measurement

Key = tuple[str, ...]
"""Benchmark, part, sample, system, fingerprint of the system, fingerprint of the input, revision of the scores."""


class Journal:
    """The lines of a file, by their keys; in memory alone where there is no file."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.known: dict[Key, Measurement] = {}
        text = path.read_text() if path is not None and path.exists() else ""
        # A line that was cut short, as the process was killed, must not swallow the next one.
        self._start = "" if text.endswith("\n") or not text else "\n"
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                key = tuple(entry.pop("key"))
                self.known[key] = Measurement(**entry)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def add(self, key: Key, measurement: Measurement) -> None:
        """Remember a measurement, in the file before this returns."""
        self.known[key] = measurement
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(f"{self._start}{json.dumps({'key': list(key), **asdict(measurement)}, allow_nan=False)}\n")
            self._start = ""
