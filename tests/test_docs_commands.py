"""Every command and snippet of README and docs: run on made files where that is quick, else checked, for a reason that is named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import quietlight as ql
from quietlight.cli import app
from quietlight.evaluate import BENCHMARKS, SPEED, SUBMISSIONS
from quietlight.train.recipe import load

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "recipes/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
PROGRAMS = ("quietlight", "make", "python", "python3", "pip", "torchrun", "docker", "darktable")
CHECKED = {
    "train": "takes hours; tests/train runs every recipe in miniature. Options, recipe and changed keys are checked",
    "evaluate": "needs the data sets; tests/evaluate runs every benchmark in miniature. Options and names are checked",
    "quietlight serve": "waits for visitors; tests/web/browser has some",
    "doctor": "is run by tests/test_doctor.py",
    "--look cameranet": "its weights are not trained yet",
    "s3://": "needs a store; tests/batch/test_remote.py has one in memory",
    "--cluster": "needs a Ray cluster; make test-cluster starts one",
    "--layout hdrplus": "needs the HDR+ set; tests/data/sets has one in miniature",
    "--expert": "needs RawTherapee; tests/data/test_synthesize_isp.py has another command",
    "zoo show runs/": "shows what a training makes",
    "streaks=8": "a nature that the page tells how to enter",
    "--install-completion": "changes the shell's start files",
    "--show-completion": "asks which shell runs it",
    "|": "stands for several commands",
    "BENCHMARK": "stands for a name",
}
"""What of quietlight's commands is not run, by a part of the command: why. Their options are checked all the same."""
NOT_OURS = {
    "make": "the target is looked for in the Makefile",
    "python": "the tool is looked for; each prints, measures or draws for minutes",
    "pip": "installs; make test-wheel does it",
    "docker": "is not on every machine; the workflow builds the image",
    "darktable": "opens a window",
    "torchrun": "starts several processes; tests/train/test_distributed.py does. Options and recipe are checked",
}
"""What of other programs' commands is done instead of running them."""


class Piece(NamedTuple):
    """A command (one line of a shell) or a snippet of Python, and the line of the page that it begins in."""

    line: int
    text: str
    is_python: bool


def pieces(text: str) -> Iterator[Piece]:
    """Fenced blocks of sh and python, indented blocks of either, and commands within the text."""
    for match in re.finditer(
        r"^```(\w+)\n(.*?)^```|^((?:    [^\n]*\n|\n(?=    ))+)|`((?:quietlight|torchrun|make|python|pip) [^`\n]+)`",
        text,
        re.M | re.S,
    ):
        language, fenced, indented, inline = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        block = inline or fenced or re.sub(r"^    ", "", indented or "", flags=re.M)
        if language == "python" or re.match(r"\s*(import|from) ", block):
            yield Piece(line, block, True)
        elif language in (None, "sh") and not re.fullmatch(r"quietlight( [a-z]+)*", inline or ""):  # a verb's name
            yield from (Piece(line, command, False) for command in commands(block))


def commands(block: str) -> Iterator[str]:
    """The commands of a block: one per line, or on several that end in a backslash."""
    for line in block.replace("\\\n", " ").splitlines():
        words = line.split()
        first = next((word for word in words if not re.match(r"[A-Z_]+=", word)), "")
        if first in PROGRAMS and len(words) > 1:
            yield line.strip()


FOUND = {page: list(pieces(page.read_text(encoding="utf-8"))) for page in PAGES}
COMMANDS = [(page, piece) for page, found in FOUND.items() for piece in found if not piece.is_python]


def words_of(command: str) -> list[str]:
    """The words after the comment is cut off, without variables before them."""
    words = shlex.split(command, comments=True)
    while re.match(r"[A-Z_]+=", words[0]):
        del words[0]
    return words


def skipped(command: str) -> str:
    """Why a command of ours is not run; nothing of one that is."""
    return next((reason for part, reason in CHECKED.items() if part in command), "")


def parsed(words: list[str]) -> tuple[str, dict[str, Any]]:
    """The verb and the values of its options, as typer understands them."""
    command, context = typer.main.get_command(app), None
    while isinstance(command, typer.main.TyperGroup):
        context = command.make_context("quietlight", list(words), parent=context, resilient_parsing=len(words) < 2)
        name, words = words[0], words[1:]
        if name.startswith("-"):
            return "", {}
        assert name in command.commands, f"no verb {name}"
        command = command.commands[name]
    if "--help" in words or "|" in "".join(words):
        return name, {}
    return name, command.make_context(name, list(words), parent=context).params


def test_the_reasons_are_needed() -> None:
    texts = [piece.text for _, piece in COMMANDS]
    assert [part for part in CHECKED if not any(part in text for text in texts)] == []
    assert {words_of(text)[0].removesuffix("3") for text in texts} - {"quietlight"} == set(NOT_OURS)
    ran = sum(words_of(text)[0] == "quietlight" and not skipped(text) for text in texts)
    assert ran > 30


@pytest.mark.parametrize(("page", "piece"), COMMANDS, ids=lambda v: v.name if isinstance(v, Path) else f"{v.line}")
def test_every_command_is_understood(page: Path, piece: Piece, monkeypatch: pytest.MonkeyPatch) -> None:
    words = words_of(piece.text)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.M)
    elif words[0].startswith("python") and words[1] != "-m":
        assert (ROOT / words[1]).is_file()
    elif "quietlight" in words and words[0] not in ("pip", "docker"):
        words = words[words.index("quietlight") + 1 :]
        if words[:1] == ["train"] and len(words) > 1 and words[1] in ("RECIPE", "…"):
            return
        cut = next((i for i, word in enumerate(words) if word in (">", "…")), len(words))
        if (
            words[0] not in {"analyze", "denoise", "develop", "synthesize", "train", "evaluate", "zoo"}
            or len(words) < 2
        ):
            return
        verb, values = parsed(words[:cut])
        monkeypatch.chdir(ROOT)
        if verb == "train":
            load(values["recipe"], values["change"] or [])
        if verb == "evaluate" and values and values["benchmark"] != "BENCHMARK":
            assert values["benchmark"] in [*BENCHMARKS, *SUBMISSIONS, SPEED]


@pytest.fixture
def folder(tmp_path: Path, shoot: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the pages talk of: raws, bursts, photos, flats and darks, all small."""
    monkeypatch.chdir(tmp_path)
    size, camera = (96, 128), "Test Camera"
    for number in (42, 43, 44):
        shoot(Path(f"tripod-shots/IMG_00{number}.dng"), taken=f"2026:05:01 12:00:0{number - 42}", size=size)
        for place in (Path(), Path("card")):
            raw = Path(f"tripod-shots/IMG_00{number}.dng").read_bytes()
            (tmp_path / place).mkdir(exist_ok=True)
            (place / f"IMG_00{number}.CR3").write_bytes(raw)
    for name in ("IMG_0042.dng", "dark.dng", "holiday/one.dng", "night/one.dng", "archive/one.dng"):
        shoot(Path(name), taken=None, size=size)
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: size[0], : size[1]] / 40
    clean = 128 + 70 * np.stack([np.sin(2 * x), np.sin(3 * y), np.sin(x + y)], axis=-1)
    for name in ("portrait.jpg", "scan.jpg", "scan.png", "IMG_0042.jpg", "holiday/two.jpg", "scans/1.png"):
        Path(name).parent.mkdir(exist_ok=True)
        ql.write(ql.Image((clean + rng.normal(0, 25, clean.shape)).clip(0, 255).astype(np.uint8)), Path(name))
    shoot(Path("photos/01.png"), scene=3, taken=None)
    for number in range(3):
        shoot(Path(f"20171106/one/payload_N00{number}.dng"), size=size)
        shoot(Path(f"my-bursts/one/{number}.dng"), size=size)
    for index, level in enumerate([0.0, 0.1, 0.3, 0.6]):
        for take in range(2):
            flat = (level + np.sqrt(1e-3 * level + 1e-5) * rng.standard_normal((64, 64))).astype(np.float32)
            path = Path("flats" if level else "darks") / f"{index}{take}.dng"
            path.parent.mkdir(exist_ok=True)
            ql.write(ql.RawFrame(flat, "RGGB", exposure_time=0.01 + level, iso=800, camera=camera), path)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if FOUND[page]], ids=lambda page: page.stem)
def test_what_a_page_says_can_be_done(page: Path, folder: Path) -> None:
    names: dict[str, Any] = {}
    done: set[str] = set()
    for line, text, is_python in FOUND[page]:
        place = f"{page.name}, line {line}: {text}"
        if is_python:
            with redirect_stdout(StringIO()):
                exec(compile(text, place, "exec", dont_inherit=True), names)
        elif text.startswith("quietlight ") and not skipped(text) and text not in done:
            done.add(text)
            words, _, target = shlex.join(words_of(text)).partition(" '>' ")
            result = CliRunner().invoke(app, shlex.split(words)[1:])
            assert result.exit_code == 0, f"{place}\n{result.output}\n{result.exception!r}"
            if target:
                Path(target).write_text(result.stdout)
