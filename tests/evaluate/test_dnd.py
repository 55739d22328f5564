"""DND's layout, in files as h5py writes it: references, boxes that count from 1, patterns; results as its authors take them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from typer.testing import CliRunner

from quietlight.cli import app
from quietlight.evaluate import dnd
from quietlight.evaluate.dnd import submit
from quietlight.evaluate.peers import Peer
from quietlight.frames import NoiseProfile, RawFrame, UnusableInput

PATTERNS = {"RGGB": [[1, 2], [2, 3]], "GRBG": [[2, 1], [3, 2]], "GBRG": [[2, 3], [1, 2]], "BGGR": [[3, 2], [2, 1]]}
BOXES = [[1, 1, 16, 16], [2, 1, 17, 16], [1, 4, 16, 19], [26, 40, 40, 50]]
PICTURES = [np.random.default_rng(i).random((40, 50), np.float32) for i in range(4)]


def write(folder: Path, **changed: Any) -> None:
    """Four pictures of the four patterns; every array with its axes reversed, as MATLAB's are in HDF5."""
    given = {"pattern": list(PATTERNS.values()), "boxes": [BOXES] * 4, "key": "Inoisy", "dtype": "f4", "shot": 1e-3}
    given |= changed
    (folder / "images_raw").mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(PICTURES, start=1):
        with h5py.File(folder / "images_raw" / f"{number:04d}.mat", "w") as file:
            file[given["key"]] = given.get("picture", picture).T.astype(given["dtype"])
    with h5py.File(folder / "info.mat", "w") as file:
        for name in ("boundingboxes", "nlf", "camera"):
            file.create_dataset(f"info/{name}", (1, 4), h5py.ref_dtype)
        for index in range(4):
            # Under names in another order than the pictures', so that only the references tell what is whose.
            key = 9 - index
            file[f"#refs#/b{key}"] = np.array(given["boxes"][index], float).T
            file[f"#refs#/n{key}/a"] = [[given["shot"] * (index + 1)]]
            file[f"#refs#/n{key}/b"] = [[1e-6]]
            file[f"#refs#/c{key}/pattern"] = np.array(given["pattern"][index], float).T
            for name, letter in (("boundingboxes", "b"), ("nlf", "n"), ("camera", "c")):
                file[f"info/{name}"][0, index] = file[f"#refs#/{letter}{key}"].ref


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "dnd")
    return tmp_path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, RawFrame]:
    """What a system got, by name; it halves its input."""
    frames: dict[str, RawFrame] = {}

    def run(sample: Any) -> RawFrame:
        frames[sample.name] = sample.input
        return RawFrame(sample.input.mosaic / 2, sample.input.cfa)

    monkeypatch.setattr(dnd, "peer", lambda spec, kind: Peer(spec, "halves", run))
    return frames


def test_boxes_count_from_one_and_include_their_last_row_and_column(root: Path, seen: dict[str, RawFrame]) -> None:
    made = submit(root, root / "out")
    assert (made.written, made.kept) == (16, 0)
    for picture in range(4):
        for number, (top, left, bottom, right) in enumerate(BOXES, start=1):
            expected = PICTURES[picture][top - 1 : bottom, left - 1 : right]
            name = f"{picture + 1:04d}_{number:02d}"
            np.testing.assert_array_equal(seen[name].mosaic, expected)
            assert seen[name].noise == NoiseProfile((1e-3 * (picture + 1),), (1e-6,))
            stored = scipy.io.loadmat(root / "out" / f"{name}.mat")["Idenoised_crop"]
            assert stored.dtype == np.float32
            np.testing.assert_array_equal(stored, expected / 2)


def test_results_lie_where_the_truth_does(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(sample: Any) -> RawFrame:
        return RawFrame(3 * sample.input.mosaic - 1, sample.input.cfa)

    monkeypatch.setattr(dnd, "peer", lambda spec, kind: Peer(spec, "stretches", run))
    submit(root, root / "out", limit=1)
    stored = scipy.io.loadmat(root / "out" / "0001_01.mat")["Idenoised_crop"]
    np.testing.assert_array_equal(stored, np.clip(3 * PICTURES[0][:16, :16] - 1, 0, 1))


def test_the_pattern_is_that_at_the_corner_of_the_box(root: Path, seen: dict[str, RawFrame]) -> None:
    submit(root, root / "out")
    assert [seen[f"{i + 1:04d}_01"].cfa for i in range(4)] == list(PATTERNS)
    assert [seen[f"0001_{i:02d}"].cfa for i in (1, 2, 3, 4)] == ["RGGB", "GBRG", "GRBG", "BGGR"]


def test_an_interrupted_run_goes_on_and_another_system_does_not_mix_in(root: Path, seen: dict[str, RawFrame]) -> None:
    told: list[tuple[int, int, str]] = []
    submit(root, root / "out", systems=["one"], limit=1, watch=lambda *what: told.append(what))
    assert [(done, total) for done, total, _ in told] == [(i, 4) for i in range(4)]
    (root / "out" / "0001_02.mat").unlink()
    seen.clear()
    assert submit(root, root / "out", systems=["one"], limit=1) == dnd.Submission("one", 1, 3)
    assert list(seen) == ["0001_02"]
    with pytest.raises(UnusableInput, match="holds results of another system"):
        submit(root, root / "out", systems=["two"])
    with pytest.raises(UnusableInput, match="of one system"):
        submit(root, root / "out", systems=["one", "two"])


def test_odd_boxes_and_pictures_in_double_go_through_our_systems(root: Path) -> None:
    write(root / "dnd", boxes=[[[2, 3, 34, 39]]] * 4, dtype="f8")
    made = submit(root, root / "out", systems=["classical"], limit=1)
    assert (made.system, made.written) == ("classical", 1)
    assert scipy.io.loadmat(root / "out" / "0001_01.mat")["Idenoised_crop"].shape == (33, 37)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"key": "InoisySRGB"}, r"0001\.mat: has no variable Inoisy"),
        ({"dtype": "u2"}, "holds uint16, not float32 or float64"),
        ({"pattern": [[[1, 3], [2, 2]]] * 4}, "is no Bayer pattern"),
        ({"pattern": [[[1, 2]]] * 4}, "not that of DND"),
        ({"boxes": [[[0, 1, 16, 16]]] * 4}, "leaves the picture of 40x50"),
        ({"boxes": [[[1, 1, 41, 16]]] * 4}, "leaves the picture of 40x50"),
        ({"boxes": [[[1, 1, 16]]] * 4}, "not that of DND"),
        ({"boxes": [[[1, np.nan, 16, 16]]] * 4}, "leaves the picture of 40x50"),
        ({"boxes": [[[1, 1, np.inf, 16]]] * 4}, "leaves the picture of 40x50"),
        ({"picture": np.full((40, 50), np.nan)}, r"0001\.mat: the box .* holds what is no number"),
        ({"shot": -1e-3}, r"info\.mat: a noise profile holds variances"),
    ],
)
def test_another_layout_is_refused(changed: dict[str, Any], says: str, root: Path, seen: dict[str, RawFrame]) -> None:
    write(root / "dnd", **changed)
    with pytest.raises(UnusableInput, match=says):
        submit(root, root / "out")
    assert not list((root / "out").glob("*.mat"))


def test_missing_files_and_keys_are_named(root: Path) -> None:
    (root / "dnd" / "images_raw" / "0003.mat").unlink()
    with pytest.raises(UnusableInput, match=r"0003\.mat: is missing \(1 of 4"):
        submit(root, root / "out")
    with h5py.File(root / "dnd" / "info.mat", "a") as file:
        del file["info/camera"]
    with pytest.raises(UnusableInput, match=r"info\.mat: .*camera"):
        submit(root, root / "out")
    (root / "dnd" / "info.mat").unlink()
    with pytest.raises(UnusableInput, match=r"info\.mat: is missing: get DND"):
        submit(root, root / "out")
    assert not (root / "out").exists()


def test_the_command_writes_says_so_and_gives_no_score(root: Path, seen: dict[str, RawFrame]) -> None:
    out = root / "out"
    done = CliRunner().invoke(app, ["evaluate", "dnd", "--data", str(root), "--submission", str(out), "--limit", "1"])
    assert done.exit_code == 0
    assert "4 boxes written by fan-plus, 0 kept. There is no score" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dnd"], "give --submission DIR"),
        (["raw-kodak", "--submission", "out"], "--submission is for dnd"),
        (["dnd", "--submission", "out", "--json", "f.json"], "leave out --parts, --json and --html"),
    ],
)
def test_the_option_belongs_to_dnd_alone(arguments: list[str], says: str) -> None:
    assert says in str(CliRunner().invoke(app, ["evaluate", *arguments]).exception)
