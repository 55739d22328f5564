"""EXIF is found in every kind of file, comes through unchanged, and no broken file stops a picture from being read."""

import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features
from PIL.TiffImagePlugin import IFDRational

from quietlight.io import ifd, metadata
from quietlight.io.ifd import ASCII, LONG, RATIONAL, SHORT, SRATIONAL, UNDEFINED, Entry, numbers, text

MAKE, MODEL, ORIENTATION, SOFTWARE, COPYRIGHT = 271, 272, 274, 305, 33432
EXIF, GPS, INTEROP = 34665, 34853, 40965
EXPOSURE, ISO, BIAS, NOTE, PIXEL_WIDTH = 33434, 34855, 37380, 37500, 40962


def tree() -> metadata.Tree:
    return {
        0: {
            MAKE: text("Caméra"),
            MODEL: text("One"),
            ORIENTATION: numbers(SHORT, [6]),
            COPYRIGHT: Entry(ASCII, "© José 2026\0".encode()),
        },
        EXIF: {
            EXPOSURE: numbers(RATIONAL, [1 / 250]),
            ISO: numbers(SHORT, [800]),
            BIAS: numbers(SRATIONAL, [-1 / 3]),
            NOTE: Entry(UNDEFINED, bytes(range(256)) + b"odd"),
        },
        GPS: {1: text("N"), 2: numbers(RATIONAL, [48, 30, 3.5])},
        INTEROP: {1: text("R98")},
    }


def block(of: metadata.Tree | None = None) -> bytes:
    data, _ = metadata.laid_out(of or tree(), 8)
    return b"II*\0\x08\0\0\0" + data


def swapped(exif: bytes) -> bytes:
    """The same block, big-endian, written without our own writer."""
    found = metadata.parse(exif)
    order = [0, EXIF, GPS, INTEROP]
    places, at = {}, 8
    for name in order:
        places[name] = at
        at += 2 + 4 + sum(12 + (len(e.data) if len(e.data) > 4 else 0) + 1 for e in found[name].values()) + 36
    out = bytearray(b"MM\0*" + struct.pack(">I", 8)).ljust(at, b"\0")
    for name in order:
        entries = dict(found[name])
        if name == 0:
            entries |= {EXIF: numbers(LONG, [places[EXIF]]), GPS: numbers(LONG, [places[GPS]])}
        if name == EXIF:
            entries[INTEROP] = numbers(LONG, [places[INTEROP]])
        start, data_at = places[name], places[name] + 6 + 12 * len(entries)
        struct.pack_into(">H", out, start, len(entries))
        for index, (tag, entry) in enumerate(sorted(entries.items())):
            word = {SHORT: 2, LONG: 4, RATIONAL: 4, SRATIONAL: 4}.get(entry.kind, 1)
            data = b"".join(entry.data[i : i + word][::-1] for i in range(0, len(entry.data), word))
            head = struct.pack(">HHI", tag, entry.kind, entry.count)
            if len(data) > 4:
                out[data_at : data_at + len(data)] = data
                head += struct.pack(">I", data_at)
                data_at += len(data)
            else:
                head += data.ljust(4, b"\0")
            out[start + 2 + 12 * index : start + 14 + 12 * index] = head
    return bytes(out)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_of_a_photo_is_read_as_it_was_written(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    Image.new("RGB", (16, 16)).save(path, exif=b"Exif\0\0" + block())
    assert metadata.parse(metadata.read_exif(path)) == tree()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_exif_of_other_photos_comes_through_pillow(tmp_path):
    path = tmp_path / "photo.avif"
    # Pillow rewrites the block when it saves an AVIF, so text beyond ASCII and some types are not ours any more.
    Image.new("RGB", (16, 16)).save(path, exif=b"Exif\0\0" + block())
    found = metadata.parse(metadata.read_exif(path))
    assert (found[GPS], found[EXIF][ISO], found[0][MODEL]) == (tree()[GPS], tree()[EXIF][ISO], tree()[0][MODEL])


def test_exif_of_a_png_may_follow_the_picture(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("RGB", (16, 16)).save(path)
    data = path.read_bytes()
    chunk = b"eXIf" + block()
    path.write_bytes(data[:-12] + struct.pack(">I", len(block())) + chunk + b"\0\0\0\0" + data[-12:])
    assert metadata.parse(metadata.read_exif(path)) == tree()


def test_both_byte_orders_give_one_block(tmp_path):
    path = tmp_path / "raw.nef"
    path.write_bytes(swapped(block()))
    assert metadata.parse(metadata.read_exif(path)) == tree()
    assert metadata.parse(swapped(block())) == tree()


def test_raf_and_cr3_carry_their_exif_elsewhere(tmp_path):
    jpeg = io.BytesIO()
    Image.new("RGB", (16, 16)).save(jpeg, "JPEG", exif=b"Exif\0\0" + block())
    raf = tmp_path / "a.raf"
    raf.write_bytes(b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0") + struct.pack(">II", 160, 1) + bytes(68) + jpeg.getvalue())
    assert metadata.parse(metadata.read_exif(raf)) == tree()

    def box(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data) + 8) + name + data

    whole = tree()
    parts = {b"CMT1": whole[0], b"CMT2": whole[EXIF], b"CMT4": whole[GPS]}
    inner = b"".join(box(name, b"II*\0\x08\0\0\0" + ifd.serialise(part, 8)) for name, part in parts.items())
    cr3 = tmp_path / "a.cr3"
    cr3.write_bytes(box(b"ftyp", b"crx \0\0\0\1") + box(b"moov", box(b"uuid", bytes(16) + inner)) + box(b"mdat", b""))
    found = metadata.parse(metadata.read_exif(cr3))
    assert {name: found[name] for name in (0, EXIF, GPS)} == {name: whole[name] for name in (0, EXIF, GPS)}


def test_what_describes_a_file_is_left_behind_and_settings_find_their_directory():
    of = tree()
    of[0] |= {
        256: numbers(LONG, [4000]),
        273: numbers(LONG, [8]),
        50706: Entry(1, bytes(4)),
        33437: numbers(RATIONAL, [2.8]),
    }
    of[EXIF][PIXEL_WIDTH] = numbers(LONG, [4000])
    found = metadata.parse(block(of))
    assert found[0] == tree()[0]
    assert found[EXIF] == tree()[EXIF] | {33437: numbers(RATIONAL, [2.8])}


def test_pillow_and_tifffile_read_our_blocks(tmp_path):
    exif = metadata.exif_of(block())
    assert exif[MODEL] == "One"
    assert exif.get_ifd(EXIF)[EXPOSURE] == IFDRational(1, 250)
    assert exif.get_ifd(EXIF)[BIAS] == IFDRational(-1, 3)
    assert exif.get_ifd(GPS)[2] == (48, 30, 3.5)
    assert exif.get_ifd(INTEROP)[1] == "R98"
    path = tmp_path / "block.tif"
    path.write_bytes(block())
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages.first.tags[EXIF].value["ExposureTime"] == (1, 250)


def test_a_tiff_gets_real_directories(tmp_path):
    path, exif = tmp_path / "picture.tif", block()
    pixels = np.arange(5 * 7 * 3, dtype=np.uint16).reshape(5, 7, 3)
    extra = metadata.exif_extratags(exif)
    tifffile.imwrite(path, pixels, photometric="rgb", byteorder="<", software=False, metadata=None, extratags=extra)
    metadata.append_exif(path, exif)
    assert metadata.parse(metadata.read_exif(path)) == tree()
    np.testing.assert_array_equal(tifffile.imread(path), pixels)


def test_a_tiff_without_placeholders_is_refused_and_stays_readable(tmp_path):
    path = tmp_path / "picture.tif"
    tifffile.imwrite(path, np.zeros((4, 4), np.uint8), byteorder="<")
    with pytest.raises(ValueError, match="placeholder"):
        metadata.append_exif(path, block())
    assert tifffile.imread(path).shape == (4, 4)


def test_orientation_and_fields_change_alone():
    turned = metadata.parse(metadata.with_orientation(block(), 1))
    assert turned == tree() | {0: tree()[0] | {ORIENTATION: numbers(SHORT, [1])}}
    assert metadata.with_orientation(b"", 1) == b""
    assert metadata.exif_of(metadata.with_orientation(b"", 8))[ORIENTATION] == 8
    filled = metadata.with_fields(block(), software="Quietlight", history="one", exposure_time=9, iso=9)
    filled = metadata.with_fields(filled, history="two")
    exif = metadata.exif_of(filled)
    assert exif[SOFTWARE] == "Quietlight"
    assert exif.get_ifd(EXIF)[37395] == "one\ntwo"
    assert exif.get_ifd(EXIF)[ISO] == 800, "what the camera said stands"
    empty = metadata.exif_of(metadata.with_fields(b"", exposure_time=0.5, iso=100))
    assert (empty.get_ifd(EXIF)[EXPOSURE], empty.get_ifd(EXIF)[ISO]) == (0.5, 100)


def test_a_long_block_is_shortened_to_what_a_jpeg_takes():
    of = tree()
    of[EXIF][NOTE] = Entry(UNDEFINED, bytes(70_000))
    short = metadata.shortened(block(of))
    assert len(short) < metadata.JPEG_LIMIT
    assert NOTE not in metadata.parse(short)[EXIF]
    assert ISO in metadata.parse(short)[EXIF]
    Image.new("RGB", (4, 4)).save(io.BytesIO(), "JPEG", exif=b"Exif\0\0" + short)
    assert metadata.shortened(block()) == block()


def test_oversized_blocks_are_ignored(tmp_path):
    of = tree()
    of[EXIF][NOTE] = Entry(UNDEFINED, bytes(metadata.LIMIT))
    assert metadata.parse(block(of)) == {}
    path = tmp_path / "photo.tif"
    path.write_bytes(block(of))
    assert len(metadata.read_exif(path)) <= metadata.LIMIT


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_no_cut_or_damaged_file_raises(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    if suffix == ".tif":
        path.write_bytes(block())
    else:
        Image.new("RGB", (16, 16)).save(path, exif=b"Exif\0\0" + block())
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert isinstance(metadata.read_exif(path), bytes)
    for _ in range(100):
        damaged = bytearray(whole)
        for at in rng.integers(0, min(len(whole), 700), 8):
            damaged[at] = int(rng.integers(256))
        path.write_bytes(bytes(damaged))
        exif = metadata.read_exif(path)
        metadata.exif_of(exif)
        assert metadata.parse(exif).keys() <= {0, EXIF, GPS, INTEROP}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_parse(data):
    for start in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        found = metadata.parse(start + data)
        assert isinstance(metadata.iptc(start + data), bytes)
        assert metadata.resolution(metadata.with_resolution(start + data, 10, 20)) is not None
        again = metadata.parse(metadata.with_entries(start + data, {MAKE: text("x")}))
        assert again[0] == found.get(0, {}) | {MAKE: text("x")}


@given(st.floats(-2e9, 2e9))
def test_rationals_hold_any_number(value):
    (back,) = ifd.values(numbers(SRATIONAL, [value]))
    assert back == pytest.approx(value, rel=1e-6, abs=5e-10)
    (back,) = ifd.values(numbers(RATIONAL, [abs(value)]))
    assert back == pytest.approx(abs(value), rel=1e-6, abs=5e-10)


@pytest.mark.parametrize("sides", [(0.0, 300.0), (np.nan, 300.0), (300.0, np.nan), (np.inf, np.inf), (-1.0, 300.0)])
def test_absurd_resolutions_are_none(sides):
    entries = {tag: numbers(11, [side]) for tag, side in zip((282, 283), sides, strict=True)}
    assert metadata.resolution(metadata.with_entries(b"", entries)) is None
    assert metadata.with_resolution(b"", *sides) == b""


def test_a_resolution_without_a_unit_is_none_and_not_carried(tmp_path):
    for unit, carried in ((1, set()), (2, {282, 283, 296}), (3, {282, 283, 296})):
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint8), resolution=(30, 30), resolutionunit=unit)
        assert metadata.parse(metadata.read_exif(tmp_path / "a.tif"))[0].keys() & {282, 283, 296} == carried


def test_a_file_without_exif_gives_none(tmp_path):
    path = tmp_path / "plain.png"
    Image.new("L", (4, 4)).save(path)
    assert metadata.read_exif(path) == b""
    path.write_bytes(b"no picture at all")
    assert metadata.read_exif(path) == b""
