"""HDR+: patterns, fractional blacks, turned pictures, cut finals, two generations of results, and what is missing."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from quietlight.data.sets.hdrplus import items
from quietlight.data.sets.scene import Scene
from quietlight.frames import UnusableInput

BURST = "0006_20160722_115157_431"
SIZE = (96, 128)
CUT = (6, 10, 84, 110)
"""Of the final picture: top, left, height, width in the frame."""


@pytest.fixture
def root(tmp_path, dng, scene_light, shown):
    """A burst whose frame 1 is the reference, held on its side; the final picture is a cut of the merged frame's."""
    burst, results = tmp_path / "bursts" / BURST, tmp_path / "results_20171023" / BURST
    clean = scene_light(*SIZE)
    rng = np.random.default_rng(0)
    for number in range(3):
        dng(
            burst / f"payload_N{number:03}.dng", clean * (0.5 + 0.1 * number) + rng.normal(0, 0.01, SIZE), orientation=6
        )
        shading(burst / f"lens_shading_map_N{number:03}.tiff", 1.25)
    merged = dng(results / "merged.dng", clean * 0.6 * 1.25, orientation=6)
    upright = np.rot90(cut(np.rot90(shown(merged), 1)), -1)
    PillowImage.fromarray(np.ascontiguousarray(upright)).save(results / "final.jpg", quality=95)
    (results / "reference_frame.txt").write_text("1\n")
    return tmp_path


def shading(path: Path, gain: float) -> None:
    """A map of one page with four samples a pixel."""
    gains = np.full((4, 5, 4), gain, np.float32)
    tifffile.imwrite(path, gains, photometric="rgb", planarconfig="contig", extrasamples=["unspecified"])


def cut(picture: np.ndarray) -> np.ndarray:
    top, left, height, width = CUT
    return picture[top : top + height, left : left + width]


def scene(root: Path) -> Scene:
    [item] = items(root)
    assert item.licence == "CC BY-SA 4.0"
    return item.load()


def test_the_reference_frame_with_its_shading_lies_on_the_merged_one_and_the_final(root, scene_light):
    made = scene(root)
    expected = cut(scene_light(*SIZE))
    assert made.frame.cfa == "BGGR"
    assert made.frame.mosaic.shape == made.restored.shape[:2] == made.enhanced.shape[:2] == (84, 110)
    # 0.6 of the light and a shading of 1.25: neither rounded blacks (63) nor a map left out would give it.
    assert np.abs(made.frame.mosaic - 0.75 * expected).mean() < 0.012
    assert made.frame.mosaic.mean() == pytest.approx(0.75 * expected.mean(), abs=1e-3)
    assert made.frame.white_balance == pytest.approx((2, 1, 1.6))
    brightness = made.restored[..., 1]
    assert np.corrcoef(brightness.ravel(), made.enhanced.mean(axis=2).ravel())[0, 1] > 0.97
    assert made.facts["reference"] == 1
    assert made.facts["results"] == "results_20171023"


def test_older_results_and_a_reference_kept_with_the_burst_are_taken(root):
    old = root / "results_20161014" / BURST
    old.parent.mkdir()
    (root / "results_20171023" / BURST).rename(old)
    (old / "reference_frame.txt").rename(root / "bursts" / BURST / "reference_frame.txt")
    assert scene(root).facts["results"] == "results_20161014"


def test_the_folder_above_serves_too(root):
    (root / "20171106_subset").mkdir()
    for name in ("bursts", "results_20171023"):
        (root / name).rename(root / "20171106_subset" / name)
    assert scene(root).facts["reference"] == 1


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        (f"bursts/{BURST}/payload_N001.dng", r"payload_N001\.dng: there is no such file"),
        (f"bursts/{BURST}/lens_shading_map_N001.tiff", r"lens_shading_map_N001\.tiff: is missing"),
        (f"results_20171023/{BURST}/merged.dng", r"merged\.dng: there is no such file"),
        (f"results_20171023/{BURST}/final.jpg", r"final\.jpg: there is no such file"),
        (f"results_20171023/{BURST}/reference_frame.txt", r"reference_frame\.txt: is missing"),
    ],
)
def test_a_missing_file_is_named(root, gone, says):
    (root / gone).unlink()
    with pytest.raises(UnusableInput, match=says):
        scene(root)


def test_wrong_files_are_named(root, dng, scene_light):
    results = root / "results_20171023" / BURST
    (results / "reference_frame.txt").write_text("one")
    with pytest.raises(UnusableInput, match="holds no number of a frame: 'one'"):
        scene(root)
    (results / "reference_frame.txt").write_text("1")
    tifffile.imwrite(root / "bursts" / BURST / "lens_shading_map_N001.tiff", np.ones((4, 5), np.float32))
    with pytest.raises(UnusableInput, match=r"is no map of positive gains \[h, w, 4\], but \(4, 5\)"):
        scene(root)
    shading(root / "bursts" / BURST / "lens_shading_map_N001.tiff", 1.0)
    noise = np.random.default_rng(0).integers(0, 255, (128, 96, 3)).astype(np.uint8)
    PillowImage.fromarray(noise).save(results / "final.jpg")
    with pytest.raises(UnusableInput, match="show different things"):
        scene(root)
    PillowImage.fromarray(noise).resize((300, 400)).save(results / "final.jpg")
    with pytest.raises(UnusableInput, match="sizes 128x96 and 400x300: one is of another scene"):
        scene(root)
    dng(results / "merged.dng", scene_light(*SIZE), cfa="RGGB")
    with pytest.raises(UnusableInput, match=r"differs from payload_N001\.dng in size or pattern"):
        scene(root)


def test_other_folders_are_refused_and_bursts_without_results_named(root, tmp_path):
    with pytest.raises(UnusableInput, match="has no folder bursts"):
        items(root / "bursts")
    (root / "results_20171023" / BURST).rename(root / "elsewhere")
    with pytest.raises(UnusableInput, match="has no results"):
        scene(root)
