"""How a network is run: numpy arrays in and out, whatever computes in between.

Systems call `run` and do not know which engine that is. Today it is torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight.registry import resolve
from quietlight.zoo import Weights

ENGINES = {"torch": "quietlight.engine.torch_engine:run"}
"""Name -> "module:attribute" of every engine, the fastest last."""


def run(
    weights: Weights, *arrays: NDArray[np.float32], engine: str = "torch", method: str = "forward"
) -> NDArray[np.float32]:
    """The network of `weights` on float32 arrays [B, ..., C, H, W], whose sides are multiples of `weights.multiple`.

    `method` names what of it is asked for: what it makes of them, of KPN the "kernels" by which it does, or one stage of CameraNet.
    """
    compute: Any = resolve(ENGINES, engine, "engine")
    return np.asarray(compute(weights, *arrays, method=method), np.float32)
