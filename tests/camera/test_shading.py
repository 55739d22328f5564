"""Laws of lens shading: maps of gains, on a grid, for the pixels of a phase or of all."""

from dataclasses import replace

import numpy as np
import pytest

from quietlight.camera import bayer, shading
from quietlight.frames import GainMap, RawFrame


def grid_map(gains, area, pitch=(1, 1), bounds=None, spacing=None):
    gains = np.asarray(gains, float)
    gains = gains.reshape(*gains.shape[:2], -1)
    rows, columns = gains.shape[:2]
    top, left, bottom, right = area
    return GainMap(
        bounds or (top, left, bottom - top, right - left),
        area,
        pitch,
        spacing or (1 / max(rows - 1, 1), 1 / max(columns - 1, 1)),
        (0.0, 0.0),
        gains,
    )


def ones(height, width, *maps, cfa="RGGB"):
    shape = (height, width, 3) if cfa == "RGB" else (height, width)
    return RawFrame(np.ones(shape, np.float32), cfa, gain_maps=maps)


@pytest.mark.parametrize("cfa", ["RGGB", "MONO", "RGB"])
@pytest.mark.parametrize("points", [(1, 1), (1, 4), (5, 7)])
def test_a_constant_map_is_a_gain(cfa, points):
    result = shading.apply_gain_maps(ones(41, 63, grid_map(np.full(points, 1.5), (0, 0, 41, 63)), cfa=cfa))
    assert result.mosaic == pytest.approx(np.full(result.mosaic.shape, 1.5))
    assert result.gain_maps == ()


def test_a_ramp_stays_a_ramp():
    ramp = 1 + np.linspace(0, 1, 5)[:, None] + np.linspace(0, 2, 9)
    result = shading.apply_gain_maps(ones(300, 401, grid_map(ramp, (0, 0, 300, 401))))
    rows, columns = (np.arange(300) + 0.5) / 300, (np.arange(401) + 0.5) / 401
    assert result.mosaic == pytest.approx(1 + rows[:, None] + 2 * columns, abs=1e-5)


def test_edges_are_repeated_where_the_grid_ends():
    half = grid_map([[1.0, 2.0]], (0, 0, 10, 100), spacing=(1.0, 0.5))
    result = shading.apply_gain_maps(ones(10, 100, half)).mosaic
    assert result[:, 50:] == pytest.approx(2 * np.ones((10, 50)))
    assert result[0, 25] == pytest.approx(1.51)


def test_maps_of_pitch_two_act_on_their_phases_only():
    phases = [(0, 0), (0, 1), (1, 0), (1, 1)]
    maps = [grid_map(np.full((2, 2), 2.0 + i), (*p, 31, 45), (2, 2)) for i, p in enumerate(phases)]
    result = shading.apply_gain_maps(ones(31, 45, *maps)).mosaic
    for i, (row, column) in enumerate(phases):
        assert result[row::2, column::2] == pytest.approx(np.full(result[row::2, column::2].shape, 2 + i))


def test_pixels_outside_the_area_stay():
    result = shading.apply_gain_maps(ones(20, 20, grid_map([[3.0]], (4, 6, 10, 30)))).mosaic
    assert (result == 3).sum() == 6 * 14
    assert (result[4:10, 6:] == 3).all()
    assert (shading.apply_gain_maps(ones(4, 4, grid_map([[3.0]], (6, 6, 10, 30)))).mosaic == 1).all()


def test_planes_take_their_own_gains():
    gains = np.ones((3, 3, 3)) * [1, 2, 3]
    result = shading.apply_gain_maps(ones(9, 9, grid_map(gains, (0, 0, 9, 9)), cfa="RGB")).mosaic
    assert result[4, 4] == pytest.approx([1, 2, 3])


def test_shading_and_cutting_may_change_places():
    rng = np.random.default_rng(18)
    maps = [
        grid_map(rng.uniform(1, 3, (4, 5)), (*p, 60, 80), (2, 2), (0, 0, 60, 80))
        for p in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    frame = replace(ones(60, 80, *maps), mosaic=rng.random((60, 80), np.float32))
    cut = (7, 12, 33, 41)
    first = bayer.crop(shading.apply_gain_maps(frame), *cut)
    assert shading.apply_gain_maps(bayer.crop(frame, *cut)).mosaic == pytest.approx(first.mosaic, rel=1e-5)
