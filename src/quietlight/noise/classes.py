"""The classes that the noise of a photo is sorted into: NoiseBreaker's Table 1 (Lemarchand et al. 2020), and refinements of it.

A class is a nature within a range of levels. A new nature enters here by one line, and by training the two recipes that
CONTRIBUTING names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NoiseClass:
    """A nature (of NOISES, "" for none) whose level lies in [low, high], in the unit of the nature."""

    nature: str
    low: float = 0.0
    high: float = 0.0

    @property
    def name(self) -> str:
        """What tables and reports call it.

        >>> NoiseClass("gaussian", 15, 35).name, NoiseClass("uniform", 50, 50).name, NoiseClass("").name
        ('gaussian 15-35', 'uniform 50', 'clean')
        """
        if not self.nature:
            return "clean"
        if self.nature in _ALONE and (self.low, self.high) == _ALONE[self.nature]:
            return self.nature
        return f"{self.nature} {self.low:g}" + (f"-{self.high:g}" if self.high > self.low else "")


_ALONE = {"bernoulli": (0.0, 0.2), "poisson": (255.0, 255.0), "camera": (1.0, 25.0)}
"""Natures that Table 1 does not refine, with their range: their classes are called by the nature alone."""
_GAUSSIAN = NoiseClass("gaussian", 0, 15), NoiseClass("gaussian", 15, 35), NoiseClass("gaussian", 35, 55)
_SPECKLE = NoiseClass("speckle", 0, 15), NoiseClass("speckle", 15, 35), NoiseClass("speckle", 35, 55)
_UNIFORM = NoiseClass("uniform", 10, 10), NoiseClass("uniform", 50, 50)
_BERNOULLI = NoiseClass("bernoulli", 0, 0.2)
_POISSON = NoiseClass("poisson", 255, 255)
_CAMERA = NoiseClass("camera", 1, 25)
_CLEAN = NoiseClass("")

TABLES: dict[str, tuple[NoiseClass, ...]] = {
    "table1": (*_GAUSSIAN, *_SPECKLE, *_UNIFORM, _BERNOULLI, _POISSON, _CLEAN),
    "table1-camera": (*_GAUSSIAN, *_SPECKLE, *_UNIFORM, _BERNOULLI, _POISSON, _CLEAN, _CAMERA),
    "natures": (
        NoiseClass("gaussian", 0, 55),
        NoiseClass("speckle", 0, 55),
        NoiseClass("uniform", 10, 50),
        _BERNOULLI,
        _POISSON,
        _CLEAN,
    ),
    "fine-bernoulli": (
        *_GAUSSIAN,
        *_SPECKLE,
        *_UNIFORM,
        NoiseClass("bernoulli", 0, 0.05),
        NoiseClass("bernoulli", 0.05, 0.2),
        _POISSON,
        _CLEAN,
    ),
}
"""Name -> classes in the order of a classifier's outputs: the paper's Table 1, the same and camera noise, and two for ablation."""
