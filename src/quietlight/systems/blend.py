"""Noisy and clean -> what the user asked for: `out = in + strength * (clean - in)`, apart for luminance and colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quietlight.camera.bayer import pack, pad_even, unpack
from quietlight.frames import BAYER, Array, Floats, Image, NoiseProfile, RawFrame, UnusableInput

_ROWS = 256  # A strip at a time, so that a large photo never becomes a float copy. Even, as a Bayer pattern is.


def blend(
    noisy: RawFrame | Image, clean: RawFrame | Image, strength: float, chroma: float, *, in_place: bool = False
) -> RawFrame | Image:
    """Keep `1 - strength` of the luminance noise and `1 - chroma` of the colour noise; both lie in [0, 1].

    The noise profile of a raw becomes that of the mixture, in which the noises of both are taken as fully correlated (an upper
    bound). With `in_place` the pixels of `clean` become those of the result. Raises UnusableInput for strengths outside of [0, 1].
    """
    if not (0 <= strength <= 1 and 0 <= chroma <= 1):
        raise UnusableInput(f"strength and chroma lie between 0 and 1, not at {strength:g} and {chroma:g}")
    if strength == chroma == 1:
        return clean
    if isinstance(noisy, RawFrame) and isinstance(clean, RawFrame):
        mosaic = clean.mosaic if in_place else np.empty_like(clean.mosaic)
        for top in range(0, len(mosaic), _ROWS):
            rows = slice(top, top + _ROWS)
            mosaic[rows] = _blend_raw(noisy.mosaic[rows], clean.mosaic[rows], noisy, strength, chroma)
        return replace(clean, mosaic=mosaic, noise=_mixed_profile(noisy.noise, clean.noise, min(strength, chroma)))
    if isinstance(noisy, Image) and isinstance(clean, Image):
        pixels = clean.pixels if in_place else np.empty_like(clean.pixels)
        for top in range(0, len(pixels), _ROWS):
            rows = slice(top, top + _ROWS)
            pixels[rows] = _blend_photo(noisy.pixels[rows], clean.pixels[rows], strength, chroma)
        return replace(clean, pixels=pixels)
    raise UnusableInput("a raw frame and a photo cannot be blended")


def _split(change: Floats, strength: float, chroma: float, axis: int) -> Floats:
    """The change with its mean over the channels weighted by `strength`, the rest by `chroma`."""
    luminance = change.mean(axis=axis, keepdims=True)
    return np.asarray(strength * luminance + chroma * (change - luminance))


def _blend_photo(noisy: Array, clean: Array, strength: float, chroma: float) -> Array:
    change = _split(clean.astype(np.float32) - noisy.astype(np.float32), strength, chroma, axis=2)
    mixed = noisy + change
    if noisy.dtype == np.float32:
        return np.asarray(mixed, np.float32)
    return np.clip(np.round(mixed), 0, np.iinfo(noisy.dtype).max).astype(noisy.dtype)


def _blend_raw(noisy: Floats, clean: Floats, frame: RawFrame, strength: float, chroma: float) -> Floats:
    """Luminance is the mean of the white-balanced colours; on a mosaic that of each 2×2 block."""
    change: Floats = clean - noisy
    red, green, blue = frame.white_balance or (1.0, 1.0, 1.0)
    if frame.cfa in BAYER:
        gains = np.reshape(np.array([red, green, green, blue], np.float32), (4, 1, 1))
        planes = _split(pack(pad_even(change), frame.cfa) * gains, strength, chroma, axis=0) / gains
        change = unpack(planes, frame.cfa)[: noisy.shape[0], : noisy.shape[1]]
    elif frame.cfa == "RGB":
        balance = np.array([red, green, blue], np.float32)
        change = _split(change * balance, strength, chroma, axis=2) / balance
    else:
        change = strength * change
    return (noisy + change).astype(np.float32)


def _mixed_profile(noisy: NoiseProfile | None, clean: NoiseProfile | None, strength: float) -> NoiseProfile | None:
    if noisy is None or clean is None:
        return None
    pairs = [
        [((1 - strength) * a**0.5 + strength * b**0.5) ** 2 for a, b in zip(one, other, strict=True)]
        for one, other in zip(*(_pairs(p, len(noisy.shot) == len(clean.shot)) for p in (noisy, clean)), strict=True)
    ]
    return NoiseProfile(tuple(pairs[0]), tuple(pairs[1]))


def _pairs(profile: NoiseProfile, as_it_is: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return (profile.shot, profile.read) if as_it_is else profile.per_color()
