"""What JPEG keeps in segments of its own comes through, however long, and noise of any strength is written."""

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageFile, IptcImagePlugin

from quietlight.frames import Image, Metadata
from quietlight.io import metadata
from quietlight.io.photo import read_photo, write_photo

RECORD = b"\x1c\x02\x00\x00\x02\x00\x04\x1c\x02\x78\x00\x05A sea"
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">%s</rdf:RDF>'
    b"</x:xmpmeta>"
)
STANDARD = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"


def gray(**more: object) -> Image:
    return Image(np.full((16, 24, 3), 128, np.uint8), **more)  # type: ignore[arg-type]


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg(path: Path, *segments: bytes, **options: object) -> Path:
    """A JPEG with segments behind those that Pillow writes."""
    Pillow.new("RGB", (16, 16)).save(path, extra=b"".join(segments), **options)
    return path


def extended(extension: bytes, part: int = 40_000) -> tuple[str, list[bytes]]:
    guid = hashlib.md5(extension).hexdigest().upper()
    return guid, [
        segment(0xE1, EXTENSION + guid.encode() + struct.pack(">II", len(extension), at) + extension[at : at + part])
        for at in range(0, len(extension), part)
    ]


@pytest.mark.parametrize("quality", [1, 85, 94, 95, 100])
def test_pure_noise_is_written_at_every_quality(
    tmp_path: Path, quality: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before, rng = ImageFile.MAXBLOCK, np.random.default_rng(3)
    for pixels in (rng.integers(0, 256, (1000, 1000, 3)), 255 * rng.integers(0, 2, (1000, 1000, 3))):
        write_photo(Image(pixels.astype(np.uint8)), tmp_path / "a.jpg", quality)
        assert read_photo(tmp_path / "a.jpg").pixels.shape == pixels.shape
    assert before == ImageFile.MAXBLOCK
    assert capfd.readouterr() == ("", "")


# XMP


@pytest.mark.parametrize("size", [100, 65_000, 65_502, 65_503, 200_000, 1_000_000])
def test_xmp_of_any_length_comes_back(tmp_path: Path, size: int) -> None:
    packet = PACKET % b""
    packet = PACKET % np.random.default_rng(1).bytes(size).hex()[: size - len(packet)].encode()
    write_photo(gray(metadata=Metadata(xmp=packet)), tmp_path / "a.jpg")
    assert read_photo(tmp_path / "a.jpg").metadata.xmp == packet
    with Pillow.open(tmp_path / "a.jpg") as picture:
        picture.load()
        assert (picture.info["xmp"] == packet) == (size <= 65_502)
        assert (b"HasExtendedXMP" in picture.info["xmp"]) == (size > 65_502)


@pytest.mark.parametrize("form", ['xmpNote:HasExtendedXMP="%s"', "><xmpNote:HasExtendedXMP>%s</xmpNote:HasExtendedXMP"])
def test_an_extension_of_another_writer_is_put_in(tmp_path: Path, form: str) -> None:
    guid, parts = extended(PACKET % (b"<rdf:Description big='" + b"x" * 90_000 + b"'/>"))
    main = PACKET % f"<rdf:Description {form % guid}></rdf:Description>".encode()
    path = jpeg(tmp_path / "a.jpg", *reversed(parts), segment(0xE1, STANDARD + main))
    xmp = read_photo(path).metadata.xmp
    assert b"HasExtendedXMP" not in xmp
    assert xmp.count(b"<rdf:Description") == 2 and xmp.count(b"</rdf:RDF>") == 1 and b"x" * 90_000 in xmp


def test_a_pointer_to_a_missing_or_damaged_extension_is_dropped(tmp_path: Path) -> None:
    guid, parts = extended(PACKET % (b"x" * 90_000))
    main = segment(0xE1, STANDARD + PACKET % f"<rdf:Description a='1' xmpNote:HasExtendedXMP='{guid}' b='2'/>".encode())
    _, without_rdf = extended(b"nothing of use")
    renamed = without_rdf[0].replace(extended(b"nothing of use")[0].encode(), guid.encode())
    for broken in ([], parts[:-1], parts[1:], [renamed]):
        xmp = read_photo(jpeg(tmp_path / "a.jpg", main, *broken)).metadata.xmp
        assert b"HasExtendedXMP" not in xmp and b"a='1'" in xmp and b"b='2'" in xmp


# Resolution and IPTC


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize(
    ("name", "options", "per_inch"),
    [
        ("a.jpg", {"dpi": (300, 240)}, (300, 240)),
        ("a.png", {"dpi": (300, 240)}, (300, 240)),
        ("a.tif", {"dpi": (300, 240)}, (300, 240)),
        ("a.tif", {"resolution_unit": 3, "x_resolution": 100, "y_resolution": 50}, (254, 127)),
    ],
    ids=str,
)
def test_the_resolution_goes_from_every_format_to_every_other(
    tmp_path: Path, name: str, options: dict[str, object], per_inch: tuple[float, float], suffix: str
) -> None:
    Pillow.new("RGB", (16, 16)).save(tmp_path / name, **options)  # type: ignore[arg-type]
    image = read_photo(tmp_path / name)
    assert metadata.resolution(image.metadata.exif) == pytest.approx(per_inch, rel=1e-4)
    write_photo(image, tmp_path / f"out{suffix}")
    with Pillow.open(tmp_path / f"out{suffix}") as picture:
        assert tuple(map(float, picture.info["dpi"])) == pytest.approx(per_inch, rel=1e-4)
    again = read_photo(tmp_path / f"out{suffix}").metadata.exif
    assert metadata.resolution(again) == pytest.approx(per_inch, rel=1e-4)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_no_resolution_is_made_up(tmp_path: Path, suffix: str) -> None:
    write_photo(gray(), tmp_path / f"a{suffix}")
    assert read_photo(tmp_path / f"a{suffix}").metadata.exif == b""


def test_the_resolution_of_exif_stands_before_that_of_jfif(tmp_path: Path) -> None:
    exif = metadata.with_resolution(b"", 350.5, 350.5)
    path = jpeg(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif, dpi=(72, 72))
    assert metadata.resolution(read_photo(path).metadata.exif) == (350.5, 350.5)


def photoshop(record: bytes) -> bytes:
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + bytes(len(record) % 2)
    return segment(0xED, b"Photoshop 3.0\0" + resource)


def test_iptc_goes_through_jpeg_and_tiff(tmp_path: Path) -> None:
    image = read_photo(jpeg(tmp_path / "a.jpg", photoshop(RECORD)))
    write_photo(image, tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert bytes(tiff.pages.first.tags[33723].value) == RECORD
    write_photo(read_photo(tmp_path / "b.tif"), tmp_path / "c.jpg")
    with Pillow.open(tmp_path / "c.jpg") as picture:
        assert IptcImagePlugin.getiptcinfo(picture)[2, 120] == b"A sea"
        assert 33723 not in picture.getexif()
    assert metadata.iptc(read_photo(tmp_path / "c.jpg").metadata.exif) == RECORD


def test_an_iptc_record_too_long_for_a_jpeg_is_left_out_and_the_rest_stays(tmp_path: Path) -> None:
    exif = metadata.with_iptc(metadata.with_fields(b"", software="Us"), RECORD + bytes(70_000))
    write_photo(gray(metadata=Metadata(exif)), tmp_path / "a.jpg")
    got = read_photo(tmp_path / "a.jpg").metadata.exif
    assert (metadata.iptc(got), metadata.exif_of(got)[305]) == (b"", "Us")


@pytest.mark.parametrize("order", ["<", ">"])
def test_iptc_called_numbers_is_turned_back_to_bytes(tmp_path: Path, order: str) -> None:
    record = RECORD + bytes(-len(RECORD) % 4)
    words = struct.unpack(f"{order}{len(record) // 4}I", record)
    for byteorder in ("<", ">"):
        tags = [(33723, 4, len(words), words, True)]
        tifffile.imwrite(
            tmp_path / "a.tif", np.zeros((8, 8), np.uint8), byteorder=byteorder, extratags=tags, metadata=None
        )
        assert metadata.iptc(metadata.read_exif(tmp_path / "a.tif")) == record


def test_blocks_of_a_jpeg_survive_together(tmp_path: Path) -> None:
    exif = metadata.with_orientation(metadata.with_fields(b"", software="Us"), 1)
    exif = metadata.with_iptc(metadata.with_resolution(exif, 96, 96), RECORD)
    image = gray(metadata=Metadata(exif, PACKET % (b"y" * 100_000)))
    write_photo(image, tmp_path / "a.jpg")
    assert read_photo(tmp_path / "a.jpg").metadata == image.metadata
    with Pillow.open(io.BytesIO((tmp_path / "a.jpg").read_bytes())) as picture:
        assert picture.info["jfif_density"] == (96, 96)
