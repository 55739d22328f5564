"""Grain is what was taken from the luminance, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from quietlight.frames import Image, UnusableInput
from quietlight.systems import Result
from quietlight.systems.grain import with_grain

RNG = np.random.default_rng(0)
CLEAN = Image(RNG.uniform(60, 190, (40, 30, 3)).astype(np.uint8))
NOISY = replace(CLEAN, pixels=(CLEAN.pixels + RNG.integers(-40, 41, CLEAN.pixels.shape)).astype(np.uint8))
STEP = {"nature": "gaussian"}


ONE_STEP = Result(CLEAN, {"steps": [STEP]}, (CLEAN,))


def grainy(share, noisy=NOISY, result=ONE_STEP):
    return with_grain(noisy, result, share).pixels.astype(float) - result.frame.pixels


def test_no_share_is_the_clean_photo_and_all_is_its_whole_luminance():
    assert with_grain(NOISY, Result(CLEAN, {}), 0) is CLEAN
    taken = NOISY.pixels.astype(float) - CLEAN.pixels
    for share in (0.5, 1.0):
        change = grainy(share)
        assert np.abs(change - share * taken.mean(2, keepdims=True)).max() <= 0.51  # rounded
        assert np.ptp(change, axis=2).max() <= 1  # no colour


def test_lost_pixels_do_not_come_back():
    lost = RNG.random((40, 30)) < 0.1
    hit = replace(NOISY, pixels=np.where(lost[..., None], 0, NOISY.pixels).astype(np.uint8))
    repaired = replace(hit, pixels=np.where(lost[..., None], CLEAN.pixels, hit.pixels).astype(np.uint8))
    record = {"steps": [{"nature": "bernoulli"}, STEP]}
    change = grainy(1.0, hit, Result(CLEAN, record, (repaired, CLEAN)))
    assert np.all(change[lost] == 0)
    assert np.any(change[~lost] != 0)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_type_stays(dtype):
    scale = 257 if dtype == np.uint16 else 1 / np.float32(255)
    noisy, clean = (replace(one, pixels=(one.pixels * np.float64(scale)).astype(dtype)) for one in (NOISY, CLEAN))
    assert with_grain(noisy, Result(clean, {}), 0.3).pixels.dtype == dtype


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_a_share(share):
    with pytest.raises(UnusableInput, match="between 0 and 1"):
        with_grain(NOISY, Result(CLEAN, {}), share)
