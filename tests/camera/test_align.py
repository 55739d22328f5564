"""A known shift is found for every pattern, what noise does is not taken for motion, and what moves is."""

import numpy as np
import pytest

from quietlight.camera.align import change, displacement, half_size, overlap, shift_between
from quietlight.frames import BAYER, RawFrame

SIDE = 160


def scene(rng, size):
    """Something with structure of every size, in [0, 1]."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)) + 1 / size
    picture = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) / frequency**1.3, (size, size))
    return np.clip(0.4 + 0.15 * (picture - picture.mean()) / picture.std(), 0, 1)


BIG = scene(np.random.default_rng(1), 2 * SIDE)


def seen(rows=0, columns=0, noise=0.0, seed=0, cfa="RGGB"):
    """A frame in which the scene has moved down by `rows` and right by `columns`, halved."""
    top, left = SIDE // 2 - rows, SIDE // 2 - columns
    cut = BIG[top : top + SIDE, left : left + SIDE]
    noisy = cut + noise * np.random.default_rng(seed).standard_normal(cut.shape)
    return half_size(RawFrame(noisy.astype(np.float32), cfa))


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("shift", [(0, 0), (2, -4), (-26, 30)])
def test_a_shift_is_found(shift, noise, cfa):
    assert shift_between(seen(noise=noise, cfa=cfa), seen(*shift, noise=noise, seed=1, cfa=cfa)) == shift
    assert shift_between(seen(*shift, noise=noise, cfa=cfa), seen(noise=noise, seed=1, cfa=cfa)) == (
        -shift[0],
        -shift[1],
    )


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize(("rows", "columns"), [(1, 0), (0, 1), (1, 1)])
def test_displacement_is_measured_in_pixels(rows, columns, noise):
    found = displacement(seen(noise=noise), seen(rows, columns, noise, seed=1))
    assert found == pytest.approx(np.hypot(rows, columns), rel=0.25)


def test_noise_is_no_motion_and_no_change():
    first, second = seen(noise=0.1), seen(noise=0.1, seed=1)
    assert displacement(first, second) < 0.3
    assert change(first, second, 0.1**2 / 4) < 0.004
    assert displacement(first, first) == change(first, first, 0.0) == 0
    flat = np.full((40, 40), 0.3)
    assert displacement(flat, flat + 0.1) == 0
    assert change(flat, flat + 0.1, 0.0) == 1


def test_what_moves_and_what_brightens_is_a_change():
    first, moved = seen(noise=0.02), seen(noise=0.02, seed=1)
    moved[20:35, 20:35] = 0.9
    assert change(first, moved, 0.02**2 / 4) > 0.02
    assert change(first, 1.1 * seen(noise=0.02, seed=2), 0.02**2 / 4) > 0.01


def test_the_overlap_is_what_all_show():
    assert overlap([], 9, 8) == (0, 0, 8, 8)
    assert overlap([(2, -4), (-6, 2)], 40, 50) == (6, 4, 32, 44)
    assert overlap([(50, 0)], 40, 50)[2] == 0
