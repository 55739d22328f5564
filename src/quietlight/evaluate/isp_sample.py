"""What the benchmarks of whole camera pipelines share: photos as a camera captures them, and how results are scored and seen.

A photo is the scene's light, an RGGB camera with known noise captures it, and the truth is our finish of the light in 8 bits: the
same as `data.isp` trains with, but for the cameras, which are pure and expose as they should.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from quietlight.camera.capture import captured_frame, fixed_camera, restored, scene_light
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.finish import finish, finish_gain
from quietlight.camera.prepare import prepare
from quietlight.data.isp import MULTIPLE, reduced
from quietlight.data.views import Wholes
from quietlight.evaluate.peers import raw_of
from quietlight.evaluate.pictures import side_by_side
from quietlight.evaluate.sample import Output, Sample, Values, as_floats, averages, capped_psnr, frame_of
from quietlight.frames import Floats, Image, NoiseProfile, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.metrics import color_error, ssim
from quietlight.noise.sensor import ShotRead
from quietlight.systems import Result

_STRIP = 360
"""Height of a row of pictures."""


@dataclass(frozen=True)
class Finished(Result):
    """What a network of two stages made; `restored` computes what its first gave: linear XYZ [H, W, 3], as `prepare` has it.

    It is computed when a page asks for it, so that it does not count as time that finishing takes.
    """

    restored: Callable[[], Floats] = field(kw_only=True)


def captured_sample(path: Path, camera: str, shot: float, column: str, seed: Sequence[int]) -> Sample:
    """A photo as one of the cameras "A" to "D" captures it, with that shot noise; `column` is before the names of its scores.

    Photos are reduced and cut as whole frames are for training: 768 pixels at most, sides multiples of 32.
    """
    photo = read_photo(path).pixels
    if photo.dtype != np.uint8 or photo.shape[2] != 3:
        raise UnusableInput(f"{path}: the pictures of this benchmark are in colour, with 8 bits")
    photo = reduced(photo)
    try:
        view = Wholes([photo.shape[:2]], MULTIPLE).views[0]
    except UnusableInput as error:
        raise UnusableInput(f"{path}: {error}") from error
    light = scene_light(photo[view.top :, view.left :][: view.height, : view.width] / np.float64(255))
    light = light.astype(np.float32)
    truth = np.rint(finish(light, finish_gain(light)) * 255).astype(np.float32) / np.float32(255)
    clean, noise = captured_frame(light, fixed_camera(camera)), ShotRead.at(shot)
    noisy = noise.sample(clean.mosaic, default_rng(list(seed)))
    frame = replace(clean, mosaic=noisy, noise=NoiseProfile((noise.shot,), (noise.read,)))
    return Sample(f"{path.name} {camera} {column}", frame, truth, {"column": column, "camera": camera, "light": light})


def photo_made(output: Output, sample: Sample) -> Floats:
    """The photo that a look made of a sample, [H, W, 3] in [0, 1]. Raises UnusableInput for others, and for another size."""
    image = frame_of(output)
    if not isinstance(image, Image):
        raise UnusableInput("this benchmark takes looks, which make photos of raws")
    pixels = as_floats(image)
    if pixels.shape != sample.truth.shape:
        raise UnusableInput(f"the result of {sample.name} is {pixels.shape}, not {sample.truth.shape}")
    return pixels


def look_score(output: Output, sample: Sample) -> Values:
    """Scores of a finished photo, each named after the sample's column: "psnr" in dB, "ssim", and "color error" in degrees."""
    pixels = photo_made(output, sample)
    scores = {
        "psnr": capped_psnr(pixels, sample.truth),
        "ssim": ssim(pixels, sample.truth),
        "color error": color_error(pixels, sample.truth),
    }
    return {f"{sample.info['column']} {name}": value for name, value in scores.items() if not math.isnan(value)}


def with_drops(first: str, others: Sequence[str], values: Sequence[Values]) -> dict[str, Any]:
    """`averages`, and how much worse the other columns are than the first, in the mean: "drop" in dB, "color drop" in degrees."""
    found = averages(values)
    means = found["means"]

    def change(score: str) -> float:
        return float(np.mean([means[f"{other} {score}"] for other in others]) - means[f"{first} {score}"])

    whole = all(f"{column} {score}" in means for column in (first, *others) for score in ("psnr", "color error"))
    drops = {"drop": -change("psnr"), "color drop": change("color error")} if whole else {}
    return found | {"extras": drops}


def look_seen(output: Output | None, sample: Sample) -> Floats | None:
    """The finished photo, or the true one."""
    return sample.truth if output is None else photo_made(output, sample)


def five_pictures(output: Output, sample: Sample) -> Floats | None:
    """Figure 6 of CameraNet's paper: the raw, what the first stage made of it, the truth of that, the result, its truth.

    The raw and what is restored are shown with a gamma of 2.2, as there. Nothing of looks that have no two stages.
    """
    if not isinstance(output, Finished):
        return None
    camera = fixed_camera(sample.info["camera"])
    truth = restored(sample.info["light"], camera)
    plain = [_shown(xyz) for xyz in (prepare(raw_of(sample)), output.restored(), truth)]
    return side_by_side([*plain, photo_made(output, sample), sample.truth], _STRIP)


def _shown(xyz: Floats) -> NDArray[np.float64]:
    return np.asarray((xyz @ SRGB_FROM_XYZ.T).clip(0, 1) ** (1 / 2.2))
