"""The noise of a raw as a curve: variance against signal, what was measured in the frame and the line that was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from quietlight.analysis.estimate import measured_points
from quietlight.frames import NoiseProfile, RawFrame

Point = tuple[float, float, int]


@dataclass(frozen=True)
class NoiseCurve:
    """Points and line, on the range black 0, white 1.

    Args:
        points: (signal, variance, patches) as measured in the frame, all colours together; none where too little is usable.
        profile: the line; None where the noise is too low for one.
        source: where the line comes from, as NoiseReport has it.
    """

    points: tuple[Point, ...]
    profile: NoiseProfile | None
    source: str

    @property
    def reach(self) -> tuple[float, float]:
        """The largest signal and variance that are to be seen."""
        signal = max((x for x, _, _ in self.points), default=1.0)
        lines = [] if self.profile is None else [float(self.profile.variance(signal, color)) for color in range(3)]
        return signal, max([*lines, *(v for _, v, _ in self.points)], default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON takes it."""
        return asdict(self)


def curve_of(frame: RawFrame, record: Mapping[str, Any]) -> NoiseCurve:
    """The curve of a raw: the line and points of the record of what was done to it; points that it has not are measured."""
    profile = frame.noise
    if "shot" in record:
        profile = NoiseProfile(tuple(record["shot"]), tuple(record["read"]))
    points = record.get("points") or measured_points(frame)
    return NoiseCurve(tuple(points), profile, record.get("noise_from", "DNG NoiseProfile"))
