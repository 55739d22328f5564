"""MATLAB's arrays, in files that scipy and h5py wrote: axes, types, sizes, and what is refused before memory is taken."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from quietlight.frames import UnusableInput
from quietlight.io.matlab import library, stored_array

NUMBERS = np.random.default_rng(1).random((3, 4, 6, 8), np.float32)


def level5(path: Path, name: str, array: np.ndarray) -> None:
    scipy.io.savemat(path, {"first": np.arange(3000.0), name: array}, do_compression=False)


def compressed(path: Path, name: str, array: np.ndarray) -> None:
    scipy.io.savemat(path, {"first": np.arange(3000.0), name: array}, do_compression=True)


def level73(path: Path, name: str, array: np.ndarray) -> None:
    """As MATLAB writes it: a text of 512 bytes before the HDF5, axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset(name, data=array.T, compression="gzip")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM")


WRITERS = [level5, compressed, level73]


@pytest.mark.parametrize("write", WRITERS)
def test_axes_are_those_of_matlab_in_every_version(write: Callable[..., None], tmp_path: Path) -> None:
    write(tmp_path / "a.mat", "x", NUMBERS)
    found = stored_array(tmp_path / "a.mat", "x")
    assert found.shape == NUMBERS.shape
    np.testing.assert_array_equal(found.part(2, 1), NUMBERS[2, 1])
    np.testing.assert_array_equal(found.part(), NUMBERS)


@pytest.mark.parametrize("write", WRITERS)
def test_a_part_of_a_picture_is_cut_by_row_and_column(write: Callable[..., None], tmp_path: Path) -> None:
    picture = NUMBERS[0, 0]
    write(tmp_path / "a.mat", "Inoisy", picture)
    part = stored_array(tmp_path / "a.mat", "Inoisy").part(slice(1, 4), slice(2, 8))
    np.testing.assert_array_equal(part, picture[1:4, 2:8])


@pytest.mark.parametrize("write", WRITERS)
def test_absent_variables_and_other_types_are_refused(write: Callable[..., None], tmp_path: Path) -> None:
    write(tmp_path / "a.mat", "x", NUMBERS.astype(np.float64))
    with pytest.raises(UnusableInput, match=r"a\.mat: has no variable y"):
        stored_array(tmp_path / "a.mat", "y")
    with pytest.raises(UnusableInput, match=r"a\.mat: x holds float64, not float32"):
        stored_array(tmp_path / "a.mat", "x")
    assert stored_array(tmp_path / "a.mat", "x", ("float32", "float64")).shape == NUMBERS.shape


def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    for write in (level5, compressed, level73):
        write(tmp_path / f"{write.__name__}.mat", "x", NUMBERS)
    with h5py.File(tmp_path / "huge.mat", "w") as file:
        file.create_dataset("x", shape=(300_000, 300_000), dtype="f4", chunks=(64, 64))
    with pytest.raises(UnusableInput, match="300000x300000"):
        stored_array(tmp_path / "huge.mat", "x")
    whole = (tmp_path / "level5.mat").read_bytes()
    dims = struct.pack("<4i", *NUMBERS.shape)
    (tmp_path / "level5.mat").write_bytes(whole.replace(dims, struct.pack("<4i", 30_000, 4, 6, 8)))
    with pytest.raises(UnusableInput, match="damaged"):
        stored_array(tmp_path / "level5.mat", "x")
    (tmp_path / "level5.mat").write_bytes(whole.replace(dims, struct.pack("<4i", 30_000, 30_000, 6, 8)))
    with pytest.raises(UnusableInput, match="at most 400 megapixels"):
        stored_array(tmp_path / "level5.mat", "x")
    (tmp_path / "level5.mat").write_bytes(whole.replace(dims, struct.pack("<4i", -3, -4, 6, 8)))
    with pytest.raises(UnusableInput):
        stored_array(tmp_path / "level5.mat", "x")


def linked(path: Path, other: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink(str(other), "x")


def virtual(path: Path, other: Path) -> None:
    layout = h5py.VirtualLayout(NUMBERS.T.shape, NUMBERS.dtype)
    layout[:] = h5py.VirtualSource(other, "x", NUMBERS.T.shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout)


def external(path: Path, other: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", NUMBERS.T.shape, NUMBERS.dtype, external=[(str(other), 0, NUMBERS.nbytes)])


@pytest.mark.parametrize("lead", [linked, virtual, external])
def test_nothing_is_read_out_of_other_files(lead: Callable[..., None], tmp_path: Path) -> None:
    level73(tmp_path / "other.mat", "x", NUMBERS)
    lead(tmp_path / "a.mat", tmp_path / "other.mat")
    with pytest.raises(UnusableInput, match=r"a\.mat: (has no variable x|.* lie in other files)"):
        stored_array(tmp_path / "a.mat", "x")


@pytest.mark.parametrize("write", WRITERS)
def test_files_cut_short_are_refused(write: Callable[..., None], tmp_path: Path) -> None:
    write(tmp_path / "a.mat", "x", NUMBERS)
    whole = (tmp_path / "a.mat").read_bytes()
    for length in (0, 100, 130, 600, len(whole) - 200):
        (tmp_path / "a.mat").write_bytes(whole[:length])
        with pytest.raises(UnusableInput, match=r"a\.mat: "):
            stored_array(tmp_path / "a.mat", "x").part()


def test_a_library_that_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UnusableInput, match=r"need h5py: pip install quietlight\[sets\]"):
        library("h5py")
