"""Libraries that are there, libraries that are missing, and whether every engine gives the same result."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from quietlight.doctor.check import Check, guarded

if TYPE_CHECKING:
    from numpy.typing import NDArray

BRINGS = {
    "io": "JPEG XL, 16-bit colour PNG, compressed TIFFs and DNGs",
    "sets": "public sets of raws in MATLAB files",
    "train": "training",
    "fast": "the fastest engine on a CPU",
    "runtime": "an engine without torch",
    "web": "the page of quietlight serve",
    "distributed": "folders on many machines",
    "eval": "peers to compare with",
}
"""What our extras are for; those of developers are not named."""


def libraries() -> Iterator[Check]:
    """What this package's own metadata say that it needs, and what its extras would bring."""
    try:
        required = metadata.requires("quietlight") or []
    except metadata.PackageNotFoundError:
        yield Check("libraries", "wrong", "quietlight itself is not installed", "pip install quietlight")
        return
    extras: dict[str, list[str]] = {}
    for line in required:
        name, extra = _parsed(line)
        extras.setdefault(extra, []).append(name)
    yield _group("libraries", extras.pop("", []), "wrong", "pip install --force-reinstall quietlight")
    for extra, names in extras.items():
        if extra in BRINGS and (known := [name for name in names if name != "quietlight"]):
            yield _group(f"[{extra}]", known, "missing", f"pip install 'quietlight[{extra}]' for {BRINGS[extra]}")


def _parsed(requirement: str) -> tuple[str, str]:
    """The name and the extra of a line of metadata.

    >>> _parsed("h5py>=3.14 ; extra == 'sets'"), _parsed("numpy>=2.0")
    (('h5py', 'sets'), ('numpy', ''))
    """
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", requirement)
    return name.group() if name else requirement, extra.group(1) if extra else ""


def _group(name: str, libraries: Iterable[str], otherwise: Literal["missing", "wrong"], advice: str) -> Check:
    versions = {library: _version(library) for library in libraries}
    absent = [library for library, version in versions.items() if not version]
    found = ", ".join(f"{library} {version or 'missing'}" for library, version in versions.items())
    return Check(name, otherwise, found, advice) if absent else Check(name, "ok", found)


def _version(library: str) -> str:
    """The installed version of a library; empty where there is none."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def engines() -> Iterator[Check]:
    """Every engine that is installed runs the same small network, with the same result."""
    try:
        from quietlight.engine import ENGINES, EXTRAS
    except ImportError as error:
        yield Check("engines", "wrong", str(error), "mend the libraries above")
        return
    installed = [name for name in ENGINES if find_spec(name) is not None]
    if not installed:
        advice = "pip install 'quietlight[runtime]'"
        yield Check("engines", "wrong", "none that runs networks", advice)
    first: list[NDArray[Any]] = []
    for name in ENGINES:
        if name in installed:
            yield from guarded(f"engine {name}", lambda name=name: _engine(name, first))  # type: ignore[misc]
        else:
            yield Check(f"engine {name}", "missing", "not installed", f"pip install 'quietlight[{EXTRAS[name]}]'")


def _engine(name: str, first: list[NDArray[Any]]) -> Check:
    """One engine on a network for raws; `first` holds the result of an engine before it."""
    import numpy as np

    from quietlight import engine, zoo

    planes = np.random.default_rng(0).random((1, 4, 64, 64), np.float32)
    noise = np.full((1, 4, 1, 1), 1e-3, np.float32)
    begin = time.perf_counter()
    result = engine.run(zoo.read("fan"), planes, noise, noise, engine=name)
    seconds = time.perf_counter() - begin
    first.append(result)
    apart = float(np.abs(result - first[0]).max())
    found = f"{_version(name)}, ran a network in {seconds:.2g} s"
    if len(first) > 1:
        found += f", as the first engine but for {apart:.1g}"
    if not np.isfinite(result).all() or apart > _APART:
        return Check(f"engine {name}", "wrong", found, f"choose another engine, or another version of {name}")
    return Check(f"engine {name}", "ok", found)


_APART = 0.02
"""How far the results of two engines may lie apart, white 1: half precision is allowed."""
