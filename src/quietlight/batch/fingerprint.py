"""A short text that is the same for tasks that give the same results, in every process and on every machine."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from quietlight import __version__


def fingerprint(task: Any) -> str:
    """Of a task, a dataclass: its kind, what its fields hold, and our version. Fields with compare=False do not count."""
    digest = hashlib.sha256(__version__.encode())
    for part in _parts(task):
        digest.update(part)
    return digest.hexdigest()[:16]


def _parts(value: Any) -> Iterator[bytes]:
    if dataclasses.is_dataclass(value):
        yield f"{type(value).__name__}(".encode()
        for field in dataclasses.fields(value):
            if field.compare:
                yield f"{field.name}=".encode()
                yield from _parts(getattr(value, field.name))
        yield b")"
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype}{value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, list | tuple):
        yield b"["
        for item in value:
            yield from _parts(item)
        yield b"]"
    elif isinstance(value, dict):
        yield from _parts(sorted(value.items()))
    else:
        yield f"{value!r};".encode()
