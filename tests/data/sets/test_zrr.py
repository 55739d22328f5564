"""ZRR: ten bits in PNGs of sixteen, RGGB by the authors' planes, the same numbers in training and test."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from quietlight.camera.bayer import pack
from quietlight.data.sets.scene import TEST, TRAINING
from quietlight.data.sets.zrr import items
from quietlight.frames import UnusableInput


def png(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels).save(path)


@pytest.fixture
def root(tmp_path, scene_light):
    light = scene_light(64, 64)
    raw = np.rint(light * 1020).astype(np.uint16)
    for part in ("train", "test"):
        for name in ("2", "10"):
            png(tmp_path / part / "huawei_raw" / f"{name}.png", raw)
            png(
                tmp_path / part / "canon" / f"{name}.jpg",
                np.uint8(np.repeat(255 * light[..., None] ** 0.45, 3, axis=2)),
            )
    return tmp_path


def test_planes_are_those_of_the_authors(root):
    found = items(root)
    assert [(i.part, i.source.stem, str(i.folder)) for i in found] == [
        (TRAINING, "2", "train"),
        (TRAINING, "10", "train"),
        (TEST, "2", "test"),
        (TEST, "10", "test"),
    ]
    made = found[0].load()
    with PillowImage.open(found[0].source) as file:
        raw = np.asarray(file).astype(np.float64) / (4 * 255)
    red, green_r, green_b, blue = pack(made.frame.mosaic, made.frame.cfa)
    for plane, rows, columns in ((red, 0, 0), (green_r, 0, 1), (green_b, 1, 0), (blue, 1, 1)):
        np.testing.assert_allclose(plane, raw[rows::2, columns::2], atol=1e-6)
    assert made.frame.white_balance is not None  # automatic ones: the raws tell none
    assert made.enhanced.shape == made.restored.shape == (64, 64, 3)


def test_wrong_and_missing_files_are_named(root):
    first = items(root)[0].source
    (root / "train" / "canon" / "2.jpg").unlink()
    with pytest.raises(UnusableInput, match=r"canon/2\.jpg: there is no such file"):
        items(root)[0].load()
    png(first, np.full((64, 64), 40000, np.uint16))
    with pytest.raises(UnusableInput, match="holds values up to 40000, where raws of 10 bits end at 1023"):
        items(root)[0].load()
    png(first, np.zeros((64, 64), np.uint8))
    with pytest.raises(UnusableInput, match="no PNG of one plane of 16 bits"):
        items(root)[0].load()
    with pytest.raises(UnusableInput, match="no train/huawei_raw"):
        items(root / "train")
