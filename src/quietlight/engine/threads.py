"""How many threads an engine may take: as many as the process has processors, or fewer where OMP_NUM_THREADS says so."""

from __future__ import annotations

import os


def count() -> int:
    """Threads of one network; torch counts alike by itself."""
    affinity = getattr(os, "sched_getaffinity", None)
    there = len(affinity(0)) if affinity else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(there, int(wanted)) if wanted.isdecimal() and int(wanted) else there
