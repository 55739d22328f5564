"""Translation-invariant wavelet shrinkage of one plane with white noise: the filters are PyWavelets', the filter bank is ours.

Undecimated transform (Coifman and Donoho 1995: the same as averaging over all shifts), shrunk in two stages (Ghael, Sayeed and
Baraniuk 1997, "Improved wavelet denoising via empirical Wiener filtering"): a pilot by locally adaptive Wiener gains from the
energy of a 5x5 neighbourhood, of the other orientations and of the parent (Mihcak et al. 1999; Sendur and Selesnick 2002), then
a Wiener filter in another basis whose signal energy is the pilot's.

Why not `pywt.swt2`: it is several times slower, wraps around and wants sides divisible by 32. Here every filter is a sum of
shifted flat arrays. A shift along a row lets the ends of neighbouring rows in; that reaches no further than the filters do, so
whoever calls cuts off `MARGIN` pixels, as `tiles.apply` does.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pywt
from numpy.typing import NDArray

Plane = NDArray[np.float32]

LEVELS = 5
PILOT = ("db3", "db3", "haar", "haar", "haar")
"""Filters by level: longer ones see texture better; at coarse levels they only widen the margin (measured: no gain)."""
FINAL = ("db2", "haar", "haar", "haar", "haar")
WINDOW_STEP = 4
"""Largest distance between the samples of a 5x5 energy window; windows that grow on with the level gain nothing."""
CUT, PARENT, SIBLINGS, FINAL_NOISE = 2.4, 0.15, 0.2, 0.8
"""Found on BSD400 at sigma 5 to 75: noise energies subtracted for the pilot, shares of parent and sibling energy, and the noise
energy of the final Wiener filter (below 1: what the pilot lost is missing from its energy)."""


def _radius(names: tuple[str, ...]) -> int:
    """How far analysis by these filters reaches to a side."""
    return sum(-(-(pywt.Wavelet(name).dec_len - 1) * 2**level // 2) for level, name in enumerate(names))


MARGIN = 2 * _radius(PILOT) + 2 * WINDOW_STEP + 2 * _radius(FINAL)
"""Pixels on every side of the result of `shrink` that are not to be used."""


def shrink(plane: Plane, deviation: float) -> Plane:
    """[H, W] with white noise of standard deviation `deviation` -> the same without most of it.

    The outermost `MARGIN` pixels of the result mean nothing.
    """
    if deviation <= 0:
        return plane
    shape, width = plane.shape, plane.shape[1]
    noisy = np.ascontiguousarray(plane, np.float32).ravel()
    low, bands = _analyse(noisy, PILOT, width)
    parents: list[Plane] = []
    for level in reversed(range(LEVELS)):
        noise = deviation**2 / 4 ** (level + 1)
        energies = [_window(band, min(2**level, WINDOW_STEP), width) for band in bands[level]]
        shared = (energies[0] + energies[1] + energies[2]) * np.float32(SIBLINGS / 3)
        for i, band in enumerate(bands[level]):
            energy = energies[i] * np.float32(1 - SIBLINGS)
            energy += shared
            if parents:
                energy *= np.float32(1 - PARENT)
                energy += parents[i] * np.float32(4 * PARENT)
            energy -= np.float32(CUT * noise)
            np.maximum(energy, 0, out=energy)
            band *= energy
            energy += np.float32(noise)
            band /= energy
        parents = energies
        low = _synthesise(low, bands[level], PILOT[level], 2**level, width)
    _, guides = _analyse(low, FINAL, width)
    low, bands = _analyse(noisy, FINAL, width)
    for level in reversed(range(LEVELS)):
        noise = FINAL_NOISE * deviation**2 / 4 ** (level + 1)
        for band, guide in zip(bands[level], guides.pop(), strict=True):
            guide *= guide
            band *= guide
            guide += np.float32(noise)
            band /= guide
        low = _synthesise(low, bands.pop(), FINAL[level], 2**level, width)
    return low.reshape(shape)


@cache
def _filters(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Low and high pass of an orthogonal wavelet, each of energy 1/2, so that the undecimated frame is tight with bound 1."""
    wavelet = pywt.Wavelet(name)
    return tuple(v / 2**0.5 for v in wavelet.dec_lo), tuple(v / 2**0.5 for v in wavelet.dec_hi)


def _correlate(flat: Plane, taps: tuple[float, ...], step: int, adjoint: bool) -> Plane:
    """Sum over k of taps[k] * flat[i + k * step - centre], or its transpose; what lies outside is left out."""
    size = len(flat)
    centre = (len(taps) - 1) // 2 * step + ((len(taps) - 1) % 2) * (step // 2)
    out, product = np.zeros_like(flat), np.empty_like(flat)
    for k, tap in enumerate(taps):
        offset = centre - k * step if adjoint else k * step - centre
        start, stop = max(0, -offset), min(size, size - offset)
        if start < stop:
            part = np.multiply(flat[start + offset : stop + offset], np.float32(tap), out=product[start:stop])
            out[start:stop] += part
    return out


def _analyse(flat: Plane, names: tuple[str, ...], width: int) -> tuple[Plane, list[list[Plane]]]:
    """The coarsest average, and by level the details in the order rows low, columns low, both high."""
    bands = []
    for level, name in enumerate(names):
        (lo, hi), step = _filters(name), 2**level
        across = _correlate(flat, lo, step * width, False)
        down = _correlate(flat, hi, step * width, False)
        flat = _correlate(across, lo, step, False)
        bands.append(
            [
                _correlate(across, hi, step, False),
                _correlate(down, lo, step, False),
                _correlate(down, hi, step, False),
            ]
        )
    return flat, bands


def _synthesise(low: Plane, details: list[Plane], name: str, step: int, width: int) -> Plane:
    """One level back: the transpose of the analysis."""
    lo, hi = _filters(name)
    across = _correlate(low, lo, step, True)
    across += _correlate(details[0], hi, step, True)
    down = _correlate(details[1], lo, step, True)
    down += _correlate(details[2], hi, step, True)
    out = _correlate(across, lo, step * width, True)
    out += _correlate(down, hi, step * width, True)
    return out


def _window(band: Plane, step: int, width: int) -> Plane:
    """Mean of band² over 5x5 samples, `step` apart."""
    energy = band * band
    for stride in (step, step * width):
        energy = _correlate(energy, (0.2,) * 5, stride, False)
    return energy
