"""A burst as KPN sees it: its frames on each other, in one pattern, within the range of noise that the network learnt from.

What the network makes of it, and by which kernels, is asked here; `systems/kpn.py` is the whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quietlight import engine, tiles
from quietlight.camera.bayer import as_rggb, pad_even, undo_as_rggb, unpack
from quietlight.frames import BAYER, NoiseProfile, RawFrame, UnusableInput
from quietlight.systems.align import Field, Plane
from quietlight.systems.bursts import MISFIT, Progress, Raws
from quietlight.systems.raw_guards import clipped, squares
from quietlight.systems.trained import Trained, by_gray_bursts, by_shot, trained
from quietlight.systems.warp import colors_of, located, stacked
from quietlight.zoo import Weights

DEFAULTS = {"MONO": "kpn-gray", **dict.fromkeys(BAYER, "kpn")}
"""Pattern -> name of the weights that serve it."""
TILE, MARGIN = 768, 64
"""Of a plane: side of what the network sees at once, and pixels around it that a result inside may depend on."""
_BORDER = 16
"""Mirrored pixels around a picture: the network pads with zeros, which darken what is next to them."""
_HOPELESS, _WORSE = 0.9, 4.0
"""Share of tiles that do not fit above which a frame is left out, if they fit worse than noise explains, and than those of the
frame that fits best, by this factor: where no frame fits, the noise is stronger than was said."""
_SAMPLE = 96
"""Side of the four squares of a plane by whose kernels the noise that is left is told."""


@dataclass(frozen=True)
class Seen:
    """A burst as the network sees it.

    Args:
        net: the network.
        stack: planes [N, C, h, w] of the frames that it gets, brought onto the reference, which comes first; of RGGB if Bayer.
        used: which of the frames these are, in their order, the reference being 0.
        left_out: those in which nearly nothing fits.
        fields: where all frames but the reference lay; none if they were not aligned.
        noise: of every frame.
        cfa, size: of the reference's mosaic.
    """

    net: Trained
    stack: Plane
    used: list[int]
    left_out: list[int]
    fields: list[Field]
    noise: NoiseProfile
    cfa: str
    size: tuple[int, ...]

    @property
    def share(self) -> float:
        """How much of the change is made."""
        return self.net.share(self.noise)

    def merged(self, progress: Progress | None = None, noise_scale: float = 1.0) -> Plane:
        """The mosaic of the merged frame; clipped highlights are the reference's.

        Args:
            progress: called with the finished share, from 0 to 1.
            noise_scale: factor on the deviation that the network is told.
        """
        gain, share = np.float32(self.net.gain(self.noise)), np.float32(self.share)

        def run(frames: Plane) -> Plane:
            clean = self._asked(frames, "forward", noise_scale)[0] / gain
            white = np.stack([clipped(plane) for plane in frames[0]])
            return np.asarray(np.where(white, frames[0], frames[0] + share * (clean - frames[0])), np.float32)

        planes = self._tiled(run, self.stack, progress)
        whole = undo_as_rggb(unpack(planes, "RGGB"), self.cfa) if self.cfa in BAYER else planes[0]
        return np.array(whole[: self.size[0], : self.size[1]], np.float32)

    def kernels(self, rows: slice, columns: slice) -> Plane:
        """The weights of every value in the merged frame, for a part of its planes, [N, K, K, h, w].

        The part is looked at by itself: near its borders they are not quite those of the whole.
        """
        share = np.float32(self.share)

        def run(frames: Plane) -> Plane:
            asked = self._asked(frames, "kernels")[0]
            kernels = np.zeros((len(frames), *asked.shape[1:]), np.float32)
            for place, index in enumerate(self._places(len(frames))):
                kernels[index] += share * asked[place]
            middle = kernels.shape[1] // 2
            kernels[0, middle, middle] += 1 - share
            return kernels.reshape(-1, *kernels.shape[3:])

        flat = self._tiled(run, self.stack[:, :, rows, columns])
        side = round((len(flat) / len(self.stack)) ** 0.5)
        return flat.reshape(len(self.stack), side, side, *flat.shape[1:])

    def noise_left(self) -> float | None:
        """Share of the noise's variance that is left: the mean sum of squared weights. None for networks without kernels."""
        if self.net.weights.arguments.get("direct"):
            return None
        parts = [(r, c) for r in squares(self.stack.shape[2], _SAMPLE) for c in squares(self.stack.shape[3], _SAMPLE)]
        return float(np.mean([np.square(self.kernels(*part)).sum(axis=(0, 1, 2)).mean() for part in parts]))

    def _asked(self, frames: Plane, method: str, noise_scale: float = 1.0) -> Plane:
        """What the network says of frames [n, C, h, w]; it is told that places beyond `_places` are empty."""
        gain, count, places = self.net.gain(self.noise), _takes(self.net.weights), self._places(len(frames))
        padded = np.zeros((1, count, *frames.shape[1:]), np.float32)
        np.multiply(frames[places], np.float32(gain), out=padded[0, : len(places)])
        present = (np.arange(count) < len(places)).astype(np.float32)[None]
        pairs = self.noise.scaled(gain).overstated(noise_scale).per_color()
        colors = list(colors_of(self.cfa))
        shot, read = (np.array(values, np.float32)[colors].reshape(1, -1, 1, 1) for values in pairs)
        return engine.run(self.net.weights, padded, present, shot, read, method=method)

    def _places(self, count: int) -> NDArray[np.intp]:
        """Which of so many frames stands in which place of the network: again and again where it learnt from full bursts alone."""
        takes = _takes(self.net.weights)
        return np.arange(count if _learnt_any_length(self.net.weights) else takes) % count

    def _tiled(self, run: Callable[[Plane], Plane], stack: Plane, progress: Progress | None = None) -> Plane:
        """`run` over a stack [N, C, h, w], tile by tile: what it gives, [channels, h, w]."""
        multiple = self.net.weights.multiple
        return tiles.apply_to_frames(
            run, stack, tile=TILE, margin=MARGIN, border=_BORDER, multiple=multiple, progress=progress
        )


def see(
    raws: Raws, weights: Weights | str | None, aligned: bool, progress: Progress | None = None, choose: bool = True
) -> Seen:
    """A Bayer or monochrome burst, as the network of `weights` sees it.

    Arguments and errors as for `kpn`; without `choose` no frame is left out because it does not fit.
    """
    first = raws.frames[0]
    net = _net(DEFAULTS[first.cfa] if weights is None else weights, first.cfa)
    frames = [_as_rggb(frame) for frame in raws.frames] if first.cfa in BAYER else raws.frames
    fields = located(frames, raws.noise, progress) if aligned else []
    misfits = [_misfit(field) for field in fields]
    left_out = [i for i in range(1, len(fields) + 1) if choose and _hopeless(misfits, i - 1)]
    others = [i for i in range(1, len(frames)) if i not in left_out]
    if aligned:
        others.sort(key=lambda i: misfits[i - 1])
    used = [0, *sorted(others[: _takes(net.weights) - 1])]
    stack = stacked([frames[i] for i in used], [fields[i - 1] for i in used[1:]] if aligned else [])
    return Seen(net, stack, used, left_out, fields, raws.noise, first.cfa, first.mosaic.shape)


def _net(source: Weights | str, cfa: str) -> Trained:
    sets = {"raw-bursts": by_shot, "bursts": by_gray_bursts}
    net = trained(source, sets, "a merger of bursts: give kpn or kpn-gray")
    channels = net.weights.arguments.get("channels", 1)
    if channels != len(colors_of(cfa)):
        kind = "gray frames" if channels == 1 else "Bayer mosaics"
        raise UnusableInput(f"{net.weights.name}: these weights are for {kind}, not for {cfa}: give {DEFAULTS[cfa]}")
    return net


def _as_rggb(frame: RawFrame) -> RawFrame:
    return replace(frame, mosaic=pad_even(as_rggb(frame.mosaic, frame.cfa)), cfa="RGGB")


def _takes(weights: Weights) -> int:
    """How many frames a network takes."""
    return int(weights.arguments.get("frames", 8))


def _learnt_any_length(weights: Weights) -> bool:
    """Whether a network learnt from bursts of fewer frames than it takes, too."""
    return bool(json.loads(weights.metadata["recipe"])["data"]["arguments"].get("fewest", 0))


def _misfit(field: Field) -> tuple[float, float]:
    """How badly a frame fits: the share of its tiles that do not, and, of equals, what is left over."""
    return float(np.mean(field.residual > MISFIT)), float(np.median(field.residual))


def _hopeless(misfits: list[tuple[float, float]], index: int) -> bool:
    share, median = misfits[index]
    best = min((other for i, (_, other) in enumerate(misfits) if i != index), default=1.0)
    return share > _HOPELESS and median > _WORSE * max(best, 1.0)
