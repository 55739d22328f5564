"""What one look at an installation found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """What one check found.

    Args:
        name: of what was looked at.
        state: ok; missing, which something can be done about and most things work without; wrong, which has to be mended.
        found: what is there.
        advice: what to do, where something is to be done.
    """

    name: str
    state: Literal["ok", "missing", "wrong"]
    found: str
    advice: str = ""

    def to_dict(self) -> dict[str, str]:
        """The check as JSON takes it."""
        return asdict(self)


def guarded(name: str, check: Callable[[], Check]) -> Iterator[Check]:
    """A check of ours that a broken installation may stop anywhere."""
    try:
        yield check()
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        yield Check(name, "wrong", said[:200], "mend what is wrong above, or install quietlight again")
