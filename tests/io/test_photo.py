from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageCms

from quietlight.camera.tone import srgb_encode
from quietlight.frames import Image, Metadata, UnusableInput
from quietlight.io import planes as planes_module
from quietlight.io import png
from quietlight.io import profile as profile_module
from quietlight.io.kind import PHOTO_FORMATS
from quietlight.io.metadata import exif_of, with_orientation
from quietlight.io.photo import read_photo, write_photo

LOSSLESS = {
    ".png": ("uint8", "uint16"),
    ".tif": ("uint8", "uint16", "float32"),
    ".webp": ("uint8",),
    ".jxl": ("uint8",),
}
LOSSY = (".jpg", ".webp", ".avif", ".jxl")
WITH_PROFILE = (".png", ".tif", ".jpg", ".webp", ".avif")
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
UPRIGHT_XMP = XMP.replace(b'"6"', b'"1"')
P3 = profile_module.coded_profile(12, 13)


def exif(orientation: int = 1) -> bytes:
    made = Pillow.Exif()
    made[271], made[272], made[274] = "Maker", "Camera", orientation
    made.get_ifd(0x8769).update({0xA434: "A lens 50 mm", 0x8827: 800})
    made.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 10.5), 3: "E", 4: (11.0, 34.0, 0.25)})
    return with_orientation(made.tobytes()[6:], orientation)


def image(
    dtype: str = "uint8", colors: int = 3, alpha: bool = False, size: tuple[int, int] = (13, 17), **more: object
) -> Image:
    values = np.random.default_rng(7).random((*size, colors + 1))
    if dtype != "float32":
        values = np.round(values * np.iinfo(dtype).max)
    planes = values.astype(dtype)
    return Image(planes[:, :, :colors], planes[:, :, colors] if alpha else None, **more)  # type: ignore[arg-type]


def smooth(size: tuple[int, int] = (24, 32)) -> Image:
    y, x = np.mgrid[: size[0], : size[1]] / max(size)
    return Image(np.round(255 * np.stack([x, y, (x + y) / 2], axis=2)).astype(np.uint8))


def chunked(
    kind: int, depth: int, width: int, rows: list[bytes], *extra: tuple[bytes, bytes], interlaced: int = 0
) -> bytes:
    header = struct.pack(">IIBBBBB", width, len(rows), depth, kind, 0, 0, interlaced)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return png.join([(b"IHDR", header), *extra, (b"IDAT", data)])


def stored(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def assert_same(got: Image, wanted: Image) -> None:
    assert got.pixels.dtype == wanted.pixels.dtype
    np.testing.assert_array_equal(got.pixels, wanted.pixels)
    assert (got.alpha is None) == (wanted.alpha is None)
    if wanted.alpha is not None:
        np.testing.assert_array_equal(got.alpha, wanted.alpha)


# Round trips


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize(("suffix", "dtype"), [(s, d) for s, dtypes in LOSSLESS.items() for d in dtypes])
def test_lossless_formats_return_the_very_pixels(
    tmp_path: Path, suffix: str, dtype: str, colors: int, alpha: bool
) -> None:
    if suffix == ".webp" and colors == 1:
        pytest.skip("WebP knows no gray")
    for size in ((13, 17), (1, 1)):
        original = image(dtype, colors, alpha, size)
        write_photo(original, tmp_path / f"a{suffix}", quality=100)
        assert_same(read_photo(tmp_path / f"a{suffix}"), original)


@pytest.mark.parametrize("suffix", [*LOSSY, ".png", ".tif"])
def test_what_a_file_says_comes_back(tmp_path: Path, suffix: str) -> None:
    profile = P3 if suffix in WITH_PROFILE else b""
    write_photo(image(profile=profile, metadata=Metadata(exif(), UPRIGHT_XMP)), tmp_path / f"a{suffix}")
    got = read_photo(tmp_path / f"a{suffix}")
    assert (got.profile, got.metadata.xmp) == (profile, UPRIGHT_XMP)
    assert got.metadata.exif == exif()
    tags = exif_of(got.metadata.exif)
    assert (tags[271], tags.get_ifd(0x8769)[0xA434]) == ("Maker", "A lens 50 mm")
    assert tags.get_ifd(0x8825)[2] == (48.0, 8.0, 10.5)


@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_formats_stay_close_and_keep_colour_sharp(tmp_path: Path, suffix: str) -> None:
    original = smooth()
    for quality, most in ((95, 3.0), (40, 12.0)):
        write_photo(original, tmp_path / f"a{suffix}", quality)
        got = read_photo(tmp_path / f"a{suffix}").pixels
        assert np.abs(got.astype(float) - original.pixels).mean() < most
    sizes = []
    for quality in (95, 40):
        write_photo(image(size=(64, 64)), tmp_path / f"a{suffix}", quality)
        sizes.append((tmp_path / f"a{suffix}").stat().st_size)
    assert sizes[0] > sizes[1]


def test_a_jpeg_is_written_without_chroma_subsampling(tmp_path: Path) -> None:
    write_photo(smooth(), tmp_path / "a.jpg")
    with Pillow.open(tmp_path / "a.jpg") as picture:
        assert {(h, v) for _, h, v, _ in picture.layer} == {(1, 1)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("suffix", "depth", "top"), [(".png", "uint16", 65535), (".webp", "uint8", 255), (".jxl", "uint8", 255)]
)
def test_floats_are_rounded_to_nearest_and_clipped(tmp_path: Path, suffix: str, depth: str, top: int) -> None:
    values = np.array([[-0.5, 0, 0.4999 / top, 0.5001 / top, 0.5, 1, 2]], np.float32)
    write_photo(Image(np.dstack([values] * 3)), tmp_path / f"a{suffix}", 100)
    got = read_photo(tmp_path / f"a{suffix}").pixels
    assert got.dtype == depth
    assert got[0, :, 0].tolist() == [0, 0, 0, 1, round(0.5 * top), top, top]


def test_16_bits_become_8_by_rounding(tmp_path: Path) -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    write_photo(Image(every), tmp_path / "a.webp", 100)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.webp").pixels, np.round(every / 257).astype(np.uint8))


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_colours_under_full_transparency_are_kept(tmp_path: Path, suffix: str) -> None:
    original = Image(image().pixels, np.zeros((13, 17), np.uint8))
    write_photo(original, tmp_path / f"a{suffix}", 100)
    assert_same(read_photo(tmp_path / f"a{suffix}"), original)


def test_nothing_is_left_behind_where_writing_fails(tmp_path: Path) -> None:
    target = stored(tmp_path / "a.jpg", b"before")
    for broken, path in (
        (image(alpha=True), target),
        (Image(np.full((2, 2, 3), np.nan, np.float32)), tmp_path / "a.tif"),
        (Image(np.zeros((0, 4, 3), np.uint8)), tmp_path / "a.png"),
        (image(profile=P3), tmp_path / "a.jxl"),
        (image(colors=1, linear=True), tmp_path / "a.webp"),
        (image(), tmp_path / "a.bmp"),
    ):
        with pytest.raises(UnusableInput, match=path.name):
            write_photo(broken, path)
    with pytest.raises(UnusableInput, match="quality"):
        write_photo(image(), target, 101)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.jpg", b"before")]


def test_a_maker_note_too_long_for_a_jpeg_is_left_out(tmp_path: Path) -> None:
    made = exif_of(exif())
    made.get_ifd(0x8769)[0x927C] = bytes(70_000)
    write_photo(image(metadata=Metadata(made.tobytes()[6:])), tmp_path / "a.jpg")
    tags = exif_of(read_photo(tmp_path / "a.jpg").metadata.exif).get_ifd(0x8769)
    assert tags[0xA434] == "A lens 50 mm"
    assert 0x927C not in tags


def test_every_suffix_is_written_or_says_what_is_missing(tmp_path: Path) -> None:
    for suffix in PHOTO_FORMATS:
        path = tmp_path / f"a{suffix.upper()}"
        try:
            write_photo(image(), path)
        except UnusableInput as error:
            assert "pip install" in str(error)
        else:
            assert read_photo(path).pixels.shape == (13, 17, 3)


# Orientation


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_the_eight_orientations_give_one_upright_picture(tmp_path: Path, suffix: str) -> None:
    seen = smooth().pixels
    for code in range(1, 9):
        as_stored = np.asarray(Pillow.fromarray(seen))
        # Turn the picture the other way round with the oracle: the inverse of each code, 6 and 8 being each other's.
        way = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(code)
        if way is not None:
            as_stored = np.asarray(Pillow.fromarray(seen).transpose(Pillow.Transpose(way)))
        path = tmp_path / f"{code}{suffix}"
        write_photo(Image(as_stored, as_stored[:, :, 0] if suffix != ".jpg" else None), path, 100)
        if suffix == ".tif":
            with tifffile.TiffFile(path, mode="r+") as file:
                assert 274 not in file.pages.first.tags
            tifffile.imwrite(path, as_stored, photometric="rgb", extratags=[(274, 3, 1, code, True)])
        elif suffix == ".png":
            path.write_bytes(b"".join(png.with_metadata(path.read_bytes(), exif=exif(code))))
        else:
            lossless = {"lossless": True} if suffix == ".webp" else {"quality": 100, "subsampling": "4:4:4"}
            picture = Pillow.fromarray(as_stored)
            picture.save(path, exif=b"Exif\0\0" + exif(code), xmp=XMP, **lossless)
        got = read_photo(path)
        assert got.pixels.shape == seen.shape
        assert np.abs(got.pixels.astype(int) - seen).max() <= (0 if suffix in (".png", ".tif", ".webp") else 8)
        assert exif_of(got.metadata.exif).get(274, 1) == 1
        assert got.metadata.xmp in (b"", UPRIGHT_XMP)
        if got.alpha is not None:
            np.testing.assert_array_equal(got.alpha, seen[:, :, 0])


def test_an_orientation_that_does_not_exist_is_upright(tmp_path: Path) -> None:
    made = exif_of(exif())
    made[274] = 0
    path = stored(
        tmp_path / "a.png", b"".join(png.with_metadata(b"".join(png.encoded(image())), exif=made.tobytes()[6:]))
    )
    assert_same(read_photo(path), image())


# PNG


def test_16_bit_colour_is_never_silently_8_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = image("uint16")
    write_photo(original, tmp_path / "a.png")
    with Pillow.open(tmp_path / "a.png") as picture:
        assert np.asarray(picture).dtype == np.uint8, "the trap is gone: Pillow reads 16-bit colour"
    assert_same(read_photo(tmp_path / "a.png"), original)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(UnusableInput, match=r"pip install 'quietlight\[io\]'"):
        read_photo(tmp_path / "a.png")
    with pytest.raises(UnusableInput, match=r"pip install 'quietlight\[io\]'"):
        write_photo(original, tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()
    for works_without in (image("uint16", 1), image("uint8", 3, alpha=True)):
        write_photo(works_without, tmp_path / "b.png")
        assert_same(read_photo(tmp_path / "b.png"), works_without)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_gray_of_every_depth_fills_its_type_and_its_key_is_transparent(tmp_path: Path, depth: int) -> None:
    values = np.array([0, 1, (1 << depth) - 1, 0])
    row = int(sum(int(v) << (depth * (3 - i)) for i, v in enumerate(values))) << (-4 * depth % 8)
    data = chunked(0, depth, 4, [row.to_bytes(-(-4 * depth // 8))], (b"tRNS", struct.pack(">H", 1)))
    got = read_photo(stored(tmp_path / "a.png", data))
    top = 65535 if depth == 16 else 255
    assert got.pixels[0, :, 0].tolist() == [v * top // ((1 << depth) - 1) for v in values]
    assert got.alpha is not None
    assert got.alpha[0].tolist() == [0 if v == 1 else top for v in values]


@pytest.mark.parametrize(("depth", "code"), [(8, ">u1"), (16, ">u2")])
def test_a_transparent_colour_is_matched_in_all_its_bits(tmp_path: Path, depth: int, code: str) -> None:
    colors = np.array([[1, 2, 3], [1, 2, 4]], code)
    data = chunked(2, depth, 2, [colors.tobytes()], (b"tRNS", struct.pack(">3H", 1, 2, 3)))
    got = read_photo(stored(tmp_path / "a.png", data))
    assert got.pixels[0].tolist() == colors.tolist()
    assert got.alpha is not None
    assert got.alpha.tolist() == [[0, (1 << depth) - 1]]


def test_palettes_become_colours_and_their_transparency_alpha(tmp_path: Path) -> None:
    palette = (b"PLTE", bytes([10, 20, 30, 40, 50, 60]))
    plain = read_photo(stored(tmp_path / "a.png", chunked(3, 1, 2, [b"\x40"], palette)))
    assert (plain.pixels.tolist(), plain.alpha) == ([[[10, 20, 30], [40, 50, 60]]], None)
    clear = read_photo(stored(tmp_path / "a.png", chunked(3, 1, 2, [b"\x40"], palette, (b"tRNS", b"\x07"))))
    assert clear.pixels.tolist() == plain.pixels.tolist()
    assert clear.alpha is not None
    assert clear.alpha.tolist() == [[7, 255]]


def test_an_interlaced_png_is_read(tmp_path: Path) -> None:
    for width, height in ((1, 1), (2, 3), (9, 5)):
        passes: list[bytes] = []
        for top, left, down, across in (
            (0, 0, 8, 8),
            (0, 4, 8, 8),
            (4, 0, 8, 4),
            (0, 2, 4, 4),
            (2, 0, 4, 2),
            (0, 1, 2, 2),
            (1, 0, 2, 1),
        ):
            columns = len(range(left, width, across))
            passes += [b"\0" + bytes([y] * columns) for y in range(top, height, down)] if columns else []
        header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
        data = png.join([(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(passes)))])
        got = read_photo(stored(tmp_path / "a.png", data))
        np.testing.assert_array_equal(got.pixels[:, :, 0], np.arange(height)[:, None].repeat(width, axis=1))


def test_chunks_split_and_join_and_carry_metadata() -> None:
    data = b"".join(png.encoded(image()))
    assert png.join([c for c in png.split(data) if c[0] != b"IEND"]) == data
    full = b"".join(png.with_metadata(data, P3, exif(), XMP))
    names = [name for name, _ in png.split(full)]
    assert names[:4] == [b"IHDR", b"iCCP", b"eXIf", b"iTXt"]
    with Pillow.open(io.BytesIO(full)) as oracle:
        oracle.load()
        assert oracle.info["icc_profile"] == P3
        assert oracle.info["exif"].removeprefix(b"Exif\0\0") == exif()
        assert oracle.info["xmp"] == XMP


def test_compressed_xmp_is_read(tmp_path: Path) -> None:
    text = b"XML:com.adobe.xmp\0\1\0en\0\0" + zlib.compress(UPRIGHT_XMP)
    path = stored(tmp_path / "a.png", chunked(0, 8, 1, [b"\5"], (b"iTXt", text)))
    assert read_photo(path).metadata.xmp == UPRIGHT_XMP


# Colours


def to_srgb(profile: bytes, values: np.ndarray) -> np.ndarray:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    picture = ImageCms.profileToProfile(Pillow.fromarray(values), source, target, renderingIntent=1)
    return np.asarray(picture)


def test_made_profiles_mean_what_littlecms_reads_in_them() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    linear = np.round(255 * srgb_encode(ramp / 255))
    assert np.abs(to_srgb(profile_module.matrix_profile(1.0), ramp) - linear).max() <= 1
    display = np.round(255 * srgb_encode((ramp / 255) ** 1.8))
    assert np.abs(to_srgb(profile_module.matrix_profile(1.8), ramp) - display).max() <= 1
    assert np.abs(to_srgb(P3, ramp).astype(int) - ramp).max() <= 1
    red = to_srgb(P3, np.array([[[200, 100, 100]]], np.uint8))[0, 0]
    assert red[0] > 210
    assert red[1] < 97
    gray = profile_module.matrix_profile(1.0, gray=True)
    assert ImageCms.ImageCmsProfile(io.BytesIO(gray)).profile.xcolor_space == "GRAY"


@pytest.mark.parametrize(
    ("chunks", "profile"),
    [
        ([], b""),
        ([(b"gAMA", struct.pack(">I", 45455))], b""),
        ([(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))], b""),
        ([(b"gAMA", struct.pack(">I", 100000))], profile_module.matrix_profile(1.0)),
        ([(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100000))], b""),
        ([(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))], P3),
        ([(b"iCCP", b"x\0\0" + zlib.compress(P3)), (b"gAMA", struct.pack(">I", 100000))], P3),
        ([(b"cICP", bytes([12, 13, 0, 1])), (b"sRGB", b"\0")], P3),
        ([(b"cICP", bytes([1, 13, 0, 1])), (b"iCCP", b"x\0\0" + zlib.compress(P3))], b""),
    ],
)
def test_the_colour_chunks_of_a_png_are_obeyed_in_order(
    tmp_path: Path, chunks: list[tuple[bytes, bytes]], profile: bytes
) -> None:
    got = read_photo(stored(tmp_path / "a.png", chunked(2, 8, 1, [b"\1\2\3"], *chunks)))
    assert got.profile == profile
    assert got.linear == (profile == profile_module.matrix_profile(1.0))


def test_hdr_light_is_refused_not_misread(tmp_path: Path) -> None:
    for transfer in (16, 18):
        path = stored(tmp_path / "a.png", chunked(2, 8, 1, [b"\1\2\3"], (b"cICP", bytes([9, transfer, 0, 1]))))
        with pytest.raises(UnusableInput, match="HDR"):
            read_photo(path)


@pytest.mark.parametrize("suffix", WITH_PROFILE)
def test_linear_light_stays_known_as_linear(tmp_path: Path, suffix: str) -> None:
    write_photo(image(linear=True), tmp_path / f"a{suffix}")
    got = read_photo(tmp_path / f"a{suffix}")
    assert got.linear
    assert not read_photo(_rewritten(got, tmp_path / f"b{suffix}")).linear


def _rewritten(got: Image, path: Path) -> Path:
    write_photo(Image(got.pixels), path)
    return path


def test_curves_of_other_writers_are_told_apart() -> None:
    assert not profile_module.is_linear(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert not profile_module.is_linear(b"")
    profile = profile_module.matrix_profile(1.0)
    identity, counted = (b"curv" + bytes(4) + tail for tail in (bytes(4), b"\0\0\0\1\1\0\0\0"))
    para = profile[profile.index(b"para") :][:16]
    for same in (identity + bytes(4), counted):
        assert profile_module.is_linear(profile.replace(para, same))
    assert not profile_module.is_linear(profile.replace(para, b"curv" + bytes(4) + b"\0\0\0\1\2\x33\0\0"))


def test_a_16_bit_jpeg_xl_of_linear_light_is_seen_as_such(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    for dtype in ("uint16", "float32"):
        for colors in (1, 3):
            original = image(dtype, colors, alpha=dtype == "uint16")
            path = stored(
                tmp_path / "a.jxl", imagecodecs.jpegxl_encode(planes_module.planes_of(original), lossless=True)
            )
            got = read_photo(path)
            assert_same(got, original)
            assert got.linear


def test_an_avif_above_8_bits_keeps_them(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    for bits in (10, 12):
        values = np.linspace(0, (1 << bits) - 1, 64 * 48 * 3).astype(np.uint16).reshape(48, 64, 3)
        path = stored(tmp_path / "a.avif", imagecodecs.avif_encode(values, level=100, bitspersample=bits))
        got = read_photo(path).pixels
        assert got.dtype == np.uint16
        assert got.max() > 65000
        assert np.abs(got / 65535 - values / ((1 << bits) - 1)).max() < 2e-3


# TIFF


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"planarconfig": "separate"},
        {"tile": (16, 16)},
        {"rowsperstrip": 5, "compression": "lzw", "predictor": True},
        {"compression": "zlib"},
        {"compression": "packbits"},
        {"byteorder": ">"},
        {"bigtiff": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiffs_of_every_layout_are_read(tmp_path: Path, dtype: str, layout: dict[str, object]) -> None:
    original = image(dtype, alpha=True, size=(33, 45))
    planes = planes_module.planes_of(original)
    if "planarconfig" in layout:
        planes = np.ascontiguousarray(np.moveaxis(planes, 2, 0))
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", extrasamples=["unassalpha"], **layout)
    assert_same(read_photo(tmp_path / "a.tif"), original)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 14, 16, 32])
def test_tiff_grays_of_every_depth_fill_their_range(tmp_path: Path, bits: int) -> None:
    pytest.importorskip("imagecodecs")
    dtype = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    top = (1 << bits) - 1
    values = np.array([[0, 1, top // 2, top] * 2], dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values.astype(bool) if bits == 1 else values, photometric="minisblack", bitspersample=bits)
    got = read_photo(path).pixels[:, :, 0]
    assert got.dtype == (np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.float32)
    full = 255 if bits <= 8 else 65535 if bits <= 16 else 1
    np.testing.assert_allclose(got, values / top * full, atol=0.5 if full > 1 else 1e-6)


def test_white_is_zero_is_inverted(tmp_path: Path) -> None:
    for dtype in ("uint8", "uint16", "float32"):
        original = image(dtype, 1)
        top = 1 if dtype == "float32" else np.iinfo(dtype).max
        tifffile.imwrite(
            tmp_path / "a.tif", (np.asarray(top, dtype) - original.pixels)[:, :, 0], photometric="miniswhite"
        )
        np.testing.assert_allclose(read_photo(tmp_path / "a.tif").pixels, original.pixels, atol=1e-7)


def test_a_tiff_palette_becomes_colours(tmp_path: Path) -> None:
    colors = np.random.default_rng(3).integers(0, 256, (256, 3), dtype=np.uint8)
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colormap = np.ascontiguousarray(colors.T.astype(np.uint16) * 257)
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colormap)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").pixels, colors[indices])


def test_premultiplied_alpha_is_divided_out(tmp_path: Path) -> None:
    original = image("uint16", alpha=True)
    assert original.alpha is not None
    share = original.alpha[:, :, None] / 65535
    planes = np.dstack([np.round(original.pixels * share).astype(np.uint16), original.alpha])
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", extrasamples=["assocalpha"])
    got = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(got.alpha, original.alpha)
    assert (np.abs(got.pixels.astype(float) - original.pixels) <= 0.5 / share + 0.5).all()


def test_floats_have_one_range(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for dtype in (np.float16, np.float32, np.float64):
        tifffile.imwrite(path, np.array([[-0.005, 0.25, 1.005]], dtype))
        assert read_photo(path).pixels[0, :, 0].tolist() == [0, 0.25, 1]
    for bad in (1.5, 255.0, -1.0, np.nan, np.inf):
        tifffile.imwrite(path, np.array([[0, bad]], np.float32))
        with pytest.raises(UnusableInput, match="from 0 to 1"):
            read_photo(path)


def test_the_first_page_that_is_no_thumbnail_is_the_photo(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(image(size=(4, 4)).pixels, photometric="rgb", subfiletype=1)
        file.write(image().pixels, photometric="rgb")
        file.write(image(size=(6, 6)).pixels, photometric="rgb")
    assert_same(read_photo(tmp_path / "a.tif"), image())


def test_a_tiff_without_imagecodecs_is_written_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    write_photo(image("uint16"), tmp_path / "a.tif")
    monkeypatch.undo()
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages.first.compression == 1
    assert_same(read_photo(tmp_path / "a.tif"), image("uint16"))
