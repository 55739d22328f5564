"""What a file says before its pixels are read is what it turns out to be."""

import pytest

import quietlight as ql
from quietlight.frames import BAYER, UnusableInput
from quietlight.io import RawFormat, ifd, metadata
from quietlight.io.header import Header, capture_time, is_exact, read_header

ORIGINAL, DIGITIZED, FRACTION, MODIFIED = 36867, 36868, 37521, 306


@pytest.mark.parametrize("cfa", [*BAYER, "MONO"])
def test_a_raw_says_what_it_will_be(shoot, tmp_path, cfa):
    path = shoot(tmp_path / "a.dng", cfa=cfa, size=(40, 52), taken="2026:05:01 12:00:00.25")
    frame, header = ql.read(path), read_header(path)
    assert (header.photo, header.cfa, header.height, header.width) == (False, cfa, 40, 52) == (False, frame.cfa, 40, 52)
    assert (header.camera, header.exposure_time, header.iso) == (frame.camera, frame.exposure_time, frame.iso)
    assert header.taken % 60 == 0.25


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_photo_too_and_upright(shoot, tmp_path, suffix):
    path = shoot(tmp_path / f"a{suffix}", size=(40, 52))
    header = read_header(path)
    expected = Header(
        True, "Test Camera", 40, 52, 3, "", pytest.approx(1 / 60), 800, capture_time(ql.read(path).metadata.exif)
    )
    assert header == expected
    assert header.taken % 60 == 0


def test_a_turned_photo_has_its_sides_changed(tmp_path):
    from PIL import Image

    Image.new("RGB", (52, 40)).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + metadata.with_orientation(b"", 6))
    header = read_header(tmp_path / "a.jpg")
    assert (header.height, header.width) == ql.read(tmp_path / "a.jpg").pixels.shape[:2] == (52, 40)


def test_without_a_header_the_description_tells(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(2 * 6 * 8))
    known = RawFormat(width=8, height=6, cfa="GRBG", packing="u16le", black=(0,), white=1023, iso=400)
    assert read_header(path, known) == Header(False, "", 6, 8, 1, "GRBG", None, 400)


@pytest.mark.parametrize(
    ("tags", "seconds"),
    [
        ({ORIGINAL: "2026:05:01 12:00:07"}, 7),
        ({ORIGINAL: "2026:05:01 12:00:07", FRACTION: "5 "}, 7.5),
        ({ORIGINAL: "2026:05:01 12:00:07", FRACTION: "000"}, 7),
        ({ORIGINAL: "2026:05:01 12:00:07", FRACTION: "?"}, 7),
        ({ORIGINAL: "0000:00:00 00:00:00", DIGITIZED: "2026:05:01 12:00:08"}, 8),
        ({ORIGINAL: "    :  :     :  :  "}, None),
        ({}, None),
    ],
)
def test_the_time_of_the_shot(tags, seconds):
    exif = metadata.with_entries(
        b"", {MODIFIED: ifd.text("2026:05:02 00:00:59")}, {t: ifd.text(v) for t, v in tags.items()}
    )
    taken = capture_time(exif)
    assert (None if taken is None else taken % 60) == seconds
    assert is_exact(taken) == (seconds == 7.5)


@pytest.mark.parametrize(
    ("name", "data"), [("a.dng", None), ("a.dng", b""), ("a.dng", b"II*\0nothing"), ("a.txt", b"text")]
)
def test_what_is_no_picture_is_refused(tmp_path, name, data):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UnusableInput, match=name):
        read_header(tmp_path / name)
