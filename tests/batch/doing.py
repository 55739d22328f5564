"""A task for tests, which other processes can import: it copies a file, and what the file says happens."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from quietlight.batch import Job, target_of
from quietlight.frames import UnusableInput


@dataclass(frozen=True)
class Copy:
    """Copies what is in a file, with a text behind it."""

    text: str = ""
    suffix: str = ".out"
    log: Path | None = field(default=None, compare=False)

    def plan(self, job: Job) -> PurePosixPath:
        return target_of(job, "{stem}{suffix}", self.suffix)

    def read(self, job: Job, progress) -> str:
        progress(1.0)
        return job.source.read_bytes().decode("latin-1")

    def compute(self, said: str, progress) -> str:
        progress(0.5)
        if said == "bad":
            raise UnusableInput("this is bad")
        if said == "huge":
            raise MemoryError
        if said == "fault":
            raise ZeroDivisionError("oh\ndear")
        if said == "stop":
            raise KeyboardInterrupt
        if said == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if said == "die once" and self.log is not None and not self.log.exists():
            self.log.write_text("died")
            os.kill(os.getpid(), signal.SIGKILL)
        progress(1.0)
        return f"{said}{self.text}"

    def write(self, job: Job, computed: str, target: Path) -> dict[str, object]:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(computed.encode("latin-1"))
        return {"read": job.source.name, "threads": os.environ.get("OMP_NUM_THREADS")}


def sources(folder: Path, **said: str) -> list[Job]:
    """Jobs of files that say this."""
    folder.mkdir(exist_ok=True)
    for name, text in said.items():
        (folder / f"{name}.in").write_text(text)
    return [Job(folder / f"{name}.in") for name in said]
