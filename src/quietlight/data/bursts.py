"""Photos -> noisy bursts and the clean reference: synthetic hands and noise, made on the device that trains.

The gray ones are those of Mildenhall et al., "Burst Denoising with Kernel Prediction Networks", CVPR 2018, and of the
authors' code; departing from it, photos are made smaller by 2 instead of 4, since ours are small: shifts come in half pixels.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quietlight.data.photos import PhotoCrops
from quietlight.frames import UnusableInput
from quietlight.noise.sensor import LOG_READ, LOG_SHOT, ShotRead

SCALE = 2
"""Pixels of a photo per pixel of a frame, along each side."""
NEAR, FAR = 2, 16
"""Farthest shifts in pixels of a frame: those that kernels of 5x5 can undo, and those that they are to turn away from."""
FAR_FRAMES = 1.5
"""Frames of a burst that are far away, on average."""


def shifts(
    frames: int, rng: np.random.Generator, near: float = NEAR, far: float = FAR, far_frames: float = FAR_FRAMES
) -> NDArray[np.float64]:
    """Shift down and right of each frame in pixels, [N, 2], at most `near` or `far`; the first, the reference, has none.

    Each of the others is far with the chance p = min(Poisson(`far_frames`)/N, 1), which is drawn once for a burst.
    """
    chance = min(rng.poisson(far_frames) / frames, 1)
    reach = np.where(rng.random(frames) < chance, far, near)
    drawn = rng.uniform(-1, 1, (frames, 2)) * reach[:, None]
    drawn[0] = 0
    return drawn


class Bursts(ABC):
    """Random crops of photos as bursts of frames that are shifted, darker and noisy.

    Args:
        source, held_out, device, validation: as for `PhotoCrops`; validation crops are as large as the others.
        frames: N, of a burst; the reference comes first.
        fewest: least number of frames that are present, drawn evenly up to N; absent ones are zero. 0 for always N.
        patch: side of a frame in pixels, of its mosaic where it has one.
        white: range of the white level that the photo's 1 becomes, drawn log-uniformly.
        near: farthest shift of a near frame in pixels of a frame, or of a plane of its mosaic. What is aligned first lies within
            half a pixel and what alignment is off by; the paper's frames, which are not, within 2.
        far_frames: how many frames of a burst are far, on average.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    def __init__(
        self,
        source: str,
        frames: int = 8,
        fewest: int = 0,
        patch: int = 128,
        white: Sequence[float] = (0.1, 1.0),
        near: float = NEAR,
        far_frames: float = FAR_FRAMES,
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if not 0 <= near <= FAR or far_frames < 0:
            raise UnusableInput(f"of the data, near is 0 to {FAR} pixels, and far_frames 0 or more")
        if not 0 <= fewest <= frames or frames < 1 or len(white) != 2 or not 0 < white[0] <= white[1]:
            raise UnusableInput("of the data, fewest is at most frames, and white a range of levels such as [0.1, 1.0]")
        self.frames, self.fewest, self.patch = frames, fewest or frames, patch
        self.near, self.far_frames = near, far_frames
        self.white = math.log(white[0]), math.log(white[1])
        side = SCALE * (patch + 2 * FAR)
        self.crops = PhotoCrops(source, held_out, 3, side, device, validation)
        self.device, self.generator = device, torch.Generator(device)

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """Tensors for `networks.kpn.KPN`, float32, linear, black 0.

        "frames" [B, N, C, H, W], unclipped; "present" [B, N], 1 or 0; "truth" [B, C, H, W], the reference without noise;
        "shot", "read": variances [B, C, 1, 1]; "white" [B, 1, 1, 1], the level that white has in frames and truth.
        """
        draws = [np.random.default_rng([seed, index]) for index in indices]
        clean, more = self._clean(self.crops.cut(draws), draws)
        whites = [math.exp(rng.uniform(*self.white)) for rng in draws]
        clean = clean * self._column(whites)[..., None]
        noises = [self._noise(rng) for rng in draws]
        counts = torch.tensor([int(rng.integers(self.fewest, self.frames + 1)) for rng in draws])
        present = (torch.arange(self.frames) < counts[:, None]).float().to(self.device)
        noisy = torch.stack([self._noisy(c, n, rng) for c, n, rng in zip(clean, noises, draws, strict=True)])
        channels = (1, clean.shape[2], 1, 1)
        return {
            "frames": noisy * present[:, :, None, None, None],
            "present": present,
            "truth": clean[:, 0],
            "shot": self._column([noise.shot for noise in noises]).repeat(channels),
            "read": self._column([noise.read for noise in noises]).repeat(channels),
            "white": self._column(whites),
            **more,
        }

    @abstractmethod
    def _clean(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> tuple[Tensor, dict[str, Tensor]]:
        """Photos [B, 3, S, S], uint8 -> frames [B, N, C, H, W], white 1, the reference first; and what else to give."""

    @abstractmethod
    def _noise(self, rng: np.random.Generator) -> ShotRead:
        """The noise of a burst."""

    def _noisy(self, clean: Tensor, noise: ShotRead, rng: np.random.Generator) -> Tensor:
        self.generator.manual_seed(int(rng.integers(2**63)))
        noisy: Tensor = noise.sample(clean, self.generator)
        return noisy

    def _column(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, device=self.device)[:, None, None, None]


class GrayBursts(Bursts):
    """Bursts of gray frames, C = 1, as the paper's: degamma by 2.2, shifts, the mean of 2x2 pixels and of red, green and blue.

    Args:
        source, frames, fewest, patch, white, near, far_frames, held_out, device, validation: as for `Bursts`.
    """

    def _clean(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> tuple[Tensor, dict[str, Tensor]]:
        linear = (torch.arange(256) / 255).pow(2.2).to(self.device)[photos.int()].mean(1, keepdim=True)
        means = functional.avg_pool2d(linear, SCALE, stride=1)[:, 0]
        drawn = [shifts(self.frames, rng, self.near, far_frames=self.far_frames) for rng in draws]
        moved = np.rint(SCALE * np.stack(drawn)).astype(np.int64) + SCALE * FAR
        first = torch.from_numpy(moved).to(self.device)
        steps = SCALE * torch.arange(self.patch, device=self.device)
        rows, columns = (first[..., axis, None] + steps for axis in (0, 1))
        burst = torch.arange(len(draws), device=self.device)[:, None, None, None]
        return means[burst, rows[..., None], columns[..., None, :]][:, :, None], {}

    def _noise(self, rng: np.random.Generator) -> ShotRead:
        """Read and shot noise are drawn independently of each other."""
        read, shot = (10 ** rng.uniform(*span) for span in (LOG_READ, LOG_SHOT))
        return ShotRead(shot, read**2)
