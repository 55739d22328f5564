"""A merged burst has the noise that it declares, and no ghosts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quietlight.frames import BAYER, Burst, Image, UnusableInput
from quietlight.systems import lapped
from quietlight.systems import merge as module
from quietlight.systems.merge import AUTHORS_TUNING, hdrplus, mean

INNER = np.s_[16:-16, 16:-16]


@pytest.mark.parametrize("cfa", [*BAYER, "MONO", "RGB"])
def test_every_size_and_pattern_keeps_its_shape(cfa, made):
    burst, _ = made([(0, 0), (1, 0), (0, 1)], 1, "MONO", (64, 64))
    for height, width in ((1, 1), (5, 30), (51, 38)):
        cut = [frame.mosaic[:height, :width] for frame in burst.frames]
        mosaics = [np.stack([m] * 3, axis=2) if cfa == "RGB" else m for m in cut]
        frames = tuple(replace(burst.frames[0], mosaic=m, cfa=cfa, iso=100 + i) for i, m in enumerate(mosaics))
        result = hdrplus(Burst(frames, reference=1))
        assert result.frame.mosaic.shape == mosaics[0].shape
        assert result.frame.mosaic.dtype == np.float32
        assert (result.frame.cfa, result.frame.iso, result.record["reference"]) == (cfa, 101, 1)


@pytest.mark.parametrize("tuning", [AUTHORS_TUNING, module.TUNING])
@pytest.mark.parametrize("gain", [1, 8])
def test_the_noise_left_is_the_noise_declared(gain, tuning, made):
    burst, truth = made([(0, 0)] * 8, gain)
    result = hdrplus(burst, aligned=False, tuning=tuning)
    error = np.mean((result.frame.mosaic - truth) ** 2)
    assert np.mean(result.frame.noise.variance(truth)) == pytest.approx(error, rel=0.15)
    assert result.record["effective_frames"] > 3


def test_a_displaced_burst_is_merged_nearly_as_one_that_is_not(made):
    shifts = [(0, 0), (2, -1), (-1.5, 0.5), (6, 3)]
    burst, truth = made(shifts, 8)
    still, _ = made([(0, 0)] * 4, 8)
    errors = [
        np.mean((hdrplus(b, aligned=a).frame.mosaic - truth)[INNER] ** 2) for b, a in ((burst, True), (still, False))
    ]
    assert errors[0] < 1.2 * errors[1]
    ghosted = np.mean((mean(burst, aligned=False).mosaic - truth)[INNER] ** 2)
    assert np.mean((mean(burst).mosaic - truth)[INNER] ** 2) < ghosted / 1.5


def test_what_moves_leaves_no_ghost(made):
    def paint(index, plane):
        plane[30:60, 20 + 12 * index : 32 + 12 * index] = 0.95

    burst, truth = made([(0, 0), (1, 0), (0, -1), (1, 1)], 1, paint=paint)
    # Where the object was in any frame.
    touched = np.s_[60:120, 40:136]
    noise = np.mean(burst.frames[0].noise.variance(truth[touched]))
    assert np.mean((hdrplus(burst).frame.mosaic - truth)[touched] ** 2) < 1.1 * noise
    assert np.mean((mean(burst).mosaic - truth)[touched] ** 2) > 4 * noise


def test_a_frame_that_failed_changes_little(made):
    burst, truth = made([(0, 0)] * 4, 1)
    failed = replace(burst.frames[2], mosaic=np.zeros_like(burst.frames[2].mosaic))
    result = hdrplus(replace(burst, frames=(*burst.frames[:2], failed, burst.frames[3])))
    three = hdrplus(replace(burst, frames=(*burst.frames[:2], burst.frames[3])))
    assert [m > 0.5 for m in result.record["misfit"]] == [False, True, False]
    assert np.mean((result.frame.mosaic - truth) ** 2) < 1.5 * np.mean((three.frame.mosaic - truth) ** 2)


def test_the_sharpest_frame_is_the_reference_where_none_is_named(made):
    burst, _ = made([(0, 0)] * 3)
    blurred = [replace(f, mosaic=(f.mosaic + np.roll(f.mosaic, 2, 1)) / 2) for f in burst.frames]
    frames = (blurred[0], burst.frames[1], blurred[2])
    assert hdrplus(Burst(frames)).record["reference"] == 1
    assert hdrplus(Burst(frames, reference=2)).record["reference"] == 2


def test_the_record_says_where_the_scene_moves_and_where_it_stands_still(made):
    def paint(index, plane):
        plane[40:60, 30 + 20 * index : 50 + 20 * index] = 0.0

    burst, _ = made([(0, 0), (1, 0), (0, 1)], 1, "GRBG", paint=paint)
    places = hdrplus(burst).record["places"]
    (row, column), (still_row, _) = places["moving"]["at"], places["static"]["at"]
    assert 70 <= row <= 130
    assert 50 <= column <= 190
    assert not 70 <= still_row <= 130 or places["static"]["residual"] < 1.5
    assert places["moving"]["residual"] > 2 > places["static"]["residual"]


def test_progress_reaches_its_end_once(made):
    shares: list[float] = []
    hdrplus(made([(0, 0)] * 3)[0], progress=shares.append)
    assert shares == sorted(shares)
    assert (shares[-1], len(shares)) == (1, 3)


def test_pieces_leave_no_seams(made, monkeypatch):
    burst, _ = made([(0, 0)] * 3, 1)
    shares: list[float] = []
    whole = hdrplus(burst, aligned=False).frame.mosaic
    monkeypatch.setattr(lapped, "_PIECE", 32)
    pieces = hdrplus(burst, aligned=False, progress=shares.append).frame.mosaic
    np.testing.assert_allclose(pieces, whole, atol=1e-6)
    assert len(shares) > 4
    assert shares[-1] == 1


def test_one_frame_is_what_it_was(made):
    burst, _ = made([(0, 0)])
    result = hdrplus(burst)
    assert np.array_equal(result.frame.mosaic, burst.frames[0].mosaic)
    assert result.frame.noise == burst.frames[0].noise


def test_what_cannot_be_merged_is_refused(made):
    burst, _ = made([(0, 0)] * 2, cfa="MONO", size=(32, 32))
    for other in (burst.frames[0], Burst((Image(np.zeros((8, 8, 3), np.uint8)),))):
        with pytest.raises(UnusableInput, match="merges bursts of raws"):
            hdrplus(other)
    with pytest.raises(UnusableInput, match="told the noise"):
        hdrplus(Burst(tuple(replace(frame, noise=None) for frame in burst.frames)))
    with pytest.raises(UnusableInput, match="does not belong"):
        hdrplus(Burst((burst.frames[0], replace(burst.frames[1], mosaic=burst.frames[1].mosaic[:8]))))
