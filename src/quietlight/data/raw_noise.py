"""Distributions of the noise of raws, from which that of each exposure is drawn: UPI's line, ELD's physics, a calibration.

Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, section 3.1. Wei et al., "A Physics-based Noise Formation
Model for Extreme Low-light Raw Denoising", CVPR 2020, section 3. Janesick, Photon Transfer, 2007, chapter 5.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from quietlight.analysis import profile_file
from quietlight.analysis.calibrate import Calibration
from quietlight.camera.bayer import PLANE_COLORS, pack, unpack
from quietlight.frames import NoiseProfile, RawFrame, UnusableInput
from quietlight.noise.profiles import ELD_CAMERAS, EldCamera, read_eld
from quietlight.noise.sensor import SHOT_RANGE, Photon, Physics, Row, ShotRead, upi_read


@dataclass(frozen=True)
class Exposure:
    """The noise of one exposure.

    Args:
        colors: of all pixels, or of the red, green and blue ones.
        row: variance that the pixels of a row share, beside theirs.
        camera: whose noise it is, "" if nobody's.
        iso: None if it belongs to none.
    """

    colors: tuple[ShotRead | Photon | Physics, ...]
    row: float = 0.0
    camera: str = ""
    iso: int | None = None

    def profile(self) -> NoiseProfile:
        """All of it as a NoiseProfile: read holds whatever does not grow with the light, rows and quantisation too."""
        dark = np.zeros(1)
        read = tuple(float(noise.variance(dark)[0]) + self.row for noise in self.colors)
        return NoiseProfile(tuple(noise.shot for noise in self.colors), read)

    def parameters(self) -> dict[str, Any]:
        """Every number of it, one or three (red, green, blue) of each, as JSON gives them back."""
        noises = [asdict(noise) for noise in self.colors]
        numbers = {key: [noise[key] for noise in noises] for key in noises[0]}
        rows = {"row": [self.row]} if self.row else {}
        return {"camera": self.camera or None, "iso": self.iso, **numbers, **rows}

    def noisy(self, clean: RawFrame, rng: np.random.Generator) -> RawFrame:
        """A Bayer frame of even size with this noise, neither clipped nor rounded, and with its profile and ISO."""
        if len(self.colors) == 1:
            mosaic = self.colors[0].sample(clean.mosaic, rng)
        else:
            planes = zip(PLANE_COLORS, pack(clean.mosaic, clean.cfa), strict=True)
            mosaic = unpack(np.stack([self.colors[color].sample(plane, rng) for color, plane in planes]), clean.cfa)
        mosaic = Row(self.row).sample(mosaic, rng) if self.row else mosaic
        return replace(clean, mosaic=np.asarray(mosaic, np.float32), noise=self.profile(), iso=self.iso)


class RawNoise(ABC):
    """A distribution of exposures."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What it is, as JSON gives it back."""

    @abstractmethod
    def words(self) -> str:
        """What it is, in one sentence of Markdown."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Exposure:
        """One exposure."""


@dataclass(frozen=True)
class UpiNoise(RawNoise):
    """Gaussian shot and read noise: the shot variance log-uniform, the read variance by UPI's line with its jitter.

    Raises UnusableInput for a range that is none of variances.
    """

    low: float = SHOT_RANGE[0]
    high: float = SHOT_RANGE[1]

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high < 1:
            raise UnusableInput(
                f"shot noise is a range of variances such as 1e-4..1.2e-2, not {self.low:g}..{self.high:g}"
            )

    def settings(self) -> dict[str, Any]:
        return {"model": "upi", "shot": [self.low, self.high]}

    def words(self) -> str:
        return (
            f"Gaussian noise of variance shot·x + read: shot log-uniform from {self.low:g} to {self.high:g}, "
            "ln read = 2.18 ln shot + 1.20 + N(0, 0.26) (Brooks et al. 2019)."
        )

    def draw(self, rng: np.random.Generator) -> Exposure:
        shot = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return Exposure((ShotRead(shot, upi_read(shot, rng)),))


@dataclass(frozen=True)
class PhysicsNoise(RawNoise):
    """Photons, Tukey-lambda read noise, row noise and quantisation of cameras by name, one of which is drawn per picture."""

    cameras: Mapping[str, EldCamera]

    def settings(self) -> dict[str, Any]:
        lines = {name: asdict(camera) for name, camera in self.cameras.items()}
        for line in lines.values():
            line["gains"], line["shapes"] = list(line["gains"]), list(line["shapes"])
        return {"model": "physics", "cameras": lines}

    def words(self) -> str:
        return (
            f"photons, Tukey-lambda read noise, row noise and quantisation of {', '.join(self.cameras)}: gain log-uniform "
            "over the camera's range, the scales by its lines from the gain, with their scatter (Wei et al. 2020)."
        )

    def draw(self, rng: np.random.Generator) -> Exposure:
        name = list(self.cameras)[int(rng.integers(len(self.cameras)))]
        return Exposure((self.cameras[name].draw(rng),), camera=name)


@dataclass(frozen=True)
class CalibratedNoise(RawNoise):
    """Photons, read and row noise of one camera as `analyze --calibrate` measured it, ISO log-uniform.

    Args:
        calibration: of one camera.
        isos: the range of ISO, None where the calibration has one entry, whose ISO does not matter.

    Raises UnusableInput for the calibration of several cameras, and one without shot noise.
    """

    calibration: Calibration
    isos: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if len(cameras := {e.camera for e in self.calibration.entries}) > 1:
            raise UnusableInput(f"the profile holds several cameras ({', '.join(sorted(cameras))}): keep one of them")
        if not all(shot > 0 for e in self.calibration.entries for shot in e.noise.shot):
            raise UnusableInput("the profile has no shot noise: its camera counts no photons: calibrate it anew")
        if self.isos is not None and not 0 < self.isos[0] <= self.isos[1]:
            raise UnusableInput(f"the range of ISO is empty: {self.isos[0]}..{self.isos[1]}")

    @classmethod
    def of(cls, calibration: Calibration, isos: tuple[int, int] | None = None) -> Self:
        """At those ISOs; where none are given, at all that were measured."""
        known = [e.iso for e in calibration.entries if e.iso]
        if isos is None and len(calibration.entries) > 1 and known:
            isos = min(known), max(known)
        return cls(calibration, isos)

    def settings(self) -> dict[str, Any]:
        isos = None if self.isos is None else list(self.isos)
        return {"model": "profile", "isos": isos, **json.loads(profile_file.to_json(self.calibration))}

    def words(self) -> str:
        camera = self.calibration.entries[0].camera or "a camera"
        isos = "" if self.isos is None else f", ISO log-uniform from {self.isos[0]} to {self.isos[1]}"
        return f"photons, Gaussian read noise and row noise as calibrated on {camera}{isos}."

    def draw(self, rng: np.random.Generator) -> Exposure:
        iso = None if self.isos is None else round(math.exp(rng.uniform(*np.log(self.isos))))
        entry = self.calibration.entry("", iso)
        shots, reads = entry.noise.per_color()
        # The calibration's read noise holds the rows'.
        colors = tuple(Photon(s, max(r - entry.row, 0.0)) for s, r in zip(shots, reads, strict=True))
        return Exposure(colors, entry.row, entry.camera, entry.iso)


def parse_raw_noise(text: str) -> RawNoise:
    """Noise as a person names it: upi, upi=LOW..HIGH, physics, physics=CAMERA or physics=FILE.json.

    Raises UnusableInput for anything else, and for files that are none of ELD's.

    >>> parse_raw_noise("upi=1e-3..1e-2")
    UpiNoise(low=0.001, high=0.01)
    """
    model, given, what = text.partition("=")
    if model == "upi":
        return UpiNoise(*parse_range(what)) if given else UpiNoise()
    if model != "physics":
        raise UnusableInput(f"the noise of raws is upi or physics, such as upi=1e-4..1.2e-2, not {text!r}")
    if not given:
        return PhysicsNoise(ELD_CAMERAS)
    if what in ELD_CAMERAS:
        return PhysicsNoise({what: ELD_CAMERAS[what]})
    if not Path(what).is_file():
        raise UnusableInput(
            f"unknown camera {what!r}: it is one of {', '.join(ELD_CAMERAS)}, or a file of ELD's parameters"
        )
    return PhysicsNoise({Path(what).stem: read_eld(Path(what))})


def parse_range(text: str) -> tuple[float, float]:
    """A number, or LOW..HIGH. Raises UnusableInput for other text.

    >>> parse_range("100..6400"), parse_range("800")
    ((100.0, 6400.0), (800.0, 800.0))
    """
    low, dots, high = text.partition("..")
    try:
        return float(low), float(high if dots else low)
    except ValueError:
        raise UnusableInput(f"a range is a number or LOW..HIGH, such as 100..6400, not {text!r}") from None
