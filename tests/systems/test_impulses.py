"""Impulses are found, nothing else is, and the fill comes from the neighbours that are left."""

from __future__ import annotations

import numpy as np
import pytest

from quietlight.systems.impulses import alone, detect, fill, full_scale

TYPES = [np.uint8, np.uint16, np.float32]


def scene(dtype: type, channels: int | None = None) -> np.ndarray:
    rows, columns = np.mgrid[0:90, 0:110]
    plane = 0.45 + 0.25 * np.sin(columns / 11) + 0.15 * np.cos(rows / 7)
    plane = plane if channels is None else np.stack([plane * (1 - 0.2 * c) for c in range(channels)], axis=-1)
    white = 1 if dtype is np.float32 else np.iinfo(dtype).max
    return (plane if white == 1 else np.rint(plane * white)).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rate", [0.002, 0.05, 0.2])
@pytest.mark.parametrize("channels", [None, 3])
def test_hits_are_found_and_filled(dtype, rate, channels):
    clean = scene(dtype, channels)
    rng = np.random.default_rng(2)
    hit = rng.random(clean.shape) < rate
    broken = np.where(hit, rng.choice([0, full_scale(clean)], clean.shape), clean).astype(dtype)
    found = detect(broken)
    # A majority of hits in one 5x5 square hides the scene: a few in ten thousand at the highest rate.
    assert (found & hit).sum() >= 0.99 * hit.sum()
    assert (found & ~hit).sum() == 0
    repaired = fill(broken, found)
    assert repaired.dtype == dtype
    np.testing.assert_array_equal(repaired[~found], broken[~found])
    error = np.abs(repaired.astype(float) - clean)[found & hit] / full_scale(clean)
    assert error.mean() < 0.02


def test_black_areas_and_white_areas_are_no_hits():
    picture = np.full((40, 40), 128, np.uint8)
    picture[:, :10], picture[:, 30:] = 0, 255
    assert not detect(picture)[:, :8].any() and not detect(picture)[:, 32:].any()


def test_contrast_is_the_distance_of_the_median():
    picture = np.full((9, 9), 20, np.uint8)
    picture[4, 4] = 0
    assert detect(picture, 19.5 / 255)[4, 4] and not detect(picture, 20.5 / 255)[4, 4]


def test_a_lone_dropped_pixel_is_alone_but_stars_lines_and_texture_are_not():
    rng = np.random.default_rng(0)
    picture = np.clip(rng.normal(100, 4, (60, 60)), 1, 254).astype(np.uint8)
    picture[30, 30] = 0
    rows, columns = np.mgrid[0:60, 0:60]
    star = 155 * np.exp(-((rows - 10) ** 2 + (columns - 10) ** 2) / (2 * 0.6**2))
    picture = np.clip(picture + star, 0, 255).astype(np.uint8)
    picture[10, 10] = 255
    picture[45, :] = 0
    kept = alone(picture, detect(picture), 40 / 255)
    assert kept[30, 30] and kept.sum() == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (2, 3)])
def test_smallest_pictures(size):
    picture = np.full(size, 90, np.uint8)
    assert not detect(picture).any()
    np.testing.assert_array_equal(fill(picture, np.ones(size, bool)), picture)


def test_large_holes_are_filled_from_afar():
    picture = np.full((60, 60), 90, np.uint8)
    mask = np.zeros((60, 60), bool)
    mask[20:40, 20:40] = True
    assert (fill(np.where(mask, 0, picture).astype(np.uint8), mask) == 90).all()
