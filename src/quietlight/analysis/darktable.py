"""The noise profiles of an installed darktable, read where they lie: some hundred cameras, measured by its users.

They are its own (GPL-3) and never copied. variance = a·x + b on the linear raw in [0, 1], per colour: shot and read as ours.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from quietlight.analysis.calibrate import Calibration, Entry
from quietlight.frames import NoiseProfile

FILE = Path("share/darktable/noiseprofiles.json")
MOST_BYTES = 1 << 25
_PLACES = (
    "/usr",
    "/usr/local",
    "/opt/darktable",
    "/var/lib/flatpak/app/org.darktable.Darktable/current/active/files",
    "/Applications/darktable.app/Contents/Resources",
    "C:/Program Files/darktable",
)


def installed_profile(camera: str, iso: int | None) -> NoiseProfile | None:
    """What an installed darktable knows of a camera ("Make Model") at an ISO, between its own ISOs interpolated.

    None where there is no darktable, where it does not know the camera, and where the ISO is unknown or beyond what was measured.
    """
    entries = _profiles().get(_key(camera), ())
    isos = [entry.iso for entry in entries if entry.iso]
    if iso is None or not isos or not min(isos) <= iso <= max(isos):
        return None
    return Calibration(entries).profile("", iso)


@cache
def _profiles() -> dict[str, tuple[Entry, ...]]:
    """Camera -> its entries, of the first file that can be read; somebody else's file is no reason to fail."""
    for path in _candidates():
        try:
            if path.is_file() and path.stat().st_size <= MOST_BYTES:
                return dict(_cameras(json.loads(path.read_bytes())))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return {}


def _candidates() -> Iterator[Path]:
    program = shutil.which("darktable")
    if program:
        yield Path(program).resolve().parent.parent / FILE
    for folder in os.environ.get("XDG_DATA_DIRS", "").split(os.pathsep):
        if folder:
            yield Path(folder) / FILE.relative_to("share")
    yield from (Path(place) / FILE for place in _PLACES)


def _cameras(data: Any) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    for maker in data["noiseprofiles"]:
        for model in maker["models"]:
            measured = [p for p in model["profiles"] if not p.get("skip")]
            yield _key(f"{maker['maker']} {model['model']}"), tuple(_entry(p) for p in measured)


def _entry(profile: Any) -> Entry:
    # Some fits have a negative intercept: noise that low was not measured.
    shot, read = (tuple(max(float(v), 0.0) for v in profile[key]) for key in ("a", "b"))
    return Entry("", int(profile["iso"]), NoiseProfile(shot, read))


def _key(camera: str) -> str:
    """Make and model as they compare: files write "NIKON CORPORATION NIKON D300" where darktable has "Nikon" and "D300".

    >>> _key("NIKON CORPORATION NIKON D300") == _key("Nikon D300")
    True
    """
    words = camera.lower().replace("corporation", "").split()
    return " ".join(dict.fromkeys(words))
