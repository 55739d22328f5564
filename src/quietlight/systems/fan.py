"""FAN as a system: the noise of a Bayer raw removed by a small network that is told the noise, or by several for its subranges.

After Young et al., "Feature-Align Network and Knowledge Distillation for Efficient Denoising", 2021, whose abstract names "multiple
models tuned to different subranges of noise levels". Around the network stand the guards that its user relies on: it fades out
below the noise that it learnt from, and is brought into its range above; clipped highlights stay, and so does mean brightness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight import engine, tiles
from quietlight.camera.bayer import PLANE_COLORS, pack, plane_offsets, unpack
from quietlight.frames import BAYER, Array, NoiseProfile, RawFrame, UnusableInput
from quietlight.systems import Result
from quietlight.systems.classical import classical
from quietlight.systems.raw_guards import clipped, keep_means, noise_left
from quietlight.systems.trained import Trained, by_shot, level, trained
from quietlight.zoo import Weights

Mosaic = NDArray[np.float32]

DEFAULT = "fan-plus"
MARGIN = 96
"""Pixels of the mosaic around a tile that a result inside may depend on."""
TILE = 1024
_BYTES = 250
"""Of memory that the larger of the shipped networks takes per pixel of the mosaic; torch, float32."""
_OVERLAP = 0.25
"""Half the width, in ln of the level, of the zone around the border of two subranges in which both networks run."""


def fan(
    frame: RawFrame,
    *,
    weights: Weights | str | Sequence[Weights] = DEFAULT,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Denoise a raw whose noise is known.

    Args:
        frame: a RawFrame with its noise profile. Raws that are no Bayer mosaic go through `classical`: none was trained for them.
        weights: of a raw network, or their name in the zoo, or a .safetensors file; or of several, one for each subrange of noise.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the frame, everything but its mosaic and noise profile kept, and a record: the weights and their shares, and what share of
        the change was made ("share"). The profile is that of `frame` times "noise_left", the share of its energy that is left;
        detail lost with the noise is not in it.

    Raises:
        UnusableInput: a photo, a frame of unknown noise, or weights of another kind of network.
    """
    if not isinstance(frame, RawFrame):
        raise UnusableInput("fan is for raws: a photo is denoised by noisebreaker")
    if frame.noise is None:
        raise UnusableInput("fan must be told the noise of a raw: give the frame a noise profile")
    if frame.cfa not in BAYER:
        return classical(frame, progress=progress)
    nets = _nets([weights] if isinstance(weights, Weights | str) else weights)
    share = nets[0].share(frame.noise)
    record: dict[str, Any] = {"shot": frame.noise.shot, "read": frame.noise.read, "share": share, "noise_left": 1.0}
    if share == 0:
        return Result(frame, record)
    active = [(net, part) for net, part in zip(nets, _parts(level(frame.noise), nets), strict=True) if part > 0]
    profile, gain = frame.noise, nets[-1].gain(frame.noise)

    def filtered(mosaic: Mosaic, progress: Callable[[float], None] | None = None) -> Mosaic:
        clean = _filtered(mosaic, frame.cfa, profile, active, gain, progress)
        if share != 1:  # mosaic + share * (clean - mosaic), in no more memory
            clean -= mosaic
            clean *= np.float32(share)
            clean += mosaic
        return clean

    mosaic = filtered(frame.mosaic, progress)
    keep_means(mosaic, frame.mosaic, frame.cfa)
    left = noise_left(filtered, frame.mosaic, frame.cfa, profile)
    record |= {"noise_left": left, "weights": {net.weights.name: part for net, part in active}}
    residual = NoiseProfile(tuple(left * s for s in profile.shot), tuple(left * r for r in profile.read))
    return Result(replace(frame, mosaic=mosaic, noise=residual), record)


def _nets(sources: Sequence[Weights | str]) -> list[Trained]:
    """The networks in the order of their subranges, read where they are names. Raises UnusableInput for those of another kind."""
    wanted = "a raw denoiser: give fan, fan-plus or the like"
    return sorted((trained(source, {"raws": by_shot}, wanted) for source in sources), key=lambda net: net.low)


def _parts(noise: float, nets: Sequence[Trained]) -> list[float]:
    """The weight of each network: one serves alone in the middle of its subrange, two near the border between theirs."""
    parts = [1.0] + [0.0] * (len(nets) - 1)
    for index, net in enumerate(nets[1:], start=1):
        above = min(max(0.5 + math.log(noise / net.low) / (2 * _OVERLAP), 0.0), 1.0)
        parts[index], parts[index - 1] = above, parts[index - 1] * (1 - above)
    return parts


def _filtered(
    mosaic: Mosaic,
    cfa: str,
    profile: NoiseProfile,
    nets: Sequence[tuple[Trained, float]],
    gain: float,
    progress: Callable[[float], None] | None,
) -> Mosaic:
    """The networks' mean result. They see an RGGB mosaic."""
    amplified = profile.scaled(gain)
    shot, read = (np.array([v[c] for c in PLANE_COLORS], np.float32).reshape(1, 4, 1, 1) for v in amplified.per_color())

    def run(tile: Array) -> Mosaic:
        planes = pack(tile, "RGGB")
        inputs = np.ascontiguousarray(np.float32(gain) * planes[None]), shot, read
        clean = sum(np.float32(part / gain) * engine.run(net.weights, *inputs)[0] for net, part in nets)
        return unpack(np.where([clipped(plane) for plane in planes], planes, clean), "RGGB")

    clean: Mosaic = tiles.apply(
        run,
        mosaic,
        before=plane_offsets(cfa)[0],
        tile=tiles.side(TILE, _BYTES),
        margin=MARGIN,
        border=0,
        multiple=2 * math.lcm(*(net.weights.multiple for net, _ in nets)),
        progress=progress,
    )
    return clean
