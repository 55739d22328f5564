"""What became of a job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from quietlight.batch.inputs import Job
from quietlight.frames import UnusableInput


@dataclass(frozen=True)
class Outcome:
    """What became of one job: "done", "kept" (it was there already, just as it would be made), "skipped" or "failed".

    Args:
        source: its file, or what a store calls it.
        target: its result, None where it was not even clear what that is called.
        message: why it was skipped or failed, in one line.
        seconds: that it took.
        record: what was done, plain values.
        frames: the files of a burst.
    """

    source: str
    target: str | None
    state: str
    message: str = ""
    seconds: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    frames: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON takes it."""
        return {**self.__dict__, "frames": list(self.frames)}

    @classmethod
    def of(cls, job: Job, target: str | None, state: str, message: str = "") -> Outcome:
        """The outcome of a job that took no time."""
        return cls(job.place, target, state, message, frames=tuple(str(frame) for frame in job.frames))

    def after(self, seconds: float, record: dict[str, Any]) -> Outcome:
        """The same with what it took, and what was done."""
        return replace(self, seconds=seconds, record=record)


def reason(job: Job, error: Exception) -> str:
    """One line that says why a job failed, with the name of its file."""
    source = job.place
    if isinstance(error, UnusableInput):
        named = any(str(name) in str(error) for name in (source, *job.files))
        return str(error) if named else f"{source}: {error}"
    if isinstance(error, MemoryError):
        return f"{source}: there is not enough memory for it"
    if isinstance(error, FileNotFoundError):
        return f"{error.filename or source}: there is no such file"
    if isinstance(error, OSError):
        return f"{error.filename or source}: {error.strerror or error}"
    # A fault of ours on one file must not cost the user the others.
    text = " ".join(f"{type(error).__name__} {error}".split())
    return f"{source}: a fault in quietlight, please report it: {text}"
