"""Photos as scenes: what a random camera would have captured of each, with a sensor's noise; nothing has to be downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from quietlight.camera.capture import captured_frame, restored, scene_light
from quietlight.data.isp import drawn_camera
from quietlight.data.pair_folder import generator
from quietlight.data.raw_noise import RawNoise
from quietlight.data.raw_pairs import display_of
from quietlight.data.sets.scene import Item, Scene


@dataclass(frozen=True)
class Capture:
    """How photos are captured: noise, seed, and the cameras as `CapturedPhotos` has them."""

    noise: RawNoise
    seed: int
    cameras: str


def items(photos: Sequence[tuple[Path, Path]], capture: Capture) -> list[Item]:
    """An item for each (photo, folder below that of the output)."""
    return [Item(path, partial(_scene, path, folder, capture), folder=folder) for path, folder in photos]


def _scene(path: Path, folder: Path, capture: Capture) -> Scene:
    place = (folder / path.name).as_posix()
    light = scene_light(display_of(path))
    camera = drawn_camera(capture.cameras, generator(capture.seed, place, "camera"))
    exposure = capture.noise.draw(generator(capture.seed, place, "noise"))
    noisy = exposure.noisy(captured_frame(light, camera), generator(capture.seed, place, "pixels"))
    facts = {"color": np.asarray(camera.color).tolist(), "exposure": camera.exposure, "noise": exposure.parameters()}
    return Scene(noisy, np.asarray(restored(light, camera), np.float32), facts=facts)
