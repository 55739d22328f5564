from pathlib import Path

import numpy as np
import pytest

from quietlight.camera import color
from quietlight.camera.bayer import pack, plane_offsets
from quietlight.frames import BAYER, UnusableInput
from quietlight.io.headerless import PACKINGS, RawFormat, read_headerless, read_raw_format

BITS = {"u8": 8, "u16le": 16, "u16be": 16, "mipi10": 10, "mipi12": 12, "mipi14": 14}
TEXT = 'width = 16\nheight = 6\npacking = "u8"\ncfa = "RGGB"\nblack = 16\nwhite = 255\n'


def samples(bits: int, height: int = 6, width: int = 16) -> np.ndarray:
    return np.random.default_rng(bits).integers(0, 1 << bits, (height, width)).astype(np.uint16)


def stored_bytes(row: np.ndarray, packing: str) -> bytes:
    """One row, sample by sample as the packing's standard words it."""
    if packing == "u8":
        return bytes(int(v) for v in row)
    if packing.startswith("u16"):
        return b"".join(int(v).to_bytes(2, "little" if packing == "u16le" else "big") for v in row)
    low = BITS[packing] - 8
    group = {2: 4, 4: 2, 6: 4}[low]
    written = b""
    for start in range(0, len(row), group):
        values = [int(v) for v in row[start : start + group]]
        rest = sum((v & ((1 << low) - 1)) << (low * i) for i, v in enumerate(values))
        written += bytes(v >> low for v in values) + rest.to_bytes(low * group // 8, "little")
    return written


def described(packing: str, **others) -> RawFormat:
    given = {
        "width": 16,
        "height": 6,
        "cfa": "RGGB",
        "black": (0.0,),
        "white": float((1 << BITS[packing]) - 1),
    } | others
    return RawFormat(packing=packing, **given)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize(("offset", "gap"), [(0, 0), (128, 0), (3, 5)])
def test_every_packing_gives_the_samples_past_header_and_gaps(
    tmp_path: Path, packing: str, offset: int, gap: int
) -> None:
    truth = samples(BITS[packing])
    rows = [stored_bytes(row, packing) for row in truth]
    path = tmp_path / "a.raw"
    path.write_bytes(b"\xee" * offset + b"".join(row + b"\xdd" * gap for row in rows))
    frame = read_headerless(path, described(packing, offset=offset, stride=len(rows[0]) + gap if gap else 0))
    np.testing.assert_allclose(frame.mosaic, truth / truth.dtype.type((1 << BITS[packing]) - 1), atol=1e-6)


@pytest.mark.parametrize("cfa", BAYER)
def test_packed_planes_go_to_the_places_of_the_pattern(tmp_path: Path, cfa: str) -> None:
    truth = samples(16)
    places = np.stack([truth[row::2, column::2] for row in (0, 1) for column in (0, 1)], axis=-1)
    path = tmp_path / "a.npy"
    np.save(path, places)
    frame = read_headerless(path, described("u16le", layout="packed", offset=128, cfa=cfa))
    np.testing.assert_allclose(frame.mosaic, truth / 65535, atol=1e-6)
    red, column = plane_offsets(cfa)[0]
    np.testing.assert_allclose(pack(frame.mosaic, cfa)[0], truth[red::2, column::2] / 65535, atol=1e-6)


def test_each_phase_has_its_black_and_all_share_one_scale(tmp_path: Path) -> None:
    truth = samples(8)
    path = tmp_path / "a.raw"
    path.write_bytes(truth.astype(np.uint8).tobytes())
    black = (12.5, 13.0, 14.0, 20.0)
    frame = read_headerless(path, described("u8", black=black, cfa="GBRG"))
    expected = (truth - np.tile(np.array(black).reshape(2, 2), (3, 8))) / (255 - 20)
    np.testing.assert_allclose(frame.mosaic, expected, atol=1e-6)
    assert frame.cfa == "GBRG" and frame.mosaic.min() < 0 and frame.mosaic.dtype == np.float32


@pytest.mark.parametrize("size", [(5, 15), (1, 1)])
def test_odd_sizes_of_a_monochrome_sensor(tmp_path: Path, size: tuple[int, int]) -> None:
    truth = samples(8, *size)
    path = tmp_path / "a.raw"
    path.write_bytes(truth.astype(np.uint8).tobytes())
    frame = read_headerless(path, described("u8", height=size[0], width=size[1], cfa="MONO"))
    np.testing.assert_allclose(frame.mosaic, truth / 255, atol=1e-6)


def test_a_toml_says_everything_and_its_matrix_leads_back_to_srgb(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    rows = [[1.7, -0.6, -0.1], [-0.2, 1.4, -0.2], [0.0, -0.4, 1.4]]
    path.write_text(
        TEXT
        + f"white_balance = [2, 1, 1.5]\ncamera_to_srgb = {rows}\n"
        + 'iso = 400\nexposure_time = 0.02\ncamera = "Board"\norientation = 6\n'
    )
    raw = tmp_path / "a.raw"
    raw.write_bytes(samples(8).astype(np.uint8).tobytes())
    frame = read_headerless(raw, read_raw_format(path))
    assert (frame.iso, frame.exposure_time, frame.camera, frame.orientation) == (400, 0.02, "Board", 6)
    assert frame.white_balance == (2.0, 1.0, 1.5)
    np.testing.assert_allclose(color.srgb_from_camera(frame.calibrations, frame.white_balance), rows, atol=2e-3)


def test_a_color_matrix_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(TEXT + "color_matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 2]]\nilluminant = 17\n")
    (found,) = read_raw_format(path).calibrations
    assert found.illuminant == 17
    np.testing.assert_array_equal(found.color, np.diag([1, 1, 2]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT + "heigth = 6", "unknown key heigth; the keys are width, height"),
        ("width = 16", "missing"),
        (TEXT.replace("16\nh", '"16"\nh'), "width is a whole number"),
        (TEXT.replace("16\nh", "true\nh"), "width is a whole number"),
        (TEXT.replace("16\nh", "-16\nh"), "size"),
        (TEXT.replace("16\nh", "1000000000\nh"), "400 megapixels"),
        (TEXT.replace("u8", "u9"), "packing is one of u8"),
        (TEXT.replace("RGGB", "RGB"), "cfa is one of"),
        (TEXT.replace("255", "16"), "above black"),
        (TEXT.replace("255", "inf"), "black is one number"),
        (TEXT.replace("black = 16", "black = [1, 2, 3]"), "black is one number or four"),
        (TEXT.replace("black = 16", 'black = ["1"]'), "black is one number or 4"),
        (TEXT + "bits = 9", "does not fit"),
        (TEXT + "stride = 3", "stride"),
        (TEXT + "offset = -1", "offset"),
        (TEXT + 'layout = "planar"', "layout is one of"),
        (TEXT.replace("6\np", '7\nlayout = "packed"\np'), "even size"),
        (TEXT.replace("16\nh", "15\nh").replace("u8", "mipi10"), "does not fit"),
        (TEXT + "white_balance = [2, 0, 1]", "white_balance"),
        (TEXT + "camera_to_srgb = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]", "needs the white_balance"),
        (TEXT + "color_matrix = [[1, 0, 0], [1, 0, 0], [0, 0, 1]]", "inverted"),
        (TEXT + "color_matrix = [1, 2, 3]", "3 lists of 3 numbers"),
        (TEXT + "orientation = 9", "orientation"),
        (TEXT + "iso = 0", "iso"),
        ("width = = 3", "no TOML"),
    ],
)
def test_a_wrong_description_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=reason) as caught:
        read_raw_format(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 95, 97, 192])
def test_a_file_of_another_size_is_refused_with_both_numbers(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(length))
    with pytest.raises(UnusableInput, match=rf"{length} bytes where its description says 96"):
        read_headerless(path, described("u8"))


def test_more_bits_than_described_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(samples(12).astype(">u2").tobytes())
    with pytest.raises(UnusableInput, match="more than 12 bits"):
        read_headerless(path, described("u16le", bits=12))


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"none\.raw"):
        read_headerless(tmp_path / "none.raw", described("u8"))
    with pytest.raises(UnusableInput, match=r"none\.toml"):
        read_raw_format(tmp_path / "none.toml")
