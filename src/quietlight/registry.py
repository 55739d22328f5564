"""Registries are dict literals, name -> "module:attribute"; here a name becomes the thing, imported on use."""

from __future__ import annotations

import inspect
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


def build(registry: Mapping[str, str], name: str, kind: str, arguments: Mapping[str, Any], **given: Any) -> Any:
    """`resolve`, then called with the `arguments` that somebody wrote down, and those `given` by the program.

    Raises UnusableInput for arguments that it does not take (with the list of those that it does), lacks, or cannot work with.
    """
    entry = resolve(registry, name, kind)
    known = {key: p for key, p in inspect.signature(entry).parameters.items() if key not in given}
    if unknown := sorted(set(arguments) - set(known)):
        raise UnusableInput(f"{kind} {name!r}: unknown key {unknown[0]}; known are {', '.join(known) or 'none'}")
    if missing := [key for key, p in known.items() if p.default is p.empty and key not in arguments]:
        raise UnusableInput(f"{kind} {name!r}: the key {missing[0]} is missing")
    try:
        return entry(**arguments, **given)
    except UnusableInput:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise UnusableInput(f"{kind} {name!r}: {(str(error) or type(error).__name__).splitlines()[0]}") from error
