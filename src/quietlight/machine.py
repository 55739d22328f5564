"""What this machine, or the part of it that we may use, has: cores, free memory, a place to keep things."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Cores that this process may use: those it is bound to, and no more than OMP_NUM_THREADS where somebody set that."""
    try:
        bound = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows bind no processes
        bound = os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return max(min(bound, int(wanted)), 1) if wanted.isdecimal() else bound


def thread_limits(count: int) -> dict[str, str]:
    """Of the environment: what makes the libraries of a process that starts with it compute in so many threads."""
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(count))


def free_memory() -> int | None:
    """Bytes that a program can get without swapping, within a container's limit; None where the system tells no such number."""
    found = [bytes_ for bytes_ in (_available(), _left_in_container()) if bytes_ is not None]
    return min(found, default=None)


def give_back() -> None:
    """Return freed memory to the system, of which glibc keeps what networks leave: half a gigabyte that would stay for ever."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def cache_folder() -> Path:
    """Where this platform keeps what can be made again, or where QUIETLIGHT_CACHE says."""
    if named := os.environ.get("QUIETLIGHT_CACHE"):
        return Path(named)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "quietlight"


def _available() -> int | None:
    """Of the whole machine; where the system tells only all that it has (macOS), that."""
    try:
        with Path("/proc/meminfo").open() as file:
            fields = dict(line.split(":", 1) for line in file)
        return 1024 * int(fields["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _left_in_container() -> int | None:
    """Of a control group (version 2) with a limit."""
    try:
        limit, used = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no such group, or "max"
        return None
    return max(limit - used, 0)
