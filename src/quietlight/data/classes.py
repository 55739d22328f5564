"""Photos -> crops with one class of noise each, and which it is: what a classifier of noise learns from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional

from quietlight import zoo
from quietlight.data.pack import located
from quietlight.data.photos import PhotoCrops
from quietlight.engine.torch_engine import module_of
from quietlight.frames import UnusableInput
from quietlight.noise import NOISES
from quietlight.noise.classes import TABLES, NoiseClass
from quietlight.noise.nature import eight_bit, normal
from quietlight.noise.natures import Gaussian
from quietlight.registry import resolve

VALIDATION_PATCH = 224
"""What the paper's classifier looks at."""
_DROPS = ("bernoulli", "salt-and-pepper")
_OFTEN = 0.5
"""How often a scene is varied, and how often some of the lost pixels are white."""
_LUMA = 0.299, 0.587, 0.114
_TONE = 0.7, 1.5
"""Exponents."""
_GRAIN = 0.0, 9.0
"""Sigma (0-255) of grain before it is smoothed to a third of that."""
_CLEANED = 0.0, 50.0
"""Sigma (0-255) of the noise that was removed from samples which are clean again."""
_BENEATH = 0.8
"""How often lost pixels lie over another noise: a rare sight in a table of single noises, and the rule in a mixture."""


def _classes(table: str) -> tuple[NoiseClass, ...]:
    if table not in TABLES:
        raise UnusableInput(f"unknown table of classes {table!r}: it is one of {', '.join(TABLES)}")
    return TABLES[table]


class ClassedPhotos:
    """Crops of one plane, the luma or a colour of photos, each with the noise of one class; all classes are equally frequent.

    So that it is noise that is learnt and not the photos' own history, scenes are made brighter or darker, and half of them each
    are made smaller, have the grain of film, which is smoother than a pixel, and went through JPEG, before the noise. Lost pixels
    mostly lie over another noise, and are then the class: what struck last is removed first. They are black, or half of the time
    black and white. Camera noise half of the time strikes all colours together, since a colour shows more of it than the luma does.
    And since a picture that a primary denoiser has been over is clean, too, although it looks unlike a photo, half of the clean
    samples are such.

    Args:
        source, held_out, device, validation: as for `PhotoCrops`.
        table: a name of `TABLES`.
        patch: side of a crop.
        cleaned_by: weights of that denoiser, a name or a file; empty: clean samples are photos only.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    beneath, white, colored = _BENEATH, _OFTEN, _OFTEN

    def __init__(
        self,
        source: str,
        table: str,
        patch: int = 128,
        cleaned_by: str = "",
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        self.classes = _classes(table)
        self.additive = [c for c in self.classes if c.nature and c.nature not in _DROPS]
        self.cleaner = zoo.read(cleaned_by) if cleaned_by else None
        self.patch = VALIDATION_PATCH if validation else patch
        self.crops = PhotoCrops(source, held_out, 3, 2 * self.patch, device, validation)
        self.generator = torch.Generator(device)

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """The samples of these indices.

        Returns:
            "input": float32 [B, 1, patch, patch], 8-bit; "truth": [B], the class; "level": [B], as share of its upper level.
        """
        draws = [np.random.default_rng([seed, index]) for index in indices]
        samples = [self._sample(scene, rng) for scene, rng in zip(self._scenes(draws), draws, strict=True)]
        noisy, truth, level = zip(*samples, strict=True)
        device = self.generator.device
        return {
            "input": torch.stack(noisy),
            "truth": torch.tensor(truth, device=device),
            "level": torch.tensor(level, dtype=torch.float32, device=device),
        }

    def _scenes(self, draws: Sequence[np.random.Generator]) -> Tensor:
        return self.crops.cut(draws)

    def _sample(self, scene: Tensor, rng: np.random.Generator) -> tuple[Tensor, int, float]:
        self.generator.manual_seed(int(rng.integers(2**63)))
        index = int(rng.integers(len(self.classes)))
        found = self.classes[index]
        if found.nature == "camera" and rng.random() < self.colored:
            noisy, level = self._struck(self._varied(scene, rng), found, rng)
            return eight_bit(noisy)[int(rng.integers(len(noisy)))][None], index, level / found.high
        x = self._varied(_plane(scene, rng), rng)
        if not found.nature:
            return self._cleaned(x, rng), index, 0.0
        if found.nature in _DROPS and rng.random() < self.beneath:
            x = self._struck(x, self.additive[int(rng.integers(len(self.additive)))], rng)[0]
        noisy, level = self._struck(x, found, rng)
        return eight_bit(noisy), index, level / found.high

    @torch.no_grad()
    def _cleaned(self, x: Tensor, rng: np.random.Generator) -> Tensor:
        """A clean crop, half of the time struck by gaussian noise and denoised."""
        if self.cleaner is not None and rng.random() < _OFTEN:
            struck = eight_bit(Gaussian(rng.uniform(*_CLEANED)).sample(x, self.generator))
            x = module_of(self.cleaner).to(x.device)(struck[None])[0]
        return eight_bit(x)  # type: ignore[no-any-return]

    def _struck(self, x: Tensor, noise: NoiseClass, rng: np.random.Generator) -> tuple[Tensor, float]:
        level = rng.uniform(noise.low, noise.high)
        nature = _DROPS[int(rng.random() < self.white)] if noise.nature in _DROPS else noise.nature
        kind: Any = resolve(NOISES, nature, "noise")
        return kind.at(level).sample(x, self.generator), level

    def _varied(self, scene: Tensor, rng: np.random.Generator) -> Tensor:
        """uint8 [C, 2 patch, 2 patch] -> a clean crop [C, patch, patch] in [0, 1], of another tone and history."""
        grainy, smaller, compressed = rng.random(3) < _OFTEN
        side = round(self.patch * rng.uniform(1, 2)) if smaller else self.patch
        x = (scene[:, :side, :side].float() / 255) ** rng.uniform(*_TONE)
        if smaller:
            size = (self.patch, self.patch)
            x = functional.interpolate(x[None], size, mode="bilinear", antialias=True, align_corners=False)[0]
        if grainy:
            x = x + rng.uniform(*_GRAIN) / 255 * functional.avg_pool2d(normal(x, self.generator), 3, 1, 1)
        if compressed:
            x = _through_jpeg(x, int(rng.integers(70, 97)))
        return eight_bit(x)  # type: ignore[no-any-return]


def _plane(scene: Tensor, rng: np.random.Generator) -> Tensor:
    """[C, H, W] -> [1, H, W]: of colours half of the time the luma (Rec. 601), else one of them."""
    if len(scene) == 1:
        return scene
    if rng.random() < _OFTEN:
        return (
            (scene.float() * scene.new_tensor(_LUMA, dtype=torch.float32)[:, None, None]).sum(0, keepdim=True).round()
        )
    return scene[int(rng.integers(len(scene)))][None]


def _through_jpeg(x: Tensor, quality: int) -> Tensor:
    stream = io.BytesIO()
    values = (x * 255).round().clip(0, 255).to("cpu", torch.uint8).numpy()
    pixels = values[0] if len(values) == 1 else np.ascontiguousarray(values.transpose(1, 2, 0))
    PillowImage.fromarray(pixels).save(stream, "JPEG", quality=quality)
    decoded = np.atleast_3d(np.asarray(PillowImage.open(stream), np.float32)).transpose(2, 0, 1) / 255
    return torch.from_numpy(np.ascontiguousarray(decoded)).to(x.device)


class RescaledPhotos(ClassedPhotos):
    """NoiseBreaker's own training set: whole photos rescaled to 224×224, and nothing but the noise of their class.

    Lemarchand et al. 2020, section 4.1: the first 10,000 photos of ImageNet's validation set, 9,600 for training, 200 for
    validation and 200 for evaluation. Of a smaller folder the shares are the same. In gray here, as the photos to be denoised.

    Args:
        source: the folder of .jpg or .JPEG files; looked for in the folder QUIETLIGHT_DATA, too.
        table: a name of `TABLES`.
        photos: how many of the sorted files are taken.

    Raises UnusableInput for arguments that make no sense, and for a folder of fewer than 50 photos.
    """

    beneath = white = colored = 0.0

    def __init__(
        self, source: str, table: str, photos: int = 10_000, *, device: torch.device, validation: bool
    ) -> None:
        self.classes = _classes(table)
        self.additive, self.cleaner = [], None
        folder = located(source)
        files = sorted(f for f in folder.glob("*") if f.suffix.lower() in (".jpg", ".jpeg"))[:photos]
        fiftieth = len(files) // 50
        if not fiftieth:
            raise UnusableInput(f"{folder}: holds {len(files)} photos, and 50 are the least to learn from")
        part = files[-2 * fiftieth : -fiftieth] if validation else files[: -2 * fiftieth]
        self.pixels = torch.from_numpy(np.stack([_rescaled(file) for file in part]))[:, None].to(device)
        self.generator = torch.Generator(device)

    def _scenes(self, draws: Sequence[np.random.Generator]) -> Tensor:
        return self.pixels[[int(rng.integers(len(self.pixels))) for rng in draws]]

    def _varied(self, scene: Tensor, rng: np.random.Generator) -> Tensor:  # noqa: ARG002
        return scene.float() / 255


def _rescaled(file: Path) -> NDArray[np.uint8]:
    try:
        with PillowImage.open(file) as photo:
            return np.asarray(photo.convert("L").resize((VALIDATION_PATCH, VALIDATION_PATCH)))
    except (OSError, SyntaxError) as error:
        raise UnusableInput(f"{file}: cannot be read as a photo: {error}") from error
