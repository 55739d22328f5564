"""How the tests of `quietlight synthesize` call it, and read what it made."""

import json
from pathlib import Path

from typer.testing import CliRunner

from quietlight.cli import app
from quietlight.frames import UnusableInput


def synthesize(*arguments, code=0):
    """What is said on standard output, and on standard error with the line of a refusal; the exit code is `code`."""
    result = CliRunner().invoke(app, ["synthesize", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit | UnusableInput):
        raise result.exception
    refused = isinstance(result.exception, UnusableInput)
    assert (1 if refused else result.exit_code) == code, result.output
    return result.stdout, f"{result.stderr}{result.exception if refused else ''}"


def manifest(out="out"):
    return json.loads(Path(out, "manifest.json").read_bytes())


def files(folder, without=()):
    """Name -> content of every file but those `without`."""
    found = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name not in without}
