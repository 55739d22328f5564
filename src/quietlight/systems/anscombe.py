"""Poisson-Gaussian noise -> noise of variance 1, and back without bias.

Generalised Anscombe transform (Starck, Murtagh and Bijaoui 1998) in the scale of a raw, variance(x) = shot * x + read, and its
exact unbiased inverse (Makitalo and Foi 2013, "Optimal inversion of the generalized Anscombe transformation for Poisson-Gaussian
noise"): their closed form, plus, below 30 electrons, what it lacks there (up to a fifth of the noise's standard deviation in the
dark, with a read noise of about half an electron), tabulated from the definition of the exact inverse.

Shifted so that 0 stays 0, and written without differences of large numbers: with shot = 0 the transform is the division by the
standard deviation, with read = 0 Anscombe's own.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_ROOT = 1.5**0.5
_BRIGHTEST = 30.0
"""Electrons up to which the closed form is corrected."""
_NOISIEST = 8.0
"""Read noise in electrons from which on it needs no correction."""


def stabilise(signal: Plane, shot: float, read: float) -> Plane:
    """2/shot * (sqrt(shot * x + c) - sqrt(c)), c = 3/8 shot² + read; not both variances may be 0. Any shape, any sign."""
    offset = 0.375 * shot**2 + read
    root = signal * np.float32(shot)
    root += np.float32(offset)
    np.maximum(root, 0, out=root)
    np.sqrt(root, out=root)
    root += np.float32(offset**0.5)
    np.divide(signal * np.float32(2), root, out=root)
    return root


def unstabilise(stable: Plane, shot: float, read: float) -> Plane:
    """The signal whose noisy versions `stabilise` turns into numbers of this mean: the exact unbiased inverse.

    Below the transform's least value the curve goes on, so that negative estimates stay negative.
    """
    signal = _closed_form(stable, shot, read)
    if shot > 0 and read < (_NOISIEST * shot) ** 2:
        places, missing = _correction(round(read**0.5 / shot, 6))
        low = stable < places[-1]
        signal[low] += np.float32(shot) * np.interp(stable[low], places, missing).astype(np.float32)
    return signal


@lru_cache(maxsize=64)
def _correction(deviation: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact inverse less the closed form, in electrons, at means of the stabilised signal, for a read noise in electrons."""
    signal = np.linspace(0, _BRIGHTEST, 241)
    counts = np.arange(101)
    normal = np.linspace(-5, 5, 201)
    weights = np.exp(-(normal**2) / 2)
    values = stabilise((counts[:, None] + deviation * normal).astype(np.float32), 1, deviation**2)
    of_count = values.astype(np.float64) @ (weights / weights.sum())
    factorials = np.cumsum(np.log(np.maximum(counts, 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(counts == 0, 0, counts * np.log(signal)[:, None]) - signal[:, None] - factorials
    places = np.exp(logs) @ of_count
    missing = signal - _closed_form(places.astype(np.float32), 1, deviation**2)
    # To nothing at the end, so that there is no step.
    return places, missing - missing[-1] * signal / _BRIGHTEST


def _closed_form(stable: Plane, shot: float, read: float) -> Plane:
    root = (0.375 * shot**2 + read) ** 0.5
    least = -2 * root / shot if shot > 0 else -np.inf
    stable = np.maximum(stable, np.float32(least))
    signal = stable * np.float32(shot / 4)
    signal += np.float32(root)
    signal *= stable
    if shot > 0:
        # 1/D of the paper, D at least its value for no photon and no read noise.
        inverse = stable * np.float32(shot)
        inverse += np.float32(2 * root)
        np.maximum(inverse, np.float32(shot * _ROOT), out=inverse)
        np.divide(np.float32(shot), inverse, out=inverse)
        # shot * (1/4 + sqrt(3/2)/4 /D - 11/8 /D² + 5/8 sqrt(3/2) /D³) on top of the algebraic inverse.
        term = inverse * np.float32(0.625 * _ROOT)
        for constant in (-1.375, 0.25 * _ROOT):
            term += np.float32(constant)
            term *= inverse
        term += np.float32(0.25)
        term *= np.float32(shot)
        signal += term
    return signal
