"""Registries are dict literals, name -> "module:attribute"; here a name becomes the thing, imported on use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from quietlight.frames import UnusableInput


def resolve(registry: Mapping[str, str], name: str, kind: str) -> Any:
    """The attribute that a registry has under a name. Raises UnusableInput for a name that it has not, with the list of its names.

    >>> resolve({"pi": "math:pi"}, "pi", "number")
    3.141592653589793
    """
    if name not in registry:
        raise UnusableInput(f"unknown {kind} {name!r}: it is one of {', '.join(registry)}")
    module, _, attribute = registry[name].partition(":")
    return getattr(import_module(module), attribute)


def build(registry: Mapping[str, str], name: str, kind: str, arguments: Mapping[str, Any]) -> Any:
    """`resolve`, then called with arguments. Raises UnusableInput for arguments that it does not take."""
    entry = resolve(registry, name, kind)
    try:
        return entry(**arguments)
    except TypeError as error:
        raise UnusableInput(f"{kind} {name!r}: {error}") from error
