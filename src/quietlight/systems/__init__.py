"""frame -> better frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quietlight.frames import Image, RawFrame


@dataclass(frozen=True)
class Result:
    """What a system made, and a record (plain values, for JSON) of what it did: noise levels, repairs, choices.

    `stages` are the pictures after each of the record's "steps", of systems that work in steps.
    """

    frame: RawFrame | Image
    record: dict[str, Any]
    stages: tuple[Image, ...] = ()


SYSTEMS = {
    "fan": "quietlight.systems.fan:fan",
    "noisebreaker": "quietlight.systems.noisebreaker:noisebreaker",
    "classical": "quietlight.systems.classical:classical",
    "kpn": "quietlight.systems.kpn:kpn",
    "hdrplus": "quietlight.systems.merge:hdrplus",
    "hdrplus-fan": "quietlight.systems.merge_fan:hdrplus_fan",
    "hdrplus-kpn": "quietlight.systems.merge_kpn:hdrplus_kpn",
    "cameranet": "quietlight.systems.cameranet:cameranet",
}
"""Name -> "module:attribute" of every system: a frame in, a Result out."""

OF_BURSTS = ("kpn", "hdrplus", "hdrplus-fan", "hdrplus-kpn")
"""Those of SYSTEMS that take a Burst; all others take one frame."""

LOOKS = {
    "neutral": "quietlight.systems.neutral:neutral",
    "cameranet": "quietlight.systems.cameranet:cameranet",
}
"""Name -> "module:attribute" of every way to develop: a RawFrame in, a Result out that holds a display-referred sRGB Image."""

FINISHING = ("cameranet",)
"""Those of LOOKS whose finish has a strength."""
