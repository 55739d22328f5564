"""KPN and HDR+ together: what stands out of the noise is given back, noise is not."""

from __future__ import annotations

import numpy as np
import pytest

from quietlight.frames import UnusableInput
from quietlight.systems.kpn import kpn
from quietlight.systems.merge_kpn import given_back, hdrplus_kpn

DEVIATION = 0.01
VARIANCES = np.array([[0, DEVIATION**2]] * 4, np.float32)


def test_detail_is_given_back_and_noise_is_not():
    rng = np.random.default_rng(2)
    detail = np.float32(0.3) + 0.1 * np.sin(np.arange(96, dtype=np.float32) * 1.3) * (np.arange(96)[:, None] < 40)
    truth = np.stack([detail] * 4).astype(np.float32)
    noisy = truth + rng.normal(0, DEVIATION, truth.shape).astype(np.float32)
    planes, share = given_back(np.full_like(truth, 0.3), noisy, VARIANCES)
    assert np.abs(planes - truth)[:, :24].std() < 1.2 * DEVIATION
    assert np.abs(planes - truth)[:, 56:].std() < 0.4 * DEVIATION
    assert 0.01 < share < 0.5


@pytest.mark.parametrize(("gain", "share"), [(1, 0.85), (8, 1.05)])
def test_where_noise_is_weak_it_is_better_than_kernels_and_elsewhere_no_worse(gain, share, made):
    burst, truth = made([(0, 0), (2, -1), (-3, 2), (1, 1), (0, 2), (-1, 0), (2, 2), (0, -2)], gain, "MONO")
    told = []
    result = hdrplus_kpn(burst, progress=told.append)
    both, kernels = (np.square(f.mosaic - truth)[8:-8, 8:-8].mean() for f in (result.frame, kpn(burst).frame))
    assert both < share * kernels
    assert result.frame.noise is not None
    assert 0 < result.record["given_back"] < 1
    assert result.record["weights"] == "kpn-gray"
    assert told == sorted(told)
    assert told[-1] == 1


def test_what_kpn_refuses_is_refused(made):
    burst, _ = made([(0, 0)], 1)
    with pytest.raises(UnusableInput, match="merges bursts of raws"):
        hdrplus_kpn(burst.frames[0])
