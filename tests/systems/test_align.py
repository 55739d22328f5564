"""Displacements are found in noise as strong as the scene, what does not fit says so, and colours stay where they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quietlight.frames import BAYER, NoiseProfile, RawFrame
from quietlight.systems.align import Field, align
from quietlight.systems.warp import guide, noise_of_guide, onto_first, planes_of, sharpest, warp, with_planes


def found(burst) -> Field:
    first, other = burst.frames
    return align(guide(first), guide(other), noise_of_guide(first.noise, first.cfa))


@pytest.mark.parametrize(("gain", "tolerance"), [("none", 0.15), (1, 0.25), (8, 0.5)])
@pytest.mark.parametrize("shift", [(0, 0), (1.5, -2), (-15, 12.5)])
def test_a_displacement_is_found(shift, gain, tolerance, made):
    burst, _ = made([(0, 0), shift], gain)
    error = np.hypot(*np.moveaxis(found(burst).displacement - np.array(shift), 2, 0))
    assert np.median(error) < tolerance


@pytest.mark.parametrize("cfa", [*BAYER, "MONO"])
def test_warped_frames_lie_on_the_reference(cfa, made):
    burst, truth = made([(0, 0), (3, -2)], "none", cfa)
    before = burst.frames[1].mosaic
    planes, _ = onto_first(burst.frames, NoiseProfile((0,), (0,)))
    after = with_planes(burst.frames[0], planes[0]).mosaic
    inner = np.s_[16:-16, 16:-16]
    assert np.abs(after - truth)[inner].mean() < 0.02 * np.abs(before - truth)[inner].mean()


@pytest.mark.parametrize("subpixel", [False, True])
@pytest.mark.parametrize("cfa", BAYER)
def test_colours_stay_in_their_planes(cfa, subpixel):
    colours = np.array([1, 2, 3, 4], np.float32)[:, None, None]
    frame = with_planes(RawFrame(np.zeros((40, 60), np.float32), cfa), np.broadcast_to(colours, (4, 20, 30)))
    field = Field(np.random.default_rng(0).normal(0, 3, (2, 2, 2)).astype(np.float32), np.ones((2, 2), np.float32))
    moved = warp(planes_of(frame), field, planes_of(frame), subpixel=subpixel)
    np.testing.assert_allclose(moved, planes_of(frame), rtol=1e-5)


def test_interpolation_fits_better_between_pixels(made):
    burst, truth = made([(0, 0), (1.5, 0.5)], "none", "MONO")
    errors = []
    for subpixel in (False, True):
        planes, _ = onto_first(burst.frames, NoiseProfile((0,), (0,)), subpixel=subpixel)
        errors.append(np.abs(planes[0][0] - truth)[8:-8, 8:-8].mean())
    assert errors[1] < errors[0] / 2


def test_the_residual_is_one_where_a_frame_fits_and_more_where_something_moved(made):
    def paint(index, plane):
        plane[40:60, 30 + 40 * index : 50 + 40 * index] = 0.0

    still, _ = made([(0, 0), (1, 1)], 8)
    assert found(still).residual.mean() == pytest.approx(1, abs=0.15)
    moving, _ = made([(0, 0), (1, 1)], 1, paint=paint)
    residual = found(moving).residual
    assert residual[2:4, 2:6].max() > 3 > np.median(residual)
    dark = replace(still.frames[1], mosaic=np.zeros_like(still.frames[1].mosaic))
    assert np.median(found(replace(still, frames=(still.frames[0], dark))).residual) > 3


def test_what_the_frame_does_not_show_is_the_references():
    field = Field(np.full((2, 2, 2), 4, np.float32), np.ones((2, 2), np.float32))
    moved = warp(np.zeros((1, 20, 24), np.float32), field, np.ones((1, 20, 24), np.float32))
    assert (moved[0, :16, :20] == 0).all()
    assert (moved[0, 16:] == 1).all()
    assert (moved[0, :, 20:] == 1).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (15, 40), (16, 16), (33, 47)])
def test_every_size_is_aligned(size):
    rng = np.random.default_rng(0)
    one, two = (rng.normal(0.5, 0.1, size).astype(np.float32) for _ in range(2))
    field = align(one, two, NoiseProfile((0,), (0.01,)))
    assert field.dense(*size).shape == (*size, 2)
    assert field.residual.shape == tuple(-(-side // 16) for side in size)


@pytest.mark.parametrize("gain", [1, 8])
def test_the_sharpest_frame_is_not_the_noisiest(gain, made):
    burst, _ = made([(0, 0)] * 3, gain)
    blurred, _ = made([(0, 0)] * 3, gain, paint=lambda _, p: p.__setitem__(..., (p + np.roll(p, 2, 1)) / 2))
    frames = [blurred.frames[0], burst.frames[1], blurred.frames[2]]
    assert sharpest(frames, burst.frames[0].noise) == 1
