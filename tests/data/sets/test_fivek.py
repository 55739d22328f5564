"""FiveK: names with spaces, irregular folders, ProPhoto colours, pictures as they are seen."""

from urllib.parse import quote

import numpy as np
import pytest
import tifffile

from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.tone import srgb_decode
from quietlight.data.sets.fivek import items, prophoto_to_srgb
from quietlight.frames import UnusableInput

NAMES = {"a0001-jmac_DSC1459": "HQa1to700", "a1405-WP CRW 12": "HQa1400to2100"}
ROMM = np.array([[0.7976749, 0.1351917, 0.0313534], [0.2880402, 0.7118741, 0.0000857], [0, 0, 0.8252100]])
D50_TO_D65 = np.array(
    [[0.9555766, -0.0230393, 0.0631636], [-0.0282895, 1.0099416, 0.0210077], [0.0122982, -0.0204830, 1.3299098]]
)
"""Lindbloom's Bradford matrix."""


def prophoto(display: np.ndarray) -> np.ndarray:
    """SRGB uint8 -> ProPhoto uint16, by the published matrices."""
    xyz = srgb_decode(display / 255) @ np.linalg.inv(SRGB_FROM_XYZ).T @ np.linalg.inv(D50_TO_D65).T
    linear = np.clip(xyz @ np.linalg.inv(ROMM).T, 0, 1)
    coded = np.where(linear < 2**-9, 16 * linear, linear ** (1 / 1.8))
    return np.rint(coded * 65535).astype(np.uint16)


@pytest.fixture
def root(tmp_path, dng, scene_light, shown):
    folder = tmp_path / "fivek_dataset"
    for name, place in NAMES.items():
        path = dng(
            folder / "raw_photos" / place / "photos" / f"{name}.dng",
            scene_light(64, 80),
            orientation=8,
            noise=(1e-4, 1e-7),
        )
        target = folder / "img" / "tiff16_c" / f"{quote(name)}.tif"
        target.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(target, prophoto(shown(path)), photometric="rgb")
    (folder / "filesAdobe.txt").write_text("a0001-jmac_DSC1459\n")
    (folder / "filesAdobeMIT.txt").write_text("a1405-WP CRW 12\n")
    return folder


def test_raws_and_the_experts_pictures_are_found_and_lie_on_each_other(root):
    found = items(root)
    assert [item.source.stem for item in found] == list(NAMES)
    assert ["MIT" in item.licence for item in found] == [False, True]
    made = found[1].load()
    assert made.restored.shape == made.enhanced.shape == (64, 80, 3)  # as the sensor saw it
    assert made.facts["likeness"] > 0.95


def test_colours_are_those_of_the_picture(root, shown, tmp_path):
    truth = shown(root / "raw_photos" / "HQa1to700" / "photos" / "a0001-jmac_DSC1459.dng")
    found = prophoto_to_srgb(root / "img" / "tiff16_c" / "a0001-jmac_DSC1459.tif")
    assert np.abs(found.astype(int) - truth).max() <= 1
    red = np.full((8, 8, 3), (200, 40, 30), np.uint8)
    tifffile.imwrite(tmp_path / "red.tif", prophoto(red), photometric="rgb")
    assert np.abs(prophoto_to_srgb(tmp_path / "red.tif").astype(int) - red).max() <= 1


def test_pictures_in_other_colours_or_of_8_bits_are_refused(tmp_path):
    from quietlight.io.profile import srgb_profile

    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8, 3), np.uint16), photometric="rgb", iccprofile=srgb_profile())
    with pytest.raises(UnusableInput, match="a colour profile that is not ProPhoto's"):
        prophoto_to_srgb(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    with pytest.raises(UnusableInput, match="is no colour picture of 16 bits"):
        prophoto_to_srgb(tmp_path / "b.tif")


def test_missing_files_are_named(root):
    (root / "filesAdobe.txt").write_text("a0001-jmac_DSC1459\na0002-dgw_005\n")
    with pytest.raises(UnusableInput, match=r"a0002-dgw_005\.dng is missing"):
        items(root)[1].load()
    (root / "img" / "tiff16_c" / "a0001-jmac_DSC1459.tif").unlink()
    with pytest.raises(UnusableInput, match=r"a0001-jmac_DSC1459\.tif: is missing"):
        items(root)[0].load()
    with pytest.raises(UnusableInput, match=r"neither filesAdobe\.txt nor filesAdobeMIT\.txt"):
        items(root / "img")
    (root / "raw_photos").rename(root / "raws")
    with pytest.raises(UnusableInput, match=r"no HQa\.\.\.to\.\.\./photos/\*\.dng"):
        items(root)
