"""What every nature of noise is, and how it draws: one definition for numpy arrays and torch tensors, without importing torch.

The layout follows the library, as everywhere in the project: numpy arrays are [H, W] or [H, W, C], torch tensors [..., C, H, W].
The generator does too: `numpy.random.Generator` or `torch.Generator`, so pixel noise is equal per seed and library only.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np

from quietlight.arrays import Pixels, namespace
from quietlight.frames import UnusableInput

Generator = Any
"""The generator of that library."""


class Nature(ABC):
    """One noise with its level: frozen dataclasses whose fields are the parameters, none of them negative unless `signed`.

    `levels` is the range that `at` is meant for, in `unit`; `signed` names the fields that may be negative.
    """

    levels: ClassVar[tuple[float, float]]
    unit: ClassVar[str]
    signed: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # every nature is a dataclass
            value = getattr(self, field.name)
            if not math.isfinite(value) or (value < 0 and field.name not in self.signed):
                raise UnusableInput(f"{type(self).__name__.lower()} noise cannot have {field.name} {value}")

    @classmethod
    def at(cls, level: float) -> Self:
        """The noise of that level; what else it needs takes its usual value."""
        return cls(level)  # type: ignore[call-arg]  # a dataclass whose first field is the level

    @abstractmethod
    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """The clean `x` with noise, of its type and shape, neither clipped nor rounded."""

    @abstractmethod
    def variance(self, x: Pixels) -> Pixels:
        """Variance of `sample` at every pixel of the clean `x`."""

    def mean(self, x: Pixels) -> Pixels:
        """Mean of `sample` at every pixel of the clean `x`: `x` itself, unless a nature says otherwise."""
        return x


def normal(x: Pixels, rng: Generator, shape: tuple[int, ...] | None = None) -> Pixels:
    """Standard normal numbers of `x`'s type (numpy draws them in float64, then casts), of `x`'s shape or `shape`."""
    shape = tuple(x.shape) if shape is None else shape
    if isinstance(x, np.ndarray):
        return rng.standard_normal(shape).astype(x.dtype)
    return x.new_empty(shape).normal_(generator=rng)


def unit_uniform(x: Pixels, rng: Generator, shape: tuple[int, ...] | None = None) -> Pixels:
    """Numbers uniform in [0, 1), of `x`'s shape or `shape`; float64 for numpy, of `x`'s type for torch."""
    shape = tuple(x.shape) if shape is None else shape
    return rng.random(shape) if isinstance(x, np.ndarray) else x.new_empty(shape).uniform_(generator=rng)


def typed(field: Pixels, x: Pixels) -> Pixels:
    """`field` in the floating type of `x`, so that float32 pictures stay float32 where numpy drew float64."""
    return field.astype(x.dtype) if isinstance(x, np.ndarray) else field.to(x.dtype)


def counts(mean: Pixels, rng: Generator) -> Pixels:
    """Poisson numbers of that mean (negative counts as 0), of its type."""
    if isinstance(mean, np.ndarray):
        return rng.poisson(np.maximum(mean, 0)).astype(mean.dtype)
    return namespace(mean).poisson(mean.clip(min=0), generator=rng)


def one_channel(x: Pixels) -> tuple[int, ...]:
    """The shape of a field that broadcasts against `x` and has one number per pixel, whatever the channels."""
    shape = tuple(x.shape)
    if isinstance(x, np.ndarray):
        return shape if x.ndim < 3 else (*shape[:-1], 1)
    return shape if x.ndim < 3 else (*shape[:-3], 1, *shape[-2:])


def eight_bit(y: Pixels) -> Pixels:
    """What an 8-bit file keeps of `y`: clipped to [0, 1] and rounded to 1/255."""
    library = namespace(y)
    return library.round(library.clip(y, 0, 1) * 255) / 255
