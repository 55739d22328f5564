"""Weights that need no training."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from quietlight import zoo
from quietlight.networks import NETWORKS
from quietlight.registry import build


@pytest.fixture
def kpn_weights(tmp_path) -> Callable[..., zoo.Weights]:
    """A maker of KPNs of random weights, or of such whose kernels take the middle alone: a plain mean of the frames.

    Their recipe says that they learnt from the noise of `data`.
    """

    def make(plain=False, name="kpn-some", data=None, **arguments) -> zoo.Weights:
        import torch  # here, since most tests do without

        torch.manual_seed(0)
        arguments = {"channels": 4, "frames": 3, "widths": [4, 6, 8], "separable": True} | arguments
        network = build(NETWORKS, "kpn", "network", arguments)
        state = network.state_dict()
        if plain:
            taps = len(state["head.bias"])
            middle = (
                torch.eye(5)[2].repeat(taps // 5) if arguments["separable"] else torch.eye(25)[12].repeat(taps // 25)
            )
            state |= {"head.weight": 0 * state["head.weight"], "head.bias": middle}
        data = data or {"name": "raw-bursts", "arguments": {}}
        path = tmp_path / f"{name}.safetensors"
        facts = {"multiple": str(network.multiple), "recipe": json.dumps({"data": data})}
        zoo.save(path, "kpn", arguments, state, facts)
        return zoo.read(str(path))

    return make
