"""What surrounds the verbs: examples in every help, completion by the shell, what is packed and what an image is built of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import quietlight
from quietlight.cli import app

ROOT = Path(__file__).parents[1]


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that lead to it."""
    if isinstance(command, typer.main.TyperGroup):
        for name, inner in command.commands.items():
            yield from verbs(inner, (*path, name))
    else:
        yield path, command


VERBS = dict(verbs(typer.main.get_command(app)))


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_help_shows_an_example(path: tuple[str, ...]) -> None:
    _, _, examples = (VERBS[path].help or "").partition("Examples:")
    assert " ".join(("quietlight", *path)) in examples
    assert CliRunner().invoke(app, [*path, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("typed", "offered", "not_offered"),
    [
        ("quietlight de", ["denoise", "develop"], ["doctor"]),
        ("quietlight denoise --st", ["--strength"], ["--chroma"]),
        ("quietlight denoise --burst ", ["auto", "on", "off"], []),
        ("quietlight develop --look n", ["neutral"], ["cameranet"]),
        ("quietlight evaluate bsd68-m", ["bsd68-mixture", "bsd68-mixture3"], ["awgn"]),
        ("quietlight zoo show noise-c", ["noise-classifier"], ["fan"]),
        ("quietlight synthesize r", ["raw"], ["photo"]),
    ],
)
def test_shells_complete(typed: str, offered: list[str], not_offered: list[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    environment = {"_QUIETLIGHT_COMPLETE": "complete_bash", **words}
    result = CliRunner().invoke(app, [], prog_name="quietlight", env=environment)
    answers = result.stdout.split()
    assert set(offered) <= set(answers), result.output
    assert not set(not_offered) & set(answers)


def test_exit_codes_are_told() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    page = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
    for code in ("0", "1", "2", "130"):
        assert re.search(rf"\b{code}\b", told.partition("Exit codes")[2])
        assert f"\n| {code} |" in page


def test_types_go_with_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (package,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert (ROOT / package / "py.typed").is_file()
    assert Path(quietlight.__file__).with_name("py.typed").is_file()


def test_the_image_is_built_of_what_is_there_and_runs_without_rights() -> None:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "ENTRYPOINT", "CMD"}
    assert {step for step, _ in steps} <= known
    kept = (ROOT / ".dockerignore").read_text().split()
    for step, rest in steps:
        if step == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in kept
    users = [rest for step, rest in steps if step == "USER"]
    assert users
    assert "root" not in users
    assert "[fast,io]" in text  # an engine comes along
