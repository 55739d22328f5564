"""Photos -> crops with one class of noise each, and which it is: what a classifier of noise learns from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional

from quietlight.data.photos import PhotoCrops
from quietlight.frames import UnusableInput
from quietlight.noise import NOISES
from quietlight.noise.classes import TABLES, NoiseClass
from quietlight.noise.nature import eight_bit
from quietlight.registry import resolve

VALIDATION_PATCH = 224
"""What the paper's classifier looks at."""
_DROPS = ("bernoulli", "salt-and-pepper")
_OFTEN = 0.5
"""How often a scene is varied, and how often lost pixels lie over another noise."""


class ClassedPhotos:
    """Gray crops, each with the noise of one class; all classes are equally frequent.

    So that it is noise that is learnt and not the photos' own history, half of the scenes are made smaller (which sharpens
    them) and half of them went through JPEG, before the noise. Lost pixels lie over another noise half of the time, and are then
    the class: what struck last is removed first. They are black, or half of the time black and white.

    Args:
        source, held_out, device, validation: as for `PhotoCrops`.
        table: a name of `TABLES`.
        patch: side of a crop.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    def __init__(
        self,
        source: str,
        table: str,
        patch: int = 128,
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if table not in TABLES:
            raise UnusableInput(f"unknown table of classes {table!r}: it is one of {', '.join(TABLES)}")
        self.classes = TABLES[table]
        self.patch = VALIDATION_PATCH if validation else patch
        self.crops = PhotoCrops(source, held_out, 1, 2 * self.patch, device, validation)
        self.generator = torch.Generator(device)

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """The samples of these indices.

        Returns:
            "input": float32 [B, 1, patch, patch], 8-bit; "truth": [B], the class; "level": [B], as share of its upper level.
        """
        draws = [np.random.default_rng([seed, index]) for index in indices]
        scenes = self.crops.cut(draws)
        samples = [self._sample(scene, rng) for scene, rng in zip(scenes, draws, strict=True)]
        noisy, truth, level = zip(*samples, strict=True)
        device = scenes.device
        return {
            "input": torch.stack(noisy),
            "truth": torch.tensor(truth, device=device),
            "level": torch.tensor(level, dtype=torch.float32, device=device),
        }

    def _sample(self, scene: Tensor, rng: np.random.Generator) -> tuple[Tensor, int, float]:
        x = self._varied(scene, rng)
        self.generator.manual_seed(int(rng.integers(2**63)))
        index = int(rng.integers(len(self.classes)))
        found = self.classes[index]
        if not found.nature:
            return eight_bit(x), index, 0.0
        if found.nature in _DROPS and rng.random() < _OFTEN:
            beneath = self.classes[int(rng.integers(len(self.classes)))]
            if beneath.nature not in ("", *_DROPS):
                x = self._struck(x, beneath, beneath.nature, rng)[0]
        nature = _DROPS[int(rng.random() < _OFTEN)] if found.nature in _DROPS else found.nature
        noisy, level = self._struck(x, found, nature, rng)
        return eight_bit(noisy), index, level / found.high

    def _struck(self, x: Tensor, noise: NoiseClass, nature: str, rng: np.random.Generator) -> tuple[Tensor, float]:
        level = rng.uniform(noise.low, noise.high)
        kind: Any = resolve(NOISES, nature, "noise")
        return kind.at(level).sample(x, self.generator), level

    def _varied(self, scene: Tensor, rng: np.random.Generator) -> Tensor:
        """uint8 [1, 2 patch, 2 patch] -> a clean crop [1, patch, patch] in [0, 1], perhaps smaller, perhaps out of a JPEG."""
        smaller, compressed = rng.random(2) < _OFTEN
        side = round(self.patch * rng.uniform(1, 2)) if smaller else self.patch
        x = scene[:, :side, :side].float() / 255
        if smaller:
            size = (self.patch, self.patch)
            x = functional.interpolate(x[None], size, mode="bilinear", antialias=True, align_corners=False)[0]
        if compressed:
            x = _through_jpeg(x, int(rng.integers(70, 97)))
        return eight_bit(x)  # type: ignore[no-any-return]


def _through_jpeg(x: Tensor, quality: int) -> Tensor:
    stream = io.BytesIO()
    values = (x[0] * 255).round().clip(0, 255).to("cpu", torch.uint8).numpy()
    PillowImage.fromarray(values).save(stream, "JPEG", quality=quality)
    decoded = np.asarray(PillowImage.open(stream), np.float32) / 255
    return torch.from_numpy(decoded).to(x.device)[None]
