"""One photo network as a system: a noisy photo of any size and depth -> the same photo, denoised, tile by tile.

The network is blind: it sees the picture alone and judges the noise itself. Zhang et al. 2017 showed that one network serves a
range of levels so; a network that wants a noise map has a system of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from quietlight import engine, tiles, zoo
from quietlight.frames import Array, Image, UnusableInput
from quietlight.systems import Result
from quietlight.systems.impulses import full_scale
from quietlight.zoo import Weights

MARGIN = 56
"""Pixels around a tile that a result inside may depend on: the workhorse sees this far, a DnCNN as far as it has layers."""
BORDER = 0
"""Pixels mirrored beyond the photo's own sides: none, where the networks pad as they did around the patches that they learned from.

unet-gray on six pictures of BSD68 with gaussian noise of sigma 25: 28.970 dB in 0.22 s of one core; 28.967 dB in 0.25 s with 8
pixels, 28.968 dB in 0.28 s with 16, 28.970 dB in 0.44 s with the margin's 56.
"""
TILE = 768
_BYTES = 420
"""Of memory that the networks take per pixel and plane, or per pixel of all three for those for colour; torch, float32."""


_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5**0.5, 0, -(0.5**0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]], np.float32)
_CENTER = np.array([0, 0.5, 0.5], np.float32)
"""Red, green, blue -> their mean and two differences, about in [0, 1]; the differences keep the deviation of white noise."""


def network(
    image: Image,
    weights: Weights | str,
    *,
    opponent: bool = True,
    tile: int = TILE,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Denoise a photo with one network.

    Args:
        image: a photo of any depth. A network for gray photos takes the planes of a colour photo one by one.
        opponent: these planes are the mean and the differences of the colours, in which a scene has less detail and noise as
            much as before, so that more of it is found (as in CBM3D, Dabov et al. 2007); else the colours themselves.
        weights: of a blind photo network, or their name in the zoo, or a .safetensors file.
        tile: largest side of a tile, without its margin; bounds the memory, and is smaller where there is too little of it.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the image with new pixels, of its type, clipped to its range and rounded where that holds integers; and a record: which
        weights these were.

    Raises:
        UnusableInput: weights that there are not, that want a noise map, or that are for colour where the photo is gray.
    """
    loaded = zoo.read(weights) if isinstance(weights, str) else weights
    channels = int(loaded.arguments.get("channels", 1))
    if loaded.arguments.get("maps"):
        raise UnusableInput(f"{loaded.name}: this network wants a noise map beside the photo, so it cannot run blind")
    if channels == 3 and image.pixels.shape[2] == 1:
        raise UnusableInput(f"{loaded.name}: this network is for colour photos, and the photo is gray")
    pixels = tiles.apply(
        lambda part: _run(loaded, part, opponent and channels == 1 and image.pixels.shape[2] == 3),
        image.pixels,
        tile=tiles.side(tile, _BYTES * image.pixels.shape[2] / channels),
        margin=MARGIN,
        border=BORDER,
        multiple=loaded.multiple,
        progress=progress,
    )
    record = {"network": loaded.network, "weights": loaded.name, "sha256": loaded.sha256}
    return Result(replace(image, pixels=pixels), record)


def _run(weights: Weights, tile: Array, opponent: bool) -> Array:
    """[h, w, C] of any storage type -> the same type."""
    white = full_scale(tile)
    planes = np.moveaxis(tile, 2, 0).astype(np.float32) / np.float32(white)
    if opponent:
        planes = np.tensordot(_OPPONENT, planes, 1) + _CENTER[:, None, None]
    channels = int(weights.arguments.get("channels", 1))
    batch = np.ascontiguousarray(planes.reshape(-1, channels, *tile.shape[:2]))
    clean = engine.run(weights, batch).reshape(planes.shape)
    if opponent:
        clean = np.tensordot(np.linalg.inv(_OPPONENT), clean - _CENTER[:, None, None], 1)
    clean = np.clip(clean, 0, 1) * np.float32(white)
    if tile.dtype.kind != "f":
        clean = np.rint(clean)
    return np.moveaxis(clean, 0, 2).astype(tile.dtype)
