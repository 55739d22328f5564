"""The report of one file: a readable picture of the right size, and the record."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.frames import Image, RawFrame, UnusableInput
from quietlight.report.pictures import to_eight_bits
from quietlight.report.sheet import report_files, write_report, write_sheet
from quietlight.systems import Result

PHOTO = Image(np.full((40, 60, 1), 65535, np.uint16))
RAW = unprocessed_frame(np.full((40, 60, 3), 0.4), fixed_camera("A"))


@pytest.mark.parametrize("frame", [PHOTO, RAW, Image(np.full((700, 600, 3), 0.5, np.float32))])
def test_report(frame: RawFrame | Image, tmp_path: Path) -> None:
    files = report_files(tmp_path, "one.png", overwrite=False)
    write_report(files, frame, Result(frame, {"sigma": 3.0}))
    record = json.loads(files.record.read_text())
    assert record["sigma"] == 3.0
    assert ("noise_curve" in record) == isinstance(frame, RawFrame)
    assert files.page.is_file()
    with pytest.raises(UnusableInput, match="exists already"):
        report_files(tmp_path, "one.png", overwrite=False)
    with PillowImage.open(files[0]) as sheet:
        assert sheet.width == 3 * min(60 if sheet.width < 500 else 512, 512)
        # Nothing was removed, so the third picture is mid-gray.
        assert sheet.getpixel((sheet.width - 5, sheet.height - 5)) == (128, 128, 128)


def test_what_was_removed_is_shown(tmp_path: Path) -> None:
    brighter = replace(PHOTO, pixels=PHOTO.pixels - np.uint16(257 * 10))
    files = report_files(tmp_path, "one.png", overwrite=True)
    write_report(files, PHOTO, Result(brighter, {}))
    with PillowImage.open(files[0]) as sheet:
        assert sheet.getpixel((sheet.width - 5, sheet.height - 5)) == (168, 168, 168)


def test_sheets_hold_rows_of_different_sizes(tmp_path: Path) -> None:
    small, large = np.zeros((10, 20, 3), np.uint8), np.zeros((30, 50, 3), np.uint8)
    write_sheet([[("a", small), ("b", small)], [("c", large)]], tmp_path / "deep" / "sheet.png")
    with PillowImage.open(tmp_path / "deep" / "sheet.png") as sheet:
        assert sheet.size == (50, 10 + 30 + 2 * 28)


def test_eight_bits_are_rounded() -> None:
    values = np.array([0, 128, 129, 65535], np.uint16).reshape(1, 4, 1)
    assert to_eight_bits(Image(values))[0, :, 0].tolist() == [0, 0, 1, 255]
