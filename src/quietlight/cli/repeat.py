"""The line that does again what a verb was asked to do, for all of its files or for some."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import typer


@dataclass(frozen=True)
class Command:
    """A verb as it was called: the words before its inputs, the inputs, and the options that were given, by parameter."""

    verb: tuple[str, ...]
    inputs: tuple[str, ...]
    options: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, context: typer.Context) -> Command:
        """The command that runs."""
        options: dict[str, tuple[str, ...]] = {}
        for parameter in context.command.params:
            source = context.get_parameter_source(str(parameter.name))
            if parameter.param_type_name == "option" and source is not None and source.name == "COMMANDLINE":
                name = max(parameter.opts, key=len)
                options[str(parameter.name)] = tuple(_option(name, context.params[str(parameter.name)]))
        return cls(tuple(context.command_path.split()), tuple(context.params["inputs"]), options)

    def line(self, inputs: Sequence[str] = (), **changed: Sequence[str]) -> str:
        """The command in the words of a POSIX shell; with other inputs, and with the words of some options changed."""
        words = [word for option in (self.options | changed).values() for word in option]
        return shlex.join([*self.verb, *(inputs or self.inputs), *words])


def _option(name: str, value: Any) -> list[str]:
    """The words of an option with its value."""
    if value is None or value is False:
        return []
    if value is True:
        return [name]
    values = value if isinstance(value, list | tuple) else [value]
    return [word for one in values for word in (name, str(one.value if isinstance(one, Enum) else one))]
