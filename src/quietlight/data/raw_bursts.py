"""Photos -> noisy bursts of packed mosaics with the motion of real hands and scenes.

After Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, in what a mosaic is; the motion is ours: frames are
shifted by any part of a pixel, within 2 of the planes (what kernels can undo) or 8, and turned a little; an object may move on its
own way, and exposures may differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from quietlight.camera.unprocess import random_camera, unprocess
from quietlight.data.bursts import FAR_FRAMES, NEAR, Bursts
from quietlight.data.motion import Hands, burst_of, random_motion
from quietlight.data.raws import random_noise, shot_range
from quietlight.frames import UnusableInput
from quietlight.noise.sensor import ShotRead


class RawBursts(Bursts):
    """Bursts of packed mosaics, planes R, Gr, Gb, B of an RGGB mosaic: C = 4, H = W = patch/2.

    Batches have one more tensor, "moving" [B, 1, H, W]: how much of a pixel of the reference belongs to the moving object.

    Args:
        source, frames, fewest, patch, white, near, far_frames, held_out, device, validation: as for `Bursts`; patch is even.
        shot: range of the shot variance, drawn log-uniformly.
        rotation, moving, jitter: as for `Hands`.
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
        near: float = NEAR,
        far_frames: float = FAR_FRAMES,
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if patch % 2:
            raise UnusableInput(f"of the data, patch is even, not {patch}")
        self.range, self.hands = shot_range(shot), Hands(rotation, moving, jitter, 2 * near, far_frames=far_frames)
        super().__init__(
            source, frames, fewest, patch, white, near, far_frames, held_out, device=device, validation=validation
        )

    def _noise(self, rng: np.random.Generator) -> ShotRead:
        return random_noise(self.range, rng)

    def _clean(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> tuple[Tensor, dict[str, Tensor]]:
        shown = photos.float().permute(0, 2, 3, 1) / 255
        scenes = [unprocess(photo, random_camera(rng)) for photo, rng in zip(shown, draws, strict=True)]
        size = self.patch, self.patch
        motions = [random_motion(self.frames, size, self.hands, rng) for rng in draws]
        planes, moving = burst_of(torch.stack(scenes).permute(0, 3, 1, 2).contiguous(), motions, size)
        return planes, {"moving": moving}
