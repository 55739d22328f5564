"""How much a step of a camera's pipeline changes the histogram of a picture: figure 2 of CameraNet's paper.

Liang et al. 2019, section III-A: of what restores, the picture is the result, and what it is degraded to what the step is given; of
enhancement the picture is given. There it is BSD100 and a contrast enhancement of 2017; here CBSD68, which is part of it, and our
finish of the picture's light.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.random import default_rng
from PIL import Image as Pillow

from quietlight.camera.bayer import plane_offsets
from quietlight.camera.finish import finish
from quietlight.camera.tone import srgb_decode
from quietlight.camera.unprocess import mosaic as mosaicked
from quietlight.evaluate.benchmarks import CBSD68
from quietlight.evaluate.peers import Peer, photo_of
from quietlight.evaluate.sample import Benchmark, Output, Sample, Values, as_floats, each_file, frame_of, photo_seen
from quietlight.frames import Floats, Frame, Image, RawFrame, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.noise.natures import Gaussian

CFA = "RGGB"
_SIGMA, _SCALE, _BINS = 20, 4, 256
_SEED = 20190820


def isp_histogram() -> Benchmark:
    """Every operator on all pictures; noise by `default_rng([20190820, i])`."""
    about = (
        f"How much demosaicking, denoising (sigma {_SIGMA}), {_SCALE}x super-resolution and our finish change the histogram of a "
        "picture of CBSD68: the sum of what the shares of 256 values differ by, mean of the colours; 0: nothing, 2: all."
    )
    return Benchmark(about, (each_file("cbsd68", CBSD68, _sample),), _score, kind="operators", seen=_seen)


def _sample(index: int, path: Path) -> Sample:
    photo = read_photo(path)
    if photo.pixels.shape[2] != 3 or min(photo.pixels.shape[:2]) < _SCALE:
        raise UnusableInput(f"{path}: the pictures of this benchmark are in colour, {_SCALE} pixels a side or more")
    return Sample(path.name, photo, as_floats(photo), {"index": index})


def mosaic(name: str, weights: str) -> Peer:
    """What demosaicking is given."""
    return _operator(name, weights, lambda p, _: RawFrame(mosaicked(p, CFA).astype(np.float32), CFA))


def noise(name: str, weights: str) -> Peer:
    """What denoising is given, in 8 bits."""
    return _operator(name, weights, lambda p, i: _photo(Gaussian(_SIGMA).sample(p, default_rng([_SEED, i]))))


def reduction(name: str, weights: str) -> Peer:
    """What super-resolution is given: the picture reduced by Pillow's bicubic filter."""

    def reduced(pixels: Floats, _: int) -> Frame:
        height, width = (side // _SCALE for side in pixels.shape[:2])
        photo = Pillow.fromarray(_photo(pixels).pixels).resize((width, height), Pillow.Resampling.BICUBIC)
        return Image(np.asarray(photo))

    return _operator(name, weights, reduced)


def enhancement(name: str, weights: str) -> Peer:
    """What our finish makes of the picture's light."""
    return _operator(name, weights, lambda p, _: _photo(finish(srgb_decode(p))))


def _operator(name: str, weights: str, other: Callable[[Floats, int], Frame]) -> Peer:
    """An operator, by what is on its other side of a picture: (values in [0, 1], index) -> frame."""
    if weights:
        raise UnusableInput(f"{name} is an operation on pictures, which takes no weights")
    return Peer(name, f"{name}, the other side of it", lambda s: other(as_floats(photo_of(s)), s.info["index"]))


def _photo(pixels: Floats) -> Image:
    return Image(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def _score(output: Output, sample: Sample) -> Values:
    """The "change" of the histogram: its l1 norm, of shares of pixels, so that pictures of other sizes can be compared."""
    frame = frame_of(output)
    if not isinstance(frame, RawFrame | Image):
        raise UnusableInput("this benchmark takes operations on pictures")
    pairs = zip(_colors(frame), np.moveaxis(sample.truth, 2, 0), strict=True)
    changes = [np.abs(_shares(one) - _shares([other])).sum() for one, other in pairs]
    return {"change": float(np.mean(changes))}


def _colors(frame: RawFrame | Image) -> list[Sequence[Floats]]:
    """All values of red, of green, and of blue."""
    if isinstance(frame, Image):
        return [[plane] for plane in np.moveaxis(as_floats(frame), 2, 0)]
    red, green, other, blue = (frame.mosaic[row::2, column::2] for row, column in plane_offsets(CFA))
    return [[red], [green, other], [blue]]


def _shares(values: Sequence[Floats]) -> Floats:
    counts = np.bincount(np.rint(np.concatenate([v.ravel() for v in values]) * 255).astype(int), minlength=_BINS)
    return np.asarray(counts / counts.sum())


def _seen(output: Output | None, sample: Sample) -> Floats | None:
    """The picture in the size of the original; a mosaic in gray."""
    frame = None if output is None else frame_of(output)
    if isinstance(frame, RawFrame):
        return frame.mosaic[..., None]
    seen = photo_seen(output, sample)
    if seen is None or seen.shape == sample.truth.shape:
        return seen
    return seen.repeat(_SCALE, 0).repeat(_SCALE, 1)
