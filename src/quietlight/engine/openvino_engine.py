"""The OpenVINO engine, on CPUs. Compiled networks are kept in the user's cache."""

from __future__ import annotations

import hashlib
from functools import cache as once
from itertools import repeat
from threading import Lock
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset

from quietlight import machine
from quietlight.engine import cache, graphs
from quietlight.engine.choice import LARGE, Unavailable, bears_bf16
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
    precisions = ["f32", "bf16"] if bf16 else ["f32"]
    settings = [_settings(precision) for precision in precisions]
    key = (
        "openvino", openvino.__version__, str(_core().get_property(_DEVICE, "FULL_DEVICE_NAME")), repr(settings), weights.sha256,
        hashlib.sha256(model).hexdigest(),
    )  # fmt: skip
    parts = [_kept(cache.read(*key, str(number)), setting) for number, setting in enumerate(settings)]
    if None in parts:
        try:
            whole = _core().read_model(model)
            models = _parted(whole) if bf16 else [whole]
            parts = [_core().compile_model(*pair) for pair in zip(models, repeat(_DEVICE), settings)]
        except RuntimeError as error:
            raise Unavailable(
                f"{weights.name}: OpenVINO cannot run it: {str(error).strip().splitlines()[-1]}"
            ) from error
        for number, part in enumerate(parts):
            cache.write(part.export_model().getvalue(), *key, str(number))
    lock = Lock()  # a compiled network has the memory for one run at a time

    def compute(*arrays: NDArray[np.float32]) -> NDArray[np.float32]:
        values: Any = arrays
        with lock:
            for part in parts:
                found = part(values, share_inputs=True, share_outputs=True)
                values = [found[number] for number in range(len(part.outputs))]
            result = np.array(values[0])
            if arrays[0].size > LARGE:
                for part in parts:
                    part.release_memory()
            return result

    return compute


def _settings(precision: str) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": machine.cores(),
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": False,  # two workers of one thread would be bound to the same core
    }


def _parted(model: Any) -> list[Any]:
    """What comes before the first convolution, and the rest: how a raw's values stand out of their noise is lost in bf16."""
    nodes = model.get_ordered_ops()
    stem = next(node for node in nodes if node.get_type_name() == "Convolution")
    before, left = {given.get_friendly_name() for given in model.get_parameters()}, [stem.input(0)]
    while left:
        node = left.pop().get_source_output().get_node()
        if node.get_friendly_name() not in before:
            before.add(node.get_friendly_name())
            left += node.inputs()
    crossing, given = [], []
    for node in nodes:
        if node.get_friendly_name() in before and node.get_type_name() != "Constant":
            for output in node.outputs():
                beyond = [i for i in output.get_target_inputs() if i.get_node().get_friendly_name() not in before]
                if beyond:
                    crossing.append(output)
                    given.append(opset.parameter(output.get_partial_shape(), output.get_element_type()))
                    for taker in beyond:
                        taker.replace_source_output(given[-1].output(0))
    return [
        openvino.Model([opset.result(output) for output in crossing], model.get_parameters()),
        openvino.Model(model.get_results(), given),
    ]


def _kept(blob: bytes | None, settings: dict[str, Any]) -> Any:
    """A compiled network of the cache, if there is one that this OpenVINO takes."""
    try:
        return None if blob is None else _core().import_model(blob, _DEVICE, settings)
    except RuntimeError:
        return None


@once
def _core() -> Any:
    return openvino.Core()
