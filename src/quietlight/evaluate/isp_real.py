"""A real scene with a ColorChecker: Indoor1 of Infinite-ISP's samples, and how well its 24 patches keep their colours.

There is no truth but the chart's published colours (X-Rite, ColorChecker Classic, sRGB values under D65). The light on the chart is
not even, nor are a look's tones those of the chart; so exposure is fitted, by one gain of light that makes the mean error least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.analysis.estimate import estimate_raw
from quietlight.camera.color import XYZ_FROM_SRGB
from quietlight.camera.defects import repair_hot_pixels
from quietlight.camera.tone import srgb_decode
from quietlight.evaluate.isp_sample import look_seen, photo_made
from quietlight.evaluate.pictures import side_by_side
from quietlight.evaluate.sample import Benchmark, DataSet, Output, Sample, Values, averages, each_file
from quietlight.frames import Floats, RawFrame, UnusableInput
from quietlight.io import RawFormat, read_file

INDOOR = RawFormat(
    2592, 1536, "u8", "GRBG", (12.5,), 255.0, white_balance=(1.449, 1.0, 3.242),
    camera_to_srgb=(
        (2256 / 1024, -1116 / 1024, -116 / 1024), (-300 / 1024, 1340 / 1024, -16 / 1024), (60 / 1024, -908 / 1024, 1872 / 1024),
    ),
)  # fmt: skip
"""What the headerless file holds; gains and matrix as its authors give them."""
# Centres of the patches, found by hand at a 1/1.828 scale, row by row.
_ROWS = (647, 692, 738, 785)
_COLUMNS = ((343, 388, 434, 482, 530, 579), (344, 389, 435, 484, 530, 580), (346, 391, 437, 484, 532, 580),
            (348, 392, 438, 485, 533, 582))  # fmt: skip
PATCHES = tuple((int(1.828 * y), int(1.828 * x)) for y, row in zip(_ROWS, _COLUMNS, strict=True) for x in row)
"""(row, column) of the 24 patches of the chart, from brown to black."""
REACH = 18
"""Pixels from the middle of a patch that count, to each side."""
CHART = (
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
    (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
    (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
    (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
)  # fmt: skip
"""Their colours, 8-bit sRGB."""
_SCENE = DataSet(
    "raw/infinite_isp",
    "Infinite-ISP's sample raws (10xEngineers)",
    "Indoor1_2592x1536_8bit_GRBG.raw",
    formats=(".raw",),
)
_GAINS = 2 ** np.linspace(-4, 4, 1601)
_AROUND = (1110, 1510, 560, 1160)
_PICTURE = 480


def isp_real() -> Benchmark:
    """The scene, by looks with their curves, and linear."""
    about = (
        "A real raw with a ColorChecker: COLOR ERROR is the mean ΔE76 of its 24 patches to their published colours, one gain of "
        "exposure fitted; AB ERROR is that of a* and b* alone, GRAY ERROR that of the six grays. Rows named linear, and what is "
        "only restored, have no look that changes tones. Strips: the scene, and its chart."
    )
    rows = ("libraw-linear", "neutral-linear", "cameranet-restored", "libraw", "neutral", "cameranet")
    part = each_file("indoor", _SCENE, _sample)
    return Benchmark(about, (part,), _score, _summary, "looks", rows, look_seen, _scene_and_chart)


def _sample(_index: int, path: Path) -> Sample:
    frame = read_file(path, INDOOR)
    if not isinstance(frame, RawFrame):
        raise UnusableInput(f"{path}: is no raw")
    frame = repair_hot_pixels(frame)[0]
    truth = np.full((*frame.mosaic.shape, 3), 0.5, np.float32)
    for (row, column), color in zip(PATCHES, CHART, strict=True):
        truth[row - REACH : row + REACH, column - REACH : column + REACH] = np.divide(color, 255)
    return Sample(path.name, replace(frame, noise=estimate_raw(frame).profile), truth)


def patch_means(picture: Floats) -> Floats:
    """[H, W, 3] -> the means of the patches, [24, 3]."""
    return np.array(
        [
            picture[y - REACH : y + REACH, x - REACH : x + REACH].reshape(-1, 3).mean(axis=0, dtype=np.float64)
            for y, x in PATCHES
        ]
    )


def lab(linear: Floats) -> Floats:
    """Linear sRGB [..., 3] -> CIE L*a*b* 1976, white D65."""
    relative = linear @ XYZ_FROM_SRGB.T / XYZ_FROM_SRGB.sum(axis=1)
    cut = 6 / 29
    root = np.where(relative > cut**3, np.cbrt(relative), relative / (3 * cut**2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def chart_errors(light: Floats, published: Floats) -> Values:
    """Errors of patches, linear sRGB [24, 3], after the fit of exposure: see `isp_real`; and the "fitted EV"."""
    aim = lab(published)
    differences = lab(_GAINS[:, None, None] * light) - aim
    errors = np.linalg.norm(differences, axis=2)
    best = int(errors.mean(axis=1).argmin())
    in_ab = np.linalg.norm(differences[best, :, 1:], axis=1)
    return {
        "color error": float(errors[best].mean()),
        "largest error": float(errors[best].max()),
        "ab error": float(in_ab.mean()),
        "gray error": float(in_ab[-6:].mean()),
        "fitted EV": float(np.log2(_GAINS[best])),
    }


def _score(output: Output, sample: Sample) -> Values:
    made, truth = (patch_means(srgb_decode(picture)) for picture in (photo_made(output, sample), sample.truth))
    return chart_errors(made, truth)


def _summary(values: Sequence[Values]) -> dict[str, Any]:
    """The scores themselves: there is one picture."""
    return {"means": averages(values)["means"]}


def _scene_and_chart(output: Output, sample: Sample) -> Floats:
    photo = photo_made(output, sample)
    top, bottom, left, right = _AROUND
    return side_by_side((photo, photo[top:bottom, left:right]), _PICTURE)
