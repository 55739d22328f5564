"""Photos -> noisy bursts of packed mosaics with the motion of real hands and scenes.

After Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, in what a mosaic is; the motion is ours: frames are
shifted by any part of a pixel, within 2 of the planes (what kernels can undo) or 8, and turned a little; an object may move on its
own way, and exposures may differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quietlight.camera.unprocess import random_camera, sensor_planes, unprocess
from quietlight.data.bursts import NEAR, SCALE, Bursts, shifts
from quietlight.data.raws import random_noise, shot_range
from quietlight.frames import UnusableInput
from quietlight.noise.sensor import ShotRead

_SPEED = (1.0, 8.0)
"""Pixels of the mosaic that an object moves on from frame to frame."""
_RADII = (0.12, 0.35)
"""Of an object, an ellipse, as shares of a frame's side."""


class RawBursts(Bursts):
    """Bursts of packed mosaics, planes R, Gr, Gb, B of an RGGB mosaic: C = 4, H = W = patch/2.

    Batches have one more tensor, "moving" [B, 1, H, W]: how much of a pixel of the reference belongs to the moving object.

    Args:
        source, frames, fewest, patch, white, held_out, device, validation: as for `Bursts`; patch is even.
        shot: range of the shot variance, drawn log-uniformly.
        rotation: most degrees that a frame is turned about its middle.
        moving: how many of the bursts have an object that moves.
        jitter: deviation of the logarithm of a frame's exposure; the reference has none.
    """

    def __init__(
        self,
        source: str,
        frames: int = 8,
        fewest: int = 0,
        patch: int = 160,
        white: Sequence[float] = (0.1, 1.0),
        shot: Sequence[float] = ShotRead.levels,
        rotation: float = 0.5,
        moving: float = 0.5,
        jitter: float = 0.02,
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if patch % 2 or min(rotation, moving, jitter) < 0 or rotation > 2 or moving > 1:
            raise UnusableInput(
                "of the data, patch is even, rotation 0 to 2 degrees, moving 0 to 1 and jitter 0 or more"
            )
        self.range = shot_range(shot)
        self.rotation, self.moving, self.jitter = math.radians(rotation), moving, jitter
        super().__init__(source, frames, fewest, patch, white, held_out, device=device, validation=validation)

    def _noise(self, rng: np.random.Generator) -> ShotRead:
        return random_noise(self.range, rng)

    def _clean(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> tuple[Tensor, dict[str, Tensor]]:
        shown = photos.float().permute(0, 2, 3, 1) / 255
        cameras = [unprocess(photo, random_camera(rng)) for photo, rng in zip(shown, draws, strict=True)]
        # What a pixel of the sensor gathers, wherever in the photo it lies.
        scenes = functional.avg_pool2d(torch.stack(cameras).permute(0, 3, 1, 2).contiguous(), SCALE, stride=1)
        poses = self._table([self._poses(rng) for rng in draws])
        objects = self._table([self._object(rng) for rng in draws])
        exposures = self._table([np.exp(self._others(rng.normal(0, self.jitter, self.frames))) for rng in draws])
        frames, covered = [], []
        # Frame by frame: a whole batch of scenes, once for each frame, would not fit.
        for index in range(self.frames):
            picture, mask = self._frame(scenes, poses[:, index], objects, index)
            frames.append(picture * exposures[:, index, None, None, None])
            covered.append(mask)
        rgb = torch.stack(frames).permute(3, 4, 2, 1, 0)
        planes = sensor_planes(rgb, "RGGB").permute(3, 4, 0, 1, 2).contiguous()
        return planes, {"moving": functional.avg_pool2d(covered[0], 2)}

    def _others(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Zero for the reference, which comes first."""
        return values * (np.arange(self.frames) > 0)

    def _poses(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Shift down and right in pixels of the photo, and angle in radians, of each frame: [N, 3]."""
        moved = SCALE * shifts(self.frames, rng, near=2 * NEAR)  # of the mosaic: NEAR of its planes
        return np.column_stack([moved, self._others(rng.uniform(-self.rotation, self.rotation, self.frames))])

    def _object(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Middle (down, right), velocity per frame and radii of the moving object in pixels of the photo; 1, or 0 for none."""
        side = SCALE * self.patch
        middle, radii = rng.uniform(-0.35, 0.35, 2) * side, rng.uniform(*_RADII, 2) * side
        speed, direction = SCALE * rng.uniform(*_SPEED), rng.uniform(0, 2 * math.pi)
        velocity = speed * math.cos(direction), speed * math.sin(direction)
        return np.array([*middle, *velocity, *radii, float(rng.random() < self.moving)])

    def _frame(self, scenes: Tensor, poses: Tensor, objects: Tensor, index: int) -> tuple[Tensor, Tensor]:
        """Scenes [B, 3, S, S] as a frame sees them, [B, 3, patch, patch], and how much of it the object covers, [B, 1, ...]."""
        places = SCALE * (torch.arange(self.patch, device=self.device) - (self.patch - 1) / 2)
        down, right, angle = (p[:, None, None] for p in poses.unbind(1))
        y, x = places[:, None], places
        at_y = y * torch.cos(angle) - x * torch.sin(angle) + down
        at_x = y * torch.sin(angle) + x * torch.cos(angle) + right
        middle_y, middle_x, velocity_y, velocity_x, height, width, there = (o[:, None, None] for o in objects.unbind(1))
        object_y, object_x = at_y - index * velocity_y, at_x - index * velocity_x
        outside = torch.hypot((object_y - middle_y) / height, (object_x - middle_x) / width)
        cover = (there * ((1 - outside) * torch.minimum(height, width) + 0.5).clip(0, 1))[:, None]
        # The object looks like another part of the scene: the mirrored one.
        return _sampled(scenes, at_y, at_x).lerp(_sampled(scenes, object_y, -object_x), cover), cover

    def _table(self, rows: Sequence[NDArray[np.float64]]) -> Tensor:
        return torch.from_numpy(np.stack(rows)).float().to(self.device)


def _sampled(scenes: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values [B, C, h, w] of scenes [B, C, S, S] at places [B, h, w] in pixels from their middle; bilinear, mirrored outside."""
    grid = torch.stack([x, y], -1) * (2 / scenes.shape[-1])
    return functional.grid_sample(scenes, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
