"""Variance 1 where there is light, and a way back without bias."""

from __future__ import annotations

import numpy as np
import pytest

from quietlight.systems.anscombe import stabilise, unstabilise

# (shot, read): photons only, read noise of 0.5, 1 and 5 electrons, and read noise only.
PROFILES = [(1e-3, 0.0), (1e-2, 0.25e-4), (1e-2, 1e-4), (1e-3, 25e-6), (0.0, 1e-4)]


def noisy(signal: float, shot: float, read: float, count: int = 400_000) -> np.ndarray:
    rng = np.random.default_rng(1)
    photons = rng.poisson(signal / shot, count) * shot if shot else np.full(count, signal)
    return (photons + rng.normal(0, read**0.5, count)).astype(np.float32)


@pytest.mark.parametrize(("shot", "read"), PROFILES)
@pytest.mark.parametrize("signal", [0.1, 0.3, 0.9])
def test_variance_is_one(shot, read, signal):
    assert signal / max(shot, 1e-9) >= 10
    assert np.var(stabilise(noisy(signal, shot, read), shot, read)) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize(("shot", "read"), PROFILES)
@pytest.mark.parametrize("signal", [0.002, 0.01, 0.05, 0.2, 0.8])
def test_inverse_is_unbiased(shot, read, signal):
    samples = noisy(signal, shot, read)
    mean = np.mean(stabilise(samples, shot, read), dtype=np.float64)
    back = float(unstabilise(np.array([mean], np.float32), shot, read)[0])
    deviation = (shot * signal + read) ** 0.5
    assert abs(back - signal) < 0.025 * deviation


@pytest.mark.parametrize(("shot", "read"), PROFILES)
def test_inverse_rises_and_stays_finite_everywhere(shot, read):
    signal = np.linspace(-0.5, 2, 2001, dtype=np.float32)
    stable = stabilise(signal, shot, read)
    assert np.isfinite(stable).all() and (np.diff(stable) >= 0).all()
    back = unstabilise(np.linspace(stable.min() - 5, stable.max(), 4001, dtype=np.float32), shot, read)
    assert np.isfinite(back).all()
    assert (np.diff(back) >= -1e-6).all()


def test_little_shot_noise_is_the_limit_of_none():
    signal = np.linspace(-0.1, 1, 50, dtype=np.float32)
    np.testing.assert_allclose(stabilise(signal, 1e-9, 1e-4), stabilise(signal, 0, 1e-4), rtol=1e-4, atol=1e-4)
    stable = np.linspace(-10, 100, 50, dtype=np.float32)
    np.testing.assert_allclose(unstabilise(stable, 1e-9, 1e-4), unstabilise(stable, 0, 1e-4), rtol=1e-4, atol=1e-6)
