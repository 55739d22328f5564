"""A part that is developed by itself is the part of what is developed as a whole, however the camera was held."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quietlight.camera.develop import develop, meter, upright
from quietlight.frames import RawFrame
from quietlight.web.window import GRID, Window, around, as_stored, grown, part, upright_size

SIDES = st.integers(1, 300)


@given(st.floats(-50, 400), st.floats(-50, 400), st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES))
def test_a_window_lies_within_the_picture(row, column, size, most):
    window = around(row, column, size, most)
    assert (window.height, window.width) == (min(size[0], most[0]), min(size[1], most[1]))
    assert 0 <= window.top <= size[0] - window.height
    assert 0 <= window.left <= size[1] - window.width
    wider = grown(window, 7, size)
    assert wider.top % GRID == wider.left % GRID == 0
    inside = window.seen_from(wider)
    assert min(inside.top, inside.left) >= 0
    assert inside.top + inside.height <= wider.height
    assert inside.left + inside.width <= wider.width


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_seen_is_found_in_what_is_stored(orientation):
    stored = np.arange(7 * 11).reshape(7, 11)
    seen = upright(stored, orientation)
    window = Window(2, 1, 3, 4)
    there = as_stored(window, (seen.shape[0], seen.shape[1]), orientation)
    np.testing.assert_array_equal(upright(stored[there.slices], orientation), seen[window.slices])


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG", "MONO", "RGB"])
@pytest.mark.parametrize("orientation", [1, 4, 6, 7])
@pytest.mark.parametrize("crop", [None, (3, 5, 71, 90)])
def test_a_part_is_developed_as_in_the_whole(cfa, orientation, crop):
    shape = (83, 110, 3) if cfa == "RGB" else (83, 110)
    mosaic = np.random.default_rng(0).random(shape, np.float32) * np.float32(0.8)
    frame = RawFrame(mosaic, cfa, white_balance=(2.0, 1.0, 1.5), orientation=orientation, crop=crop)
    rendering = meter(frame).rendering(0.5)
    whole = develop(frame, rendering).pixels
    assert upright_size(frame) == whole.shape[:2]
    for window in (around(30, 20, upright_size(frame), (21, 32)), around(0, 999, upright_size(frame), (21, 32))):
        piece = part(frame, window, 8)
        np.testing.assert_array_equal(develop(piece, rendering).pixels, whole[window.slices])


def test_the_window_is_the_crop_of_its_part():
    frame = RawFrame(np.zeros((40, 60), np.float32), "RGGB")
    piece = part(frame, Window(10, 20, 8, 9), 4)
    assert piece.crop == (10, 20, 8, 9)
