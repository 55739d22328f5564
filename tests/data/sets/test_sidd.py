"""SIDD: axes as MATLAB has them, patterns by tags or camera, illuminants in either order, gains the right way round."""

import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from quietlight.data.sets.sidd import items
from quietlight.frames import UnusableInput

SCENE = "0001_001_S6_00100_00060_3200_L"
NEUTRAL = [0.553, 1.0, 0.484]
FIRST = np.array([[0.9, -0.3, -0.1], [-0.5, 1.3, 0.2], [-0.1, 0.2, 0.6]])
SECOND = FIRST + 0.1


def mat(path: Path, mosaic: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("x", data=mosaic.T.astype(np.float32), compression="gzip")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM")


def gain_map(gain: float, height: int, width: int) -> np.ndarray:
    body = struct.pack(">10I4dI", 0, 0, height, width, 0, 1, 1, 1, 1, 1, 1.0, 1.0, 0.0, 0.0, 1) + struct.pack(
        ">f", gain
    )
    return np.frombuffer(struct.pack(">5I", 1, 9, 0x1030000, 1, len(body)) + body, np.uint8)


def tag(code: int, value) -> dict[str, object]:
    return {"ID": code, "Offset": 0, "Value": np.asarray(value)}


TAGS = {
    "AsShotNeutral": NEUTRAL,
    "ColorMatrix1": FIRST.ravel(),
    "ColorMatrix2": SECOND.ravel(),
    "CalibrationIlluminant1": 21,
    "CalibrationIlluminant2": 17,
    "Make": "samsung",
}
UNKNOWN = [tag(33422, [1, 0, 2, 1]), tag(51041, [4.79e-4, 0.0] * 3), tag(51009, gain_map(1.5, 40, 56))]


@pytest.fixture
def root(tmp_path, scene_light):
    clean = scene_light(40, 56) / 2
    folder = tmp_path / "Data" / SCENE
    mat(folder / "0001_GT_RAW_010.MAT", clean)
    mat(folder / "0001_NOISY_RAW_010.MAT", clean + np.random.default_rng(0).normal(0, 0.01, clean.shape))
    save(folder, {**TAGS, "UnknownTags": UNKNOWN})
    return tmp_path


def save(folder: Path, fields: dict[str, object]) -> None:
    scipy.io.savemat(folder / "0001_METADATA_RAW_010.MAT", {"metadata": fields})


def test_a_frame_as_its_tags_say(root, scene_light):
    [item] = items(root)
    made = item.load()
    truth = 1.5 * scene_light(40, 56) / 2  # with its lens shading
    assert made.frame.cfa == "GRBG"
    assert made.frame.mosaic.shape == (40, 56)
    assert np.abs(made.frame.mosaic - truth).mean() == pytest.approx(1.5 * 0.01 * 0.8, rel=0.1)
    red, _, blue = made.frame.white_balance
    assert (red, blue) == (pytest.approx(1 / 0.553), pytest.approx(1 / 0.484))
    assert [c.illuminant for c in made.frame.calibrations] == [21, 17]
    np.testing.assert_allclose(made.frame.calibrations[1].color, SECOND)
    assert made.frame.noise.shot == pytest.approx((4.79e-4,) * 3)
    assert made.restored.shape == (40, 56, 3)


def test_without_the_tag_the_camera_tells_the_pattern_and_subifds_are_searched(root):
    folder = root / "Data" / SCENE
    save(folder, {**TAGS, "UnknownTags": UNKNOWN[1]})
    assert items(root)[0].load().frame.cfa == "GRBG"
    save(folder, {**TAGS, "SubIFDs": [{"UnknownTags": [tag(33422, [0, 1, 1, 2])]}]})
    assert items(root)[0].load().frame.cfa == "RGGB"
    save(folder, {"Make": "?"})
    folder.rename(root / "Data" / "0001")
    with pytest.raises(UnusableInput, match="tells the pattern"):
        items(root)[0].load()


@pytest.mark.parametrize("part", ["GT", "METADATA"])
def test_missing_files_are_named(root, part):
    (root / "Data" / SCENE / f"0001_{part}_RAW_010.MAT").unlink()
    with pytest.raises(UnusableInput, match=rf"0001_{part}_RAW_010\.MAT: is missing"):
        items(root)[0].load()


def test_wrong_files_are_named(root):
    folder = root / "Data" / SCENE
    mat(folder / "0001_GT_RAW_010.MAT", np.zeros((56, 40)))
    with pytest.raises(UnusableInput, match=r"0001_GT_RAW_010\.MAT: differs from .* in size"):
        items(root)[0].load()
    mat(folder / "0001_NOISY_RAW_010.MAT", np.full((40, 56), 512.0))
    with pytest.raises(UnusableInput, match="not of numbers with black 0 and white 1"):
        items(root)[0].load()
    with pytest.raises(UnusableInput, match="name the folder SIDD_Medium_Raw"):
        items(root / "Data")
