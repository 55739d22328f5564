"""SIDD's validation blocks, in files as the set has them: patterns and noise of each scene, from tables or METADATA."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from quietlight.evaluate.run import evaluate
from quietlight.evaluate.sample import UNTOUCHED, Sample
from quietlight.evaluate.sidd import BLOCKS, CLEAN, NOISY, SCENES, sidd_raw
from quietlight.frames import NoiseProfile, UnusableInput

CAMERAS = {"GP": "bggr", "IP": "rggb", "S6": "grbg", "N6": "bggr", "G4": "bggr"}
SHAPE = (40, 32, 24, 26)
TRUTH = np.random.default_rng(2).random(SHAPE, np.float32)
NOISE = TRUTH + np.float32(0.01)


def tables(folder: Path, scenes: tuple[str, ...] = SCENES) -> None:
    with (folder / "bayer_patterns.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("camera_id", "bayer_pattern"), *CAMERAS.items()])
    with (folder / "noise_level_functions.csv").open("w", newline="") as file:
        header = ("scene_instance_id", "beta1_r", "beta2_r", "beta1_g", "beta2_g", "beta1_b", "beta2_b")
        rows = [(scene, 1e-3 * (i + 1), 1e-6, 2e-3, 2e-6, 3e-3, -3e-6) for i, scene in enumerate(scenes)]
        csv.writer(file).writerows([header, *rows])


def metadata(folder: Path, scene: str, **more: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(folder / f"{scene[:4]}_METADATA_RAW_010.MAT", {"metadata": {"Make": "samsung", **more}})


def tag(code: int, value: list[float]) -> dict[str, object]:
    return {"ID": code, "Offset": 0, "Value": np.array(value)}


def blocks(folder: Path, name: str, array: np.ndarray) -> None:
    with h5py.File(folder / f"{name}.mat", "w") as file:
        file[name] = array.T


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder with SIDD: noisy blocks of version 7.3, clean ones of level 5."""
    (tmp_path / "sidd").mkdir()
    blocks(tmp_path / "sidd", NOISY, NOISE)
    scipy.io.savemat(tmp_path / "sidd" / f"{CLEAN}.mat", {CLEAN: TRUTH}, do_compression=True)
    tables(tmp_path / "sidd")
    return tmp_path


def sample(root: Path, index: int = 0) -> Sample:
    return sidd_raw().parts[0].samples(root)[index]()


def test_every_block_once_with_the_pattern_and_noise_of_its_scene(root: Path) -> None:
    makers = sidd_raw().parts[0].samples(root)
    assert len(makers) == 1280
    assert list(SCENES) == sorted(SCENES)
    assert len(SCENES) == 40
    for index in (0, 1, 4, 39, 40, 1279):
        made, (block, scene) = makers[index](), divmod(index, 40)
        np.testing.assert_array_equal(made.input.mosaic, NOISE[scene, block])
        np.testing.assert_array_equal(made.truth, TRUTH[scene, block])
        assert made.name == f"{SCENES[scene]}_{block + 1:02d}"
        assert made.input.cfa == CAMERAS[SCENES[scene][9:11]].upper()
        assert made.input.noise == NoiseProfile((1e-3 * (scene + 1), 2e-3, 3e-3), (1e-6, 2e-6, 0.0))
    assert BLOCKS == 32


def test_systems_are_measured_on_it(root: Path) -> None:
    report = evaluate("sidd-raw", root, systems=["noisy"], limit=2)
    [row] = report.tables[0].rows
    assert row.means["psnr"] == pytest.approx(40, abs=0.01)
    assert (report.tables[0].samples, report.tables[0].available) == (2, 1280)
    one = sample(root)
    assert sidd_raw().score(one.input.__class__(one.truth, one.input.cfa), one)["seen psnr"] == UNTOUCHED


def test_what_the_tables_lack_is_taken_from_the_metadata(root: Path) -> None:
    folder = root / "sidd"
    (folder / "bayer_patterns.csv").unlink()
    tables_noise = folder / "noise_level_functions.csv"
    tables_noise.write_text(tables_noise.read_text().replace(SCENES[0], "another"))
    profile = tag(51041, [4.79e-4, 0, 5e-4, 1e-7, 6e-4, 2e-7])
    metadata(folder / "Data" / SCENES[0], SCENES[0], UnknownTags=[tag(33422, [1, 0, 2, 1]), profile])
    made = sample(root)
    assert made.input.cfa == "GRBG"
    assert made.input.noise == NoiseProfile((4.79e-4, 5e-4, 6e-4), (0.0, 1e-7, 2e-7))
    metadata(folder, SCENES[4], SubIFDs=[{"UnknownTags": tag(33422, [0, 1, 1, 2])}])
    assert sample(root, 4).input.cfa == "RGGB"


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("bayer_patterns.csv", r"bayer_patterns\.csv: is missing, and .* has no 0009_METADATA_RAW_010\.MAT"),
        ("noise_level_functions.csv", r"noise_level_functions\.csv: is missing"),
        (f"{CLEAN}.mat", rf"{CLEAN}\.mat: is missing"),
    ],
)
def test_a_missing_file_is_named(gone: str, says: str, root: Path) -> None:
    (root / "sidd" / gone).unlink()
    with pytest.raises(UnusableInput, match=says):
        sample(root)


def test_without_the_set_the_user_is_told_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="get SIDD's raw validation blocks"):
        evaluate("sidd-raw", tmp_path)


def test_a_scene_or_column_that_a_table_lacks_is_named(root: Path) -> None:
    tables(root / "sidd", scenes=SCENES[1:])
    with pytest.raises(UnusableInput, match=f"does not list {SCENES[0]}"):
        sample(root)
    (root / "sidd" / "noise_level_functions.csv").write_text("scene,beta1\n1,2\n")
    with pytest.raises(UnusableInput, match="is no table with the columns scene_instance_id, beta1_r"):
        sample(root)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (NOISE[..., :-1], r"blocks are \[40, 32, even, even\], not \[40, 32, 24, 25\]"),
        (NOISE.transpose(3, 2, 1, 0), r"not \[26, 24, 32, 40\]"),
        (NOISE[0], r"not \[32, 24, 26\]"),
        (NOISE[:, :, :12], "differ in size"),
        (NOISE.astype(np.float64), "holds float64, not float32"),
        (np.full(SHAPE, np.nan, np.float32), "not of numbers between black 0 and white 1"),
    ],
)
def test_blocks_of_another_shape_or_type_are_refused(array: np.ndarray, says: str, root: Path) -> None:
    blocks(root / "sidd", NOISY, array)
    with pytest.raises(UnusableInput, match=says):
        sample(root)


def test_a_truth_on_another_scale_is_refused(root: Path) -> None:
    scipy.io.savemat(root / "sidd" / f"{CLEAN}.mat", {CLEAN: TRUTH * np.float32(1023)})
    with pytest.raises(UnusableInput, match="not of numbers between black 0 and white 1"):
        sample(root)


@pytest.mark.parametrize("text", ["inf", "nan"])
def test_noise_that_is_no_number_is_told_with_its_scene(text: str, root: Path) -> None:
    table = root / "sidd" / "noise_level_functions.csv"
    table.write_text(table.read_text().replace("0.001,", f"{text},", 1))
    with pytest.raises(UnusableInput, match=f"the noise of {SCENES[0]} is no number"):
        sample(root)
