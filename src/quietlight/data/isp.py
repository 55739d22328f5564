"""Photos -> what a learned camera pipeline is trained on: the frame as it is prepared, the restored and the enhanced picture.

Liang et al., "CameraNet: A Two-Stage Framework for Effective Camera ISP Learning", 2019, section III-D, with truths that need no
retouching: a photo is the scene, a camera captures it (`camera.capture`), the restored truth is the scene's light in XYZ, and the
enhanced one is our finish of the whole photo. Noise as in `data.raws`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional

from quietlight.arrays import like
from quietlight.camera.bayer import plane_offsets
from quietlight.camera.capture import (
    Camera,
    captured,
    fixed_camera,
    random_camera,
    restored,
    scene_light,
)
from quietlight.camera.demosaic import HALO
from quietlight.camera.develop import Rendering
from quietlight.camera.finish import finish, finish_gain
from quietlight.camera.prepare import MODES, preparation_of, prepared_phases
from quietlight.camera.unprocess import XYZ_TO_CAMERA, sensor_planes
from quietlight.data.pack import located, read_photos
from quietlight.data.photos import VALIDATION_PATCH
from quietlight.data.raws import random_noise, shot_range
from quietlight.data.views import Crops, View, Wholes, stacked
from quietlight.frames import Array, UnusableInput
from quietlight.noise.sensor import ShotRead

LONGEST = 768
"""Longer side of a whole frame, at most."""
MULTIPLE = 32
"""Of the sides of a whole frame: what networks of five scales on half-size planes want."""
RANDOM = "random"
_DARKEST, _DARK = 0.15, 0.5
"""Least factor on the exposure, drawn log-uniformly down from 1, and how many of the frames get one; as `data.raws`."""
_BRIGHTEST, _BRIGHT = 1.6, 0.2
"""The same upwards: highlights clip."""
_LIGHT = scene_light(np.arange(256) / 255).astype(np.float32)
"""Of the values of a photo."""


class CapturedPhotos:
    """Photos as cameras capture them, and what is to become of it.

    Args:
        source, held_out, device, validation: as for `PhotoCrops`; validation crops have 192 pixels at least.
        patch: side of a crop, even; crops are cut from the finish of the whole photo.
        whole: whole photos instead, reduced to a longer side of 768 where they are larger, cut to multiples of 32; the batch has to
            divide 240, since such a block of samples has one size.
        shot: range of the shot variance, drawn log-uniformly.
        cameras: "random", a mix of four in some light; or letters of them, such as "A" or "ABC", with the white balance of our
            benchmarks.
        prep: a mode of `prepare`.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    def __init__(
        self,
        source: str,
        patch: int = 256,
        whole: bool = False,
        shot: Sequence[float] = ShotRead.levels,
        cameras: str = RANDOM,
        prep: str = "wb",
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if patch < 2 or patch % 2 or prep not in MODES:
            raise UnusableInput(f"of the data, patch is even and prep one of {', '.join(MODES)}")
        if cameras != RANDOM and not (cameras and set(cameras) <= set(XYZ_TO_CAMERA)):
            raise UnusableInput(f'of the data, cameras is "{RANDOM}" or letters of {"".join(XYZ_TO_CAMERA)}')
        self.range, self.cameras, self.prep = shot_range(shot), cameras, prep
        self.device, self.generator = device, torch.Generator(device)
        place = located(held_out or source) if validation else located(source)
        if validation and not held_out and not place.is_dir():
            raise UnusableInput(
                f"{place}: a pack has one part only: name that of the validation photos as data.held_out"
            )
        photos = list(read_photos(place, validation, gray=False))
        if whole:
            photos = [reduced(photo) for photo in photos]
        self.photos = [torch.from_numpy(np.array(photo)).to(device) for photo in photos]
        sizes = [photo.shape[:2] for photo in photos]
        side = max(patch, VALIDATION_PATCH) if validation else patch
        self.views: Crops | Wholes = Wholes(sizes, MULTIPLE) if whole else Crops(sizes, side)
        self.light = torch.from_numpy(_LIGHT).to(device)
        self.finished: dict[int, tuple[Tensor, tuple[float, float]]] = {}

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """Tensors [B, 3, H, W], float32: "input" and "restored" XYZ with sensor white 1, "enhanced" display sRGB in [0, 1].

        "gain" [B, 2]: what `finish` was told, for light as bright as that of "restored".
        """
        samples = [self._sample(seed, index) for index in indices]
        return {key: stacked([sample[key] for sample in samples]) for key in samples[0]}

    def _sample(self, seed: int, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([seed, index])
        view = self.views.view(seed, index, rng)
        light = self.light[view.of(self.photos[view.picture]).int()].permute(1, 2, 0)
        camera = drawn_camera(self.cameras, rng)
        noise = random_noise(self.range, rng)
        self.generator.manual_seed(int(rng.integers(2**63)))
        planes = noise.sample(sensor_planes(captured(light, camera), "RGGB"), self.generator)
        enhanced, gain = self._finish(view)
        return {
            "input": prepared(planes, "RGGB", preparation_of((camera.calibration,), camera.gains, self.prep)),
            "restored": restored(light, camera).permute(2, 0, 1).contiguous(),
            "enhanced": enhanced,
            "gain": like([g / camera.exposure for g in gain], light),
        }

    def _finish(self, view: View) -> tuple[Tensor, tuple[float, float]]:
        """The view of the finished photo, which is kept from its first use on, in 8 bits as files of truths have; and its gain."""
        if view.picture not in self.finished:
            light = _LIGHT[self.photos[view.picture].cpu().numpy()]
            gain = finish_gain(light)
            rounded = (finish(light, gain) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
            self.finished[view.picture] = torch.from_numpy(rounded).to(self.device), gain
        shown, gain = self.finished[view.picture]
        return view.of(shown).float() / 255, gain


def drawn_camera(cameras: str, rng: np.random.Generator) -> Camera:
    """One of `cameras`, as `CapturedPhotos` has them, that exposes darker than it should, brighter, or as it should."""
    camera = random_camera(rng) if cameras == RANDOM else fixed_camera(cameras[int(rng.integers(len(cameras)))])
    kind, factor = rng.random(), 1.0
    if kind < _DARK:
        factor = math.exp(rng.uniform(math.log(_DARKEST), 0))
    elif kind < _DARK + _BRIGHT:
        factor = rng.uniform(1, _BRIGHTEST)
    return Camera(camera.color, camera.gains, camera.exposure * factor)


def prepared(planes: Tensor, cfa: str, rendering: Rendering) -> Tensor:
    """Planes R, Gr, Gb, B of a mosaic [4, H/2, W/2] -> XYZ [3, H, W], as `prepare` makes it of the frame."""
    height, width = (2 * side for side in planes.shape[1:])
    mosaic = planes.new_empty(height, width)
    for plane, (row, column) in zip(planes, plane_offsets(cfa), strict=True):
        mosaic[row::2, column::2] = plane
    rows = functional.pad(mosaic[None, None], (HALO,) * 4, mode="reflect")[0, 0]
    xyz = planes.new_empty(3, height, width)
    for (row, column), phase in prepared_phases(rows, cfa, rendering):
        xyz[:, row::2, column::2] = torch.stack(phase)
    return xyz


def reduced(photo: Array) -> Array:
    """A photo [H, W, 3], uint8, with a longer side of `LONGEST` at most."""
    height, width = photo.shape[:2]
    if max(height, width) <= LONGEST:
        return photo
    share = LONGEST / max(height, width)
    size = (round(width * share), round(height * share))
    return np.asarray(PillowImage.fromarray(photo).resize(size, PillowImage.Resampling.LANCZOS, reducing_gap=3))
