"""The neutral look as a system: a raw rendered by formula, without any network."""

from __future__ import annotations

import math
from collections.abc import Callable

from quietlight.camera.develop import develop, neutral_rendering
from quietlight.camera.shading import apply_gain_maps
from quietlight.frames import RawFrame
from quietlight.systems import Result


def neutral(
    frame: RawFrame,
    *,
    white_balance: str | float = "as-shot",
    exposure: float = 0.0,
    bits: int = 16,
    progress: Callable[[float], None] | None = None,  # noqa: ARG001  # it takes no time worth a bar
) -> Result:
    """Develop a raw: RawFrame -> display-referred sRGB Image, upright and cropped. Arguments as for `pipeline.develop`."""
    frame = apply_gain_maps(frame)
    rendering = neutral_rendering(frame, white_balance, exposure)
    record = {"white_balance": rendering.gains, "exposure_ev": math.log2(rendering.exposure)}
    return Result(develop(frame, rendering, bits), record)
