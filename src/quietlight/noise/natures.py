"""The natures of NoiseBreaker (Lemarchand et al. 2020, table 1) and salt-and-pepper, for photos in [0, 1], levels on 0-255.

The paper leaves the units open. Ours: x + N(0, (sigma/255)²) for gaussian, x·(1 + N(0, (sigma/255)²)) for speckle,
x + U[-s, s]/255 for uniform, Poisson(255·x)/255 for poisson, and a probability of being dropped to 0 for bernoulli.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quietlight.arrays import Pixels, namespace
from quietlight.frames import UnusableInput
from quietlight.noise.nature import Generator, Nature, counts, normal, one_channel, typed, unit_uniform


@dataclass(frozen=True)
class Gaussian(Nature):
    """The same noise everywhere: standard deviation `sigma` on the 0-255 scale."""

    sigma: float

    levels: ClassVar = (0.0, 75.0)
    unit: ClassVar = "sigma, 0-255"

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """X + N(0, (sigma/255)²)."""
        return x + (self.sigma / 255) * normal(x, rng)

    def variance(self, x: Pixels) -> Pixels:
        """(sigma/255)², everywhere."""
        return namespace(x).full_like(x, (self.sigma / 255) ** 2)


@dataclass(frozen=True)
class Speckle(Nature):
    """Noise in proportion to the signal: standard deviation `sigma` on the 0-255 scale at white."""

    sigma: float

    levels: ClassVar = (0.0, 55.0)
    unit: ClassVar = "sigma at white, 0-255"

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """X * (1 + N(0, (sigma/255)²))."""
        return x * (1 + (self.sigma / 255) * normal(x, rng))

    def variance(self, x: Pixels) -> Pixels:
        """(sigma/255 * x)²."""
        return (self.sigma / 255 * x) ** 2


@dataclass(frozen=True)
class Uniform(Nature):
    """Anything up to `reach` (0-255 scale) more or less, equally likely."""

    reach: float

    levels: ClassVar = (10.0, 50.0)
    unit: ClassVar = "±, 0-255"

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """X + U[-reach, reach]/255."""
        return x + (self.reach / 255) * typed(2 * unit_uniform(x, rng) - 1, x)

    def variance(self, x: Pixels) -> Pixels:
        """(reach/255)² / 3, everywhere."""
        return namespace(x).full_like(x, (self.reach / 255) ** 2 / 3)


@dataclass(frozen=True)
class Poisson(Nature):
    """Photons counted: white is `peak` of them. The paper's is 255; negative pixels count as 0."""

    peak: float = 255.0

    levels: ClassVar = (30.0, 255.0)
    unit: ClassVar = "counts at white"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.peak == 0:
            raise UnusableInput("poisson noise cannot have peak 0: white has at least some photons")

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """Poisson(peak * x) / peak."""
        return counts(x * self.peak, rng) / self.peak

    def variance(self, x: Pixels) -> Pixels:
        """X / peak."""
        return self.mean(x) / self.peak

    def mean(self, x: Pixels) -> Pixels:
        """x, negative as 0."""
        return namespace(x).clip(x, 0, None)


@dataclass(frozen=True)
class Bernoulli(Nature):
    """Pixels lost with probability `p`: they become 0, or 1 for a share `salt` of them. Does not keep the mean.

    A pixel is lost in all its channels, or in each for itself where `per_channel`.
    """

    p: float
    salt: float = 0.0
    per_channel: bool = False

    levels: ClassVar = (0.0, 0.2)
    unit: ClassVar = "share of pixels"

    def __post_init__(self) -> None:
        super().__post_init__()
        if max(self.p, self.salt) > 1:
            raise UnusableInput(f"shares of pixels are at most 1: p {self.p}, salt {self.salt}")

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """x, or where lost 0 or 1. Draws who is lost first, then what they become (if anything but 0)."""
        shape = tuple(x.shape) if self.per_channel else one_channel(x)
        lost = unit_uniform(x, rng, shape) < self.p
        value = typed(unit_uniform(x, rng, shape) < self.salt, x) if self.salt else namespace(x).zeros_like(x)
        return namespace(x).where(lost, value, x)

    def mean(self, x: Pixels) -> Pixels:
        """(1 - p) * x + p * salt."""
        return (1 - self.p) * x + self.p * self.salt

    def variance(self, x: Pixels) -> Pixels:
        """That of a choice between x, 0 and 1."""
        return (1 - self.p) * x**2 + self.p * self.salt - self.mean(x) ** 2


@dataclass(frozen=True)
class SaltAndPepper(Bernoulli):
    """Bernoulli noise whose lost pixels become 0 or 1, half each."""

    salt: float = 0.5
