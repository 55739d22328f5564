"""RawFrame -> Image: highlights, demosaic, white balance, colour, exposure, tone.

`process` is the part of it that has an inverse (`unprocess.unprocess`); `develop` runs it strip by strip on all cores, on the four
phases of the mosaic, so that a frame of any size is developed in little more memory than its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight import machine
from quietlight.arrays import Pixels, like, namespace
from quietlight.camera import tone
from quietlight.camera.bayer import crop, pad_even, pattern_colors, plane_offsets, plane_views
from quietlight.camera.color import DAYLIGHT_KELVIN, WHITE_BALANCES, Gains, kelvin_to_gains, srgb_from_camera
from quietlight.camera.demosaic import HALO, demosaic_phases, with_halo
from quietlight.camera.shading import apply_gain_maps
from quietlight.camera.white_balance import estimate_white_balance, planckian_locus
from quietlight.frames import BAYER, Array, Floats, Image, RawFrame, UnusableInput

_STRIP = 64  # Rows at a time: small enough for the arrays of a strip to stay in the cache.
_CURVE_STEPS = 1 << 16
_CLIPPED = 0.98  # Share of full scale from which a pixel counts as clipped; it fades in from 0.9.

Planes = tuple[Pixels, Pixels, Pixels]


@dataclass(frozen=True)
class Rendering:
    """How linear camera RGB becomes display sRGB.

    Args:
        gains: white balance (red, green, blue).
        matrix: white-balanced camera RGB -> linear sRGB, [3, 3].
        exposure: linear factor.
        curve: linear sRGB -> display, "smoothstep" or "neutral".
        white: scene value after exposure (at least 1) that the neutral curve takes to display white.
    """

    gains: Gains
    matrix: Floats
    exposure: float = 1.0
    curve: str = "smoothstep"
    white: float = 1.0

    def to_display(self, linear: Floats) -> Floats:
        """The tone curve: linear sRGB -> display."""
        return tone.neutral(linear, self.white) if self.curve == "neutral" else tone.smoothstep(tone.gamma(linear))


def process(camera: Floats, rendering: Rendering) -> Floats:
    """Linear camera RGB [H, W, 3], not white-balanced -> display sRGB [H, W, 3] in [0, 1]."""
    balanced = camera * (np.asarray(rendering.gains) * rendering.exposure)
    return rendering.to_display(balanced @ rendering.matrix.T)


def parse_white_balance(text: str | float) -> str | float:
    """One of WHITE_BALANCES, or a temperature in kelvin: 5200, "5200" or "5200K". Raises UnusableInput for anything else."""
    if text in WHITE_BALANCES:
        return text
    try:
        return float(str(text).removesuffix("K"))
    except ValueError:
        choices = ", ".join(WHITE_BALANCES)
        raise UnusableInput(f"unknown white balance {text!r}: it is one of {choices}, or kelvin such as 5200") from None


def choose_gains(frame: RawFrame, white_balance: str | float = "as-shot") -> Gains:
    """The gains for a white balance (see `parse_white_balance`); "as-shot" is automatic where the file has none.

    Raises UnusableInput for another one, and for a temperature with a camera of unknown colours.
    """
    white_balance = parse_white_balance(white_balance)
    if frame.cfa == "MONO":
        return 1.0, 1.0, 1.0
    if white_balance == "as-shot" and frame.white_balance is not None:
        return frame.white_balance
    if white_balance in ("as-shot", "auto"):
        locus = planckian_locus(frame.calibrations) if frame.calibrations else None
        return estimate_white_balance(frame, locus)
    kelvin = DAYLIGHT_KELVIN if white_balance == "daylight" else float(white_balance)
    return kelvin_to_gains(frame.calibrations, kelvin)


def automatic_exposure(frame: RawFrame, gains: Gains) -> float:
    """Linear factor that puts the mean luminance at mid-gray, without pushing the brightest 1% far past white.

    The mean is taken of square roots, so that a bright sky does not darken the land. A picture without highlights is lifted at
    least until its brightest 0.5% come near white.
    """
    luminance = _small_luminance(frame, gains)
    mean = float(np.sqrt(np.clip(luminance, 0, 1)).mean() ** 2)
    brightest, bright = (float(v) for v in np.percentile(luminance, (99.5, 99)))
    if mean <= 0 or bright <= 0:
        return 1.0
    factor = min(tone.MID_GRAY / mean, 3 / bright)
    return float(np.clip(max(factor, 0.8 / brightest), 2**-2, 2**5))


def _small_luminance(frame: RawFrame, gains: Gains) -> Floats:
    """White-balanced luminance of a thinned-out frame, of the part that will be seen."""
    if frame.crop is not None:
        frame = crop(frame, *frame.crop)
    planes: Floats
    if frame.cfa in BAYER:
        step = 2 * max(1, int(min(frame.mosaic.shape) / 500))
        height, width = (max(2, n // 2 * 2) for n in frame.mosaic.shape)
        mosaic = frame.mosaic if min(frame.mosaic.shape) > 1 else pad_even(frame.mosaic)
        thinned = (plane[:: step // 2, :: step // 2] for plane in plane_views(mosaic[:height, :width], frame.cfa))
        red, green_r, green_b, blue = thinned
        planes = np.stack([red * gains[0], (green_r + green_b) / 2 * gains[1], blue * gains[2]])
    else:
        step = max(1, int(min(frame.mosaic.shape[:2]) / 250))
        planes = np.atleast_3d(frame.mosaic)[::step, ::step].transpose(2, 0, 1)
        planes = planes * np.reshape(gains[: len(planes)], (-1, 1, 1))
    return np.asarray(planes.mean(axis=0))


@dataclass(frozen=True)
class Metering:
    """What the neutral rendering of a frame depends on, measured once for every exposure that may be added to it.

    Args:
        gains, matrix: as of a Rendering.
        exposure: linear factor: BaselineExposure where the file has it, else an automatic one.
        brightest: luminance that 0.1% of the frame exceed, before the exposure.
    """

    gains: Gains
    matrix: Floats
    exposure: float
    brightest: float

    def rendering(self, exposure: float = 0.0) -> Rendering:
        """The rendering with `exposure` EV added."""
        factor = self.exposure * 2.0**exposure
        white = float(np.clip(factor * self.brightest, 1.0, max(1.0, factor * max(self.gains))))
        return Rendering(self.gains, self.matrix, factor, "neutral", white)


def meter(frame: RawFrame, white_balance: str | float = "as-shot") -> Metering:
    """Measure a frame for its neutral rendering. Raises UnusableInput as `choose_gains`."""
    frame = apply_gain_maps(frame)
    gains = choose_gains(frame, white_balance)
    if frame.baseline_exposure is not None:
        factor = 2.0**frame.baseline_exposure
    else:
        factor = automatic_exposure(frame, gains)
    matrix = np.eye(3) if frame.cfa == "MONO" else srgb_from_camera(frame.calibrations, gains)
    return Metering(gains, matrix, factor, float(np.percentile(_small_luminance(frame, gains), 99.9)))


def neutral_rendering(frame: RawFrame, white_balance: str | float = "as-shot", exposure: float = 0.0) -> Rendering:
    """The rendering for people: BaselineExposure where the file has it, else an automatic one; `exposure` EV are added."""
    return meter(frame, white_balance).rendering(exposure)


def develop(frame: RawFrame, rendering: Rendering | None = None, bits: int = 8) -> Image:
    """RawFrame -> display-referred sRGB Image, upright and cropped, uint8 or uint16 (`bits` 8 or 16).

    Lens shading is corrected where the frame carries its maps. Without a `rendering` the neutral one is taken. A "MONO" frame
    becomes a one-channel image. Raises UnusableInput for other `bits`.
    """
    if bits not in (8, 16):
        raise UnusableInput(f"a photo is developed in 8 or 16 bits, not {bits}")
    frame = apply_gain_maps(frame)
    rendering = rendering or neutral_rendering(frame)
    channels = 1 if frame.cfa == "MONO" else 3
    dtype: np.dtype[np.unsignedinteger[Any]] = np.dtype(f"uint{bits}")
    pixels = _rendered(frame, rendering, channels, dtype, _curve_table(rendering, dtype))
    return Image(pixels, metadata=frame.metadata)


def develop_linear(frame: RawFrame, rendering: Rendering) -> NDArray[np.float32]:
    """RawFrame -> linear light [H, W, 3], `develop` without the curve, in whatever colours `rendering.matrix` leads to.

    Upright and cropped, lens shading corrected; no camera RGB is above the rendering's white. A "MONO" frame gives three equal
    channels before the matrix.
    """
    return _rendered(apply_gain_maps(frame), rendering, 3, np.dtype(np.float32), lambda plane: plane)


def _rendered(
    frame: RawFrame,
    rendering: Rendering,
    channels: int,
    dtype: np.dtype[Any],
    to_pixels: Callable[[Floats], Array],
) -> Array:
    """The frame in its rendering's colours, strip by strip on all cores, each plane by way of `to_pixels`; upright and cropped."""
    rows, columns = frame.mosaic.shape[:2]
    top, left, height, width = frame.crop or (0, 0, rows, columns)
    sides = (width, height) if frame.orientation >= 5 else (height, width)
    pixels = np.empty((*sides, channels), dtype)
    stored = _as_stored(pixels, frame.orientation)

    def strip(begin: int) -> None:
        part = np.empty((min(_STRIP, rows - begin), columns, channels), dtype)
        for (row, column), planes in _camera_planes(frame, rendering, begin, begin + len(part)):
            target = part[row::2, column::2] if frame.cfa in BAYER else part
            for channel, plane in enumerate(in_colors(planes, rendering)[:channels]):
                target[..., channel] = to_pixels(plane)[: target.shape[0], : target.shape[1]]
        seen = part[max(top - begin, 0) : max(top + height - begin, 0), left : left + width]
        stored[max(begin - top, 0) :][: len(seen)] = seen

    with ThreadPoolExecutor(machine.cores()) as threads:
        list(threads.map(strip, range(0, rows, _STRIP)))
    return pixels


def _camera_planes(
    frame: RawFrame, rendering: Rendering, top: int, bottom: int
) -> Iterator[tuple[tuple[int, int], Planes]]:
    """White-balanced camera RGB of some rows, phase by phase, with its highlights repaired. `top` is even."""
    gains = np.asarray(rendering.gains, np.float32)
    # What lies above white, and above the first clipped colour, is lost anyway; cut before the demosaic it draws no dots.
    limit = np.float32(max(1.0, rendering.white / rendering.exposure))
    if frame.cfa == "MONO":
        rows = frame.mosaic[top:bottom]
        yield (0, 0), (rows, rows, rows)
    elif frame.cfa == "RGB":
        red, green, blue = (frame.mosaic[top:bottom, :, i] * gains[i] for i in range(3))
        red, green, blue = repair_highlights((red, green, blue), rendering.gains)
        yield (0, 0), (np.minimum(red, limit), np.minimum(green, limit), np.minimum(blue, limit))
    else:
        rows = _rows_with_halo(frame.mosaic, top, bottom)
        yield from balanced_phases(rows, frame.cfa, rendering.gains, float(limit))


def balanced_phases(rows: Pixels, cfa: str, gains: Gains, limit: float) -> Iterator[tuple[tuple[int, int], Planes]]:
    """A mosaic [H + 4, W + 4] with a halo -> white-balanced camera RGB, phase by phase as `demosaic_phases` gives it.

    For arrays and tensors of even sides. Clipped highlights are repaired, and held at `limit`. The mosaic is changed.
    """
    # Balanced before the demosaic, which expects the colours of a gray edge to rise and fall together.
    rows *= like(np.tile(np.asarray(gains)[pattern_colors(cfa)], (len(rows) // 2, rows.shape[1] // 2)), rows)
    _repair_mosaic_highlights(rows, cfa, gains)
    yield from demosaic_phases(namespace(rows).clip(rows, None, limit), cfa)


def _rows_with_halo(mosaic: Floats, top: int, bottom: int) -> Floats:
    """Rows of a mosaic, made even in number and width, with `HALO` more on each side; mirrored beyond the edges."""
    height, width = mosaic.shape
    bottom += (bottom - top) % 2
    first, last = max(top - HALO, 0), min(bottom + HALO, height)
    above, below = first - (top - HALO), bottom + HALO - last
    if last - first <= max(above, below):  # A strip too thin to mirror itself: mirror the whole (small) mosaic instead.
        return with_halo(mosaic)[top : bottom + 2 * HALO]
    return np.pad(mosaic[first:last], ((above, below), (HALO, HALO + width % 2)), mode="reflect")


def repair_highlights(planes: Planes, gains: Gains) -> Planes:
    """White-balanced camera RGB with its clipped channels rebuilt, so that burnt highlights become white, not magenta.

    A clipped channel is raised to the mean of the channels that still hold light, never lowered; where all three are clipped the
    pixel becomes neutral at the highest of their levels. Both fade in between 0.9 and 0.98 of full scale.
    """
    library = namespace(planes[0])
    bright = [plane > 0.9 * gain for plane, gain in zip(planes, gains, strict=True)]
    over = bright[0] | bright[1] | bright[2]
    if not over.any():
        return planes
    rgb = library.stack([plane[over] for plane in planes])
    ramp = library.clip((rgb / like(gains, rgb)[:, None] - 0.9) / (_CLIPPED - 0.9), 0, 1)
    clipped = ramp * ramp * (3 - 2 * ramp)
    trust = 1 - clipped + 1e-3
    others = ((trust * rgb).sum(0) - trust * rgb) / (trust.sum(0) - trust)
    rebuilt = rgb + clipped * library.clip(others - rgb, 0, None)
    rebuilt += clipped.prod(0) * (library.clip(library.amax(rebuilt, 0), max(gains), None) - rebuilt)
    repaired = []
    for plane, values in zip(planes, rebuilt, strict=True):
        plane = library.asarray(plane, copy=True)
        plane[over] = values
        repaired.append(plane)
    return repaired[0], repaired[1], repaired[2]


def _repair_mosaic_highlights(rows: Pixels, cfa: str, gains: Gains) -> None:
    """`repair_highlights` on the 2×2 blocks of a white-balanced mosaic, in place.

    Before the demosaic, which would draw dotted lines where one colour clips and its neighbours do not.
    """
    red, green_r, green_b, blue = (rows[row::2, column::2] for row, column in plane_offsets(cfa))
    before = (red, (green_r + green_b) / 2, blue)
    after = repair_highlights(before, gains)
    if after is not before:
        red[...], blue[...] = after[0], after[2]
        green_r += after[1] - before[1]
        green_b += after[1] - before[1]


def in_colors(planes: Planes, rendering: Rendering) -> list[Pixels]:
    """White-balanced camera RGB by the colour matrix and the exposure."""
    matrix = (rendering.matrix * rendering.exposure).tolist()
    return [a * planes[0] + b * planes[1] + c * planes[2] for a, b, c in matrix]


def _curve_table(rendering: Rendering, dtype: np.dtype[np.unsignedinteger]) -> Callable[[Floats], Array]:
    """The tone curve as a look-up from linear light, spaced by its square root to be fine in the shadows."""
    top = np.iinfo(dtype).max
    levels = np.square(np.linspace(0, 1, _CURVE_STEPS)) * rendering.white
    table = np.round(rendering.to_display(levels) * top).astype(dtype)
    scale = np.float32((_CURVE_STEPS - 1) ** 2 / rendering.white)

    def look_up(plane: Floats) -> Array:
        index = np.sqrt(np.clip(plane * scale, 0, np.float32((_CURVE_STEPS - 1) ** 2)))
        index += np.float32(0.5)
        return np.asarray(table[index.astype(np.uint16)])

    return look_up


def upright(pixels: Array, orientation: int) -> Array:
    """[H, W, ...] as stored -> as seen, for the EXIF orientation codes 1 to 8. Raises UnusableInput for others."""
    if orientation not in range(1, 9):
        raise UnusableInput(f"an EXIF orientation lies between 1 and 8, not at {orientation}")
    return np.ascontiguousarray(_flipped(pixels.swapaxes(0, 1) if orientation >= 5 else pixels, orientation))


def _as_stored(pixels: Array, orientation: int) -> Array:
    """A view of an upright array [H, W, ...] as it is stored: `upright` of it is the array. Raises UnusableInput as that does."""
    if orientation not in range(1, 9):
        raise UnusableInput(f"an EXIF orientation lies between 1 and 8, not at {orientation}")
    turned = _flipped(pixels, orientation)
    return turned.swapaxes(0, 1) if orientation >= 5 else turned


def _flipped(pixels: Array, orientation: int) -> Array:
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
