"""The command that runs, as it was given."""

from __future__ import annotations

from enum import Enum
from typing import Any

import typer

from quietlight.report.repeat import Command


def command_of(context: typer.Context) -> Command:
    """The command of a verb whose files are called `inputs`, with the options that were named on the command line."""
    options: dict[str, tuple[str, ...]] = {}
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if parameter.param_type_name == "option" and source is not None and source.name == "COMMANDLINE":
            options[name] = tuple(_words(max(parameter.opts, key=len), context.params[name]))
    return Command(tuple(context.command_path.split()), tuple(context.params["inputs"]), options)


def _words(option: str, value: Any) -> list[str]:
    """The words of an option with its value."""
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    values = value if isinstance(value, list | tuple) else [value]
    return [word for one in values for word in (option, str(one.value if isinstance(one, Enum) else one))]
