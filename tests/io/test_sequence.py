"""A burst of raws is written as a folder or as one file, and read again as the burst that it was."""

import json
from dataclasses import replace

import numpy as np
import pytest
import rawpy
from safetensors.numpy import load_file, save_file

from quietlight.camera.bayer import pack
from quietlight.frames import BAYER, Burst, Image, NoiseProfile, RawFrame, UnusableInput
from quietlight.io import read, read_file, write
from quietlight.io.dng import BLACK


def burst(count=3, cfa="RGGB", largest=1.4):
    """Frames of which only the second one goes beyond white."""
    rng = np.random.default_rng(3)
    frames = []
    for index in range(count):
        mosaic = rng.uniform(-0.05, 0.9, (40, 48)).astype(np.float32)
        mosaic[5, 6] = largest if index == 1 else 1
        frames.append(RawFrame(mosaic, cfa, noise=NoiseProfile((1e-3,), (1e-6,)), iso=400, camera="A B"))
    return Burst(tuple(frames), reference=0)


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("name", ["b", "night.1", "b.safetensors"])
def test_a_burst_that_is_written_is_read(tmp_path, cfa, name):
    written = burst(cfa=cfa)
    write(written, tmp_path / name)
    back = read(tmp_path / name)
    assert len(back.frames) == 3 and back.reference == 0
    step = 0 if name.endswith("safetensors") else 1.4 / (65535 - BLACK)
    for one, other in zip(back.frames, written.frames, strict=True):
        assert np.abs(one.mosaic - other.mosaic).max() <= step / 2 + 1e-6 * bool(step)
        assert (one.cfa, one.noise, one.iso, one.camera) == (cfa, other.noise, other.iso, other.camera)


def test_frames_of_a_folder_share_their_levels(tmp_path):
    write(burst(), tmp_path / "b")
    for path in (tmp_path / "b").glob("*.dng"):
        with rawpy.imread(str(path)) as raw:
            assert raw.white_level == BLACK + round((65535 - BLACK) / 1.4)


def test_a_shorter_burst_replaces_a_longer_one_whole(tmp_path):
    write(burst(5), tmp_path / "b")
    (tmp_path / "b" / "notes.txt").write_text("mine")
    write(burst(2), tmp_path / "b")
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == [
        "frame_000.dng", "frame_001.dng", "notes.txt", "reference_frame.txt",
    ]  # fmt: skip


def test_a_folder_tells_its_reference(tmp_path):
    write(replace(burst(), reference=2), tmp_path / "b")
    assert read(tmp_path / "b").reference == 2
    told = tmp_path / "b" / "reference_frame.txt"
    for text in ("3", "-1", "", "first", "1" * 40):
        told.write_text(text)
        with pytest.raises(UnusableInput, match=r"reference_frame\.txt: does not name one of the frames, 0 to 2"):
            read(tmp_path / "b")


@pytest.mark.parametrize("name", ["other.dng", "frame_1.dng", "mask.png"])
def test_a_folder_with_other_pictures_is_left_alone(tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(UnusableInput, match=f"{name}: would be read as a frame"):
        write(burst(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_bursts_that_cannot_be_written_are_refused(tmp_path):
    first, second, _ = burst().frames
    photos = Burst((Image(np.zeros((4, 4, 3), np.uint8)),))
    mono = Burst((RawFrame(np.zeros((4, 4), np.float32), "MONO"),))
    wide = replace(second, mosaic=np.zeros((40, 50), np.float32))
    for given, name, words in (
        (burst(), "b.dng", "not written as one .dng file"),
        (burst(), "b.JPG", "not written as one .jpg file"),
        (photos, "b", "only bursts of raws"),
        (photos, "b.safetensors", "four planes, not photos"),
        (mono, "b.safetensors", "four planes, not MONO"),
        (Burst((first, wide)), "b.safetensors", "frame 1 does not belong"),
        (Burst((first, second), reference=1), "b.safetensors", "put frame 1 first"),
    ):
        with pytest.raises(UnusableInput, match=words):
            write(given, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_packed_bursts_are_plain_planes_and_no_single_frame(tmp_path):
    path, written = tmp_path / "b.safetensors", burst()
    write(written, path)
    before = path.read_bytes()
    expected = np.stack([pack(frame.mosaic, "RGGB") for frame in written.frames])
    np.testing.assert_array_equal(load_file(path)["planes"], expected)
    write(read(path), path)
    assert path.read_bytes() == before
    with pytest.raises(UnusableInput, match=r"b\.safetensors: holds a burst of 3 frames"):
        read_file(path)


def test_damaged_packed_bursts_are_refused(tmp_path):
    path = tmp_path / "b.safetensors"
    write(burst(), path)
    said = [{"cfa": "RGGB"}] * 2
    planes = np.zeros((2, 4, 2, 2), np.float32)
    for tensor, frames in (
        (planes, []),
        (planes, {}),
        (planes, 7),
        (planes, said[:1]),
        (planes, said),  # without the other fields
        (planes, [{"cfa": "RGGB"}, {"cfa": "BGGR"}]),
        (planes[0], said[:1]),
        (planes[:, :3], said),
        (np.zeros((65, 4, 2, 2), np.float32), said[:1] * 65),
    ):
        save_file({"planes": tensor}, path, {"frames": json.dumps(frames)})
        with pytest.raises(UnusableInput, match=r"b\.safetensors: not packed planes"):
            read(path)
