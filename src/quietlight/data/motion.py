"""Scenes -> the frames of a burst: hands that shift and turn, an object that moves on its own way, exposures that differ.

What is ours in the bursts of raws; the shifts are those of Mildenhall et al. 2018 (`bursts.shifts`), by any part of a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quietlight.camera.unprocess import sensor_planes
from quietlight.data.bursts import FAR, FAR_FRAMES, NEAR, SCALE, shifts
from quietlight.frames import UnusableInput
from quietlight.io.burst import MOST_FRAMES

Size = tuple[int, int]
"""Height and width of a frame in pixels of its mosaic, even."""

MOST_ROTATION, FARTHEST = 2, 1000
"""Degrees; pixels of the mosaic."""
_SPEED = (1.0, 8.0)
"""Pixels of the mosaic that an object moves on from frame to frame."""
_RADII = (0.12, 0.35)
"""Of an object, an ellipse, as shares of a frame's sides."""


@dataclass(frozen=True)
class Hands:
    """How much the frames of a burst differ.

    Args:
        rotation: most degrees that a frame is turned about its middle.
        moving: how many of the bursts have an object that moves.
        jitter: deviation of the logarithm of a frame's exposure; the reference has none.
        near, far: farthest shifts in pixels of the mosaic.
        far_frames: how many frames of a burst are far, on average.

    Raises UnusableInput for numbers that make no sense.
    """

    rotation: float = 0.5
    moving: float = 0.5
    jitter: float = 0.02
    near: float = 2 * NEAR  # NEAR of the mosaic's planes
    far: float = FAR
    far_frames: float = FAR_FRAMES

    def __post_init__(self) -> None:
        ranges = {
            "rotation": (self.rotation, MOST_ROTATION, "degrees"),
            "moving": (self.moving, 1, "of the bursts"),
            "jitter": (self.jitter, 1, "of an exposure"),
            "near": (self.near, FARTHEST, "pixels"),
            "far": (self.far, FARTHEST, "pixels"),
            "far_frames": (self.far_frames, MOST_FRAMES, "frames"),
        }
        for name, (value, most, unit) in ranges.items():
            if not 0 <= value <= most:
                raise UnusableInput(f"of the frames of a burst, {name} is 0 to {most} {unit}, not {value:g}")

    def margin(self, size: Size) -> tuple[int, int]:
        """Rows above and below, and columns on either side, that frames of a size show of what the reference does not."""
        reach = max(self.near, self.far) if self.far_frames else self.near
        turn = math.sin(math.radians(self.rotation))
        height, width = size
        return math.ceil(reach + width / 2 * turn), math.ceil(reach + height / 2 * turn)


@dataclass(frozen=True)
class Motion:
    """How the frames of one burst differ; the first, the reference, stands still.

    Args:
        poses: [N, 3], shift down and right in pixels of the photo, and angle in radians.
        thing: middle (down, right), velocity per frame and radii of the moving object in pixels of the photo; 1, or 0 for none.
        exposures: [N], factors.
    """

    poses: NDArray[np.float64]
    thing: NDArray[np.float64]
    exposures: NDArray[np.float64]


def random_motion(frames: int, size: Size, hands: Hands, rng: np.random.Generator) -> Motion:
    """The motion of a burst of N frames of a size."""
    others = np.arange(frames) > 0
    turn = math.radians(hands.rotation)
    moved = SCALE * shifts(frames, rng, hands.near, hands.far, hands.far_frames)
    angles = others * rng.uniform(-turn, turn, frames)
    sides = SCALE * np.array(size)
    middle, radii = rng.uniform(-0.35, 0.35, 2) * sides, rng.uniform(*_RADII, 2) * sides
    speed, direction = SCALE * rng.uniform(*_SPEED), rng.uniform(0, 2 * math.pi)
    velocity = speed * math.cos(direction), speed * math.sin(direction)
    thing = np.array([*middle, *velocity, *radii, float(rng.random() < hands.moving)])
    return Motion(np.column_stack([moved, angles]), thing, np.exp(others * rng.normal(0, hands.jitter, frames)))


def burst_of(scenes: Tensor, motions: Sequence[Motion], size: Size) -> tuple[Tensor, Tensor]:
    """What a camera takes of scenes that it looks at the middle of, the reference first.

    Args:
        scenes: linear light [B, 3, H, W], as large as photos, `SCALE` pixels to one of the mosaic.
        motions: one for each scene, all of N frames.
        size: of the frames; beyond its sides a scene is mirrored.

    Returns:
        planes R, Gr, Gb, B of RGGB mosaics, [B, N, 4, H/2, W/2], and how much of a pixel of the reference belongs to the moving
        object, [B, 1, H/2, W/2].
    """
    frames, covered = zip(*frames_of(scenes, motions, size), strict=True)
    rgb = torch.stack(frames).permute(3, 4, 2, 1, 0)
    planes = sensor_planes(rgb, "RGGB").permute(3, 4, 0, 1, 2).contiguous()
    return planes, functional.avg_pool2d(covered[0], 2)


def frames_of(scenes: Tensor, motions: Sequence[Motion], size: Size) -> Iterator[tuple[Tensor, Tensor]]:
    """The frames of `burst_of` one at a time: a whole batch of scenes, once for each frame, would not fit.

    Each is linear light [B, 3, H, W], and how much of its pixels belongs to the moving object, [B, 1, H, W].
    """
    # What a pixel of the sensor gathers, wherever in the photo it lies.
    gathered = functional.avg_pool2d(scenes, SCALE, stride=1)
    poses, things, exposures = (
        torch.from_numpy(np.stack(rows)).float().to(scenes.device)
        for rows in zip(*((m.poses, m.thing, m.exposures) for m in motions), strict=True)
    )
    for index in range(poses.shape[1]):
        picture, cover = _frame(gathered, poses[:, index], things, index, size)
        yield picture * exposures[:, index, None, None, None], cover


def _frame(scenes: Tensor, poses: Tensor, things: Tensor, index: int, size: Size) -> tuple[Tensor, Tensor]:
    """Scenes [B, 3, h, w] as a frame sees them, [B, 3, H, W], and how much of it the object covers, [B, 1, H, W]."""
    y, x = _places(size, scenes.device)
    down, right, angle = (p[:, None, None] for p in poses.unbind(1))
    at_y = y * torch.cos(angle) - x * torch.sin(angle) + down
    at_x = y * torch.sin(angle) + x * torch.cos(angle) + right
    velocity_y, velocity_x = (t[:, None, None] for t in things[:, 2:4].unbind(1))
    thing_y, thing_x = at_y - index * velocity_y, at_x - index * velocity_x
    cover = _cover(thing_y, thing_x, things)[:, None]
    # The object looks like another part of the scene: the mirrored one.
    return _sampled(scenes, at_y, at_x).lerp(_sampled(scenes, thing_y, -thing_x), cover), cover


def moving_part(motion: Motion, size: Size) -> NDArray[np.float32]:
    """How much of a pixel of the reference, [H, W], belongs to the moving object."""
    thing = torch.from_numpy(motion.thing).float()[None]
    covered: NDArray[np.float32] = _cover(*_places(size, thing.device), thing)[0].numpy()
    return covered


def _places(size: Size, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where the pixels of a frame lie, down [H, 1] and right [W] from its middle in pixels of the photo."""
    rows, columns = (SCALE * (torch.arange(side, device=device) - (side - 1) / 2) for side in size)
    return rows[:, None], columns


def _cover(y: Tensor, x: Tensor, things: Tensor) -> Tensor:
    """How much of the pixels at places [B, H, W] of the reference belongs to the object."""
    middle_y, middle_x, _, _, height, width, there = (t[:, None, None] for t in things.unbind(1))
    outside = torch.hypot((y - middle_y) / height, (x - middle_x) / width)
    return there * ((1 - outside) * torch.minimum(height, width) + 0.5).clip(0, 1)


def _sampled(scenes: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Values [B, C, H, W] of scenes [B, C, h, w] at places [B, H, W] in pixels from their middle; bilinear, mirrored outside."""
    height, width = scenes.shape[-2:]
    grid = torch.stack([x * (2 / width), y * (2 / height)], -1)
    return functional.grid_sample(scenes, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
