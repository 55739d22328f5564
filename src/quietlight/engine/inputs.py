"""What networks are asked: their methods, each with tensors of the shapes that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quietlight.engine.torch_engine import module_of
from quietlight.networks import NETWORKS
from quietlight.registry import build
from quietlight.zoo import Weights


def inputs_of(module: Any, arguments: Mapping[str, Any], height: int, width: int, batch: int = 1) -> list[Tensor]:
    """What the network takes of photos of that size, or of mosaics, which are packed, or of a burst of either.

    Pictures are 0.5 everywhere, variances 0.001; all frames of a burst are there.
    """

    def filled(value: float, *shape: int) -> Tensor:
        return torch.full((batch, *shape), value)

    if getattr(module, "is_burst", False):
        half = 2 if module.channels == 4 else 1
        frames = filled(0.5, module.frames, module.channels, height // half, width // half)
        return [frames, filled(1.0, module.frames), *(filled(1e-3, module.channels, 1, 1) for _ in range(2))]
    if getattr(module, "is_raw", False):
        return [filled(0.5, 4, height // 2, width // 2), *(filled(1e-3, 4, 1, 1) for _ in range(2))]
    channels = 3 if getattr(module, "is_camera", False) else int(arguments.get("channels", 1))
    return [filled(0.5, channels + int(arguments.get("maps", 0)), height, width)]


def random_inputs(weights: Weights, height: int, width: int) -> list[NDArray[np.float32]]:
    """The same for a network with weights as numpy arrays, with a random picture, always the same one."""
    tensors = inputs_of(module_of(weights), weights.arguments, height, width)
    picture = np.random.default_rng(0).random(tensors[0].shape, np.float32)
    return [picture, *(tensor.numpy() for tensor in tensors[1:])]


def methods_of(
    module: Any, arguments: Mapping[str, Any], height: int, width: int, batch: int
) -> dict[str, list[Tensor]]:
    """Method -> what it takes of photos or mosaics of that size: all that systems ask of such a network, "forward" first."""
    inputs = inputs_of(module, arguments, height, width, batch)
    methods = {"forward": inputs}
    if getattr(module, "is_burst", False) and module.pixels is None:
        methods["kernels"] = inputs
    for stage in getattr(module, "reach", ()):
        given = []
        if arguments.get("global_branch") != "none":
            methods[f"{stage}_features"] = inputs
            given = [getattr(module, f"{stage}_features")(*inputs).mean((2, 3))]
        methods[stage] = [*inputs, *given]
    return methods


def counts_of(network: str, arguments: Mapping[str, Any]) -> dict[str, int]:
    """Method -> how many arrays it takes: all that systems ask of a network with these arguments."""
    with torch.device("meta"), torch.no_grad():
        module: Any = build(NETWORKS, network, "network", arguments).eval()
        return {method: len(inputs) for method, inputs in methods_of(module, arguments, 128, 128, batch=1).items()}
