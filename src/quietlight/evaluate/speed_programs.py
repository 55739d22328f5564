"""Raw developers of other people, where they are installed: what a user runs to get a JPEG of a raw, with or without denoising.

darktable's profiled denoising is switched on by a copy of its preset, made automatic in a database of our own; RawTherapee's by a
profile.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from quietlight.frames import UnusableInput

_TIMEOUT = 1800
_RAWTHERAPEE = """[Directional Pyramid Denoising]
Enabled=true
Method=Lab
LMethod=SLI
Luma=40
Ldetail=50
CMethod=AUT
Chroma=15
"""


@dataclass(frozen=True)
class Program:
    """One way to run a program: (raw, folder) -> a JPEG in the folder; `absent` says why it cannot be run here."""

    about: str
    run: Callable[[Path, Path], None]
    absent: str = ""


def programs() -> dict[str, Program]:
    """Name -> program."""
    found = {
        "darktable": ("darktable-cli", "DNG to JPEG", partial(_darktable, denoised=False)),
        "darktable-denoised": (
            "darktable-cli",
            "the same, with profiled denoising",
            partial(_darktable, denoised=True),
        ),
        "rawtherapee": ("rawtherapee-cli", "DNG to JPEG", partial(_rawtherapee, denoised=False)),
        "rawtherapee-denoised": (
            "rawtherapee-cli",
            "the same, with noise reduction",
            partial(_rawtherapee, denoised=True),
        ),
    }
    return {
        name: Program(about, run, "" if shutil.which(command) else f"{command} is not installed")
        for name, (command, about, run) in found.items()
    }


def _call(*command: str | Path, fails: bool = False) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    if done.returncode and not fails:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UnusableInput(f"{command[0]}: {said[-1] if said else 'failed'}")


def _darktable(path: Path, folder: Path, denoised: bool) -> None:
    settings = folder / "darktable"
    core = ("--core", "--configdir", settings, "--cachedir", settings / "cache", "--conf", "opencl=FALSE")
    if denoised and not settings.exists():
        # A first run makes the database; it has nothing to export.
        _call("darktable-cli", folder / "none.dng", folder / "none.jpg", *core, fails=True)
        _make_automatic(settings / "data.db")
    out = folder / "darktable.jpg"
    out.unlink(missing_ok=True)
    presets = "1" if denoised else "0"
    _call("darktable-cli", path, out, "--hq", "1", "--apply-custom-presets", presets, *core)


def _make_automatic(database: Path) -> None:
    """Have darktable apply its preset of profiled denoising to every raw: a copy, since it writes its own anew at every start."""
    with closing(sqlite3.connect(database)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(presets)")]
        changed = {"name": "'quietlight'", "autoapply": "1", "writeprotect": "0"}
        values = ", ".join(changed.get(name, name) for name in names)
        done = connection.execute(
            f"INSERT INTO presets ({', '.join(names)}) SELECT {values} FROM presets WHERE operation = 'denoiseprofile' LIMIT 1"
        )
        if done.rowcount != 1:
            raise UnusableInput("darktable-cli: this version has no preset of profiled denoising")


def _rawtherapee(path: Path, folder: Path, denoised: bool) -> None:
    profile = folder / "denoise.pp3"
    profile.write_text(_RAWTHERAPEE)
    options = ("-p", profile) if denoised else ()
    _call("rawtherapee-cli", "-q", "-Y", "-j95", "-d", *options, "-o", folder / "rawtherapee.jpg", "-c", path)
