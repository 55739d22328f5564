"""`quietlight doctor`: what works is said to, what is broken is found, and what is missing comes with what brings it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

import numpy as np
import pytest
from typer.testing import CliRunner

from quietlight import doctor, engine, zoo
from quietlight.cli import app
from quietlight.doctor import Check, libraries, machine, runs
from quietlight.doctor.check import guarded


def test_this_installation_is_well() -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert told["ok"] is True
    checks = {check["name"]: check for check in told["checks"]}
    assert {f"engine {name}" for name in engine.ENGINES} <= set(checks)
    assert {"libraries", "weights", "threads", "memory", "CPU", "GPU", "cache", *machine.TOOLS} <= set(checks)
    for name in ("weights", "a raw, end to end", "a photo, end to end"):
        assert checks[name]["state"] == "ok", checks[name]
    assert str(len(zoo.names())) in checks["weights"]["found"]
    assert all(check["advice"] for check in told["checks"] if check["state"] != "ok")


def test_what_is_wrong_is_told_and_gives_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine() -> Iterator[Check]:
        yield Check("one", "ok", "fine")
        yield Check("two", "missing", "not there", "install two")
        yield Check("three", "wrong", "broken", "mend three")

    monkeypatch.setattr(doctor, "examine", examine)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    for word in ("fine", "install two", "mend three", "1 wrong"):
        assert word in result.output
    assert json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)["ok"] is False


def test_altered_weights_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "hashes", lambda: {"fan": "0" * 64, "gone": "1" * 64})
    monkeypatch.setattr(zoo, "names", lambda: ["fan"])
    check = runs.weights()
    assert check.state == "wrong"
    assert "fan.safetensors" in check.found
    assert "gone" in check.found


def test_an_engine_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    results = iter([np.zeros(3, np.float32), np.full(3, 0.5, np.float32), np.full(3, np.nan, np.float32)])
    monkeypatch.setattr(engine, "run", lambda *_, **__: next(results))
    monkeypatch.setattr(engine, "ENGINES", {"numpy": "", "pillow": "", "typer": "", "nothing-like-that": ""})
    monkeypatch.setattr(engine, "EXTRAS", {"nothing-like-that": "extra"})
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if "nothing" in name else name)
    states = {check.name: check.state for check in libraries.engines()}
    assert states == {
        "engine numpy": "ok", "engine pillow": "wrong", "engine typer": "wrong", "engine nothing-like-that": "missing",
    }  # fmt: skip


def test_libraries_are_those_of_the_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "numpy>=2.0",
        "no-such-one>=1",
        "no-web>=1 ; extra == 'web'",
        "ruff ; extra == 'dev'",
        'scipy; extra == "sets"',
    ]
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    core, web, sets = libraries.libraries()
    assert (core.state, web.state, sets.state) == ("wrong", "missing", "ok")
    assert "no-such-one missing" in core.found
    assert "quietlight[web]" in web.advice
    assert web.name == "[web]"


def test_a_check_that_breaks_is_a_finding() -> None:
    def breaks() -> Check:
        raise RuntimeError("no such\nthing")

    (check,) = guarded("it", breaks)
    assert (check.name, check.state, check.found) == ("it", "wrong", "RuntimeError: no such thing")


def test_noise_that_stays_is_wrong() -> None:
    clean = np.zeros((8, 8))
    assert runs._less_noise("it", clean + 1, clean, lambda _: clean + 0.9).state == "wrong"
    assert runs._less_noise("it", clean + 1, clean, lambda _: clean + np.nan).state == "wrong"
    assert runs._less_noise("it", clean + 1, clean, lambda _: clean + 0.1).state == "ok"


def test_it_can_be_asked_where_nothing_is_installed() -> None:
    code = (
        "import sys; sys.meta_path.insert(0, type('No', (), {'find_spec': staticmethod(lambda name, *_: (_ for _ in ()).throw("
        "ModuleNotFoundError(name, name=name)) if name.split('.')[0] in ('numpy', 'torch', 'rawpy') else None)}))\n"
        "from quietlight.doctor import examine\n"
        "states = {check.name: check.state for check in examine()}\n"
        "assert states['a raw, end to end'] == 'wrong', states\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
