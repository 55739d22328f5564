"""What is checked before pixels of a stranger's raw file are given memory, and what its libraries' errors become."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quietlight import machine
from quietlight.frames import UnusableInput

MOST_PIXELS = 400_000_000
MOST_PIXELS_PER_BYTE = 2000


def check_size(path: Path, height: int, width: int, file_size: int) -> None:
    """Refuse empty pictures, those above `MOST_PIXELS`, and those that a file of this size cannot hold."""
    if min(height, width) < 1 or height * width > MOST_PIXELS:
        raise UnusableInput(
            f"{path}: a raw picture of {height}x{width} pixels is not one that we take (at most 400 megapixels)"
        )
    if height * width > MOST_PIXELS_PER_BYTE * file_size:
        raise UnusableInput(
            f"{path}: claims {height}x{width} pixels in {file_size} bytes, which cannot be: the file is damaged"
        )


@contextmanager
def library_errors(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into one line; a decoder of strangers' files may raise anything."""
    try:
        yield
    except UnusableInput:
        raise
    except MemoryError as error:
        raise UnusableInput(f"{path}: its picture does not fit into memory") from error
    except Exception as error:
        reason = error.args[0] if error.args else type(error).__name__
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        if "imagecodecs" in reason:
            raise UnusableInput(f"{path}: its compression needs imagecodecs: pip install quietlight[io]") from error
        raise UnusableInput(
            f"{path}: damaged, or not a raw file that we can read ({' '.join(reason.split())[:120]})"
        ) from error


def check_memory(what: str, needed: int) -> None:
    """Refuse what needs more bytes than the machine has free, as far as it can say; `what` begins the line that is raised."""
    free = machine.free_memory()
    if free is not None and needed > free:
        raise UnusableInput(
            f"{what} takes about {needed / (1 << 30):.1f} GiB of memory, and {free / (1 << 30):.1f} are free: give fewer frames"
        )
