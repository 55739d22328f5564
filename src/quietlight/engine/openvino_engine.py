"""The OpenVINO engine, on CPUs. Compiled networks are kept in the user's cache."""

from __future__ import annotations

import hashlib
from functools import cache as once
from threading import Lock
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from quietlight import machine
from quietlight.engine import cache, graphs
from quietlight.engine.choice import Unavailable, bears_bf16
from quietlight.zoo import Weights

_DEVICE = "CPU"


def load(weights: Weights, method: str, count: int, only: bool = False) -> Any:
    """See `engine.load`."""
    return runner(weights, graphs.model_of(weights, method, count, build=only), in_bf16(weights))


def in_bf16(weights: Weights) -> bool:
    """As for torch."""
    return "BF16" in _core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES") and bears_bf16(weights, "openvino")


def runner(weights: Weights, model: bytes, bf16: bool) -> Any:
    """What computes a serialised ONNX model of these weights. Raises Unavailable for what OpenVINO does not understand."""
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": machine.cores(),
        "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
    }
    key = (
        "openvino", openvino.__version__, str(_core().get_property(_DEVICE, "FULL_DEVICE_NAME")), repr(settings), weights.sha256,
        hashlib.sha256(model).hexdigest(),
    )  # fmt: skip
    compiled = _kept(cache.read(*key), settings)
    if compiled is None:
        try:
            compiled = _core().compile_model(_core().read_model(model), _DEVICE, settings)
        except RuntimeError as error:
            raise Unavailable(
                f"{weights.name}: OpenVINO cannot run it: {str(error).strip().splitlines()[-1]}"
            ) from error
        cache.write(compiled.export_model().getvalue(), *key)
    lock = Lock()  # a compiled network has the memory for one run at a time

    def compute(*arrays: NDArray[np.float32]) -> NDArray[np.float32]:
        with lock:
            return np.array(compiled(arrays)[0])

    return compute


def _kept(blob: bytes | None, settings: dict[str, Any]) -> Any:
    """A compiled network of the cache, if there is one that this OpenVINO takes."""
    try:
        return None if blob is None else _core().import_model(blob, _DEVICE, settings)
    except RuntimeError:
        return None


@once
def _core() -> Any:
    return openvino.Core()
