"""SIDD's validation blocks as a benchmark of raws (Abdelhamed, Lin and Brown 2018): real noise of five smartphones.

Relied on, as the data set has it: the arrays ValidationNoisyBlocksRaw and ValidationGtBlocksRaw in files of these names, [scene,
block, row, column], 40 scenes of 32 blocks, float32, black 0 and white 1; `bayer_patterns.csv` with the columns camera_id and
bayer_pattern; `noise_level_functions.csv` with scene_instance_id and, for each c of r, g, b, beta1_c and beta2_c, variance =
beta1·x + beta2. What these do not list is looked for in the scene's METADATA: the DNG tags 33422 (CFAPattern) and 51041
(NoiseProfile).

Assumed, since no file of the set says it: scene i of the blocks is `SCENES[i]`, the scenes that SIDD Medium leaves out in the order
of their numbers, as public loaders take them; a block begins at even rows and columns of its raw, so that the camera's pattern
holds; a negative beta, which the fit of weak noise leaves, is 0.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from quietlight.evaluate.raw_sample import RAW_ROWS, raw_sample, raw_score, raw_seen
from quietlight.evaluate.sample import Benchmark, DataSet, Part, Sample
from quietlight.frames import NoiseProfile, RawFrame, UnusableInput
from quietlight.io.matlab import StoredArray, stored_array
from quietlight.io.sidd import CFA_PATTERN, NOISE_PROFILE, metadata_tags

NOISY, CLEAN = "ValidationNoisyBlocksRaw", "ValidationGtBlocksRaw"
PATTERNS, NOISES = "bayer_patterns.csv", "noise_level_functions.csv"
SIDD = DataSet("sidd", "SIDD's raw validation blocks (abdokamel.github.io/sidd)", "Validation*BlocksRaw.mat", (".mat",))
BLOCKS = 32
"""Of each scene."""
SCENES = (
    "0009_001_S6_00800_00350_3200_L", "0021_001_GP_10000_05000_5500_N", "0024_001_N6_03200_01500_5500_N",
    "0026_001_G4_00400_00160_5500_L", "0031_001_IP_01600_02000_3200_N", "0037_002_GP_06400_03200_3200_L",
    "0041_002_IP_01600_04000_5500_L", "0046_002_G4_00400_00350_3200_L", "0049_002_N6_00800_00800_5500_L",
    "0053_002_S6_03200_02000_5500_N", "0056_003_N6_03200_04000_5500_N", "0058_003_G4_00400_00500_5500_L",
    "0061_003_S6_00800_00500_4400_L", "0067_003_GP_01600_01500_3200_L", "0071_003_IP_02000_04000_5500_L",
    "0074_004_N6_00400_00040_3200_L", "0079_004_G4_00800_00160_3200_N", "0082_004_S6_03200_00500_4400_L",
    "0085_004_GP_06400_02000_4400_N", "0093_004_IP_01250_00250_3200_L", "0095_005_N6_00400_00200_3200_L",
    "0100_005_G4_00800_00400_3200_N", "0103_005_S6_01600_00800_4400_L", "0109_005_GP_10000_08000_4400_N",
    "0112_005_IP_01000_07500_5500_L", "0119_006_N6_00400_00100_3200_L", "0124_006_G4_00800_00350_3200_N",
    "0128_006_S6_03200_01600_4400_L", "0131_006_GP_01600_01250_4400_N", "0141_006_IP_01600_01620_3200_L",
    "0143_007_N6_00800_00800_4400_N", "0148_007_G4_00400_00400_4400_L", "0153_007_S6_03200_03200_5500_L",
    "0158_007_GP_03200_03200_5500_N", "0162_007_IP_01600_01600_3200_L", "0171_008_N6_03200_01600_4400_L",
    "0174_008_G4_00800_00800_4400_N", "0176_008_S6_00400_00100_5500_L", "0183_008_GP_06400_06400_5500_N",
    "0187_008_IP_01600_01600_3200_L",
)  # fmt: skip
"""Instance, scene, camera, ISO, shutter speed, illuminant's temperature and brightness."""


def sidd_raw() -> Benchmark:
    """All blocks, the first of every scene first, so that a few of them are already of all cameras."""
    about = (
        "SIDD's 1280 raw validation blocks: real noise of five smartphones, which systems are told as the data set gives it; PSNR "
        "and SSIM of the raws, and of both developed alike without colour matrix (SEEN)."
    )
    part = Part("validation", (SIDD,), _sample, BLOCKS * len(SCENES))
    return Benchmark(about, (part,), raw_score, kind="raws", rows=RAW_ROWS, seen=raw_seen)


def _sample(index: int, files: Sequence[Path]) -> Sample:
    block, number = divmod(index, len(SCENES))
    scene, folder = SCENES[number], files[0].parent
    noisy, clean = (_blocks(folder / f"{name}.mat").part(number, block) for name in (NOISY, CLEAN))
    if noisy.shape != clean.shape:
        raise UnusableInput(f"{folder}: the blocks of {NOISY} and {CLEAN} differ in size")
    if not np.isfinite(noisy).all() or not (clean.min() >= 0 and clean.max() <= 1):
        raise UnusableInput(
            f"{folder}: a block of {scene} is not of numbers between black 0 and white 1: get the set again"
        )
    frame = RawFrame(noisy, _pattern(folder, scene), noise=_noise(folder, scene), camera=scene.split("_")[2])
    return raw_sample(f"{scene}_{block + 1:02d}", frame, replace(frame, mosaic=clean))


@lru_cache(maxsize=2)
def _blocks(path: Path) -> StoredArray:
    """The blocks of a file. Raises UnusableInput for another shape than [40, 32, even, even]."""
    if not path.is_file():
        raise UnusableInput(f"{path}: is missing: both {NOISY}.mat and {CLEAN}.mat are needed")
    blocks = stored_array(path, path.stem)
    if len(blocks.shape) != 4 or blocks.shape[:2] != (len(SCENES), BLOCKS) or any(n % 2 for n in blocks.shape[2:]):
        raise UnusableInput(f"{path}: blocks are [40, 32, even, even], not {list(blocks.shape)}")
    return blocks


def _pattern(folder: Path, scene: str) -> str:
    row = _row(folder / PATTERNS, "camera_id", scene.split("_")[2], "bayer_pattern")
    if row is not None:
        return row[0].upper()
    found = _tag(folder, scene, CFA_PATTERN, sizes=(4,))
    if found is None or not {0, 1, 2}.issuperset(found):
        raise UnusableInput(_lacking(folder / PATTERNS, scene))
    return "".join("RGB"[int(color)] for color in found)


def _noise(folder: Path, scene: str) -> NoiseProfile:
    names = [f"beta{order}_{color}" for color in "rgb" for order in (1, 2)]
    row = _row(folder / NOISES, "scene_instance_id", scene, *names)
    try:
        found = _tag(folder, scene, NOISE_PROFILE, sizes=(2, 6)) if row is None else [float(text) for text in row]
    except ValueError as error:
        raise UnusableInput(f"{folder / NOISES}: {scene} has betas that are no numbers: {error}") from error
    if found is None:
        raise UnusableInput(_lacking(folder / NOISES, scene))
    if not np.isfinite(found).all():
        raise UnusableInput(f"{folder}: the noise of {scene} is no number: get {NOISES} again")
    shot, read = (tuple(max(float(value), 0.0) for value in found[first::2]) for first in (0, 1))
    return NoiseProfile(shot, read)


def _lacking(table: Path, scene: str) -> str:
    state = f"does not list {scene}" if table.is_file() else "is missing"
    return f"{table}: {state}, and {table.parent} has no {_metadata_name(scene)} that tells it: get either from SIDD's page"


def _row(table: Path, key: str, value: str, *columns: str) -> list[str] | None:
    """The texts in some columns of the row whose column `key` has that value; None where there is no such row or file."""
    if not table.is_file():
        return None
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.DictReader(file) if row[key] == value]
            return [rows[0][column].strip() for column in columns] if rows else None
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInput(f"{table}: is no table with the columns {', '.join((key, *columns))}") from error


def _metadata_name(scene: str) -> str:
    return f"{scene.split('_')[0]}_METADATA_RAW_010.MAT"


def _tag(folder: Path, scene: str, code: int, sizes: tuple[int, ...]) -> list[float] | None:
    """The numbers of a DNG tag of the scene's METADATA, anywhere below the folder; None where it has not so many of them."""
    path = next(iter(sorted(folder.rglob(_metadata_name(scene)))), None)
    found = None if path is None else metadata_tags(path).get(code)
    return None if found is None or found.size not in sizes else [float(v) for v in found]
