"""HDR+, then FAN: less noise than either leaves, declared as it is."""

from __future__ import annotations

import numpy as np
import pytest

from quietlight.frames import UnusableInput
from quietlight.systems.fan import fan
from quietlight.systems.merge import hdrplus
from quietlight.systems.merge_fan import hdrplus_fan

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


def test_what_hdrplus_refuses_is_refused(made):
    burst, _ = made(SHIFTS, 1)
    with pytest.raises(UnusableInput, match="merges bursts of raws"):
        hdrplus_fan(burst.frames[0])
