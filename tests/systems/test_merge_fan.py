"""HDR+, then FAN: less noise than either leaves, declared as it is."""

from __future__ import annotations

import numpy as np
import pytest

from quietlight.frames import UnusableInput
from quietlight.systems.fan import fan
from quietlight.systems.merge import hdrplus
from quietlight.systems.merge_fan import hdrplus_fan, reconciled

SHIFTS = [(0, 0), (2, -1), (-3, 2), (1, 4)]


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG"])
def test_a_burst_ends_with_less_noise_than_by_either_alone(cfa, made):
    burst, truth = made(SHIFTS, 1, cfa)
    told = []
    result = hdrplus_fan(burst, progress=told.append)
    frames = result.frame, hdrplus(burst).frame, fan(burst.frames[0]).frame
    both, merged, alone = (np.square(frame.mosaic - truth)[16:-16, 16:-16].mean() for frame in frames)
    assert both < 0.8 * merged
    assert both < 0.8 * alone
    assert result.frame.noise.shot[0] < frames[1].noise.shot[0]
    assert result.record["frames"] == 4
    assert result.record["effective_frames"] > 2
    assert result.record["denoised"]
    assert told == sorted(told)
    assert told[-1] == 1


def test_what_moves_is_no_worse_than_the_reference_alone(made):
    def paint(index, plane):
        plane[30:60, 20 + 5 * index : 50 + 5 * index] = 0.3 + 0.1 * np.sin(np.arange(30))

    burst, truth = made([(0, 0), (1, 0), (0, -1), (1, 1), (0, 0), (-1, 0)], 8, paint=paint)
    touched = np.s_[60:120, 40:150]
    result = hdrplus_fan(burst)
    frames = result.frame, fan(hdrplus(burst).frame).frame, fan(burst.frames[0]).frame
    ours, trusting, alone = (np.square(frame.mosaic - truth)[touched].mean() for frame in frames)
    assert ours < 0.8 * trusting
    assert ours < 1.1 * alone
    assert 0.1 < result.record["trusted"] < 1


def test_a_merge_that_the_reference_bears_out_is_taken_and_another_is_not():
    rng = np.random.default_rng(1)
    clean = np.full((4, 64, 64), 0.25, np.float32)
    noisy = clean + rng.normal(0, 0.02, clean.shape).astype(np.float32)
    variances = np.array([[0, 0.02**2]] * 4, np.float32)
    wrong = clean + np.float32(0.1) * (np.arange(64) > 40)
    right, trusted = reconciled(noisy, clean, clean + np.float32(0.03), variances)
    np.testing.assert_allclose(right.mean(), clean.mean(), atol=0.015)
    assert trusted > 0.5
    kept, doubted = reconciled(noisy, wrong, clean, variances)
    assert np.abs(kept - clean).max() < 0.02
    assert doubted < trusted


def test_what_hdrplus_refuses_is_refused(made):
    burst, _ = made(SHIFTS, 1)
    with pytest.raises(UnusableInput, match="merges bursts of raws"):
        hdrplus_fan(burst.frames[0])
