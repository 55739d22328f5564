"""Packed planes hold the frame as it is, value for value; other files are refused."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from quietlight.camera.bayer import pack
from quietlight.frames import BAYER, ColorCalibration, NoiseProfile, RawFrame, UnusableInput
from quietlight.io import is_photo, read, write

COLORS = (ColorCalibration(21, np.eye(3), np.full((3, 3), 0.5)), ColorCalibration(17, np.eye(3) * 2))


def frame(cfa="RGGB", **fields):
    mosaic = np.random.default_rng(1).uniform(-0.3, 1.7, (6, 8)).astype(np.float32)
    return RawFrame(mosaic, cfa, **fields)


@pytest.mark.parametrize("cfa", BAYER)
def test_what_is_written_is_read(tmp_path, cfa):
    path = tmp_path / "a.safetensors"
    written = frame(
        cfa, white_balance=(2.0, 1.0, 1.5), calibrations=COLORS, noise=NoiseProfile((1e-3,), (1e-6,)), iso=800,
        exposure_time=0.1, baseline_exposure=0.3, orientation=6, crop=(0, 2, 4, 4), camera="A B",
    )  # fmt: skip
    write(written, path)
    back = read(path)
    np.testing.assert_array_equal(back.mosaic, written.mosaic)
    np.testing.assert_array_equal(load_file(path)["planes"], pack(written.mosaic, cfa))
    for name in (
        "cfa",
        "white_balance",
        "noise",
        "iso",
        "exposure_time",
        "baseline_exposure",
        "orientation",
        "crop",
        "camera",
    ):
        assert getattr(back, name) == getattr(written, name)
    for one, other in zip(back.calibrations, COLORS, strict=True):
        assert one.illuminant == other.illuminant
        np.testing.assert_array_equal(one.color, other.color)
        assert (one.forward is None) == (other.forward is None)
    assert not is_photo(path)
    before = path.read_bytes()
    write(back, path)
    assert path.read_bytes() == before


def test_only_bayer_frames_are_packed(tmp_path):
    with pytest.raises(UnusableInput, match="four planes"):
        write(frame("MONO"), tmp_path / "a.safetensors")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    write(frame(), path)
    said = {"cfa": "RGGB", "white_balance": None}
    planes = np.zeros((4, 2, 2), np.float32)
    for tensors, metadata in (
        ({"weights": planes}, {}),
        ({"planes": planes}, {}),
        ({"planes": planes}, {"frame": "no JSON"}),
        ({"planes": planes}, {"frame": "[]"}),
        ({"planes": planes}, {"frame": json.dumps(said)}),
        ({"planes": planes[:3]}, {"frame": json.dumps(said)}),
        ({"planes": planes.astype(np.float16)}, {"frame": json.dumps(said)}),
    ):
        save_file(tensors, path, metadata)
        with pytest.raises(UnusableInput, match=r"a\.safetensors: not packed planes"):
            read(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(UnusableInput, match=r"a\.safetensors: not packed planes"):
        read(path)
