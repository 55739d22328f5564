"""Photos from strangers: whatever the bytes, a photo or one line of UnusableInput, and no memory beyond what the file can fill."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from quietlight.frames import Image, Metadata, UnusableInput
from quietlight.io import planes as planes_module
from quietlight.io import png
from quietlight.io import profile as profile_module
from quietlight.io.photo import read_photo, write_photo

SUFFIXES = (".png", ".jpg", ".tif", ".webp", ".avif", ".jxl")
DEPTHS = {".png": np.uint16, ".tif": np.float32}
EXIF = b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small file of each format, with alpha where it can be, profile, EXIF and XMP."""
    folder = tmp_path_factory.mktemp("samples")
    values = np.random.default_rng(5).random((24, 20, 4))
    made = {}
    for suffix in SUFFIXES:
        dtype = DEPTHS.get(suffix, np.uint8)
        planes = values.astype(dtype) if dtype == np.float32 else (values * np.iinfo(dtype).max).astype(dtype)
        profile = b"" if suffix == ".jxl" else profile_module.coded_profile(12, 13)
        alpha = None if suffix == ".jpg" else planes[:, :, 3]
        image = Image(planes[:, :, :3], alpha, profile=profile, metadata=Metadata(EXIF, b"<x:xmpmeta/>"))
        write_photo(image, folder / f"a{suffix}")
        made[suffix] = (folder / f"a{suffix}").read_bytes()
    tifffile.imwrite(folder / "b.tif", (values[:, :, :3] * 255).astype(np.uint8), photometric="rgb", compression="jpeg")
    return made | {"b.tif": (folder / "b.tif").read_bytes()}


def read_or_refuse(path: Path, data: bytes) -> Image | None:
    path.write_bytes(data)
    try:
        return read_photo(path)
    except UnusableInput as error:
        message = str(error)
        assert message.startswith(str(path))
        assert "\n" not in message
        assert len(message) < len(str(path)) + 400
        return None


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(UnusableInput) as caught:
        read_photo(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_content_decides_and_not_the_suffix(tmp_path: Path, samples: dict[str, bytes]) -> None:
    for suffix, data in samples.items():
        wanted, got = (read_or_refuse(tmp_path / f"a{end}", data) for end in (Path(suffix).suffix or suffix, ".jpg"))
        assert wanted is not None
        assert got is not None
        np.testing.assert_array_equal(got.pixels, wanted.pixels)
        assert got.metadata.exif == wanted.metadata.exif


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(50), "GIF"),
        (b"BM" + bytes(50), "BMP"),
        (b"%PDF-1.4" + bytes(50), "PDF"),
        (b"<html></html>", "unknown"),
        (bytes(1000), "unknown"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "unknown"),
        (b"\0\0\0\x18ftypavis" + bytes(50), "animation"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "cut short"),
        (b"II*\0", "damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "damaged"),
        (b"\xff\x0a", "damaged"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "damaged"),
        (b"\0\0\0\x18ftypavif" + bytes(50), "damaged"),
    ],
    ids=repr,
)
def test_what_is_no_photo_is_named(tmp_path: Path, data: bytes, says: str) -> None:
    assert says in refused(tmp_path / "a.jpg", data)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(UnusableInput, match="no such file"):
            read_photo(path)


def test_a_cut_file_is_never_half_a_picture(tmp_path: Path, samples: dict[str, bytes]) -> None:
    for suffix, data in samples.items():
        path = tmp_path / f"a{Path(suffix).suffix or suffix}"
        whole = read_or_refuse(path, data)
        assert whole is not None
        survived = 0
        for share in (*np.linspace(0.02, 0.98, 25), 1 - 1 / len(data)):
            got = read_or_refuse(path, data[: int(share * len(data))])
            if got is not None:
                survived += 1
                np.testing.assert_array_equal(got.pixels, whole.pixels, err_msg=f"{suffix} cut at {share}")
        assert survived < 10, suffix


def test_a_png_whose_data_are_too_few_is_refused(tmp_path: Path) -> None:
    for rows, width in ((3, 4), (5, 4)):
        for depth, samples_per_pixel, kind in ((8, 3, 2), (16, 3, 2), (1, 1, 0)):
            header = struct.pack(">IIBBBBB", width, 4, depth, kind, 0, 0, 0)
            row = b"\0" + bytes(-(-width * depth * samples_per_pixel // 8))
            data = png.join([(b"IHDR", header), (b"IDAT", zlib.compress(row * rows))])
            assert "do not fill" in refused(tmp_path / "a.png", data)


def test_a_tiff_without_some_strips_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.full((32, 8), 9, np.uint8), rowsperstrip=4)
    for code in (273, 279):
        with tifffile.TiffFile(path) as file:
            tag = file.pages.first.tags[code]
            at, size = tag.valueoffset, tag.valuebytecount // 8
        data = bytearray(path.read_bytes())
        data[at + 3 * size : at + 4 * size] = bytes(size)
        assert "cut short" in refused(tmp_path / "b.tif", bytes(data))


def test_a_png_with_one_wrong_bit_is_refused(tmp_path: Path, samples: dict[str, bytes]) -> None:
    data = samples[".png"]
    for name in (b"IHDR", b"iCCP", b"eXIf", b"IDAT", b"IEND"):
        at = data.index(name) + 4
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert f"wrong checksum of its {name.decode()!r}" in refused(tmp_path / "a.png", damaged)


# Sizes


def absurd_files() -> dict[str, bytes]:
    """Files that say they are huge, in the smallest form that a decoder would believe."""
    side = 30_000
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    row_packer = zlib.compressobj(9)
    rows = row_packer.compress(bytes(1 << 20)) + row_packer.flush()
    sof = b"\xff\xc0\0\x11\x08" + struct.pack(">HH", side, side) + b"\3\1\x11\0\2\x11\0\3\x11\0"
    tags = [
        (256, 4, side),
        (257, 4, side),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (278, 4, side),
        (279, 4, side * side),
    ]
    directory = b"".join(struct.pack("<HHII", code, kind, 1, value) for code, kind, value in tags)
    vp8x = b"VP8X\x0a\0\0\0\x10\0\0\0" + 2 * (16_383).to_bytes(3, "little")
    vp8l = b"VP8L\x08\0\0\0\x2f" + (0xFFFFFFF).to_bytes(4, "little") + bytes(3)
    jxl_bits = 0 | 3 << 1 | (side - 1) << 3 | 1 << 33 | 1 << 36
    return {
        "png": png.join([(b"IHDR", header), (b"IDAT", rows)]),
        "jpeg": b"\xff\xd8" + sof + b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0" + bytes(50) + b"\xff\xd9",
        "tiff": b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + directory + bytes(4),
        "webp": b"RIFF\x40\0\0\0WEBP" + vp8x + b"VP8 " + bytes(64),
        "webp lossless": b"RIFF\x20\0\0\0WEBP" + vp8l + bytes(64),
        "jpeg xl": b"\xff\x0a" + jxl_bits.to_bytes(8, "little") + bytes(20),
    }


@pytest.mark.parametrize("kind", absurd_files())
def test_a_small_file_of_absurd_size_is_refused_by_its_header(tmp_path: Path, kind: str) -> None:
    message = refused(tmp_path / "a.png", absurd_files()[kind])
    assert "30000 x 30000" in message or "16384 x 16384" in message


def test_400_megapixels_are_the_most_however_long_the_file(tmp_path: Path) -> None:
    for kind in ("png", "jpeg", "tiff"):
        assert "400 megapixels" in refused(tmp_path / "a.png", absurd_files()[kind] + bytes(100_000))


def test_absurd_sizes_cost_no_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(1)
    bomb = b"".join(packer.compress(bytes(1 << 24)) for _ in range(36)) + packer.flush()
    chunks = png.split(b"".join(png.encoded(Image(np.zeros((2, 2, 3), np.uint8)))))
    paths = []
    for kind, data in (absurd_files() | {"icc": png.join([chunks[0], (b"iCCP", b"x\0\0" + bomb), chunks[1]])}).items():
        paths.append(tmp_path / kind)
        paths[-1].write_bytes(data)
    # 400 MB beyond what the imports took: none of the pictures (0.8 to 2.7 GB) would fit.
    script = """
import resource, sys
from pathlib import Path
import imagecodecs
from quietlight.frames import UnusableInput
from quietlight.io.photo import read_photo
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 400_000_000,) * 2)
for path in sys.argv[1:]:
    try:
        read_photo(Path(path))
    except UnusableInput as error:
        print(" x " in str(error) or "8 MiB" in str(error))
"""
    if not Path("/proc/self/statm").exists():
        pytest.skip("measures memory through /proc")
    done = subprocess.run(
        [sys.executable, "-c", script, *paths], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["True"] * len(paths), "")


def test_plain_pictures_are_not_taken_for_bombs(tmp_path: Path) -> None:
    white = Image(np.full((2000, 3000, 3), 255, np.uint8))
    for suffix in (".png", ".jpg", ".tif", ".webp"):
        write_photo(white, tmp_path / f"a{suffix}")
        assert read_photo(tmp_path / f"a{suffix}").pixels.shape == white.pixels.shape


def test_a_bomb_in_the_metadata_is_refused(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(planes_module.METADATA_LIMIT + 1), 9)
    base = b"".join(png.encoded(Image(np.zeros((2, 2, 3), np.uint8))))
    for name, body in (
        (b"iCCP", b"x\0\0" + bomb),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
        (b"eXIf", bytes(9 << 20)),
    ):
        chunks = png.split(base)
        assert "8 MiB" in refused(tmp_path / "a.png", png.join([chunks[0], (name, body), chunks[1]]))
    text = (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 << 20), 9))
    chunks = png.split(base)
    assert read_or_refuse(tmp_path / "a.png", png.join([chunks[0], text, chunks[1]])) is not None
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((4, 4), np.uint8), extratags=[(700, 1, 9 << 20, bytes(9 << 20), True)]
    )
    assert "8 MiB" in refused(tmp_path / "b.tif", (tmp_path / "a.tif").read_bytes())


def test_a_jpeg_hidden_in_a_tiff_cannot_outgrow_its_tile(tmp_path: Path, samples: dict[str, bytes]) -> None:
    data = bytearray(samples["b.tif"])
    sof = data.index(b"\xff\xc0")
    data[sof + 5 : sof + 9] = struct.pack(">HH", 60_000, 60_000)
    assert "larger than its tile" in refused(tmp_path / "a.tif", bytes(data))


# What we do not read


def test_animations_and_cmyk_are_refused_in_words(tmp_path: Path) -> None:
    frames = [Pillow.new("RGB", (8, 8), color) for color in ("red", "green", "blue")]
    for suffix, said in ((".png", "animated PNG"), (".webp", "animated WebP"), (".avif", "animat"), (".gif", "GIF")):
        path = tmp_path / f"a{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
        assert said in refused(path, path.read_bytes())
    for suffix in (".jpg", ".tif"):
        path = tmp_path / f"a{suffix}"
        Pillow.new("CMYK", (8, 8)).save(path)
        assert "CMYK" in refused(path, path.read_bytes())


@pytest.mark.parametrize(
    ("values", "how", "says"),
    [
        (np.zeros((8, 8), np.int16), {}, "sample format 2"),
        (np.zeros((8, 8), np.complex64), {}, "sample format 6"),
        (np.zeros((8, 8), np.float64) + 2, {}, "from 0 to 1"),
        (np.zeros((8, 8, 5), np.uint8), {"photometric": "rgb", "extrasamples": [2, 0]}, "samples per pixel"),
        (np.zeros((8, 8, 3), np.uint8), {"photometric": "cielab"}, "CIELab"),
        (np.zeros((8, 8), np.uint16), {"photometric": "cfa"}, "raw mosaic"),
        (np.zeros((8, 8), np.uint16), {"extratags": [(50706, 1, 4, bytes([1, 4, 0, 0]), True)]}, "DNG"),
        (np.zeros((8, 8), np.uint8), {"subfiletype": 1}, "thumbnails"),
        (
            np.zeros((64, 64, 3), np.uint8),
            {"photometric": "rgb", "compression": "webp", "tile": (16, 16)},
            "compression 50001",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tiffs_that_are_no_photos_are_refused_in_words(
    tmp_path: Path, values: np.ndarray, how: dict[str, object], says: str
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", values, **({"photometric": "minisblack"} | how))
    assert says in refused(tmp_path / "b.tif", (tmp_path / "a.tif").read_bytes())


def test_missing_libraries_are_named(
    tmp_path: Path, samples: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("imagecodecs", "pillow_heif"):
        monkeypatch.setitem(sys.modules, module, None)
    assert "quietlight[io]" in refused(tmp_path / "a.jxl", samples[".jxl"])
    assert "quietlight[io]" in refused(tmp_path / "a.png", samples[".png"])
    assert "pillow-heif" in refused(tmp_path / "a.heic", b"\0\0\0\x18ftypheic" + bytes(50))


# Chance


@pytest.mark.parametrize("name", [*SUFFIXES, "b.tif"])
@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_is_refused_or_harmless(
    tmp_path: Path, samples: dict[str, bytes], name: str, data: st.DataObject
) -> None:
    damaged = bytearray(samples[name])
    for _ in range(data.draw(st.integers(1, 6))):
        # Structure lies at the two ends of most files, so they are hit more often.
        at = data.draw(st.one_of(st.integers(0, 300), st.integers(0, len(damaged) - 1), st.integers(-300, -1))) % len(
            damaged
        )
        damaged[at] = data.draw(st.integers(0, 255))
    if name == ".png" and data.draw(st.booleans()):
        damaged = bytearray(with_true_checksums(bytes(damaged)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = read_or_refuse(tmp_path / "a.jpg", bytes(damaged))
    if got is not None:
        assert got.pixels.size > 0
        if got.pixels.dtype == np.float32:
            assert 0 <= got.pixels.min() <= got.pixels.max() <= 1


def with_true_checksums(data: bytes) -> bytes:
    """The PNG with its checksums mended, so that damage reaches what lies behind them."""
    at, parts = 8, [data[:8]]
    while at + 12 <= len(data):
        length = min(int.from_bytes(data[at : at + 4]), len(data) - at - 12)
        chunk = data[at + 4 : at + 8 + length]
        parts += [length.to_bytes(4), chunk, zlib.crc32(chunk).to_bytes(4)]
        at += 12 + length
    return b"".join(parts)


def test_codecs_print_nothing(tmp_path: Path, samples: dict[str, bytes]) -> None:
    paths = []
    for index, (name, data) in enumerate(samples.items()):
        for cut in (20, 150, 300, len(data) // 2):
            paths.append(tmp_path / f"{index}-{cut}{Path(name).suffix or name}")
            paths[-1].write_bytes(data[:cut])
    script = """
import sys
from pathlib import Path
from quietlight.frames import UnusableInput
from quietlight.io.photo import read_photo
for path in sys.argv[1:]:
    try:
        read_photo(Path(path))
    except UnusableInput:
        pass
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *paths], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
