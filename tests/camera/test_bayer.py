"""Packing is undone by unpacking, and every cut or turn keeps each pixel's colour."""

import numpy as np
import pytest

from quietlight.camera.bayer import (
    amplify,
    as_rggb,
    crop,
    flip,
    pack,
    pad_even,
    pattern_colors,
    plane_offsets,
    undo_as_rggb,
    unpack,
)
from quietlight.camera.unprocess import mosaic
from quietlight.frames import BAYER, GainMap, RawFrame, UnusableInput

SIZES = [(2, 2), (4, 6), (10, 8)]


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("size", SIZES)
def test_unpack_undoes_pack(cfa: str, size: tuple[int, int]) -> None:
    raw = np.random.default_rng(0).random(size)
    np.testing.assert_array_equal(unpack(pack(raw, cfa), cfa), raw)


@pytest.mark.parametrize("cfa", BAYER)
def test_planes_are_red_green_green_blue(cfa: str) -> None:
    colors = np.tile(pattern_colors(cfa), (3, 4))
    assert [plane.min() for plane in pack(colors, cfa)] == [plane.max() for plane in pack(colors, cfa)] == [0, 1, 1, 2]
    red_row, green_of_red = plane_offsets(cfa)[0][0], plane_offsets(cfa)[1]
    assert green_of_red[0] == red_row


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 5), (4, 5)])
@pytest.mark.parametrize("cfa", BAYER)
def test_padding_to_even_keeps_the_pattern(size: tuple[int, int], cfa: str) -> None:
    colors = np.tile(pattern_colors(cfa), (4, 4))[: size[0], : size[1]]
    padded = pad_even(colors)
    assert padded.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    np.testing.assert_array_equal(padded[: size[0], : size[1]], colors)


@pytest.mark.parametrize("size", [(2, 2), (5, 7)])
@pytest.mark.parametrize("cfa", BAYER)
def test_every_pattern_becomes_rggb_and_comes_back(size: tuple[int, int], cfa: str) -> None:
    colors = np.tile(pattern_colors(cfa), (4, 4))[: size[0], : size[1]]
    unified = as_rggb(colors, cfa)
    np.testing.assert_array_equal(
        unified, np.tile(pattern_colors("RGGB"), (4, 4))[: unified.shape[0], : unified.shape[1]]
    )
    np.testing.assert_array_equal(undo_as_rggb(unified, cfa), colors)


def test_odd_sizes_are_not_packed() -> None:
    with pytest.raises(UnusableInput):
        pack(np.zeros((3, 4)), "RGGB")


def colored_frame(cfa: str, size: tuple[int, int]) -> RawFrame:
    """Each pixel holds 1, 2, 3 for red, green, blue."""
    rgb = np.broadcast_to(np.array([1, 2, 3], np.float32), (*size, 3))
    return RawFrame(mosaic(rgb, cfa).astype(np.float32), cfa)


def colors_are_true(frame: RawFrame) -> bool:
    height, width = frame.mosaic.shape
    tiled = np.tile(pattern_colors(frame.cfa), (height // 2 + 1, width // 2 + 1))[:height, :width]
    return bool((frame.mosaic == tiled + 1).all())


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (3, 3)])
def test_crop_keeps_the_colors(cfa: str, corner: tuple[int, int]) -> None:
    assert colors_are_true(crop(colored_frame(cfa, (9, 11)), *corner, 4, 5))


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("size", [(6, 8), (7, 8), (6, 9), (7, 9)])
@pytest.mark.parametrize("axis", [0, 1])
def test_flip_keeps_the_colors(cfa: str, size: tuple[int, int], axis: int) -> None:
    assert colors_are_true(flip(colored_frame(cfa, size), axis))  # type: ignore[arg-type]


@pytest.mark.parametrize("cfa", BAYER)
def test_amplify_scales_each_color_by_its_gain(cfa: str) -> None:
    frame = amplify(colored_frame(cfa, (5, 7)), (6.0, 3.0, 2.0))
    np.testing.assert_array_equal(frame.mosaic, np.full((5, 7), 6, np.float32))


def test_crop_moves_the_default_crop_and_the_lens_shading() -> None:
    gain_map = GainMap((0, 0, 20, 20), (0, 0, 20, 20), (1, 1), (1.0, 1.0), (0.0, 0.0), np.ones((2, 2, 1)))
    frame = RawFrame(np.zeros((20, 20), np.float32), "RGGB", crop=(2, 4, 10, 12), gain_maps=(gain_map,))
    cut = crop(frame, 4, 2, 10, 10)
    assert cut.crop == (0, 2, 8, 8)
    assert cut.gain_maps[0].bounds == (-4, -2, 20, 20)
    assert crop(frame, 16, 0, 4, 4).crop is None


@pytest.mark.parametrize("rectangle", [(0, 0, 0, 4), (-1, 0, 4, 4), (0, 0, 21, 4), (18, 18, 4, 4)])
def test_crop_refuses_rectangles_outside(rectangle: tuple[int, int, int, int]) -> None:
    with pytest.raises(UnusableInput):
        crop(RawFrame(np.zeros((20, 20), np.float32), "RGGB"), *rectangle)
