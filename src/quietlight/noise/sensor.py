"""Noise of sensors, for linear raws with black 0 and white 1 (values outside are fine).

Parameters are variances on that range, as in the DNG NoiseProfile: variance(x) = shot * x + read. The literature's other
conventions (ELD's DN of a 14-bit sensor, UPI's logarithms) are converted where they enter, here and in `noise/profiles.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from quietlight.arrays import Pixels, namespace
from quietlight.frames import UnusableInput
from quietlight.noise.nature import Generator, Nature, counts, normal, typed, unit_uniform

SHOT_RANGE = (1e-4, 0.012)
"""Of UPI's training noise, log-uniform (Brooks et al. 2019, section 3.1)."""
LOG_READ, LOG_SHOT = (-3.0, -1.5), (-4.0, -2.0)
"""log10 of the read noise's deviation and of the shot variance of KPN's training noise (Mildenhall et al. 2018), drawn apart;
gains 4 and 8 of the paper's test lie beyond them."""


def upi_read(shot: float, rng: np.random.Generator | None = None) -> float:
    """Read variance that goes with a shot variance: ln read = 2.18 ln shot + 1.20, and + N(0, 0.26) where `rng` is given.

    Source: Brooks et al. 2019, section 3.1. Natural logarithms: with log10, a mistake that is about, read comes out five times
    too large at shot 0.01.

    >>> f"{upi_read(1e-3):.1e}"
    '9.6e-07'
    """
    jitter = 0.0 if rng is None else float(rng.normal(0, 0.26))
    return math.exp(2.18 * math.log(shot) + 1.20 + jitter)


def tukey_lambda_variance(shape: float) -> float:
    """Variance of the Tukey-lambda distribution of scale 1; infinite from `shape` -1/2 down.

    >>> round(tukey_lambda_variance(0.0) - math.pi**2 / 3, 6)
    0.0
    """
    if shape <= -0.5:
        return math.inf
    if abs(shape) < 1e-3:  # The formula cancels here; its series: the logistic's variance and its slope at 0.
        return math.pi**2 / 3 - 11.3881 * shape
    ratio = math.exp(2 * math.lgamma(shape + 1) - math.lgamma(2 * shape + 2))
    return 2 / shape**2 * (1 / (1 + 2 * shape) - ratio)


@dataclass(frozen=True)
class ShotRead(Nature):
    """The Gaussian model of raw noise: N(0, shot * max(x, 0) + read)."""

    shot: float
    read: float

    levels: ClassVar = (1e-5, 2e-2)
    unit: ClassVar = "shot variance"

    @classmethod
    def at(cls, level: float) -> Self:
        """A shot variance and the read variance that UPI's line gives it."""
        return cls(level, upi_read(level))

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """X + N(0, shot * max(x, 0) + read)."""
        return x + namespace(x).sqrt(self.variance(x)) * normal(x, rng)

    def variance(self, x: Pixels) -> Pixels:
        """Shot * max(x, 0) + read."""
        return self.shot * namespace(x).clip(x, 0, None) + self.read


@dataclass(frozen=True)
class Photon(Nature):
    """Photons counted, each worth `shot`, then Gaussian read noise. Negative light counts as 0."""

    shot: float
    read: float

    levels: ClassVar = ShotRead.levels
    unit: ClassVar = ShotRead.unit

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_no_photons(self.shot)

    @classmethod
    def at(cls, level: float) -> Self:
        """A shot variance and the read variance that UPI's line gives it."""
        return cls(level, upi_read(level))

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """Shot * Poisson(x / shot) + N(0, read)."""
        return self.shot * counts(x / self.shot, rng) + math.sqrt(self.read) * normal(x, rng)

    def mean(self, x: Pixels) -> Pixels:
        """x, negative as 0."""
        return namespace(x).clip(x, 0, None)

    def variance(self, x: Pixels) -> Pixels:
        """Shot * max(x, 0) + read."""
        return self.shot * self.mean(x) + self.read


@dataclass(frozen=True)
class Row(Nature):
    """Banding: every row of a mosaic is off by its own N(0, row). Rows run along the last axis of [H, W] and of [..., H, W]."""

    row: float

    levels: ClassVar = (1e-8, 1e-4)
    unit: ClassVar = "variance of the rows"

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """X + N(0, row), one number per row."""
        return x + math.sqrt(self.row) * normal(x, rng, (*x.shape[:-1], 1))

    def variance(self, x: Pixels) -> Pixels:
        """`row`, though equal along a row."""
        return namespace(x).full_like(x, self.row)


@dataclass(frozen=True)
class Quantisation(Nature):
    """Rounding to multiples of `step`, as the noise that it amounts to: uniform in ±step/2."""

    step: float

    levels: ClassVar = (1 / 16383, 1 / 255)
    unit: ClassVar = "step"

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """X + U[-step/2, step/2]."""
        return x + self.step * typed(unit_uniform(x, rng) - 0.5, x)

    def variance(self, x: Pixels) -> Pixels:
        """step² / 12, everywhere."""
        return namespace(x).full_like(x, self.step**2 / 12)


@dataclass(frozen=True)
class Physics(Nature):
    """The physics of a sensor: shot * Poisson(x / shot) + Tukey-lambda read noise + row noise + quantisation.

    Source: Wei et al. 2020 (ELD), section 3. The darkness's tails are what the Gaussian model misses.

    Args:
        shot: variance slope, the worth of one photon.
        read: variance of the read noise.
        shape: Tukey's lambda, above -1/2; 0.14 is nearly Gaussian, negative has longer tails.
        row: variance of the row offsets.
        step: of the converter.
    """

    shot: float
    read: float
    shape: float = 0.14
    row: float = 0.0
    step: float = 0.0

    levels: ClassVar = ShotRead.levels
    unit: ClassVar = ShotRead.unit
    signed: ClassVar = ("shape",)

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_no_photons(self.shot)
        if not -0.5 < self.shape <= 2:
            raise UnusableInput(
                f"Tukey's lambda lies between -0.5 (the variance would be infinite) and 2, not {self.shape}"
            )

    @classmethod
    def at(cls, level: float) -> Self:
        """A shot variance, the read variance that UPI's line gives it, and some of everything else."""
        read = upi_read(level)
        return cls(level, read, shape=-0.1, row=0.03 * read, step=1 / 16383)

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """Photons, then what the read-out adds, in that order."""
        photons = self.shot * counts(x / self.shot, rng)
        noisy = photons + math.sqrt(self.read / tukey_lambda_variance(self.shape)) * self._tukey(x, rng)
        return Quantisation(self.step).sample(Row(self.row).sample(noisy, rng), rng)

    def _tukey(self, x: Pixels, rng: Generator) -> Pixels:
        """Tukey-lambda numbers of scale 1 by their quantile function; the ends are kept out, as they may be infinite."""
        library = namespace(x)
        u = library.clip(typed(unit_uniform(x, rng), x), 1e-7, 1 - 1e-7)
        if abs(self.shape) < 1e-3:
            return library.log(u / (1 - u))
        return (u**self.shape - (1 - u) ** self.shape) / self.shape

    def mean(self, x: Pixels) -> Pixels:
        """x, negative as 0."""
        return namespace(x).clip(x, 0, None)

    def variance(self, x: Pixels) -> Pixels:
        """Shot * max(x, 0) + read + row + step² / 12."""
        return self.shot * self.mean(x) + (self.read + self.row + self.step**2 / 12)


def _refuse_no_photons(shot: float) -> None:
    if shot == 0:
        raise UnusableInput("a sensor that counts photons needs a shot variance above 0: use shot-read noise")
