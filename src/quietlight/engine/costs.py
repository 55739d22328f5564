"""What a network costs, counted by torch without computing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from quietlight.engine.inputs import inputs_of
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
        inputs = inputs_of(module.eval(), weights.arguments, _SIDE, _SIDE)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    parameters = sum(p.numel() for p in module.parameters())
    return Costs(parameters, counter.get_total_flops() / 2 / _SIDE**2 / 1e3)
