"""What decides on an engine and its precision: what there is, and what was measured, as data.

`precision.json` is written by `tools/engines.py`, which measures every network of ours on pictures like those of its benchmark.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quietlight.frames import UnusableInput

if TYPE_CHECKING:
    from quietlight.zoo import Weights

AUTO = "auto"
MOST_LOST = 0.02
"""dB that a network may lose by bf16."""
LARGE = 1 << 22
"""Numbers of a picture beyond which engines give back the memory that it took; for smaller ones they keep it for the next."""
MEASURED = Path(__file__).parent / "precision.json"


class Unavailable(UnusableInput):
    """An engine cannot run a network here."""


@cache
def has_gpu() -> bool:
    """Whether torch has a GPU; builds that know only CPUs need not be loaded to tell."""
    if metadata.version("torch").endswith("+cpu"):
        return False
    from quietlight.engine import torch_engine

    return torch_engine.device() != "cpu"


def bears_bf16(weights: Weights, engine: str) -> bool:
    """Whether a network was measured to lose no more than `MOST_LOST` by bf16 on an engine."""
    lost = measured().get(weights.sha256, {}).get(engine)
    return lost is not None and lost <= MOST_LOST


@cache
def measured() -> dict[str, dict[str, Any]]:
    """sha256 of weights -> engine -> dB that bf16 loses, and the weights' name."""
    table: dict[str, dict[str, Any]] = json.loads(MEASURED.read_text())
    return table
