"""The calibration file: JSON, checked when it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.analysis.calibrate import Calibration, Entry
from quietlight.frames import NoiseProfile, UnusableInput

FORMAT = "quietlight noise profile 1"


def to_json(calibration: Calibration) -> str:
    """The calibration as the text of a file."""
    entries = [
        {"camera": e.camera, "iso": e.iso, "shot": e.noise.shot, "read": e.noise.read, "row": e.row}
        for e in calibration.entries
    ]
    return json.dumps({"format": FORMAT, "entries": entries}, indent=2) + "\n"


def from_json(text: str, name: str = "the profile") -> Calibration:
    """The inverse of `to_json`; `name` is the file's, for messages.

    Raises UnusableInput for text that is no such file, with the entry and field that is wrong.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UnusableInput(f"{name} is not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UnusableInput(f'{name} is no noise profile: its "format" is not "{FORMAT}"')
    entries = data.get("entries")
    if set(data) != {"format", "entries"} or not isinstance(entries, list) or not entries:
        raise UnusableInput(f'{name} must hold "format" and a list of "entries", and nothing else')
    return Calibration(tuple(_entry(entry, f"{name}, entry {index}") for index, entry in enumerate(entries, 1)))


def load(path: Path) -> Calibration:
    """The calibration of a file. Raises UnusableInput where it cannot be read or is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path} cannot be read: {error}") from error
    return from_json(text, str(path))


def _entry(data: Any, where: str) -> Entry:
    if not isinstance(data, dict) or set(data) != {"camera", "iso", "shot", "read", "row"}:
        raise UnusableInput(f"{where}: it has the fields camera, iso, shot, read and row")
    camera, iso, row = data["camera"], data["iso"], data["row"]
    if not isinstance(camera, str) or not (iso is None or (type(iso) is int and iso > 0)):
        raise UnusableInput(f"{where}: camera is a text and iso a positive whole number or null")
    if not _is_variance(row) or not all(
        isinstance(data[k], list) and all(map(_is_variance, data[k])) for k in ("shot", "read")
    ):
        raise UnusableInput(f"{where}: shot and read are lists of variances, row is one: numbers from 0 up")
    try:
        return Entry(
            camera, iso, NoiseProfile(tuple(map(float, data["shot"])), tuple(map(float, data["read"]))), float(row)
        )
    except UnusableInput as error:
        raise UnusableInput(f"{where}: {error}") from error


def _is_variance(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value)) and value >= 0
