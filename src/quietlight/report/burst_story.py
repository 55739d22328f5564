"""The story of a burst that was merged, ready to be shown: what `burst_sheet` and `burst_page` draw.

After the figures of Mildenhall et al., "Burst Denoising with Kernel Prediction Networks", CVPR 2018: the kernels of a pixel that
stands still and of one that moves, how much of every frame they take, and the result beside those of simpler means and of a
network that is told other noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image as Pillow

from quietlight.camera.bayer import average, crop, plane_offsets
from quietlight.camera.defects import repair_hot_pixels
from quietlight.camera.develop import develop, neutral_rendering, upright
from quietlight.frames import BAYER, Burst, Image, NoiseProfile, RawFrame
from quietlight.report.burst_pictures import kernel_picture, share_picture
from quietlight.report.pictures import RESIDUAL_GAIN, Picture, to_eight_bits, what_was_removed
from quietlight.systems import Result
from quietlight.systems.bursts import raws_of
from quietlight.systems.kpn_seen import Seen, see
from quietlight.systems.merge import hdrplus, mean
from quietlight.systems.merge_fan import hdrplus_fan
from quietlight.systems.merge_kpn import hdrplus_kpn
from quietlight.systems.photo_light import as_raw, undo_as_raw
from quietlight.zoo import Weights

SIDE = 106
"""Of a crop, in pixels of the mosaic."""
SCALES = (0.25, 0.5, 1, 2, 4)
"""Factors on the noise that the network is told."""
_CONTEXT = 256
"""Pixels of the mosaic about a crop that are looked at with it."""
_AROUND = 32
"""Pixels of a plane about a crop whose kernels are asked for with its own."""
_WHOLE, _GRID = (440, 330), 400

Shown = Callable[[RawFrame], Picture]
Captioned = tuple[str, Picture]
Box = tuple[float, float, float, float]
"""Top, left, bottom, right as shares of the sides of a picture."""


@dataclass(frozen=True)
class FrameLine:
    """What is told of a frame: its name, what it is or how far it was moved, and the share of it that does not fit."""

    name: str
    about: str
    misfit: float


@dataclass(frozen=True)
class Kernels:
    """By what a crop was merged.

    Args:
        names: of the frames that were used, the reference first.
        pictures: the kernels of the pixel that the place is named by, one per frame.
        weights: their masses, [N].
        masses: mean masses over the crop, [N].
        map: of every pixel of the crop, how much of it is the reference's.
    """

    names: tuple[str, ...]
    pictures: tuple[Picture, ...]
    weights: list[float]
    masses: list[float]
    map: Picture


@dataclass(frozen=True)
class Place:
    """A crop of the burst.

    Args:
        name: "static" or "moving".
        at: (row, column) in the mosaic, near its middle.
        residual: how many times the noise the frames differ there.
        strip: (caption, picture) of the reference and of what simpler and other merges make.
        scaled: the same, of the network told `SCALES` times the noise; none without one.
        kernels: None without a network.
    """

    name: str
    at: tuple[int, int]
    residual: float
    strip: tuple[Captioned, ...]
    scaled: tuple[Captioned, ...]
    kernels: Kernels | None

    @property
    def title(self) -> str:
        """What kind of place it is."""
        return {"static": "A place that stands still", "moving": "The place that differs most"}[self.name]

    @property
    def about(self) -> str:
        """Where it is, and how much the frames differ there."""
        row, column = self.at
        return f"row {row}, column {column}: the frames differ by {self.residual:.1f} times what noise explains"


@dataclass(frozen=True)
class BurstStory:
    """What there is to show.

    Args:
        result: of the merge; its record has "places".
        frames: of the burst, in their order.
        places: the crops.
        whole: the merged picture, small, upright.
        boxes: where the crops lie in it.
    """

    result: Result
    frames: tuple[FrameLine, ...]
    places: tuple[Place, ...]
    whole: Picture
    boxes: tuple[Box, ...]


def burst_story(burst: Burst, result: Result, weights: Weights | None = None) -> BurstStory:
    """The story of a `result` of `burst`, whose frames are looked at again around the places that its record names.

    Args:
        burst: as it was read; hot pixels of its crops are repaired.
        result: by a system of bursts, or what was developed of it.
        weights: of the network; those that the record names where None.
    """
    first = burst.frames[result.record["reference"]]
    frame, shown = result.frame, _shown_by(result, first)
    places = tuple(_place(burst, result, name, shown, weights) for name in result.record["places"])
    whole = Pillow.fromarray(shown(frame) if isinstance(frame, RawFrame) else to_eight_bits(frame))
    whole.thumbnail(_WHOLE, Pillow.Resampling.LANCZOS)
    return BurstStory(
        result, _lines(result.record), places, np.asarray(whole), tuple(_box(first, place.at) for place in places)
    )


def _lines(record: Mapping[str, Any]) -> tuple[FrameLine, ...]:
    """A line for each frame; frames are counted from 1."""
    found = iter(zip(record["displacement"], record["misfit"], strict=True))
    used, left_out = record.get("used", range(record["frames"])), record.get("left_out", ())
    lines = []
    for index in range(record["frames"]):
        if index == record["reference"]:
            lines.append(FrameLine(_name(index), "the reference", 0.0))
            continue
        moved, misfit = next(found)
        about = f"moved by {moved:.1f} px"
        if index not in used:
            about += ", left out" if index in left_out else ", not needed"
        lines.append(FrameLine(_name(index), about, misfit))
    return tuple(lines)


def _name(index: int) -> str:
    return f"frame {index + 1}"


def _shown_by(result: Result, first: RawFrame | Image) -> Shown:
    """What shows raws as the result is shown: developed by one rendering or, of photos, in their numbers."""
    if isinstance(first, Image):
        return lambda raw: to_eight_bits(undo_as_raw(raw, first))
    rendering = neutral_rendering(result.frame if isinstance(result.frame, RawFrame) else first)
    return lambda raw: to_eight_bits(develop(raw, rendering))


def _place(burst: Burst, result: Result, name: str, shown: Shown, weights: Weights | None) -> Place:
    record = result.record
    row, column = record["places"][name]["at"]
    size = _size(burst.frames[0])
    around = [_stretch(n, SIDE + 2 * _CONTEXT, limit) for n, limit in zip((row, column), size, strict=True)]
    at = [n - area.start for n, area in zip((row, column), around, strict=True)]
    inner = [_stretch(n, SIDE, area.stop - area.start) for n, area in zip(at, around, strict=True)]
    noise = NoiseProfile(tuple(record["shot"]), tuple(record["read"]))
    others = [i for i in range(record["frames"]) if i != record["reference"]]
    used = record.get("used", [record["reference"], *others])
    part = Burst(tuple(_cut(burst.frames[i], around, noise) for i in used), 0)
    raws = raws_of(part, "the report")
    strip = [("the reference frame", raws.frames[0]), ("mean, not aligned", average(raws.frames))]
    scaled, kernels = [], None
    if "weights" in record:
        seen = see(raws, weights or record["weights"], aligned=True, choose=False)
        told = {scale: replace(raws.frames[0], mosaic=seen.merged(noise_scale=scale)) for scale in SCALES}
        strip += [("HDR+", _merged(part)), ("KPN", told[1])]
        if "given_back" in record:
            strip += [("KPN and HDR+", _merged(part, hdrplus_kpn))]
        scaled = [(f"KPN, told {scale:g} times the noise", frame) for scale, frame in told.items()]
        kernels = _kernels(seen, tuple(map(_name, used)), inner, at, raws.frames[0].orientation)
    elif "denoised" in record:
        strip += [("HDR+", _merged(part)), ("HDR+ and FAN", _merged(part, hdrplus_fan))]
    else:
        strip += [("mean, aligned", mean(part)), ("HDR+", _merged(part))]

    def captioned(frames: list[tuple[str, RawFrame]]) -> tuple[Captioned, ...]:
        return tuple((caption, shown(_inside(frame, inner))) for caption, frame in frames)

    shown_strip = captioned(strip)
    if kernels is None:
        removed = what_was_removed(shown_strip[0][1], shown_strip[-1][1])
        shown_strip += ((f"what was removed, {RESIDUAL_GAIN} times", removed),)
    return Place(name, (row, column), record["places"][name]["residual"], shown_strip, captioned(scaled), kernels)


def _merged(part: Burst, by: Callable[[Burst], Result] = hdrplus) -> RawFrame:
    frame = by(part).frame
    if not isinstance(frame, RawFrame):
        raise TypeError("raws are merged into a raw")
    return frame


def _size(frame: RawFrame | Image) -> tuple[int, int]:
    height, width = (frame.mosaic if isinstance(frame, RawFrame) else frame.pixels).shape[:2]
    return height, width


def _stretch(middle: int, length: int, limit: int) -> slice:
    """That much of a side about its middle, from an even pixel on; less of a shorter side."""
    start = max(min(middle - length // 2, limit - length), 0) // 2 * 2
    return slice(start, min(start + length, limit))


def _cut(frame: RawFrame | Image, area: list[slice], noise: NoiseProfile) -> RawFrame:
    """A part of a frame, repaired and with this noise."""
    if isinstance(frame, Image):
        part = as_raw(Image(frame.pixels[area[0], area[1]], linear=frame.linear))
    else:
        part, _ = repair_hot_pixels(_inside(replace(frame, crop=None, gain_maps=()), area))
    return replace(part, noise=noise)


def _inside(frame: RawFrame, area: list[slice]) -> RawFrame:
    rows, columns = area
    return crop(frame, rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start)


def _kernels(seen: Seen, names: tuple[str, ...], inner: list[slice], at: list[int], orientation: int) -> Kernels:
    """The kernels of a crop and of the pixel `at`, both by pixels of the mosaic that is `seen`."""
    scale, shift = (2, plane_offsets(seen.cfa)[0]) if seen.cfa in BAYER else (1, (0, 0))
    windows, crops, middle = [], [], []
    for area, place, offset in zip(inner, at, shift, strict=True):
        start, stop = ((edge + offset) // scale for edge in (area.start, area.stop))
        window = slice(max(start - _AROUND, 0), stop + _AROUND)
        windows.append(window)
        crops.append(slice(start - window.start, max(stop, start + 1) - window.start))
        middle.append((place + offset) // scale - window.start)
    kernels = seen.kernels(*windows)
    of_pixel = kernels[..., middle[0], middle[1]]
    masses = kernels[..., crops[0], crops[1]].sum(axis=(1, 2))
    strongest = float(np.abs(of_pixel).max())
    shares = np.repeat(np.repeat(masses[0], scale, axis=0), scale, axis=1)
    return Kernels(
        names=names,
        pictures=tuple(kernel_picture(upright(kernel, orientation), strongest) for kernel in of_pixel),
        weights=[float(w) for w in of_pixel.sum(axis=(1, 2))],
        masses=[float(m) for m in masses.mean(axis=(1, 2))],
        map=share_picture(upright(shares, orientation)),
    )


def _box(first: RawFrame | Image, at: tuple[int, int]) -> Box:
    """Where the crop about a place lies in the picture as it is shown."""
    area = [_stretch(n, SIDE, limit) for n, limit in zip(at, _size(first), strict=True)]
    top, left, height, width = (isinstance(first, RawFrame) and first.crop) or (0, 0, *_size(first))
    mask = np.zeros((_GRID, _GRID), np.bool_)
    rows, columns = (
        slice(*(min(max((edge - start) * _GRID // length, 0), _GRID) for edge in (part.start, part.stop)))
        for part, start, length in zip(area, (top, left), (height, width), strict=True)
    )
    mask[rows, columns] = True
    mask = upright(mask, first.orientation if isinstance(first, RawFrame) else 1)
    edges = []
    for seen in (mask.any(axis=1), mask.any(axis=0)):
        places = np.flatnonzero(seen)
        edges.append((places[0] / _GRID, (places[-1] + 1) / _GRID) if len(places) else (0.0, 0.0))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]
