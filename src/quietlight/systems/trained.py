"""A network with the range of noise that it learnt from, and how a raw outside of it is treated.

Below the weakest noise that was learnt from, the change that a network makes fades out; above the strongest, the raw is dimmed into
the range, since shot noise falls with the gain and read noise with its square.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from quietlight import zoo
from quietlight.camera.tone import MID_GRAY
from quietlight.frames import NoiseProfile, UnusableInput
from quietlight.noise.sensor import LOG_READ, LOG_SHOT, ShotRead, upi_read
from quietlight.zoo import Weights

_FADE = 4.0
"""Below the weakest noise that was learnt from, the change fades out, until the noise is weaker by this factor."""


@dataclass(frozen=True)
class Trained:
    """A network, and the levels of noise that it learnt from, as `level` measures them."""

    weights: Weights
    low: float
    high: float

    def share(self, profile: NoiseProfile) -> float:
        """How much of the change is made: all of it from the weakest noise learnt on, nothing `_FADE` below."""
        return min(max(1 + math.log(max(level(profile), 1e-30) / self.low) / math.log(_FADE), 0.0), 1.0)

    def gain(self, profile: NoiseProfile) -> float:
        """The factor, at most 1, that brings a raw of this noise down to the strongest noise learnt."""
        return min(1.0, self.high / max(level(profile), 1e-30))


def level(profile: NoiseProfile) -> float:
    """Variance per signal at mid-gray, of the green pixels: the shot variance, and more where read noise matters."""
    return float(profile.variance(MID_GRAY)) / MID_GRAY


def trained(source: Weights | str, sets: Mapping[str, Callable[[Any], tuple[float, float]]], wanted: str) -> Trained:
    """The network with the levels that its recipe names.

    Args:
        source: weights, or their name in the zoo, or a .safetensors file.
        sets: the data sets that such networks learn from, and what their arguments say of the levels.
        wanted: what these weights should be, for the message.

    Raises UnusableInput for weights that cannot be read or are of another kind.
    """
    weights = zoo.read(source) if isinstance(source, str) else source
    try:
        data = json.loads(weights.metadata["recipe"])["data"]
        low, high = sets[data["name"]](data["arguments"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableInput(f"{weights.name}: these are not weights of {wanted}") from error
    return Trained(weights, low, high)


def by_shot(arguments: Any) -> tuple[float, float]:
    """Levels of data sets whose noise follows UPI's line."""
    low, high = (level(NoiseProfile((s,), (upi_read(s),))) for s in arguments.get("shot", ShotRead.levels))
    return low, high


def by_gray_bursts(_: Any) -> tuple[float, float]:
    """Levels of the gray bursts of KPN's paper."""
    low, high = (
        level(NoiseProfile((10**shot,), (10 ** (2 * read),))) for shot, read in zip(LOG_SHOT, LOG_READ, strict=True)
    )
    return low, high
