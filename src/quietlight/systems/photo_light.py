"""A photo as a raw of its light, and back: for what is to be computed of photos as of raws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quietlight.camera.tone import srgb_decode, srgb_encode
from quietlight.frames import Floats, Image, RawFrame
from quietlight.systems.impulses import full_scale

_ROWS = 256  # a strip at a time, so that a large photo never becomes more than one float copy


def as_raw(frame: Image | RawFrame) -> RawFrame:
    """The light of a photo, of cfa "RGB" or "MONO": its numbers, by the inverse of sRGB's curve unless it is `linear`.

    Its profile is not looked at, as no system does. A raw is returned itself.
    """
    if isinstance(frame, RawFrame):
        return frame
    full = full_scale(frame.pixels)
    light: Floats = np.empty(frame.pixels.shape, np.float32)
    curve = _decoded(np.arange(full + 1, dtype=np.float32) / np.float32(full), frame.linear)
    for top in range(0, len(light), _ROWS):
        part = frame.pixels[top : top + _ROWS]
        light[top : top + _ROWS] = _decoded(part, frame.linear) if part.dtype.kind == "f" else curve[part]
    return RawFrame(light[..., 0], "MONO") if frame.pixels.shape[2] == 1 else RawFrame(light, "RGB")


def _decoded(shown: Floats, linear: bool) -> Floats:
    return shown if linear else srgb_decode(shown)


def undo_as_raw(raw: RawFrame, photo: Image) -> Image:
    """The light as a photo of the type of `photo`, rounded and clipped, with everything else that this one has."""
    light = raw.mosaic if raw.cfa == "RGB" else raw.mosaic[..., None]
    full = full_scale(photo.pixels)
    pixels = np.empty(light.shape, photo.pixels.dtype)
    for top in range(0, len(pixels), _ROWS):
        part = light[top : top + _ROWS]
        shown = np.clip(part if photo.linear else srgb_encode(part), 0, 1) * np.float32(full)
        pixels[top : top + _ROWS] = shown if pixels.dtype.kind == "f" else np.rint(shown)
    return replace(photo, pixels=pixels)
