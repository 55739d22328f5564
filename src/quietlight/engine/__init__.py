"""How a network is run: numpy arrays in and out, whatever computes in between.

Systems call `run` and do not know which engine that is. Who starts them may say so, for the whole process: `use`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quietlight.engine.choice import AUTO, Unavailable, has_gpu
from quietlight.frames import UnusableInput
from quietlight.registry import resolve

if TYPE_CHECKING:
    from quietlight.zoo import Weights

ENGINES = {
    "openvino": "quietlight.engine.openvino_engine:load",
    "torch": "quietlight.engine.torch_engine:load",
    "onnxruntime": "quietlight.engine.onnxruntime_engine:load",
}
"""Name of every engine, which its package has too -> "module:attribute" of a function that makes a `Compute` of a network.

The fastest first, by docs/engines.md.
"""
EXTRAS = {"openvino": "fast", "torch": "train", "onnxruntime": "runtime"}
"""Name -> the extra of ours that installs it."""

Compute = Callable[..., NDArray[np.float32]]
_asked = AUTO
_loaded: dict[tuple[str, str, int, str], Compute] = {}


def installed() -> list[str]:
    """The engines that are there, the fastest on a CPU first."""
    return [name for name in ENGINES if find_spec(name) is not None]


def use(name: str) -> None:
    """Have all networks of this process run by an engine; "auto" takes, for each network, the fastest that runs it.

    Raises UnusableInput for an engine that there is not, or that is not installed.
    """
    global _asked
    _check(name)
    _asked = name


def run(
    weights: Weights, *arrays: NDArray[np.float32], engine: str | None = None, method: str = "forward"
) -> NDArray[np.float32]:
    """The network of `weights` on float32 arrays [B, ..., C, H, W], whose sides are multiples of `weights.multiple`.

    Args:
        engine: a name of ENGINES, or "auto"; where None, what `use` was told.
        method: what of the network is asked for: what it makes of the arrays, of KPN the "kernels" by which it does, or one stage
            of CameraNet.

    Raises:
        UnusableInput: no engine is installed, or the one that was asked for is not, or cannot run this network.
    """
    key = weights.sha256, method, len(arrays), engine or _asked
    if key not in _loaded:
        _loaded[key] = load(weights, method, len(arrays), key[-1])[1]
    return np.asarray(_loaded[key](*arrays), np.float32)


def load(weights: Weights, method: str = "forward", count: int = 1, engine: str = AUTO) -> tuple[str, Compute]:
    """An engine, and what it makes of a method that takes so many arrays. Arguments and errors as for `run`."""
    _check(engine)
    names = _fastest_first() if engine == AUTO else [engine]
    if not names:
        raise UnusableInput("no engine that runs networks is installed: pip install 'quietlight[runtime]'")
    refusals = []
    for name in names:
        make: Any = resolve(ENGINES, name, "engine")
        try:
            return name, make(weights, method, count, only=engine == name)
        except (Unavailable, ImportError) as error:
            refusals.append(str(error))
    raise UnusableInput("; ".join(refusals))


def _fastest_first() -> list[str]:
    """The engines that are there, torch before all others where it has a GPU."""
    return sorted(installed(), key=lambda name: name != "torch" or not has_gpu())


def _check(name: str) -> None:
    if name == AUTO:
        return
    if name not in ENGINES:
        raise UnusableInput(f"unknown engine {name!r}: it is one of {', '.join([AUTO, *ENGINES])}")
    if find_spec(name) is None:
        raise UnusableInput(f"the engine {name} is not installed: pip install 'quietlight[{EXTRAS[name]}]'")
