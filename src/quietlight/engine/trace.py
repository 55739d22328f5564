"""network -> graphs without weights, by torch's exporter: what `graphs` fills and the engines without torch run."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import onnx_ir
import torch
from onnx_ir.passes import common
from onnxscript import optimizer
from torch import Tensor, nn
from torch.export import Dim

from quietlight.engine.inputs import methods_of
from quietlight.networks import NETWORKS
from quietlight.registry import build

OPSET = 20
_TRACED = 2, 3
"""Height and width that are traced, in multiples of the network's; no two sides alike, and none of them one."""


class _Asked(nn.Module):
    """One method of a network as a network."""

    def __init__(self, net: nn.Module, method: str) -> None:
        super().__init__()
        self.net, self.method = net, method

    def forward(self, *inputs: Tensor) -> Any:
        return getattr(self.net, self.method)(*inputs)


def graphs_of(network: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, int, bytes]]:
    """(method, count of its inputs, its graph) for all that systems ask of a network with these arguments.

    A graph is a serialised ONNX model of dynamic batch, height and width in which the network's parameters have no values.
    """
    module: Any = build(NETWORKS, network, "network", arguments).eval()
    for part in module.modules():
        part.forward = getattr(part, "traced", part.forward)
    multiple = 2 * max(module.multiple, 16)  # a mosaic is folded, and a classifier sees 32 pixels and more
    height, width = (multiple * times for times in _TRACED)
    with torch.no_grad():
        for method, inputs in methods_of(module, arguments, height, width, batch=2).items():
            yield method, len(inputs), _graph(module, method, inputs)


def _graph(module: Any, method: str, inputs: list[Tensor]) -> bytes:
    batch, height, width = Dim("batch"), Dim("height", min=2), Dim("width", min=2)
    shapes = []
    for tensor in inputs:
        shape = {0: batch}
        if tensor.ndim > 2 and tensor.shape[-1] > 1:
            last = tensor.ndim - 1
            shape |= {last - 1: module.multiple * height, last: module.multiple * width}
        shapes.append(shape)
    with quiet("torch.onnx"):
        program = torch.onnx.export(
            _Asked(module, method).eval(),
            tuple(inputs),
            dynamo=True,
            optimize=False,
            opset_version=OPSET,
            input_names=_names(getattr(module, method), len(inputs)),
            output_names=["output"],
            dynamic_shapes={"inputs": tuple(shapes)},
            verbose=False,
        )
    return _emptied(program.model, module.state_dict().keys())  # type: ignore[union-attr]


def _names(method: Any, count: int) -> list[str]:
    """What its inputs are called; what some methods can be given further is the mean of their features."""
    parameters = inspect.signature(method).parameters.values()
    return ["mean" if p.kind is p.VAR_POSITIONAL else p.name for p in parameters][:count]


def _emptied(model: onnx_ir.Model, parameters: Any) -> bytes:
    """The model, simplified, without the values of these parameters, and without what tells where its parts come from."""
    graph = model.graph
    free = []
    for name, value in list(graph.initializers.items()):
        plain = name.removeprefix("net.")
        if plain in parameters:
            del graph.initializers[name]
            value.name, value.const_value = plain, None
            # As inputs they cannot be folded into anything while the graph is simplified.
            graph.inputs.append(value)
            free.append(plain)
    # Not `optimizer.optimize`, which takes x + 1e-9 for x.
    common.InlinePass()(model)
    for _ in range(2):
        optimizer.fold_constants(model)
        common.RemoveUnusedNodesPass()(model)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    common.DeduplicateInitializersPass()(model)
    common.CommonSubexpressionEliminationPass()(model)
    for number, node in enumerate(graph.all_nodes()):
        node.name, node.doc_string = f"n{number}", None
        node.metadata_props.clear()
        for output in node.outputs:
            output.metadata_props.clear()
    model.metadata_props.clear()
    graph.metadata_props.clear()
    proto = onnx_ir.to_proto(model)
    del proto.graph.value_info[:]
    kept = [value for value in proto.graph.input if value.name not in free]
    if not all(value.type.tensor_type.shape.dim[0].dim_param for value in kept):
        raise ValueError("the batch was taken for a constant where the network was traced")
    del proto.graph.input[:]
    proto.graph.input.extend(kept)
    return bytes(proto.SerializeToString(deterministic=True))


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """What a logger and the warnings would tell is kept back: exporters tell their own story, which is not the user's."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
