import struct

import numpy as np
import pytest

from quietlight.camera import color
from quietlight.frames import UnusableInput
from quietlight.io.raw import read_raw

A, D65 = 17, 21
FIRST = np.array([[0.9, -0.3, -0.1], [-0.5, 1.3, 0.2], [-0.1, 0.2, 0.6]])
SECOND = np.array([[0.7, -0.2, -0.1], [-0.4, 1.2, 0.3], [-0.1, 0.3, 0.5]])
FORWARD = np.array([[0.7, 0.2, 0.0642], [0.3, 0.7, 0.0], [0.0, 0.1, 0.7249]])
NEUTRAL = (0.5, 1.0, 0.625)


def rationals(*values: float) -> tuple[int, ...]:
    return tuple(n for v in values for n in (round(v * 10000), 10000))


def matrix(code: int, values: np.ndarray) -> tuple:
    return code, 10, 9, rationals(*np.asarray(values).ravel())


def pixels(height: int = 24, width: int = 36, planes: int = 0) -> np.ndarray:
    shape = (height, width, planes) if planes else (height, width)
    return np.random.default_rng(3).integers(0, 16383, shape).astype(np.uint16)


# --- levels


@pytest.mark.parametrize("in_subifd", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_fractional_blacks_of_each_phase_are_kept_from_the_active_area_on(make_dng, in_subifd, byteorder) -> None:
    stored = pixels(25, 37)
    black = np.array([[63.75, 64.5], [65.25, 63.0]])
    tags = (
        (50713, 3, 2, (2, 2)),
        (50714, 5, 4, tuple(n for v in black.ravel() for n in (int(v * 4), 4))),
        (50717, 4, 1, 1023),
        (50829, 4, 4, (3, 5, 23, 35)),
    )
    frame = read_raw(make_dng(stored, *tags, in_subifd=in_subifd, byteorder=byteorder))
    truth = (stored[3:23, 5:35] - np.tile(black, (10, 15))) / (1023 - 65.25)
    np.testing.assert_allclose(frame.mosaic, truth, rtol=2e-6, atol=1e-7)
    assert frame.mosaic.min() < 0 and frame.mosaic.max() > 1


def test_levels_that_stand_in_the_first_directory_hold_for_a_raw_in_a_subifd(make_dng) -> None:
    stored = pixels()
    frame = read_raw(make_dng(stored, in_subifd=True, first=((50714, 4, 1, 256), (50717, 4, 1, 16383))))
    np.testing.assert_allclose(frame.mosaic, (stored - 256.0) / (16383 - 256), atol=1e-6)


def test_four_blacks_without_their_repeat_are_those_of_the_phases(make_dng) -> None:
    stored = pixels()
    frame = read_raw(make_dng(stored, (50714, 3, 4, (10, 20, 30, 40)), (50717, 3, 3, (16383,) * 3)))
    truth = (stored - np.tile([[10.0, 20.0], [30.0, 40.0]], (12, 18))) / (16383 - 40)
    np.testing.assert_allclose(frame.mosaic, truth, rtol=2e-6, atol=1e-7)


def test_deltas_of_rows_and_columns_are_subtracted(make_dng) -> None:
    stored = pixels()
    rows, columns = np.arange(24) / 4, np.arange(36) / 8
    tags = (
        (50714, 4, 1, 100),
        (50716, 10, 24, tuple(n for v in rows for n in (int(v * 4), 4))),
        (50715, 10, 36, tuple(n for v in columns for n in (int(v * 8), 8))),
        (50717, 4, 1, 16383),
    )
    largest = 100 + rows.max() + columns.max()
    truth = (stored - 100.0 - rows[:, None] - columns) / (16383 - largest)
    np.testing.assert_allclose(read_raw(make_dng(stored, *tags)).mosaic, truth, rtol=2e-6, atol=1e-7)


def test_a_linear_raw_has_levels_of_each_plane(make_dng) -> None:
    stored = pixels(planes=3)
    tags = ((50714, 3, 3, (10, 20, 30)), (50717, 4, 3, (16000, 15000, 14000)))
    truth = (stored - [10.0, 20, 30]) / [15990, 14980, 13970]
    np.testing.assert_allclose(read_raw(make_dng(stored, *tags, cfa="")).mosaic, truth, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize(
    "tags",
    [
        ((50714, 4, 1, 20000), (50717, 4, 1, 16383)),
        ((50714, 4, 3, (1, 2, 3)),),
        ((50714, 5, 1, (1, 0)),),
        ((50713, 3, 2, (0, 2)),),
        ((50716, 10, 3, (1, 1, 1, 1, 1, 1)),),
        ((50829, 4, 4, (0, 0, 24, 400)),),
        ((33422, 1, 4, bytes((0, 1, 1, 3))),),
        ((33422, 1, 3, bytes((0, 1, 1))),),
        ((50711, 3, 1, 2),),
    ],
    ids=str,
)
def test_damaged_tags_that_the_picture_needs_are_refused(make_dng, tags) -> None:
    with pytest.raises(UnusableInput, match=r"made1\.dng"):
        read_raw(make_dng(pixels(), *tags))


# --- colours


def test_white_balance_is_the_inverse_of_the_neutral_with_green_one(make_dng) -> None:
    frame = read_raw(make_dng(pixels(), (50728, 5, 3, rationals(0.4, 0.8, 0.5))))
    assert frame.white_balance == pytest.approx((2.0, 1.0, 1.6))


def test_a_white_given_as_chromaticity_makes_it_neutral(make_dng) -> None:
    frame = read_raw(make_dng(pixels(), matrix(50721, FIRST), (50729, 5, 2, rationals(0.3457, 0.3585))))
    white = np.array([0.3457, 0.3585, 1 - 0.3457 - 0.3585]) / 0.3585
    balanced = np.array(frame.white_balance) * (FIRST @ white)
    np.testing.assert_allclose(balanced, balanced[1], rtol=1e-6)


@pytest.mark.parametrize("lights", [(A, D65), (D65, A)])
def test_calibrations_carry_their_own_light_in_either_order(make_dng, lights) -> None:
    tags = (
        matrix(50721, FIRST), matrix(50722, SECOND), matrix(50964, FORWARD), matrix(50965, FORWARD),
        (50778, 3, 1, lights[0]), (50779, 3, 1, lights[1]),
    )  # fmt: skip
    first, second = read_raw(make_dng(pixels(), *tags)).calibrations
    assert (first.illuminant, second.illuminant) == lights
    np.testing.assert_allclose(first.color, FIRST, atol=1e-9)
    np.testing.assert_allclose(second.color, SECOND, atol=1e-9)
    np.testing.assert_allclose(first.forward, FORWARD, atol=1e-9)


def test_the_cameras_own_corrections_are_folded_in_as_the_standard_maps_colours(make_dng) -> None:
    balance = np.diag([1.1, 1.0, 0.9])
    individual = np.array([[1.02, 0.01, 0.0], [0.0, 1.0, 0.02], [0.01, 0.0, 0.97]])
    tags = (
        matrix(50721, FIRST), matrix(50964, FORWARD), matrix(50723, individual), (50778, 3, 1, D65),
        (50727, 5, 3, rationals(1.1, 1.0, 0.9)), (50728, 5, 3, rationals(*NEUTRAL)),
    )  # fmt: skip
    frame = read_raw(make_dng(pixels(), *tags))
    (found,) = frame.calibrations
    np.testing.assert_allclose(found.color, balance @ individual @ FIRST, atol=1e-9)
    # Chapter 6: CameraToXYZ_D50 = FM · D · Inverse(AB · CC), D = Invert(AsDiagonalMatrix(Inverse(AB · CC) · CameraNeutral)).
    inverse = np.linalg.inv(balance @ individual)
    standard = FORWARD @ np.diag(1 / (inverse @ NEUTRAL)) @ inverse
    ours = found.forward @ np.diag(frame.white_balance)
    np.testing.assert_allclose(ours, standard, atol=1e-6)


def test_corrections_signed_for_another_profile_do_not_apply(make_dng) -> None:
    tags = (matrix(50721, FIRST), matrix(50723, 2 * np.eye(3)), (50931, 2, 0, "one"), (50932, 2, 0, "other"))
    np.testing.assert_allclose(read_raw(make_dng(pixels(), *tags)).calibrations[0].color, FIRST, atol=1e-9)


@pytest.mark.parametrize("light", [0, 255, 999])
def test_a_single_matrix_of_unknown_light_counts_as_daylight(make_dng, light) -> None:
    (found,) = read_raw(make_dng(pixels(), matrix(50721, FIRST), (50778, 3, 1, light))).calibrations
    assert found.illuminant == D65


def test_matrix_and_neutral_of_a_made_camera_give_back_neutral_white(make_dng) -> None:
    neutral = FIRST @ color.D65
    tags = (matrix(50721, FIRST), (50728, 5, 3, rationals(*neutral / neutral[1])))
    frame = read_raw(make_dng(pixels(), *tags))
    np.testing.assert_allclose(
        color.neutral_to_white(frame.calibrations, 1 / np.array(frame.white_balance)), color.D65, atol=1e-3
    )


# --- noise, exposure, crop


@pytest.mark.parametrize(
    ("given", "shot"),
    [
        ((1e-3, 1e-6), (1e-3,)),
        ((1e-3, 1e-6, 2e-3, 1e-6, 3e-3, 1e-6), (1e-3, 2e-3, 3e-3)),
        # Four follow the places of the pattern, here GRBG.
        ((2e-3, 1e-6, 1e-3, 1e-6, 3e-3, 1e-6, 4e-3, 1e-6), (1e-3, 3e-3, 3e-3)),
    ],
)
def test_noise_profiles_of_one_three_and_four_planes(make_dng, given, shot) -> None:
    noise = read_raw(make_dng(pixels(), (51041, 12, len(given), given), cfa="GRBG")).noise
    assert noise.shot == pytest.approx(shot)
    assert noise.read == pytest.approx((1e-6,) * len(shot))


def test_exposure_of_the_first_directory_and_baseline_with_its_offset(make_dng) -> None:
    tags = (
        (33434, 5, 1, (1, 50)), (34855, 3, 1, 800), (50730, 10, 1, (265, 100)), (51109, 10, 1, (-15, 100)), (274, 3, 1, 6),
        (271, 2, 0, "Maker"), (272, 2, 0, "Maker One"),
    )  # fmt: skip
    frame = read_raw(make_dng(pixels(), *tags))
    assert (frame.exposure_time, frame.iso, frame.orientation, frame.camera) == (0.02, 800, 6, "Maker One")
    assert frame.baseline_exposure == pytest.approx(2.5)
    assert frame.metadata.exif


def test_an_exposure_of_zero_and_a_missing_one_are_unknown(make_dng) -> None:
    for tags in ((), ((33434, 5, 1, (0, 1)), (34855, 3, 1, 0), (274, 3, 1, 0))):
        frame = read_raw(make_dng(pixels(), *tags))
        assert (frame.exposure_time, frame.iso, frame.baseline_exposure, frame.orientation) == (None, None, None, 1)
        assert frame.camera == "Test Cam"


def test_the_default_crop_lies_in_the_active_area_and_is_given_as_rows_first(make_dng) -> None:
    tags = ((50829, 4, 4, (2, 4, 22, 34)), (50719, 5, 2, (6, 1, 8, 2)), (50720, 3, 2, (20, 10)))
    frame = read_raw(make_dng(pixels(), *tags))
    assert frame.crop == (4, 6, 10, 20)


@pytest.mark.parametrize("size", [(36, 24), (400, 10), (0, 0)])
def test_a_crop_of_everything_or_beyond_is_none(make_dng, size) -> None:
    assert read_raw(make_dng(pixels(), (50719, 4, 2, (0, 0)), (50720, 4, 2, size))).crop is None


@pytest.mark.parametrize(
    ("tag", "field"),
    [
        ((50728, 5, 3, (0, 1, 1, 1, 1, 1)), "white_balance"),
        ((50728, 5, 3, (1, 0, 1, 1, 1, 1)), "white_balance"),
        ((50728, 5, 3, (1, 1000000, 1, 1, 1, 1)), "white_balance"),
        ((50728, 5, 2, (1, 2, 1, 1)), "white_balance"),
        ((51041, 12, 2, (float("nan"), 1e-6)), "noise"),
        ((51041, 12, 2, (-1e-3, 1e-6)), "noise"),
        ((51041, 12, 2, (0.0, 0.0)), "noise"),
        ((51041, 12, 4, (1e-3, 1e-6) * 2), "noise"),
        ((51041, 2, 0, "text"), "noise"),
        ((50730, 10, 1, (1, 0)), "baseline_exposure"),
        ((50730, 10, 1, (1000, 1)), "baseline_exposure"),
        (matrix(50721, np.ones((3, 3))), "calibrations"),
        (matrix(50721, np.zeros((3, 3))), "calibrations"),
    ],
    ids=str,
)
def test_garbage_in_tags_that_the_picture_can_do_without_counts_as_absent(make_dng, tag, field) -> None:
    assert not getattr(read_raw(make_dng(pixels(), tag)), field)


# --- lens shading


def opcode(gains: np.ndarray, area=(0, 0, 24, 36), plane=(0, 1), pitch=(1, 1), spacing=(1.0, 1.0), identity=9) -> bytes:
    rows, columns, planes = gains.shape
    body = struct.pack(">10I", *area, *plane, *pitch, rows, columns) + struct.pack(">4dI", *spacing, 0.0, 0.0, planes)
    body += gains.astype(">f4").tobytes()
    return struct.pack(">4I", identity, 0x01030000, 0, len(body)) + body


def listed(*opcodes: bytes) -> tuple:
    data = struct.pack(">I", len(opcodes)) + b"".join(opcodes)
    return 51009, 7, len(data), data


GRID = np.arange(1, 7, dtype=np.float32).reshape(2, 3, 1)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_maps_of_the_four_phases_are_big_endian_and_keep_their_places(make_dng, byteorder) -> None:
    phases = [(row, column, 24, 36) for row in (0, 1) for column in (0, 1)]
    other = opcode(GRID, identity=7)
    tag = listed(
        other, *(opcode(GRID * (i + 1), area, pitch=(2, 2), spacing=(1.0, 0.5)) for i, area in enumerate(phases))
    )
    frame = read_raw(make_dng(pixels(), tag, byteorder=byteorder))
    assert [m.area for m in frame.gain_maps] == phases
    assert {(m.bounds, m.pitch, m.spacing, m.origin) for m in frame.gain_maps} == {
        ((0, 0, 24, 36), (2, 2), (1.0, 0.5), (0.0, 0.0))
    }
    for i, found in enumerate(frame.gain_maps):
        np.testing.assert_array_equal(found.gains, GRID * (i + 1))
    assert frame.metadata.dng[51009] == tag[1:]


def test_a_map_of_one_plane_of_a_linear_raw_leaves_the_others(make_dng) -> None:
    (found,) = read_raw(make_dng(pixels(planes=3), listed(opcode(GRID, plane=(1, 1))), cfa="")).gain_maps
    np.testing.assert_array_equal(found.gains, np.concatenate([np.ones_like(GRID), GRID, np.ones_like(GRID)], axis=2))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        struct.pack(">I", 2**32 - 1),
        struct.pack(">I", 1) + opcode(GRID)[:-4],
        struct.pack(">I", 1) + opcode(GRID * np.nan),
        struct.pack(">I", 1) + opcode(-GRID),
        struct.pack(">I", 1) + opcode(GRID, pitch=(0, 1)),
        struct.pack(">I", 1) + opcode(GRID, spacing=(0.0, 1.0)),
        struct.pack(">I", 1)
        + opcode(GRID)[:16]
        + struct.pack(">10I4dI", 0, 0, 9, 9, 0, 1, 1, 1, 2**31, 2**31, 1, 1, 0, 0, 9),
    ],
    ids=len,
)
def test_damaged_maps_are_neither_used_nor_carried_on(make_dng, data) -> None:
    frame = read_raw(make_dng(pixels(), (51009, 7, len(data) or 1, data or b"\0")))
    assert frame.gain_maps == () and 51009 not in frame.metadata.dng


def test_other_corrections_are_carried_on(make_dng) -> None:
    frame = read_raw(make_dng(pixels(), listed(opcode(GRID, identity=7))))
    assert frame.gain_maps == () and 51009 in frame.metadata.dng


def test_what_another_dng_takes_over_is_carried_and_what_the_frame_says_is_not(make_dng) -> None:
    tags = (
        (50740, 1, 6, b"Adobe\0"), (50741, 3, 1, 1), (50735, 2, 0, "S123"), (50736, 5, 4, rationals(24, 70, 2.8, 4)),
        (50728, 5, 3, rationals(*NEUTRAL)), (700, 1, 9, b"<x:xmp/> "),
    )  # fmt: skip
    metadata = read_raw(make_dng(pixels(), *tags)).metadata
    assert metadata.dng[50740] == (1, 6, b"Adobe\0")
    assert metadata.dng[50736] == (5, 4, rationals(24, 70, 2.8, 4))
    assert (
        metadata.dng[50741] == (3, 1, 1) and metadata.dng[50735][2] == "S123" and metadata.dng[50708][2] == "Test Cam"
    )
    assert not {50728, 50714, 50717, 50721, 50829, 33422, 256, 273} & set(metadata.dng)
    assert metadata.xmp == b"<x:xmp/> "
