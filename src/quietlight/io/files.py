"""Writing files: beside the target first, then renamed, so that no file is ever half-written or overwritten by a failure."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """A path in the target's folder to write to, renamed to the target when the block ends, removed when it raises.

    The suffix is the target's. Creates missing folders. Raises OSError where the folder cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_prefix(target), suffix=target.suffix, dir=target.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def remove_leftovers(target: Path) -> None:
    """Remove what processes that were killed while they wrote beside a target left there."""
    pattern = f"{glob.escape(_prefix(target))}{'[a-z0-9_]' * 8}{glob.escape(target.suffix)}"
    for path in target.parent.glob(pattern):
        path.unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    """What a file beside a target begins with; eight characters of `tempfile` follow."""
    return f".{target.stem}-"
