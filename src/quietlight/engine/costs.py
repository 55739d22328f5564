"""What a network costs, counted by torch without computing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from quietlight.networks import NETWORKS
from quietlight.registry import build
from quietlight.zoo import Weights

_SIDE = 512


@dataclass(frozen=True)
class Costs:
    """Size and effort of a network.

    Args:
        parameters: trained numbers.
        gmac: thousand million multiply-adds of convolutions and matrix products per megapixel of its photo or mosaic
            (1 GMAC is 2 GFLOP).
    """

    parameters: int
    gmac: float


def costs_of(weights: Weights) -> Costs:
    """The costs of a photo network, whose input has as many channels as its arguments say, or of one for raws, bursts, or a camera.

    A mosaic is packed, and of a burst all its frames count, per megapixel of one of them.
    """
    with torch.device("meta"):
        module: Any = build(NETWORKS, weights.network, "network", weights.arguments)
        inputs = _inputs(module.eval(), weights.arguments)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    parameters = sum(p.numel() for p in module.parameters())
    return Costs(parameters, counter.get_total_flops() / 2 / _SIDE**2 / 1e3)


def _inputs(module: Any, arguments: dict[str, Any]) -> list[torch.Tensor]:
    """What the network takes of a photo or mosaic of _SIDE x _SIDE."""
    if getattr(module, "is_burst", False):
        side = _SIDE // 2 if module.channels == 4 else _SIDE
        frames = torch.empty(1, module.frames, module.channels, side, side)
        return [frames, torch.empty(1, module.frames), *torch.empty(2, 1, module.channels, 1, 1)]
    if getattr(module, "is_raw", False):
        return [torch.empty(1, 4, side, side) for side in (_SIDE // 2, 1, 1)]
    channels = 3 if getattr(module, "is_camera", False) else int(arguments.get("channels", 1))
    channels += int(arguments.get("maps", 0))
    return [torch.empty(1, channels, _SIDE, _SIDE)]
