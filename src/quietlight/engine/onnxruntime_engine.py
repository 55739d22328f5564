"""The ONNX Runtime engine, on CPUs: the portable one."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, NotImplemented

from quietlight import machine
from quietlight.engine import graphs
from quietlight.engine.choice import LARGE, Unavailable
from quietlight.zoo import Weights

_ERRORS_ALONE = 3  # of ONNX Runtime's levels of logging


def load(weights: Weights, method: str, count: int, only: bool = False) -> Any:
    """See `engine.load`."""
    try:
        return runner(graphs.model_of(weights, method, count, build=only))
    except (Fail, InvalidGraph, NotImplemented) as error:
        raise Unavailable(f"{weights.name}: ONNX Runtime cannot run it: {error}") from error


def runner(model: bytes) -> Any:
    """What computes a serialised ONNX model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = machine.cores()
    options.log_severity_level = _ERRORS_ALONE
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    frugal = onnxruntime.RunOptions()
    frugal.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def compute(*arrays: NDArray[np.float32]) -> NDArray[np.float32]:
        given = dict(zip(names, arrays, strict=True))
        output: NDArray[np.float32] = session.run(None, given, frugal if arrays[0].size > LARGE else None)[0]
        return output

    return compute
