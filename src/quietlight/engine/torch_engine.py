"""The torch engine: channels last, each network built once; on a GPU where there is one, and in bf16 where that loses nothing."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from quietlight.engine.choice import bears_bf16
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


@cache
def device() -> str:
    """Where torch computes: "cuda", "mps" or "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def in_bf16(weights: Weights) -> bool:
    """Whether a network is computed in bf16: where the processor has it, and the network was measured to bear it."""
    return _has_bf16() and bears_bf16(weights, "torch")


def load(weights: Weights, method: str, count: int, only: bool = False) -> Any:  # noqa: ARG001  # torch runs everything
    """See `engine.load`."""
    return runner(weights, method, in_bf16(weights))


def runner(weights: Weights, method: str, bf16: bool) -> Any:
    """What computes a method of the network, in a precision."""
    return partial(_run, getattr(module_of(weights).to(device()), method), bf16)


@torch.inference_mode()
def _run(method: Any, bf16: bool, *arrays: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.autocast(device(), torch.bfloat16, enabled=bf16):
        output = method(*map(_tensor, arrays))
    return np.asarray(output.float().cpu().numpy())


def _tensor(array: NDArray[np.float32]) -> torch.Tensor:
    """Pictures [B, C, H, W] have their channels last in memory; bursts [B, N, C, H, W] and lists [B, N] stay as they are."""
    tensor = torch.from_numpy(array).to(device())
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


@cache
def _has_bf16() -> bool:
    """Whether the processor multiplies in bf16 itself, where it is faster and not only smaller."""
    if device() == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device() == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
