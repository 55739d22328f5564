"""Noise of real cameras, drawn as ELD measured it: lines from the gain to read and row noise. Source: Wei et al. 2020.

The numbers are in DN of a 14-bit sensor; `EldCamera.draw` converts them to the project's variances on [0, 1].
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.frames import UnusableInput
from quietlight.noise.sensor import Physics, tukey_lambda_variance


@dataclass(frozen=True)
class Line:
    """ln(scale) = slope * ln(K) + bias + N(0, sigma), in DN."""

    slope: float
    bias: float
    sigma: float

    def draw(self, gain: float, rng: np.random.Generator) -> float:
        """A scale that goes with the gain K, in DN."""
        return math.exp(self.slope * math.log(gain) + self.bias + rng.normal(0, self.sigma))


@dataclass(frozen=True)
class EldCamera:
    """One camera of ELD.

    Args:
        gains: the range of K, DN per electron.
        read: the scale of its Tukey-lambda read noise, `shapes` the range of lambda.
        row: the scale of its row noise.
    """

    gains: tuple[float, float]
    read: Line
    shapes: tuple[float, float]
    row: Line

    def draw(self, rng: np.random.Generator, white: float = 15583.0) -> Physics:
        """One setting of the camera: K log-uniform, lambda uniform. `white` is DN between black and saturation (ELD's own)."""
        gain = math.exp(rng.uniform(*np.log(self.gains)))
        shape = float(rng.uniform(*self.shapes))
        read = (self.read.draw(gain, rng) / white) ** 2 * tukey_lambda_variance(shape)
        row = (self.row.draw(gain, rng) / white) ** 2
        return Physics(gain / white, read, shape, row, step=1 / white)


ELD_CAMERAS = {
    "sony-a7s2": EldCamera((0.094, 6.01), Line(0.462, 0.566, 0.263), (-0.14, 0.13), Line(0.528, -0.592, 0.294)),
    "nikon-d850": EldCamera((0.415, 26.6), Line(0.477, -0.090, 0.239), (-0.24, -0.10), Line(0.448, -1.80, 0.232)),
    "canon-70d": EldCamera((0.407, 26.1), Line(0.487, 1.464, 0.382), (-0.17, 0.14), Line(0.729, -0.937, 0.250)),
}
"""The published values of three cameras; `read_eld` reads others from a file."""


def read_eld(path: Path) -> EldCamera:
    """A camera from a parameter file of ELD's layout (its Profile-1).

    Raises UnusableInput for a file that cannot be read, is no such JSON, or holds numbers that make no sense.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        profile, shapes = data["Profile-1"], [float(v) for v in data["G_shape"]]
        camera = EldCamera(
            (float(data["Kmin"]), float(data["Kmax"])),
            _line(profile["G_scale"]),
            (min(shapes), max(shapes)),
            _line(profile["R_scale"]),
        )
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path} cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInput(
            f"{path} is no ELD parameter file (JSON with Kmin, Kmax, G_shape, Profile-1): {error}"
        ) from error
    if not 0 < camera.gains[0] <= camera.gains[1] or camera.shapes[0] <= -0.5:
        raise UnusableInput(f"{path}: Kmin must be above 0, Kmax at least Kmin, and G_shape above -0.5")
    return camera


def _line(entry: Any) -> Line:
    line = Line(float(entry["slope"]), float(entry["bias"]), float(entry["sigma"]))
    if not all(map(math.isfinite, (line.slope, line.bias, line.sigma))) or line.sigma < 0:
        raise ValueError(f"a line of finite numbers with sigma at least 0 was expected, not {entry}")
    return line
