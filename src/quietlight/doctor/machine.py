"""What the machine has: cores, memory, abilities of its CPU, GPUs, a cache, and programs of others."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from quietlight.doctor.check import Check, guarded
from quietlight.machine import cache_folder, cores, free_memory

TOOLS = {
    "exiftool": "camera data of containers that we do not read ourselves (apt install libimage-exiftool-perl)",
    "darktable-cli": "a second opinion in benchmarks, and its noise profiles of cameras (apt install darktable)",
}
"""Programs that are used where they are there, and what they bring."""
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "bf16")


def machine() -> Iterator[Check]:
    """Threads, memory, the CPU's abilities, GPUs."""
    told = os.environ.get("OMP_NUM_THREADS")
    limit = f", OMP_NUM_THREADS={told}" if told else ""
    yield Check("threads", "ok", f"{cores()} of {os.cpu_count()} cores usable{limit}")
    free = free_memory()
    yield Check("memory", "ok", "unknown here" if free is None else f"{free / (1 << 30):.1f} GiB free")
    flags = _cpu_flags()
    half = [flag for flag in ("avx512_bf16", "amx_bf16", "bf16") if flag in flags]
    told_of = ", ".join(flag for flag in _FLAGS if flag in flags) or "unknown here"
    yield Check("CPU", "ok", f"{told_of}; bf16 {'by ' + ' and '.join(half) if half else 'not in hardware'}")
    yield from guarded("GPU", _gpu)


def _cpu_flags() -> set[str]:
    """What the CPU can do, by the names that Linux gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split(":")[1].split()}


def _gpu() -> Check:
    """What torch finds; where it finds none, what the driver says."""
    if find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
            half = "bf16" if torch.cuda.is_bf16_supported() else "no bf16"
            return Check("GPU", "ok", f"{', '.join(names)}, {half}")
        if torch.backends.mps.is_available():
            return Check("GPU", "ok", "Apple's, by MPS")
    if (driver := shutil.which("nvidia-smi")) is not None:
        said = subprocess.run([driver, "-L"], capture_output=True, text=True, check=False, timeout=20).stdout.strip()
        if said:
            return Check(
                "GPU", "missing", f"{said}, which torch does not use", "install torch as pytorch.org says for it"
            )
    return Check("GPU", "ok", "none, which is fine")


def cache() -> Check:
    """The folder for what can be made again."""
    folder = cache_folder()
    place = next(part for part in (folder, *folder.parents) if part.exists())
    if not os.access(place, os.W_OK):
        return Check("cache", "missing", f"{folder} cannot be written", "set QUIETLIGHT_CACHE to a folder that can")
    held = sum(file.stat().st_size for file in folder.glob("*") if file.is_file()) if folder.is_dir() else 0
    return Check("cache", "ok", f"{folder}, {held / 1e6:.0f} MB")


def tools() -> Iterator[Check]:
    """Programs of others that are used where they are there."""
    for name, brings in TOOLS.items():
        place = shutil.which(name)
        yield Check(name, "ok", place) if place else Check(name, "missing", "not installed", f"brings {brings}")
