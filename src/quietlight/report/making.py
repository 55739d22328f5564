"""How a result came about, so that it can be trusted and made again: the command, the weights and their hashes, the times."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from quietlight import __version__, zoo
from quietlight.analysis import words
from quietlight.report.parts import facts

_NAMING = ("weights", "denoiser", "classifier")
"""Keys of records whose values are names of weights, or shares by such names."""


@dataclass(frozen=True)
class Making:
    """What only the caller knows of how a result was made.

    Args:
        command: the line that makes it again, and `folder` where that was given.
        sources: the files that it was made of.
        target: the file that it became; empty where it was not kept.
        seconds: of each part of the work, in their order.
    """

    command: str = ""
    folder: str = ""
    sources: tuple[str, ...] = ()
    target: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)


def provenance(record: Mapping[str, Any], making: Making) -> dict[str, Any]:
    """What of `making` and a result's record JSON takes: also the version, the machine, and the sha256 of all weights that ran."""
    return {
        "quietlight": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "command": making.command,
        "folder": making.folder,
        "sources": list(making.sources),
        "target": making.target,
        "seconds": {part: round(seconds, 3) for part, seconds in making.seconds.items()},
        "models": {name: zoo.read(name).sha256 for name in weights_in(record) if name in zoo.names()},
    }


def weights_in(record: Any) -> list[str]:
    """The names of the weights that a record says ran, in the order of their mention, each once.

    >>> weights_in({"weights": {"fan": 0.4, "fan-plus": 0.6}, "system": "fan", "steps": [{"denoiser": "unet-gray"}]})
    ['fan', 'fan-plus', 'unet-gray']
    """
    names: dict[str, None] = {}
    if isinstance(record, Mapping):
        for key, value in record.items():
            if key in _NAMING:
                names |= dict.fromkeys([value] if isinstance(value, str) else value)
            else:
                names |= dict.fromkeys(weights_in(value))
    elif isinstance(record, list | tuple):
        for part in record:
            names |= dict.fromkeys(weights_in(part))
    return list(names)


def making_section(told: Mapping[str, Any]) -> str:
    """A `provenance` as the last section of a page."""
    seconds = told["seconds"]
    times = [(part.capitalize(), words.seconds(time)) for part, time in seconds.items()]
    times += [("All", words.seconds(sum(seconds.values())))] if len(seconds) > 1 else []
    made = [
        ("From", ", ".join(told["sources"])),
        ("To", told["target"]),
        ("By", f"quietlight {told['quietlight']}, Python {told['python']}, {told['machine']}"),
    ]
    models = list(told["models"].items())
    parts = [facts(made, "list")]
    parts += [f"<h3>Time</h3>{facts(times, 'list short')}"] if times else []
    parts += (
        [f"<h3>Networks that ran, and the sha256 of their weights</h3>{facts(models, 'list hashes')}"] if models else []
    )
    if told["command"]:
        again = [("", told["command"])]
        place = f", in {told['folder']}" if told["folder"] else ""
        parts.append(f"<h3>To make it again{escape(place)}</h3>{facts(again, 'command')}")
    return f"<section><header><h2>How this was made</h2></header>{''.join(parts)}</section>"
