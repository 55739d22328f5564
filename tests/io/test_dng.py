"""A DNG that we write holds the frame: read by LibRaw, by tifffile and by ourselves, for every pattern, size and codec."""

import errno
import io
import sys
from dataclasses import replace

import numpy as np
import pytest
import rawpy
import tifffile
from PIL import Image

from quietlight.frames import BAYER, ColorCalibration, Metadata, NoiseProfile, RawFrame, UnusableInput
from quietlight.io import dng, metadata
from quietlight.io.dng import write_dng
from quietlight.io.ifd import ASCII, RATIONAL, SHORT, UNDEFINED, Entry, numbers, text
from quietlight.io.preview import preview_jpeg
from quietlight.io.raw import read_raw

EXIF, GPS = 34665, 34853
ALL = (*BAYER, "RGB", "MONO")
# LibRaw takes no picture below 22 pixels. Width 512 is its trap for tiles of two components.
SIZES = [(22, 22), (23, 41), (257, 300), (300, 512), (40, 513)]
TINY = [(1, 1), (1, 9), (7, 2), (1, 1500)]


@pytest.fixture(params=[True, False], ids=["lossless", "uncompressed"])
def codec(request, monkeypatch):
    """With and without imagecodecs."""
    if request.param:
        pytest.importorskip("imagecodecs")
    else:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
    return request.param


def frame(cfa: str, height: int, width: int, low: float = -0.05, high: float = 1.0, **fields) -> RawFrame:
    shape = (height, width, 3) if cfa == "RGB" else (height, width)
    mosaic = np.random.default_rng(height * width).uniform(low, high, shape).astype(np.float32)
    mosaic.flat[0] = high
    return RawFrame(mosaic, cfa, **fields)


def stored_by_libraw(path) -> tuple[np.ndarray, int, int]:
    """(pixels, black, white)"""
    with rawpy.imread(str(path)) as raw:
        pixels = raw.raw_image_visible.copy()
        if pixels.ndim == 3:
            pixels = pixels[:, :, :3]
        return pixels.astype(np.float64), raw.black_level_per_channel[0], raw.white_level


def picture_and_first(path) -> tuple[dict, dict]:
    """Tag code -> value of the raw picture's directory and of the first one."""
    with tifffile.TiffFile(path) as tiff:
        first = tiff.pages.first
        picture = first.pages[0]
        return {t.code: t.value for t in picture.tags}, {t.code: t.value for t in first.tags}


@pytest.mark.parametrize("cfa", ALL)
@pytest.mark.parametrize("size", SIZES)
def test_libraw_reads_back_every_pixel(tmp_path, cfa, size, codec):
    made = frame(cfa, *size)
    path = tmp_path / "a.dng"
    write_dng(made, path)
    pixels, black, white = stored_by_libraw(path)
    assert (black, white) == (0 if cfa == "RGB" else 4096, 65535)
    truth = np.maximum(made.mosaic, 0) if cfa == "RGB" else made.mosaic
    assert np.abs((pixels - black) / (white - black) - truth).max() <= 0.51 / (white - black)
    if cfa in BAYER:
        with rawpy.imread(str(path)) as raw:
            found = "".join("RGBG"[i] for i in raw.raw_pattern.ravel())
        assert found == cfa


@pytest.mark.parametrize("cfa", ALL)
@pytest.mark.parametrize("size", TINY)
def test_the_smallest_frames_are_written_too(tmp_path, cfa, size, codec):
    made = frame(cfa, *size, low=0)
    write_dng(made, tmp_path / "a.dng")
    found = read_raw(tmp_path / "a.dng")
    assert found.cfa == cfa
    np.testing.assert_allclose(found.mosaic, made.mosaic, atol=0.51 / 61439)


@pytest.mark.parametrize("cfa", ["RGGB", "MONO"])
def test_dark_noise_comes_back_unbiased(tmp_path, cfa):
    mosaic = np.random.default_rng(3).normal(0.0005, 0.01, (512, 512)).astype(np.float32)
    write_dng(RawFrame(mosaic, cfa), tmp_path / "dark.dng")
    pixels, black, white = stored_by_libraw(tmp_path / "dark.dng")
    # The mean of 262144 rounding errors.
    assert ((pixels - black) / (white - black)).mean() == pytest.approx(mosaic.mean(dtype=np.float64), abs=0.01 / 61439)


@pytest.mark.parametrize("cfa", ["RGGB", "RGB"])
@pytest.mark.parametrize("high", [1.3, 4.0, 9.0])
def test_values_above_white_are_kept_up_to_four(tmp_path, cfa, high):
    made = frame(cfa, 64, 64, low=0, high=high)
    write_dng(made, tmp_path / "a.dng")
    pixels, black, white = stored_by_libraw(tmp_path / "a.dng")
    assert white - black >= 2**13.9
    found = (pixels - black) / (white - black)
    assert np.abs(found - np.minimum(made.mosaic, 4)).max() <= 1.01 / (white - black)


def full_frame() -> RawFrame:
    """A frame that knows everything."""
    exif, _ = metadata.laid_out(
        {
            0: {
                271: text("Acme"),
                272: text("Acme X1"),
                274: numbers(SHORT, [3]),
                315: Entry(ASCII, "José\0".encode()),
            },
            EXIF: {33437: numbers(RATIONAL, [2.8]), 37500: Entry(UNDEFINED, b"note" * 50)},
            GPS: {1: text("N"), 2: numbers(RATIONAL, [48, 30, 0])},
        },
        8,
    )
    color = np.array([[0.8, -0.2, -0.06], [-0.4, 1.2, 0.2], [-0.1, 0.2, 0.5]])
    forward = np.array([[0.6, 0.25, 0.1142], [0.3, 0.6, 0.1], [0.05, 0.05, 0.7249]])
    return frame(
        "GRBG",
        300,
        520,
        white_balance=(2.1, 1.0, 1.7),
        calibrations=(ColorCalibration(17, color * 1.1, forward), ColorCalibration(21, color, forward)),
        noise=NoiseProfile((1e-3, 2e-3, 3e-3), (1e-6, 2e-6, 3e-6)),
        exposure_time=1 / 250,
        iso=1600,
        baseline_exposure=-0.35,
        orientation=6,
        crop=(4, 8, 280, 500),
        camera="Acme X1",
        metadata=Metadata(
            exif=b"II*\0\x08\0\0\0" + exif,
            xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
            dng={
                50708: (2, 13, "Acme X1 Rev B"),
                50738: (5, 1, (3, 4)),
                50740: (1, 5, b"Acme\0"),
                50935: (5, 1, (1, 1)),
                50730: (10, 1, (9, 1)),
                50714: (4, 1, 77),
                51109: (10, 1, (1, 1)),
                50712: (3, 2, (0, 65535)),
                256: (4, 1, 5),
                325: (4, 1, 5),
            },
        ),
    )


def test_every_field_is_written_where_dng_wants_it(tmp_path, codec):
    made = full_frame()
    write_dng(made, tmp_path / "a.dng")
    picture, first = picture_and_first(tmp_path / "a.dng")

    def ratios(value) -> np.ndarray:
        return np.array(value[::2]) / np.array(value[1::2])

    assert (first[50706], first[254], picture[254]) == (b"\1\4\0\0", 1, 0)
    np.testing.assert_allclose(ratios(first[50728]), [1 / 2.1, 1, 1 / 1.7], rtol=1e-6)
    for index, calibration in enumerate(made.calibrations):
        np.testing.assert_allclose(ratios(first[50721 + index]), calibration.color.ravel(), atol=1e-6)
        np.testing.assert_allclose(ratios(first[50964 + index]), calibration.forward.ravel(), atol=1e-6)
        assert first[50778 + index] == calibration.illuminant
    assert ratios(first[50730]) == pytest.approx(-0.35), "our own value, not the carried one"
    assert picture[51041] == (1e-3, 1e-6, 2e-3, 2e-6, 3e-3, 3e-6)
    assert (picture[50719], picture[50720], picture[50829]) == ((8, 4), (500, 280), (0, 0, 300, 520))
    assert (picture[256], picture[50714], picture[50717]) == (520, 4096, 65535)
    assert (picture[50738], picture[50935], first[50740]) == ((3, 4), (1, 1), b"Acme\0")
    assert (first[271], first[272], first[50708], first[274]) == ("Acme", "Acme X1", "Acme X1 Rev B", 6)
    assert first[700] == made.metadata.xmp
    assert first[305].startswith("Quietlight ")
    assert first[EXIF]["ExposureTime"] == (1, 250)
    assert first[EXIF]["ISOSpeedRatings"] == 1600
    assert first[GPS]["GPSLatitude"] == (48, 1, 30, 1, 0, 1)
    assert not {322, 325, 50712, 51109} & set(first), "what contradicts the frame or the file is not carried"
    assert (322 in picture, 273 in picture) == (codec, not codec), "tiles or strips, never tags of both"
    found = metadata.parse(metadata.read_exif(tmp_path / "a.dng"))
    original = metadata.parse(made.metadata.exif)
    assert found[GPS] == original[GPS]
    assert found[EXIF].items() >= original[EXIF].items()
    assert found[0][315] == original[0][315]


@pytest.mark.parametrize("cfa", ALL)
def test_what_is_written_is_read_back(tmp_path, cfa):
    made = replace(full_frame(), mosaic=frame(cfa, 300, 520, low=0).mosaic, cfa=cfa)
    if cfa == "MONO":
        one = NoiseProfile((2e-3,), (2e-6,))
        made = replace(made, calibrations=(), white_balance=None, noise=one)
    write_dng(made, tmp_path / "a.dng")
    found = read_raw(tmp_path / "a.dng")
    np.testing.assert_allclose(found.mosaic, made.mosaic, atol=0.51 / 61439)
    for name in ("cfa", "noise", "exposure_time", "iso", "orientation", "crop", "camera"):
        assert getattr(found, name) == getattr(made, name), name
    assert found.baseline_exposure == pytest.approx(made.baseline_exposure)
    assert found.metadata.xmp == made.metadata.xmp
    if cfa != "MONO":
        np.testing.assert_allclose(found.white_balance, made.white_balance, rtol=1e-6)
        for ours, theirs in zip(made.calibrations, found.calibrations, strict=True):
            assert ours.illuminant == theirs.illuminant
            np.testing.assert_allclose(ours.color, theirs.color, atol=1e-6)
            np.testing.assert_allclose(ours.forward, theirs.forward, atol=1e-6)


def test_a_generation_more_changes_nothing(tmp_path):
    first, second, third = (tmp_path / f"{name}.dng" for name in "abc")
    write_dng(full_frame(), first)
    write_dng(read_raw(first), second)
    write_dng(read_raw(second), third)
    assert second.read_bytes() == third.read_bytes()
    np.testing.assert_array_equal(read_raw(first).mosaic, read_raw(third).mosaic)


@pytest.mark.parametrize("cfa", ALL)
def test_a_frame_that_knows_nothing_opens_with_colours(tmp_path, cfa):
    write_dng(frame(cfa, 64, 64), tmp_path / "a.dng")
    _, first = picture_and_first(tmp_path / "a.dng")
    assert (50721 in first) == (cfa != "MONO"), "a colour matrix, without which programs refuse the file"
    assert 50728 not in first
    with rawpy.imread(str(tmp_path / "a.dng")) as raw:
        assert raw.postprocess().shape == (64, 64, 1 if cfa == "MONO" else 3)


@pytest.mark.parametrize("cfa", ALL)
def test_the_preview_is_a_small_jpeg_of_the_crop(tmp_path, cfa):
    made = frame(cfa, 300, 2300, low=0.2, high=0.3, crop=(10, 20, 200, 2200))
    mosaic = made.mosaic.copy()
    mosaic[:, 1200:] *= 0.1
    write_dng(replace(made, mosaic=mosaic), tmp_path / "a.dng")
    with tifffile.TiffFile(tmp_path / "a.dng") as tiff:
        page = tiff.pages.first
        tiff.filehandle.seek(page.dataoffsets[0])
        jpeg = tiff.filehandle.read(page.databytecounts[0])
    preview = Image.open(io.BytesIO(jpeg))
    assert preview.format == "JPEG"
    assert 500 < preview.width <= 1024
    assert preview.width / preview.height == pytest.approx(11, rel=0.03)
    gray = np.asarray(preview.convert("L"), float)
    assert gray[:, : gray.shape[1] // 2].mean() > 2 * gray[:, -gray.shape[1] // 3 :].mean() > 0
    # Viewers that know TIFF only show it as well.
    with Image.open(tmp_path / "a.dng") as shown:
        assert shown.size == preview.size


@pytest.mark.parametrize("cfa", ["BGGR", "RGB"])
def test_the_preview_of_a_frame_without_white_balance_is_not_tinted(tmp_path, cfa):
    made = frame(cfa, 128, 192, low=0.05, high=0.5, white_balance=None, calibrations=())
    mosaic = made.mosaic.copy()
    if cfa == "RGB":
        mosaic *= np.float32([0.5, 1, 0.6])
    else:
        mosaic[1::2, 1::2] *= 0.5
        mosaic[::2, ::2] *= 0.6
    jpeg, *_ = preview_jpeg(replace(made, mosaic=mosaic))
    red, green, blue = np.asarray(Image.open(io.BytesIO(jpeg)), float).mean(axis=(0, 1))
    assert red == pytest.approx(green, rel=0.08) and blue == pytest.approx(green, rel=0.08)


def test_a_failure_leaves_nothing_and_spoils_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.dng"
    write_dng(frame("RGGB", 64, 64), path)
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dng, "preview_jpeg", full_disk)
    for target in (path, tmp_path / "new.dng"):
        with pytest.raises(OSError, match="No space"):
            write_dng(frame("BGGR", 64, 64), target)
    assert [p.name for p in tmp_path.iterdir()] == ["a.dng"]
    assert path.read_bytes() == before
    monkeypatch.undo()
    write_dng(frame("BGGR", 64, 64), path)
    assert read_raw(path).cfa == "BGGR"
    assert [p.name for p in tmp_path.iterdir()] == ["a.dng"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    made = frame("RGGB", 32, 32)
    made.mosaic[3, 4] = value
    with pytest.raises(UnusableInput, match=r"a\.dng: .*finite"):
        write_dng(made, tmp_path / "a.dng")
    assert not list(tmp_path.iterdir())


def test_empty_and_too_large_frames_are_refused(tmp_path):
    for shape, message in (((0, 5), "empty"), ((50_000, 50_000), "too large")):
        made = RawFrame(np.broadcast_to(np.float32(0.5), shape), "RGGB")
        with pytest.raises(UnusableInput, match=message):
            write_dng(made, tmp_path / "a.dng")
