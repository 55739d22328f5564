"""The torch engine: channels last, in float32, each network built once."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from quietlight.networks import NETWORKS
from quietlight.registry import build
from quietlight.zoo import Weights

_modules: dict[str, nn.Module] = {}


def module_of(weights: Weights) -> nn.Module:
    """The network with these weights, for inference; built on first use."""
    if weights.sha256 not in _modules:
        module: Any = build(NETWORKS, weights.network, "network", weights.arguments)
        module.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
        if hasattr(module, "folded"):
            module = module.eval().folded()
        _modules[weights.sha256] = module.eval().to(memory_format=torch.channels_last)
    return _modules[weights.sha256]


@torch.inference_mode()
def run(weights: Weights, *arrays: NDArray[np.float32], method: str = "forward") -> NDArray[np.float32]:
    """See `engine.run`."""
    output = getattr(module_of(weights), method)(*map(_tensor, arrays))
    return np.asarray(output.numpy(), np.float32)


def _tensor(array: NDArray[np.float32]) -> torch.Tensor:
    """Pictures [B, C, H, W] have their channels last in memory; bursts [B, N, C, H, W] and lists [B, N] stay as they are."""
    tensor = torch.from_numpy(array)
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
