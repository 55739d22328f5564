import os
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quietlight.camera.bayer import plane_offsets
from quietlight.frames import BAYER, RawFrame, UnusableInput
from quietlight.io import libraw
from quietlight.io.camera_files import camera_name
from quietlight.io.kind import RAW_SUFFIXES
from quietlight.io.metadata import exif_of
from quietlight.io.raw import read_raw

XTRANS = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"
WHITE = (50717, 4, 1, 16383)


def noise(*shape: int, top: int = 16000, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(5).integers(0, top, shape).astype(dtype)


def lossless_tiles(pixels: np.ndarray, side: int):
    for top in range(0, pixels.shape[0], side):
        for left in range(0, pixels.shape[1], side):
            tile = pixels[top : top + side, left : left + side]
            tile = np.pad(tile, [(0, side - n) for n in tile.shape[:2]] + [(0, 0)] * (tile.ndim - 2))
            yield (
                imagecodecs.ljpeg_encode(tile, bitspersample=16)
                if tile.ndim == 2
                else imagecodecs.jpeg8_encode(
                    tile, lossless=True, bitspersample=16, colorspace="rgb", outcolorspace="rgb"
                )
            )


def packed_bits(pixels: np.ndarray, bits: int) -> np.ndarray:
    shifts = np.arange(bits - 1, -1, -1)
    return np.packbits(((pixels[:, :, None] >> shifts) & 1).astype(np.uint8).reshape(len(pixels), -1), axis=1)


# --- mosaics


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("margins", [(0, 0), (3, 5), (2, 1)])
def test_each_colour_stays_on_its_pixels_whatever_the_margins(make_dng, cfa: str, margins: tuple[int, int]) -> None:
    top, left = margins
    area = np.zeros((40, 52), np.uint16)
    for level, (row, column) in zip((1000, 2000, 2000, 3000), plane_offsets(cfa), strict=True):
        area[row::2, column::2] = level
    sensor = np.full((40 + top + 4, 52 + left + 3), 9999, np.uint16)
    sensor[top : top + 40, left : left + 52] = area
    active = (50829, 4, 4, (top, left, top + 40, left + 52))
    frame = read_raw(make_dng(sensor, active, WHITE, cfa=cfa))
    assert (frame.cfa, frame.mosaic.shape) == (cfa, (40, 52))
    np.testing.assert_allclose(frame.mosaic, area / 16383, atol=1e-6)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "options", [{}, {"rowsperstrip": 7}, {"tile": (32, 32)}, {"compression": "deflate"}, {"in_subifd": True}], ids=str
)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float16, np.float32])
def test_every_way_to_store_samples_gives_the_samples(make_dng, kind: type, options: dict, byteorder: str) -> None:
    floating = np.issubdtype(kind, np.floating)
    stored = (noise(45, 66, top=255) / (256 if floating else 1)).astype(kind)
    frame = read_raw(make_dng(stored, byteorder=byteorder, **options))
    full = 1 if floating else np.iinfo(kind).max
    np.testing.assert_allclose(frame.mosaic, stored.astype(np.float64) / full, atol=1e-6)


@pytest.mark.parametrize("cfa", ["RGGB", ""])
def test_lossless_jpeg_tiles_give_the_samples(make_dng, cfa: str) -> None:
    stored = noise(45, 66) if cfa else noise(45, 66, 3)
    tiles = {"shape": stored.shape, "dtype": np.uint16, "compression": 7, "tile": (32, 32)}
    frame = read_raw(make_dng(lossless_tiles(stored, 32), (50717, 4, 1, 65535), cfa=cfa, **tiles))
    assert frame.cfa == (cfa or "RGB")
    np.testing.assert_allclose(frame.mosaic, stored / 65535, atol=1e-6)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("rows", [44, 11])
def test_packed_bits_give_the_samples(make_dng, bits: int, rows: int) -> None:
    stored = noise(44, 64, top=1 << bits)
    path = make_dng(packed_bits(stored, bits), (50717, 4, 1, (1 << bits) - 1), rowsperstrip=rows)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags[256].overwrite(64)
        tiff.pages[0].tags[258].overwrite(bits)
    np.testing.assert_allclose(read_raw(path).mosaic, stored / ((1 << bits) - 1), atol=1e-6)


def test_strips_in_any_order_give_the_samples(make_dng) -> None:
    stored = noise(40, 48)
    path = make_dng(stored, rowsperstrip=20)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tags = tiff.pages[0].tags
        tags[273].overwrite(tags[273].value[::-1])
    np.testing.assert_allclose(read_raw(path).mosaic, np.concatenate([stored[20:], stored[:20]]) / 65535, atol=1e-6)


def test_interleaved_fields_are_put_back(make_dng) -> None:
    stored = noise(40, 48)
    fields = np.block([[stored[row::2, column::2] for column in (0, 1)] for row in (0, 1)])
    frame = read_raw(make_dng(fields, (50975, 3, 1, 2), (52547, 3, 1, 2)))
    np.testing.assert_allclose(frame.mosaic, stored / 65535, atol=1e-6)


@pytest.mark.parametrize("pixels", [noise(20, 30, top=256, dtype=np.uint8), noise(20, 30, top=256)], ids=["u8", "u16"])
def test_the_linearization_table_is_applied(make_dng, pixels: np.ndarray) -> None:
    table = np.round(np.linspace(0, 128, 256) ** 2).astype(int)
    frame = read_raw(make_dng(pixels, (50712, 3, 256, tuple(map(int, table))), WHITE))
    np.testing.assert_allclose(frame.mosaic, table[pixels] / 16383, atol=1e-6)


# --- other sensors


def test_a_linear_dng_is_three_planes_cut_to_the_active_area(make_dng) -> None:
    stored = noise(31, 44, 3)
    frame = read_raw(make_dng(stored, (50829, 4, 4, (1, 3, 30, 40)), cfa=""))
    assert frame.cfa == "RGB"
    np.testing.assert_allclose(frame.mosaic, stored[1:30, 3:40] / 65535, atol=1e-6)


def test_a_monochrome_dng_is_one_plane_without_colours(make_dng) -> None:
    stored = noise(31, 44)
    frame = read_raw(make_dng(stored, cfa=""))
    assert (frame.cfa, frame.calibrations, frame.white_balance) == ("MONO", (), None)
    np.testing.assert_allclose(frame.mosaic, stored / 65535, atol=1e-6)


@pytest.mark.parametrize("level", [300, 4000, 20000])
def test_an_xtrans_dng_of_a_flat_field_is_flat_at_the_right_level(make_dng, level: int) -> None:
    sensor = np.full((524, 530), level, np.uint16)
    # Neither the neutral, nor the brightness, nor the orientation may touch the raw.
    others = ((50728, 5, 3, (1, 2, 1, 1, 1, 2)), (50730, 10, 1, (2, 1)), (274, 3, 1, 6))
    tags = (WHITE, (50714, 5, 1, (10245, 10)), (50829, 4, 4, (1, 3, 520, 529)), *others)
    frame = read_raw(make_dng(sensor, *tags, cfa=XTRANS, repeat=(6, 6)))
    assert (frame.cfa, frame.mosaic.shape) == ("RGB", (519, 526, 3))
    np.testing.assert_allclose(frame.mosaic, (level - 1024.5) / (16383 - 1024.5), atol=2e-4)


def test_an_xtrans_dng_keeps_colours_on_their_planes(make_dng) -> None:
    levels = {"R": 2000, "G": 6000, "B": 4000}
    tile = np.array([levels[c] for c in XTRANS], np.uint16).reshape(6, 6)
    frame = read_raw(make_dng(np.tile(tile, (88, 90)), WHITE, cfa=XTRANS, repeat=(6, 6)))
    np.testing.assert_allclose(frame.mosaic[8:-8, 8:-8].mean((0, 1)) * 16383, [2000, 6000, 4000], rtol=0.01)


@pytest.mark.parametrize(
    ("cfa", "repeat", "size", "reason"),
    [
        ("RRGGRRGGGGBBGGBB", (4, 4), (40, 40), "neither Bayer nor X-Trans"),
        ("RGBG", (2, 2), (40, 40), "neither Bayer nor X-Trans"),
        (XTRANS, (6, 6), (60, 60), "512"),
    ],
)
def test_patterns_that_nobody_here_demosaics_are_refused(make_dng, cfa, repeat, size, reason) -> None:
    with pytest.raises(UnusableInput, match=reason):
        read_raw(make_dng(noise(*size), cfa=cfa, repeat=repeat))


def test_a_raw_that_is_no_dng_comes_from_libraw(tmp_path: Path) -> None:
    # An Allied Vision camera's dump, which LibRaw knows by its size: RGGB, 8 bits.
    pixels = noise(768, 1024, top=256, dtype=np.uint8)
    path = tmp_path / "camera.dcs"
    path.write_bytes(pixels.tobytes())
    frame = read_raw(path)
    assert (frame.cfa, frame.white_balance, frame.camera) == ("RGGB", None, "")
    np.testing.assert_allclose(frame.mosaic, pixels / 255, atol=1e-6)


def test_a_camera_file_with_tags_brings_its_description(tmp_path: Path) -> None:
    pixels = noise(64, 80, top=4000)
    path = tmp_path / "camera.tif"
    tags = (
        (271, 2, 0, "Maker"), (272, 2, 0, "Maker One"), (274, 3, 1, 6), (306, 2, 0, "2020:02:03 04:05:06"),
        (33421, 3, 2, (2, 2)), (33422, 1, 4, bytes((1, 0, 2, 1))), (33434, 5, 1, (1, 50)), (34855, 3, 1, 400),
    )  # fmt: skip
    tifffile.imwrite(
        path, pixels, photometric=32803, metadata=None, software=False, extratags=[(*t, True) for t in tags]
    )
    frame = read_raw(path)
    assert (frame.cfa, frame.camera, frame.iso, frame.orientation) == ("GRBG", "Maker One", 400, 6)
    assert (frame.white_balance, frame.calibrations, frame.noise) == (None, (), None)
    assert frame.exposure_time == pytest.approx(0.02)
    np.testing.assert_allclose(frame.mosaic, pixels / 65535, atol=1e-6)
    settings_of_shot = exif_of(frame.metadata.exif).get_ifd(34665)
    assert settings_of_shot[36867] == "2020:02:03 04:05:06" and float(settings_of_shot[33434]) == pytest.approx(0.02)


def test_a_headerless_raw_is_not_taken_for_another_cameras(tmp_path: Path) -> None:
    path = tmp_path / "board.raw"
    path.write_bytes(bytes(768 * 1024))
    with pytest.raises(UnusableInput, match="--raw-format"):
        read_raw(path)


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("", "", ""),
    ],
)
def test_a_camera_names_its_maker_once(make: str, model: str, name: str) -> None:
    assert camera_name(make, model) == name


def test_suffixes_are_lower_case_with_a_dot() -> None:
    assert all(s == s.lower() and s.startswith(".") for s in RAW_SUFFIXES) and {".dng", ".crw", ".raf"} <= RAW_SUFFIXES


# --- strangers' files


def refused(path: Path) -> str:
    with pytest.raises(UnusableInput) as caught:
        read_raw(path)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 9}, {"tile": (32, 32)}, {"compression": "deflate"}], ids=str)
@pytest.mark.parametrize("cfa", ["RGGB", ""])
def test_a_truncated_dng_is_refused(make_dng, cfa: str, options: dict) -> None:
    path = make_dng(noise(64, 64) if cfa else noise(64, 64, 3), cfa=cfa, **options)
    path.write_bytes(path.read_bytes()[:-40])
    assert "cut short" in refused(path)


@pytest.mark.parametrize(
    "content", [b"", b"II*\0", b"not a picture at all", b"II\x1a\0\0\0HEAPCCDR" + bytes(50), bytes(4096)], ids=repr
)
def test_what_is_no_raw_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.crw"
    path.write_bytes(content)
    refused(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "missing.dng")
    refused(tmp_path)


def overwritten(path: Path, **values: int) -> Path:
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for code, value in values.items():
            tiff.pages[0].tags[int(code[1:])].overwrite(value)
    return path


@pytest.mark.parametrize(
    "values",
    [
        {"t256": 2_000_000_000, "t257": 2_000_000_000},
        {"t256": 65_000, "t257": 6_000},
        {"t256": 0},
        {"t277": 4},
        {"t258": 64},
        {"t278": 0},
        {"t259": 12345},
        {"t279": 2_000_000_000},
        {"t273": 4_000_000_000},
    ],
    ids=str,
)
def test_absurd_headers_are_refused_before_they_take_memory(make_dng, values: dict[str, int]) -> None:
    path = overwritten(make_dng(noise(64, 64)), **values)
    tracemalloc.start()
    try:
        refused(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited through /proc")
def test_absurd_headers_are_refused_within_a_small_address_space(make_dng, tmp_path: Path) -> None:
    """The whole process, LibRaw's memory included, stays within 400 MB of what it has after its imports."""
    paths = [
        overwritten(make_dng(noise(64, 64)), t256=60_000, t257=6_000),
        make_dng(noise(64, 64), (50740, 1, 5, b"abcde")),
        make_dng(noise(64, 64), (51009, 7, 24, struct.pack(">6I", 1, 9, 0, 0, 2**31, 7))),
    ]
    paths[1].write_bytes(
        paths[1].read_bytes().replace(struct.pack("<HHI", 50740, 1, 5), struct.pack("<HHI", 50740, 1, 2**32 - 1))
    )
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from quietlight.io.raw import read_raw; from quietlight.frames import UnusableInput\n"
        "size = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize() + 400_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size, size))\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(read_raw(Path(path)).mosaic.shape)\n"
        "    except UnusableInput as error: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *map(str, paths)], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:3] == ["refused", "(64, 64)", "(64, 64)"], done.stderr


def test_a_damaged_raw_gives_one_line_and_libraw_none(make_dng, tmp_path: Path) -> None:
    pixels = noise(256, 256)
    packed = b"".join(lossless_tiles(pixels, 128))
    path = make_dng(lossless_tiles(pixels, 128), shape=(256, 256), dtype=np.uint16, tile=(128, 128), compression=7)
    data = bytearray(path.read_bytes())
    at = data.find(packed[:64])
    assert at > 0
    data[at + 2000 : at + 6000] = b"\xff\xc4" * 2000
    path.write_bytes(data)
    loud = "import rawpy, sys; raw = rawpy.RawPy(); raw.open_file(sys.argv[1]); raw.unpack()"
    quiet = (
        "import os, sys; from pathlib import Path\n"
        "from quietlight.io.raw import read_raw; from quietlight.frames import UnusableInput\n"
        "try: read_raw(Path(sys.argv[1]))\n"
        "except UnusableInput as error: print(error, file=sys.stderr)\n"
        "os.write(2, b'still here')\n"
    )
    said = [
        subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60).stderr
        for script in (loud, quiet)
    ]
    assert "data corrupted" in said[0], "LibRaw has nothing to say: the test proves nothing"
    assert said[1].startswith(f"{path}: damaged") and said[1].endswith("\nstill here") and said[1].count("\n") == 1


def test_silences_that_overlap_end_with_the_last(capfd) -> None:
    first, second = libraw.silenced(), libraw.silenced()
    first.__enter__()
    second.__enter__()
    os.write(2, b"one")
    first.__exit__(None, None, None)
    os.write(2, b"two")
    second.__exit__(None, None, None)
    os.write(2, b"three")
    assert capfd.readouterr().err == "three"


@pytest.fixture(scope="module")
def valid(tmp_path_factory) -> dict[str, bytes]:
    """Small valid DNGs with many tags, by kind."""
    return {}


SCENES = ("cfa", "linear", "lossless")


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(
    scene=st.sampled_from(SCENES),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    keep=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_damaged_bytes_raise_nothing_but_unusable_input(make_dng, tmp_path, valid, scene, changes, keep) -> None:
    if scene not in valid:
        valid[scene] = example(make_dng, scene).read_bytes()
    data = bytearray(valid[scene])
    for place, value in changes:
        data[int(place**2 * (len(data) - 1))] = value
    path = tmp_path / "damaged.dng"
    path.write_bytes(bytes(data[: int(len(data) * keep)]))
    try:
        frame = read_raw(path)
    except UnusableInput as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(frame, RawFrame) and np.isfinite(frame.mosaic).all()


def example(make_dng, scene: str) -> Path:
    gains = struct.pack(">10I4dI4f", 0, 0, 32, 32, 0, 1, 1, 1, 2, 2, 1, 1, 0, 0, 1, 1, 2, 3, 4)
    tags = (
        (50714, 5, 4, (64, 1, 255, 4, 64, 1, 64, 1)),
        (50713, 3, 2, (2, 2)),
        (50717, 4, 1, 16383),
        (50728, 5, 3, (5, 10, 1, 1, 6, 10)),
        (51041, 12, 2, (1e-4, 1e-6)),
        (50829, 4, 4, (0, 0, 32, 32)),
        (51009, 7, 20 + len(gains), struct.pack(">5I", 1, 9, 0x01030000, 0, len(gains)) + gains),
    )
    if scene == "cfa":
        return make_dng(noise(32, 32), *tags)
    if scene == "linear":
        return make_dng(noise(32, 32, 3), *tags[2:], cfa="")
    return make_dng(
        lossless_tiles(noise(32, 32), 32), *tags, shape=(32, 32), dtype=np.uint16, compression=7, tile=(32, 32)
    )


def test_the_example_that_is_damaged_is_itself_read_whole(make_dng) -> None:
    for scene in SCENES:
        frame = read_raw(example(make_dng, scene))
        assert frame.white_balance and frame.noise and len(frame.gain_maps) == 1
