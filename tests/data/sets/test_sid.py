"""SID: pairs by the lists, ratios by the names, many short exposures of one long one."""

import numpy as np
import pytest

from quietlight.data.sets.scene import TEST, TRAINING, VALIDATION
from quietlight.data.sets.sid import exposure, items
from quietlight.frames import UnusableInput

ROW = "./Sony/short/{} ./Sony/long/{} ISO200 F8\n"


@pytest.fixture
def root(tmp_path, dng, scene_light):
    clean = scene_light(48, 64)
    for name, share in (("00001_00_0.04s", 1 / 250), ("00001_00_0.1s", 1 / 100), ("20003_01_0.033s", 1 / 300)):
        dng(tmp_path / "Sony" / "short" / f"{name}.ARW", clean * share, cfa="RGGB")
    for name in ("00001_00_10s", "20003_00_30s"):
        dng(tmp_path / "Sony" / "long" / f"{name}.ARW", clean, cfa="RGGB")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "Sony_train_list.txt").write_text(
        ROW.format("00001_00_0.04s.ARW", "00001_00_10s.ARW") + ROW.format("00001_00_0.1s.ARW", "00001_00_10s.ARW")
    )
    (tmp_path / "dataset" / "Sony_val_list.txt").write_text(ROW.format("20003_01_0.033s.ARW", "20003_00_30s.ARW"))
    return tmp_path


def test_short_exposures_are_made_as_bright_as_the_long_one(root, scene_light):
    found = items(root)
    assert [item.part for item in found] == [TRAINING, TRAINING, VALIDATION]
    for item, ratio in zip(found, (250, 100, 300), strict=True):
        made = item.load()
        assert made.facts["ratio"] == pytest.approx(ratio)  # 30 / 0.033 is above the authors' limit
        # Steps of the 10-bit file are multiplied, too.
        np.testing.assert_allclose(made.frame.mosaic, scene_light(48, 64), atol=0.6 * ratio / 959)
        assert made.frame.mosaic.max() <= 1
        assert np.abs(made.restored[..., 1]).max() > 0.3
        assert made.enhanced is None
    assert found[0].load().restored.tobytes() == found[1].load().restored.tobytes()


def test_lists_beside_the_pictures_and_tests_are_taken(root):
    (root / "dataset" / "Sony_val_list.txt").rename(root / "Sony_test_list.txt")
    assert [item.part for item in items(root)] == [TRAINING, TRAINING, TEST]


def test_wrong_and_missing_files_are_named(root):
    (root / "Sony" / "long" / "00001_00_10s.ARW").unlink()
    with pytest.raises(UnusableInput, match=r"00001_00_10s\.ARW: there is no such file"):
        items(root)[0].load()
    (root / "dataset" / "Sony_train_list.txt").write_text("./Sony/short/00001_00_0.04s.ARW ISO200 F8\n")
    with pytest.raises(UnusableInput, match="not of four fields"):
        items(root)
    for name in ("00001_00_0s.ARW", "1_00_0.1s.ARW", "00001_00_0.1.ARW"):
        with pytest.raises(UnusableInput, match="is not named SCENE_SEQUENCE_EXPOSUREs"):
            exposure(root / name)


def test_without_lists_one_is_told_and_why_fuji_does_not_serve(tmp_path):
    with pytest.raises(UnusableInput, match=r"no Sony_train_list\.txt.*dataset$"):
        items(tmp_path)
    (tmp_path / "Fuji_train_list.txt").write_text("")
    with pytest.raises(UnusableInput, match="X-Trans frames are no Bayer mosaics"):
        items(tmp_path)
