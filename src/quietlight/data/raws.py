"""Photos -> (noisy, clean) packed raws: unprocessed and struck by a sensor's noise on the device that trains.

Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, with their random cameras. Departures: shot noise down to
1e-5 and up to 2e-2, read noise farther from their line, since cameras differ more than those of their test set, and half of the
pictures darker, as raws are that a photographer exposed for the lights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from quietlight.camera.unprocess import random_camera, sensor_planes, unprocess
from quietlight.data.photos import VALIDATION_PATCH, PhotoCrops
from quietlight.frames import UnusableInput
from quietlight.noise.sensor import ShotRead, upi_read

_DARKEST, _DARK = 0.15, 0.5
"""Least factor on the exposure, drawn log-uniformly down from 1, and how many of the pictures get one."""
_SPREAD = 0.6
"""Deviation of ln read from UPI's line, whose own is 0.26."""


def shot_range(shot: Sequence[float]) -> tuple[float, float]:
    """The natural logarithms of a range of shot variances. Raises UnusableInput where it is none."""
    if len(shot) != 2 or not 0 < shot[0] <= shot[1] < 1:
        raise UnusableInput("of the data, shot is a range of variances such as [1e-5, 2e-2]")
    return math.log(shot[0]), math.log(shot[1])


def random_noise(log_shot: tuple[float, float], rng: np.random.Generator) -> ShotRead:
    """Shot noise drawn log-uniformly from a range, and read noise around UPI's line."""
    shot = math.exp(rng.uniform(*log_shot))
    return ShotRead(shot, upi_read(shot) * math.exp(rng.normal(0, _SPREAD)))


class UnprocessedPhotos:
    """Random crops of photos as the raws of random cameras, planes R, Gr, Gb, B of an RGGB mosaic.

    Args:
        source, held_out, device, validation: as for `PhotoCrops`; validation crops are larger.
        patch: side of a crop in pixels of the mosaic, even.
        shot: range of the shot variance, drawn log-uniformly.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    def __init__(
        self,
        source: str,
        patch: int = 128,
        shot: Sequence[float] = ShotRead.levels,
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if patch % 2:
            raise UnusableInput(f"of the data, patch is even, not {patch}")
        self.range = shot_range(shot)
        self.crops = PhotoCrops(source, held_out, 3, VALIDATION_PATCH if validation else patch, device, validation)
        self.generator = torch.Generator(device)

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """{"input", "truth"}: float32 [B, 4, patch/2, patch/2], neither clipped; {"shot", "read"}: variances [B, 4, 1, 1]."""
        draws = [np.random.default_rng([seed, index]) for index in indices]
        photos = self.crops.cut(draws).float() / 255
        samples = [self._sample(photo, rng) for photo, rng in zip(photos, draws, strict=True)]
        return {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}

    def _sample(self, photo: Tensor, rng: np.random.Generator) -> dict[str, Tensor]:
        planes = sensor_planes(unprocess(photo.permute(1, 2, 0), random_camera(rng)), "RGGB")
        if rng.random() < _DARK:
            planes = planes * math.exp(rng.uniform(math.log(_DARKEST), 0))
        noise = random_noise(self.range, rng)
        self.generator.manual_seed(int(rng.integers(2**63)))
        return {
            "input": noise.sample(planes, self.generator),
            "truth": planes,
            "shot": planes.new_full((4, 1, 1), noise.shot),
            "read": planes.new_full((4, 1, 1), noise.read),
        }
