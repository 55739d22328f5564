"""Starting the page, where that cannot be: one line that says what to do."""

import sys

import pytest
from typer.testing import CliRunner

import quietlight as ql
from quietlight.cli import app
from quietlight.web.intake import Limits
from quietlight.web.server import serve


def test_a_missing_extra_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    result = CliRunner().invoke(app, ["serve", "--port", "0"])
    assert isinstance(result.exception, ql.UnusableInput)
    assert "pip install 'quietlight[web]'" in str(result.exception)
    with pytest.raises(ql.UnusableInput, match="gradio is missing"):
        serve("127.0.0.1", 0, Limits(), lambda address: None)


def test_the_verb_teaches_itself():
    result = CliRunner().invoke(app, ["serve", "--help"])
    assert "Examples" in result.output
    assert result.exit_code == 0
