"""The archives of CameraNet's authors: two kinds of headers, lists that belong together, a middle that is coded or not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from quietlight.camera.prepare import prepare
from quietlight.data import DATASETS
from quietlight.data.isp_authors import XYZ_FROM_NEXUS_6P
from quietlight.frames import ColorCalibration, Image, RawFrame, UnusableInput
from quietlight.io.png import encoded
from quietlight.registry import build

SIZE = (64, 96)


def planes(number: int) -> np.ndarray:
    """[H/2, W/2, 4], clockwise from the red pixel."""
    return np.random.default_rng(number).uniform(0.1, 0.8, (32, 48, 4)).astype("<f4")


def middle(number: int) -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / 20
    waves = [0.5 + 0.4 * np.sin((number + k) * x + (3 - k) * y) for k in range(3)]
    return np.uint16(65535 * np.stack(waves, axis=-1))


def write(folder: Path, ending: str, header: tuple[int, int], prefix: str) -> None:
    names = {kind: [] for kind in ("input", "middle", "output")}
    for kind in names:
        (folder / kind).mkdir(parents=True)
    for number in range(3):
        stem = f"{prefix}{number}_{number}"
        with (folder / "input" / f"{stem}.raw").open("wb") as file:
            file.write(np.array(header, "<f4").tobytes() + planes(number).tobytes())
        (folder / "middle" / f"{stem}.png").write_bytes(b"".join(encoded(Image(middle(number)))))
        PillowImage.fromarray(np.uint8(middle(number) >> 8)).save(folder / "output" / f"{stem}.jpg", quality=95)
        for kind, suffix in (("input", "raw"), ("middle", "png"), ("output", "jpg")):
            names[kind].append(f"{stem}.{suffix}")
    for kind, listed in names.items():
        (folder / f"{kind}{ending}").write_text("\n".join(listed) + "\n")


@pytest.fixture
def hdrplus(tmp_path):
    write(tmp_path / "HDRp" / "Train", "list.txt", SIZE, "006")
    return tmp_path / "HDRp"


@pytest.fixture
def sid(tmp_path):
    write(tmp_path / "SID", "list_train.txt", (SIZE[0] // 2, SIZE[1] // 2), "")
    return tmp_path / "SID"


def data(source, validation=False, **arguments):
    given = {"device": torch.device("cpu"), "validation": validation}
    return build(DATASETS, "isp-authors", "data", {"source": str(source), **arguments}, **given)


def mosaic(number: int) -> np.ndarray:
    stored, out = planes(number), np.empty(SIZE, np.float32)
    out[::2, ::2], out[::2, 1::2], out[1::2, 1::2], out[1::2, ::2] = stored.transpose(2, 0, 1)
    return out


@pytest.mark.parametrize("kind", ["hdrplus", "sid"])
def test_both_headers_lead_to_the_same_mosaic(kind, request):
    made = data(request.getfixturevalue(kind), patch=32)
    assert made.sizes == [SIZE] * 2
    for index, number in enumerate((1, 2)):  # the first of 16 is for validation
        frame, restored, enhanced = made._read(index, None)
        np.testing.assert_array_equal(frame.mosaic, mosaic(number))
        linear = middle(number) / 65535
        np.testing.assert_allclose(restored, linear if kind == "hdrplus" else linear**2.2, atol=1e-5)
        assert np.abs(enhanced - (middle(number) >> 8).astype(int)).mean() < 4
        part = made._read(index, (16, 32, 16, 48))
        np.testing.assert_array_equal(part[0].mosaic, frame.mosaic[16:32, 32:80])
        assert part[0].white_balance == frame.white_balance
        np.testing.assert_array_equal(part[1], restored[16:32, 32:80])
        np.testing.assert_array_equal(part[2], enhanced[16:32, 32:80])


def test_batches_in_both_modes_where_the_camera_is_known(hdrplus, sid):
    for whole in (False, True):
        batch = data(hdrplus, patch=32, whole=whole, prep="xyz").batch(0, range(3))
        assert batch["input"].shape == batch["restored"].shape == batch["enhanced"].shape
    frame = RawFrame(mosaic(0), "RGGB", calibrations=(ColorCalibration(21, np.linalg.inv(XYZ_FROM_NEXUS_6P)),))
    view = data(hdrplus, validation=True, patch=64, whole=True, prep="xyz")
    given = view._reduced(0)[0].numpy()
    np.testing.assert_allclose(given, prepare(frame, "xyz"), atol=1e-5)
    assert data(sid, patch=32).batch(0, [0])["input"].shape == (1, 3, 32, 32)
    with pytest.raises(UnusableInput, match="colour matrix is unknown"):
        data(sid, patch=32, prep="xyz").batch(0, [0])


def test_damaged_blobs_and_lists_are_named(hdrplus):
    train = hdrplus / "Train"
    blob = train / "input" / "0061_1.raw"
    whole = blob.read_bytes()
    for broken in (b"", whole[:4], whole[:-4], whole + b"\0\0\0\0", np.array([np.nan, 3], "<f4").tobytes() + whole[8:]):
        blob.write_bytes(broken)
        with pytest.raises(UnusableInput, match=r"0061_1\.raw: is no blob"):
            data(hdrplus, patch=32)
    blob.unlink()
    with pytest.raises(UnusableInput, match=r"0061_1\.raw: is missing, and is in the list"):
        data(hdrplus, patch=32)
    blob.write_bytes(whole)
    listed = (train / "outputlist.txt").read_text().splitlines()
    (train / "outputlist.txt").write_text("\n".join(reversed(listed)))
    with pytest.raises(UnusableInput, match="of other scenes"):
        data(hdrplus, patch=32)
    (train / "outputlist.txt").write_text("\n".join(listed[:2]))
    with pytest.raises(UnusableInput, match=r"differ in length: \[3, 3, 2\]"):
        data(hdrplus, patch=32)
    (train / "outputlist.txt").unlink()
    with pytest.raises(UnusableInput, match=r"outputlist\.txt: is missing"):
        data(hdrplus, patch=32)


def test_pictures_of_another_size_are_named(sid):
    PillowImage.new("RGB", (96, 32)).save(sid / "output" / "1_1.jpg")
    with pytest.raises(UnusableInput, match=r"1_1\.jpg: is 96x32, not 96x64 as its input"):
        data(sid, patch=32)._read(0, None)
