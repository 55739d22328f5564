"""The benchmarks of whole camera pipelines: from a noisy raw to a finished photo (`isp_sample`).

Pictures are Kodak24, then the photos of `train_open` that no training learns from. "day" is a shot variance of 4e-4, "night" of
1e-2, with read noise by UPI's line without its jitter. Noise by `default_rng([20190819, number of the camera from 0, number of the
light from 0, i])`, i the index of the picture. Cameras are those of Brooks et al. 2019, with the white balance of our benchmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from quietlight.data.pack import VALIDATION_STEP
from quietlight.evaluate.benchmarks import KODAK24
from quietlight.evaluate.isp_sample import captured_sample, five_pictures, look_score, look_seen, with_drops
from quietlight.evaluate.sample import Benchmark, DataSet, Part, Sample

LIGHTS = {"day": 4e-4, "night": 1e-2}
"""Name -> shot variance."""
CAMERAS = "ABC"
"""Picture i is captured by camera i mod 3."""
LEARNT_FROM, OTHERS = "A", "BCD"
SECOND = "-2"
"""Behind the name of weights: the same training with another seed."""
VALIDATION = DataSet(
    "train_open", "the training photos of data/INDEX.md, of which every 16th is for validation", every=VALIDATION_STEP
)
_ABLATION = (
    "cameranet-short", "cameranet-short-one-stage", "cameranet-short-direct", "cameranet-short-apart", "srgan-can-short",
    "srgan-can-short-one-stage",
)  # fmt: skip
_SEED = 20190819
_SHOWN = 4


def isp_synthetic() -> Benchmark:
    """Everybody on all pictures, by day and by night."""
    about = (
        "Kodak24 and 18 photos held out from training, 768 pixels at most, as noisy raws of the cameras A, B and C in turn, to be "
        "finished; PSNR, SSIM and COLOR ERROR (degrees) of the finished photo. Strips: the raw, restored, its truth, finished, its "
        "truth; the first three with a gamma of 2.2."
    )
    rows = (
        "libraw", "dcraw", "neutral", "fan-plus-neutral", "deepisp", "deepisp-short", "cameranet-short-one-stage",
        "cameranet-short", "cameranet-xyz", "fan-plus-cameranet", "cameranet",
    )  # fmt: skip
    return _benchmark(about, _day_and_night(), rows)


def isp_ablation() -> Benchmark:
    """Table I: the rows of `isp_synthetic` that tell what two stages bring, each of two seeds."""
    about = (
        "CameraNet without its parts and in one stage, and the same of SRGAN with 10 layers and CAN24, on the frames of "
        f"isp-synthetic; all took the same number of operations to train. Rows with {SECOND} are a second seed."
    )
    return _benchmark(about, _day_and_night(), tuple(f"{name}{seed}" for name in _ABLATION for seed in ("", SECOND)))


def isp_cross_camera() -> Benchmark:
    """Table III: who learnt from camera A, on all four."""
    part = Part("from-A", (KODAK24,), _of_four_cameras, each=len(LEARNT_FROM + OTHERS))
    about = (
        "Kodak24 by day as raws of four cameras, finished by networks that learnt from camera A alone. DROP is how many dB B, C "
        "and D lie below A, COLOR DROP how many degrees above; -xyz gets raws as the paper prepares them, -rgb and deepisp without "
        "the step to XYZ."
    )
    rows = ("neutral", "deepisp-short-a", "cameranet-short-a-rgb", "cameranet-short-a-xyz", "cameranet-short-a")
    summary = partial(with_drops, LEARNT_FROM, OTHERS)
    return Benchmark(about, (part,), look_score, summary, "looks", rows, look_seen, five_pictures, _SHOWN)


def _benchmark(about: str, part: Part, rows: tuple[str, ...]) -> Benchmark:
    return Benchmark(
        about, (part,), look_score, kind="looks", rows=rows, seen=look_seen, strip=five_pictures, shown=_SHOWN
    )


def _day_and_night() -> Part:
    return Part("day-night", (KODAK24, VALIDATION), _of_two_lights, each=len(LIGHTS))


def _of_two_lights(index: int, files: Sequence[Path]) -> Sample:
    """Of every picture one by day, then one by night."""
    picture, number = divmod(index, len(LIGHTS))
    light = list(LIGHTS)[number]
    return _sample(files[picture], CAMERAS[picture % len(CAMERAS)], light, light, picture)


def _of_four_cameras(index: int, files: Sequence[Path]) -> Sample:
    """Of every picture one of each camera."""
    picture, number = divmod(index, len(LEARNT_FROM + OTHERS))
    camera = (LEARNT_FROM + OTHERS)[number]
    return _sample(files[picture], camera, "day", camera, picture)


def _sample(path: Path, camera: str, light: str, column: str, picture: int) -> Sample:
    seed = (_SEED, "ABCD".index(camera), list(LIGHTS).index(light), picture)
    return captured_sample(path, camera, LIGHTS[light], column, seed)
