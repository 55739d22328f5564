"""What is worth keeping between runs, in the user's cache folder: bounded, written whole or not at all, and checked when read."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from quietlight.io.files import written_beside
from quietlight.machine import cache_folder

MOST_BYTES = 512 << 20
"""What all entries take together; those not used for the longest time make room."""
_SUFFIX = ".bin"
_HASH = hashlib.sha256().digest_size


def read(*key: str) -> bytes | None:
    """The entry of a key; None where there is none, or one that was damaged."""
    path = _path(key)
    try:
        data = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    content = data[_HASH:]
    return content if data[:_HASH] == hashlib.sha256(content).digest() else None


def write(content: bytes, *key: str) -> None:
    """Keep an entry, if the folder can be written; nobody depends on it."""
    with contextlib.suppress(OSError):
        with written_beside(_path(key)) as beside:
            beside.write_bytes(hashlib.sha256(content).digest() + content)
        _make_room()


def _path(key: tuple[str, ...]) -> Path:
    return cache_folder() / (hashlib.sha256("\n".join(key).encode()).hexdigest()[:32] + _SUFFIX)


def _make_room() -> None:
    entries = sorted(((p.stat(), p) for p in cache_folder().glob(f"*{_SUFFIX}")), key=lambda e: -e[0].st_mtime)
    total = 0
    for status, path in entries:
        total += status.st_size
        if total > MOST_BYTES:
            path.unlink(missing_ok=True)
