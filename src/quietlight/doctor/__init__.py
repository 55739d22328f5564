"""An installation -> what is there, what is missing and what brings it, what is wrong.

Nothing but the standard library is imported before a check needs it, so that a broken installation can be examined.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator

from quietlight import __version__
from quietlight.doctor import libraries, machine, runs
from quietlight.doctor.check import Check, guarded

__all__ = ["Check", "examine"]


def examine() -> Iterator[Check]:
    """All checks, each as it is done; the last ones take some seconds."""
    yield Check("quietlight", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield from libraries.libraries()
    yield from libraries.engines()
    yield from machine.machine()
    yield machine.cache()
    yield from machine.tools()
    yield from guarded("weights", runs.weights)
    yield from guarded("a raw, end to end", runs.raw)
    yield from guarded("a photo, end to end", runs.photo)
