"""Quietlight turns noisy captures into clean photographs and says what the noise was.

The public names, loaded on use, so that `import quietlight` stays instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from quietlight.frames import Burst, Image, NoiseProfile, NoiseReport, RawFrame, UnusableInput
    from quietlight.io import read, write
    from quietlight.pipeline import analyze, denoise, develop

_HOMES = {
    "analyze": "pipeline",
    "denoise": "pipeline",
    "develop": "pipeline",
    "read": "io",
    "write": "io",
    "Burst": "frames",
    "Image": "frames",
    "NoiseProfile": "frames",
    "NoiseReport": "frames",
    "RawFrame": "frames",
    "UnusableInput": "frames",
}

__all__ = [
    "Burst",
    "Image",
    "NoiseProfile",
    "NoiseReport",
    "RawFrame",
    "UnusableInput",
    "analyze",
    "denoise",
    "develop",
    "read",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'quietlight' has no attribute {name!r}")
    return getattr(import_module(f"quietlight.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
