"""The baseline without learning: variance stabilisation, translation-invariant wavelet shrinkage, exact unbiased inverse.

Raws: Makitalo and Foi 2013 around `wavelet.shrink`, on the four planes of a Bayer mosaic turned into luminance and differences.
Photos: Gaussian noise in the gamma-coded numbers, after impulses (drops to black, jumps to white) are filled. Every later system
is measured against this one, and it is what runs where a learned one cannot.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight import tiles
from quietlight.analysis.estimate import estimate_photo, estimate_raw
from quietlight.analysis.photo import PEPPER, is_drawn, to_planes
from quietlight.camera.bayer import PLANE_COLORS, pack, shifted_pattern, unpack
from quietlight.frames import BAYER, Array, Floats, Image, NoiseProfile, RawFrame, UnusableInput
from quietlight.systems import Result, impulses
from quietlight.systems.anscombe import stabilise, unstabilise
from quietlight.systems.raw_guards import clipped, keep_means, noise_left
from quietlight.systems.wavelet import MARGIN, shrink

Planes = NDArray[np.float32]
Progress = Callable[[float], None]

_TILE = 1024
_CHROMA = 1.1
"""Colour differences are shrunk as if their noise were stronger by this factor: their blotches disturb more than lost detail."""
_LEAST_SIGMA = 0.5
"""Photo noise (0-255) below which nothing is done: the rounding to 8 bits alone is 0.29."""
_DOUBT = 1.5
"""Sigma (0-255) that fine texture may feign: a measured level is lowered by its variance."""

# Orthonormal, rows are the new planes: the noise stays white with variance 1, and the scene gathers in the first.
_BAYER_BASIS = np.array([[1, 1, 1, 1], [1, 0, 0, -1], [0, 1, -1, 0], [1, -1, -1, 1]], np.float32)
_BAYER_BASIS /= np.linalg.norm(_BAYER_BASIS, axis=1, keepdims=True)
_RGB_BASIS = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], np.float32)
_RGB_BASIS /= np.linalg.norm(_RGB_BASIS, axis=1, keepdims=True)


def classical(
    frame: RawFrame | Image, noise: NoiseProfile | float | None = None, *, progress: Progress | None = None
) -> Result:
    """Denoise a raw or a photo.

    Args:
        frame: a RawFrame (Bayer, monochrome or three planes), or an Image.
        noise: for a raw its NoiseProfile, for a photo the sigma of its Gaussian noise on the 0-255 scale; measured if None, for a
            raw after `frame.noise`.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the frame, everything but its pixels and noise profile kept, and a record: what noise was removed and what repaired. The
        profile is `noise` times "noise_left", the share (at most 1) of its energy that is left; detail lost with the noise is not
        in it. Mean brightness of every plane of a raw is kept;
        clipped highlights, alpha and frames without measurable noise are untouched.

    Raises:
        UnusableInput: a photo's noise given for a raw or the other way round, or a negative sigma.
    """
    if isinstance(frame, RawFrame):
        if noise is not None and not isinstance(noise, NoiseProfile):
            raise UnusableInput(f"the noise of a raw is a NoiseProfile, not {noise!r}")
        return _denoise_raw(frame, noise, progress)
    if isinstance(noise, NoiseProfile) or (noise is not None and not noise >= 0):
        raise UnusableInput(f"the noise of a photo is one sigma on the scale 0 to 255, not {noise!r}")
    return _denoise_photo(frame, noise, progress)


def _denoise_raw(frame: RawFrame, noise: NoiseProfile | None, progress: Progress | None) -> Result:
    profile = noise or estimate_raw(frame).profile
    record: dict[str, Any] = {"noise": "Poisson-Gaussian", "noise_left": 1.0}
    if profile is None or max(profile.shot + profile.read) == 0:
        return Result(frame, record)
    record |= {"shot": profile.shot, "read": profile.read}
    mosaic = _filtered(frame.mosaic, frame.cfa, profile, progress)
    keep_means(mosaic, frame.mosaic, frame.cfa)
    left = noise_left(lambda part: _filtered(part, frame.cfa, profile), frame.mosaic, frame.cfa, profile)
    residual = NoiseProfile(tuple(s * left for s in profile.shot), tuple(r * left for r in profile.read))
    return Result(replace(frame, mosaic=mosaic, noise=residual), record | {"noise_left": left})


def _filtered(mosaic: Planes, cfa: str, profile: NoiseProfile, progress: Progress | None = None) -> Planes:
    bayer = cfa in BAYER
    return tiles.apply(
        lambda tile: _denoise_raw_tile(tile, cfa, profile),
        mosaic,
        tile=2 * _TILE if bayer else _TILE,
        margin=2 * MARGIN + 2 if bayer else MARGIN,
        multiple=2 if bayer else 1,
        progress=progress,
    )


def _denoise_raw_tile(tile: Planes, cfa: str, profile: NoiseProfile) -> Planes:
    """Mosaic [h, w] or [h, w, 3] -> the same, denoised, with values that lie in clipped areas as they were.

    The 2x2 blocks of a Bayer mosaic are one of four partitions that serve as well: the mean over two of them, a diagonal step
    apart, is 0.5 to 0.7 dB better than one, and all four hardly more.
    """
    clean = _shrink_mosaic(tile, cfa, profile)
    if cfa in BAYER:
        moved = _shrink_mosaic(np.roll(tile, (-1, -1), (0, 1)), shifted_pattern(cfa, 1, 1), profile)
        clean += np.roll(moved, (1, 1), (0, 1))
        clean /= 2
    return clean


def _shrink_mosaic(tile: Planes, cfa: str, profile: NoiseProfile) -> Planes:
    planes, colors, basis = _split(tile, cfa)
    shots, reads = profile.per_color()
    noises = [(shots[c], reads[c]) for c in colors]
    active = [i for i, pair in enumerate(noises) if max(pair) > 0]
    if len(active) < len(planes):
        basis = np.eye(len(planes), dtype=np.float32)
    stable = np.stack([stabilise(planes[i], *noises[i]) for i in active])
    mixed = _mix(basis[np.ix_(active, active)], stable)
    clean = np.stack([shrink(plane, 1.0) for plane in mixed])
    clean = _mix(basis[np.ix_(active, active)].T, clean)
    out = planes.copy()
    for i, plane in zip(active, clean, strict=True):
        out[i] = np.where(clipped(planes[i]), planes[i], unstabilise(plane, *noises[i]))
    if cfa in BAYER:
        return unpack(out, cfa)
    return out[0] if cfa == "MONO" else np.moveaxis(out, 0, 2)


def _split(tile: Floats, cfa: str) -> tuple[Planes, tuple[int, ...], Planes]:
    """Planes [P, h, w] of a mosaic, their colours, and the basis that decorrelates them."""
    if cfa in BAYER:
        return pack(tile, cfa), PLANE_COLORS, _BAYER_BASIS
    if cfa == "MONO":
        return tile[None], (1,), np.ones((1, 1), np.float32)
    return np.ascontiguousarray(np.moveaxis(tile, 2, 0)), (0, 1, 2), _RGB_BASIS


def _mix(basis: Planes, planes: Planes) -> Planes:
    return np.tensordot(basis, planes, axes=1)


def _denoise_photo(image: Image, noise: float | None, progress: Progress | None) -> Result:
    pixels, filled = _without_impulses(image, noise)
    image = replace(image, pixels=pixels)
    sigma = _photo_sigma(image) if noise is None else float(noise)
    record = {"noise": "gaussian", "sigma": sigma, "filled": filled}
    if sigma < _LEAST_SIGMA:
        return Result(image, record)
    clean = tiles.apply(
        lambda tile: _denoise_photo_tile(tile, sigma), pixels, tile=_TILE, margin=MARGIN, progress=progress
    )
    return Result(replace(image, pixels=clean), record)


def _photo_sigma(image: Image) -> float:
    """Measured sigma on the 0-255 scale, less what may be texture; 0 where it cannot be measured, so that nothing is done."""
    sigma = estimate_photo(image)
    return 0.0 if math.isnan(sigma) else math.sqrt(max(sigma**2 - _DOUBT**2, 0))


def _denoise_photo_tile(tile: Array, sigma: float) -> Array:
    """[h, w, C] of any storage type -> the same type, rounded and clipped."""
    white = impulses.full_scale(tile)
    planes = np.ascontiguousarray(np.moveaxis(tile, 2, 0), np.float32)
    deviation = sigma / 255 * white
    if len(planes) == 3:
        mixed = _mix(_RGB_BASIS, planes)
        clean = np.stack([shrink(plane, deviation * (_CHROMA if i else 1)) for i, plane in enumerate(mixed)])
        clean = _mix(_RGB_BASIS.T, clean)
    else:
        clean = shrink(planes[0], deviation)[None]
    if tile.dtype.kind != "f":
        clean = np.rint(clean)
    return np.moveaxis(np.clip(clean, 0, white), 0, 2).astype(tile.dtype)


def _without_impulses(image: Image, noise: float | None) -> tuple[Array, int]:
    """The pixels with impulses filled, and how many there were.

    What sits at an end of the scale is an impulse, Gaussian noise that was clipped, or the picture. Where neither noise nor
    structure explains the hits that lie far from their surroundings, their share gives the rate of impulses, and Bayes' rule how
    far a hit has to lie from its surroundings to be rather an impulse than noise. Structure gives itself away by neighbouring
    hits, which independent impulses have no more often than by chance. Rare hits are judged one by one. White hits count only
    beside black ones (alone they are stars), and drawn pictures have none.
    """
    pixels = image.pixels
    if is_drawn(to_planes(pixels)):
        return pixels, 0
    mask = _detect(pixels, impulses.CONTRAST)
    if not mask.any():
        return pixels, 0
    sigma = noise
    if sigma is None:
        sigma = _photo_sigma(replace(image, pixels=_filled(pixels, mask)))
    far = max(min(3 * sigma, 128) / 255, impulses.CONTRAST)
    by_noise = NormalDist().cdf(-far * 255 / sigma) if sigma > 0 else 0.0
    white = impulses.full_scale(pixels)
    candidates = _detect(pixels, far) if far > impulses.CONTRAST else mask
    kept = np.zeros_like(mask)
    rates: list[float] = []
    for end in (0, white):
        hits = candidates & (pixels == end)
        count = int(hits.sum())
        away = pixels > far * white if end == 0 else pixels < (1 - far) * white
        share = count / max(count + int(away.sum()), 1)
        rate = share - by_noise
        rates.append(rate)
        if not count or rates[0] < PEPPER * rate:
            continue
        if rate > _OFTEN and _togetherness(hits) < 2 * share + 0.03:
            reach = -NormalDist().inv_cdf(min(rate / (1 - rate), 0.5)) * sigma / 255
            kept |= _detect(pixels, max(reach, impulses.CONTRAST)) & (pixels == end)
        else:
            kept |= tiles.apply(
                lambda both: impulses.alone(both[..., 0], both[..., 1] > 0, max(5 * sigma / 255, _CLEAR)),
                np.stack([pixels, hits], axis=-1, dtype=pixels.dtype),
                tile=_TILE,
                margin=impulses.DETECT_MARGIN,
            )
    return (_filled(pixels, kept), int(kept.sum())) if kept.any() else (pixels, 0)


_OFTEN = 0.002
"""Share of impulses above which they are told from structure by their scatter over the picture."""
_CLEAR = 40 / 255
"""Least contrast of a rare impulse to the nearest of its neighbours."""


def _detect(pixels: Array, contrast: float) -> NDArray[np.bool_]:
    return tiles.apply(lambda tile: impulses.detect(tile, contrast), pixels, tile=_TILE, margin=impulses.DETECT_MARGIN)


def _filled(pixels: Array, mask: NDArray[np.bool_]) -> Array:
    def fill(both: Array) -> Array:
        return impulses.fill(both[..., 0], both[..., 1] > 0)

    both = np.stack([pixels, mask], axis=-1, dtype=pixels.dtype)
    return tiles.apply(fill, both, tile=_TILE, margin=impulses.FILL_MARGIN)


def _togetherness(hits: NDArray[np.bool_]) -> float:
    """Share of the four neighbours of hits that are hits."""
    pairs = int((hits[1:] & hits[:-1]).sum()) + int((hits[:, 1:] & hits[:, :-1]).sum())
    return pairs / (2 * int(hits.sum()))
