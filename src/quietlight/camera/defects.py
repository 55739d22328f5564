"""RawFrame -> RawFrame: what the sensor adds to the light, taken away: hot pixels, dark pattern, banding."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight import machine
from quietlight.camera.bayer import pattern_colors
from quietlight.camera.shading import grid_weights, writable
from quietlight.frames import BAYER, Floats, NoiseProfile, RawFrame, UnusableInput
from quietlight.tiles import mirrored

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

_STRIP = 128  # Rows of a plane at a time, so that the arrays of a strip stay in the cache.
_MAD = 1.4826  # Standard deviation of a normal law per median absolute deviation.
_HELD = 0.8315  # Variance of a standard normal law whose tenth farthest from 0 is held to the 90% quantile.
_STEP_NOISE = (1 / 16383) ** 2 / 12  # Variance of rounding to 14 bits: no frame is known better.
_HOT_IN_DARK = 6.0  # Sigmas above the typical dark pixel.
_DARK_CELL = 32  # Side of the cells, in pixels of a plane, that the smooth dark pattern is measured on.
_SEGMENT = 32  # Pixels of a row that are averaged before rows are compared.
_TREND = 65  # Rows of the running median that stands for the scene.
_FEWEST_ROWS = 64
_END = 8  # Rows of one colour whose median says where the scene begins.

_RING = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
# The pixels beside a pixel, in pairs, and the nearest pixels of the pair's colour that do not touch it.
_BESIDE = (
    (((-1, 0), (1, 0)), ((-3, 0), (3, 0), (-1, -2), (-1, 2), (1, -2), (1, 2))),
    (((0, -1), (0, 1)), ((0, -3), (0, 3), (-2, -1), (2, -1), (-2, 1), (2, 1))),
)
_REACH = 3  # The farthest of these.


def repair_hot_pixels(frame: RawFrame, threshold: float = 5.0, *, out: Plane | None = None) -> tuple[RawFrame, Mask]:
    """Hot, dead and stuck pixels replaced by the median of their eight nearest neighbours of the same colour.

    A pixel is bad where it stands `threshold` standard deviations of noise above the highest of the eight (or below the lowest),
    and by more than twice what the eight differ among themselves, while the pixels that touch it see nothing: a star or a
    highlight, which the lens always spreads, lifts them by a tenth at least. Of two bad pixels among the eight of each other,
    both stay. Without a noise profile the noise is measured on the frame.

    Args:
        frame: any raw.
        threshold: standard deviations.
        out: an array for the repaired mosaic, which may be the frame's own; a new one where None.

    Returns:
        the frame, and the mask of the repaired pixels, of the mosaic's shape.
    """

    def found_in(part: tuple[Plane, int, tuple[int, int, int, int | None]]) -> tuple[tuple[Any, ...], Floats]:
        plane, color, phase = part
        shot, read = _noise_of(plane) if frame.noise is None else _profile_of(frame.noise, color)
        rows, columns = _outliers(plane, threshold, shot, read)
        ring = _around(plane, rows, columns, _RING)
        top, left, step, channel = phase
        rows, columns = top + step * rows, left + step * columns
        values = np.median(ring, axis=0) if len(rows) else np.empty(0, np.float32)
        layer = frame.mosaic if channel is None else frame.mosaic[..., channel]
        alone = _stands_alone(layer, rows, columns, values, shot, read)
        at = (rows[alone], columns[alone]) if channel is None else (rows[alone], columns[alone], channel)
        return at, values[alone]

    with ThreadPoolExecutor(machine.cores()) as threads:
        found = list(threads.map(found_in, _planes(frame)))
    repaired, mask = writable(frame.mosaic, out), np.zeros(frame.mosaic.shape, np.bool_)
    for at, repairs in found:  # not before all are found: the planes are seen as they were
        repaired[at] = repairs
        mask[at] = True
    return replace(frame, mosaic=repaired), mask


def _planes(frame: RawFrame) -> Iterator[tuple[Plane, int, tuple[int, int, int, int | None]]]:
    """Views of the pixels of one colour and phase, their colour, and (first row, first column, pitch, channel) of them."""
    if frame.cfa in BAYER:
        for (row, column), color in np.ndenumerate(pattern_colors(frame.cfa)):
            plane = frame.mosaic[row::2, column::2]
            if plane.size:
                yield plane, int(color), (row, column, 2, None)
    elif frame.cfa == "MONO":
        yield frame.mosaic, 1, (0, 0, 1, None)
    else:
        yield from ((frame.mosaic[..., c], c, (0, 0, 1, c)) for c in range(3))


def _profile_of(noise: NoiseProfile, color: int) -> tuple[float, float]:
    shots, reads = noise.per_color()
    return shots[color], max(reads[color], _STEP_NOISE)


def _noise_of(plane: Plane) -> tuple[float, float]:
    """(shot, read) fitted to the differences of neighbours in a row, at eight levels. Texture counts as noise: the careful side."""
    rows = plane[:: max(1, plane.shape[0] // 128)]
    if rows.shape[1] < 3:
        return 0.0, _STEP_NOISE
    beside = (rows[:, :-2] + rows[:, 2:]) / 2
    difference, level = (rows[:, 1:-1] - beside).ravel(), beside.ravel()
    # Edges that are values, so that no step of a tiny plane is empty.
    edges = np.quantile(level, np.linspace(0, 1, 9), method="nearest")
    levels, variances = [], []
    for low, high in pairwise(edges):
        inside = (level >= low) & (level <= high)
        levels.append(max(float(level[inside].mean()), 0.0))
        variances.append(_variance(difference[inside]) / 1.5)
    slope = float(np.polyfit(levels, variances, 1)[0]) if levels[-1] - levels[0] > 1e-3 else 0.0
    slope = max(slope, 0.0)
    offset = float(np.median(np.asarray(variances) - slope * np.asarray(levels)))
    return slope, max(offset, _STEP_NOISE)


def _variance(deviation: Floats) -> float:
    """Variance of a law about 0 with few outliers; unlike a median it holds for numbers of a few coarse steps."""
    size = np.abs(deviation)
    return float(np.mean(np.minimum(size, np.quantile(size, 0.9)) ** 2, dtype=np.float64)) / _HELD


def _outliers(plane: Plane, threshold: float, shot: float, read: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(rows, columns) of the pixels far outside of their eight neighbours."""
    height = plane.shape[0]
    # Third cumulant of photon counts (Cornish and Fisher's first term): in the dark their tail is longer than a normal law's.
    skew = np.float32((threshold**2 - 1) / 6 * shot)
    found = []
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        strip = _widened(plane[mirrored(top - 1, bottom + 1, height)])
        center, (highest, lowest) = strip[1:-1, 1:-1], _extremes(strip)
        spread = highest - lowest
        far = np.zeros(center.shape, np.bool_)
        for level, excess in ((highest, center - highest), (lowest, lowest - center)):
            sigma = np.sqrt(np.maximum(level, 0) * np.float32(shot) + np.float32(read))
            far |= (excess > sigma * np.float32(threshold) + skew) & (excess > 2 * spread)
        rows, columns = np.nonzero(far)
        found.append((rows + top, columns))
    return np.concatenate([r for r, _ in found]), np.concatenate([c for _, c in found])


def _widened(strip: Plane) -> Plane:
    """One mirrored column more on either side."""
    width = strip.shape[1]
    return np.concatenate(
        [strip[:, mirrored(-1, 0, width)], strip, strip[:, mirrored(width, width + 1, width)]], axis=1
    )


def _extremes(strip: Plane) -> tuple[Plane, Plane]:
    """Highest and lowest of the eight neighbours of the inner pixels."""
    result = []
    for pick in (np.maximum, np.minimum):
        sides = pick(strip[:, :-2], strip[:, 2:])
        three = pick(sides, strip[:, 1:-1])
        result.append(pick(pick(three[:-2], three[2:]), sides[1:-1]))
    return result[0], result[1]


def _around(
    layer: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp], offsets: tuple[tuple[int, int], ...]
) -> Plane:
    """[n, N] values at n offsets (row, column) of at most `_REACH` from N pixels, mirrored at the borders."""
    fold_row, fold_column = (mirrored(-_REACH, size + _REACH, size) for size in layer.shape)
    return np.array([layer[fold_row[rows + r + _REACH], fold_column[columns + c + _REACH]] for r, c in offsets])


def _stands_alone(
    layer: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp], repaired: Floats, shot: float, read: float
) -> Mask:
    """Whether the four pixels that touch each of these differ no more from their own colour's surroundings than noise does."""
    if not len(rows):
        return np.zeros(0, np.bool_)
    excess = layer[rows, columns] - repaired
    rises, levels = [], []
    for pair, ring in _BESIDE:
        around = np.median(_around(layer, rows, columns, ring), axis=0)
        rises.append(_around(layer, rows, columns, pair) - around)
        levels.append(around)
    # The middle of the four, so that one other bad pixel among them does not count.
    rise = np.median(np.concatenate(rises), axis=0) * np.sign(excess)
    sigma = np.sqrt(np.maximum(np.max(levels, axis=0), 0) * shot + read)
    return np.asarray(rise <= np.maximum(sigma, 0.1 * np.abs(excess)))


def subtract_dark(frame: RawFrame, dark: RawFrame, *, out: Plane | None = None) -> RawFrame:
    """The frame without the fixed pattern of `dark`, a picture taken with the lens covered.

    One dark frame is mostly noise, so only what is fixed is subtracted: hot pixels (six sigmas above the typical pixel of their
    colour) by their full value; elsewhere the smooth pattern (cells of 32 pixels per colour) and the columns' offsets. The rows'
    offsets differ from picture to picture: `remove_banding`. Where `dark` has a noise profile that explains less than its
    spread (a mean of many darks, whose profile has read/n), the rest is fixed too: it is subtracted in that share (Wiener).
    The profile of the result has grown by the variance of what was subtracted outside of the hot pixels. `out` as for
    `repair_hot_pixels`.

    Raises UnusableInput for a dark of another size, pattern, exposure time or ISO.
    """
    _check_dark(frame, dark)
    mosaic = writable(frame.mosaic, out)
    added = [0.0, 0.0, 0.0]
    for plane, color, (top, left, step, channel) in _planes(dark):
        some = plane[:: max(1, plane.shape[0] // 256)]
        level = float(np.median(some))
        variance = max(_variance(some - level), _STEP_NOISE)
        hot = plane > level + _HOT_IN_DARK * np.sqrt(variance)
        calm = np.where(hot, np.float32(level), plane)
        smooth = _smooth_pattern(calm)
        columns = (calm - smooth).mean(axis=0)
        smooth += columns
        random = variance if dark.noise is None else _profile_of(dark.noise, color)[1]
        share = np.float32(max(0.0, 1 - random / variance))
        fixed = np.where(hot, plane, smooth + share * (calm - smooth))
        view = mosaic if channel is None else mosaic[..., channel]
        view[top::step, left::step] -= fixed
        added[color] = max(added[color], float(share) ** 2 * random + random / plane.shape[0])
    noise = frame.noise
    if noise is not None:
        grown = added if len(noise.read) == 3 else [max(added)]
        noise = NoiseProfile(noise.shot, tuple(r + a for r, a in zip(noise.read, grown, strict=True)))
    return replace(frame, mosaic=mosaic, noise=noise)


def _check_dark(frame: RawFrame, dark: RawFrame) -> None:
    if (frame.cfa, frame.mosaic.shape) != (dark.cfa, dark.mosaic.shape):
        sizes = [f"{f.cfa} {f.mosaic.shape[1]}x{f.mosaic.shape[0]}" for f in (dark, frame)]
        raise UnusableInput(
            f"the dark frame is {sizes[0]} and the picture {sizes[1]}: take a dark with the same camera"
        )
    if frame.exposure_time and dark.exposure_time and abs(dark.exposure_time / frame.exposure_time - 1) > 0.1:
        raise UnusableInput(
            f"the dark frame was exposed for {dark.exposure_time:g} s and the picture for {frame.exposure_time:g} s: "
            "take a dark with the same exposure"
        )
    if frame.iso and dark.iso and frame.iso != dark.iso:
        raise UnusableInput(
            f"the dark frame has ISO {dark.iso} and the picture ISO {frame.iso}: take one with the same"
        )


def _smooth_pattern(plane: Plane) -> Plane:
    """The plane's cell means with straight lines between their centres, [h, w]."""
    rows, columns = (np.array_split(np.arange(n), max(1, round(n / _DARK_CELL))) for n in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, [r[0] for r in rows], axis=0), [c[0] for c in columns], axis=1)
    means = sums / np.outer([len(r) for r in rows], [len(c) for c in columns])
    weights = []
    for cells, size in ((rows, plane.shape[0]), (columns, plane.shape[1])):
        centers = [float(cell.mean()) for cell in cells]
        weights.append(grid_weights(np.interp(np.arange(size), centers, np.arange(len(centers))), len(centers)))
    smooth: Plane = weights[0] @ means.astype(np.float32) @ weights[1].T
    return smooth


def remove_banding(frame: RawFrame, *, out: Plane | None = None) -> RawFrame:
    """The frame without row noise: offsets that a whole row shares, and that differ from row to row.

    Rows are compared in segments against the running vertical median of the scene; segments with structure are left out. The
    offsets are shrunk to the share of their variance that the four quarters of the width have in common (Wiener), so that a frame
    without banding stays as it is. No row moves by more than the noise of one pixel, so that edges survive. A faint horizontal
    grating over the whole width cannot be told from banding, and on a slope steeper than the banding less of it
    goes. Frames under 64 rows or 256 columns stay. `out` as for `repair_hot_pixels`.
    """
    rows, width = frame.mosaic.shape[:2]
    if rows < _FEWEST_ROWS or width < 8 * _SEGMENT:
        return frame
    # The phases of a row share its offset: one amplifier and one reference read them.
    residual = np.mean([_segment_residuals(*layer) for layer in _same_kind_columns(frame)], axis=0)
    middle = np.median(residual, axis=1, keepdims=True)
    spread = _MAD * float(np.median(np.abs(residual - middle)))
    calm = np.abs(residual - middle) <= 3 * spread
    # Where most segments show structure, the row's offset cannot be told from the scene.
    calm &= calm.mean(axis=1, keepdims=True) > 0.5
    quarters = np.stack(
        [_row_means(*q) for q in zip(*(np.array_split(a, 4, 1) for a in (residual, calm)), strict=True)]
    )
    share = _common_share(quarters, spread**2 / residual.shape[1])
    limit = max(np.sqrt(_noise_at_middle(plane, color, frame.noise)) for plane, color, _ in _planes(frame))
    offset = share * np.clip(_row_means(residual, calm), -limit, limit)
    shape = (rows,) + (1,) * (frame.mosaic.ndim - 1)
    mosaic = np.empty_like(frame.mosaic) if out is None else out
    np.subtract(frame.mosaic, offset.reshape(shape), out=mosaic, casting="same_kind")
    return replace(frame, mosaic=mosaic)


def _row_means(values: Floats, use: Mask) -> Floats:
    """Means of the used values of each row, 0 where there are none."""
    return np.asarray(np.where(use, values, 0).sum(axis=1) / np.maximum(use.sum(axis=1), 1))


def _common_share(quarters: Floats, error: float) -> float:
    """Share, 0 to 1, of the variance of the mean of [4, rows] that is banding.

    It is what the four have in common, less two standard errors, and not more than what is left beside twice the variance
    `error` that a row's mean has from its own segments: in a textured picture the quarters have horizontal structure in common.
    """
    reach = 3 * _MAD * np.median(np.abs(quarters))
    covariance = np.cov(np.clip(quarters, -reach, reach))
    total, own = float(covariance.mean()), float(np.trace(covariance))
    if total <= 0:
        return 0.0
    pairs = 12
    common = (float(covariance.sum()) - own) / pairs - 2 * own / 4 / np.sqrt(pairs / 2 * quarters.shape[1])
    return float(np.clip(min(common, total - 2 * error) / total, 0, 1))


def _noise_at_middle(plane: Plane, color: int, noise: NoiseProfile | None) -> float:
    """Variance of a pixel of median brightness."""
    shot, read = _noise_of(plane) if noise is None else _profile_of(noise, color)
    return shot * max(float(np.median(plane[:: max(1, plane.shape[0] // 128)])), 0.0) + read


def _same_kind_columns(frame: RawFrame) -> Iterator[tuple[Plane, int]]:
    """Views whose rows hold one colour each, and after how many rows the colour comes again."""
    if frame.cfa in BAYER:
        yield from ((frame.mosaic[:, c::2], 2) for c in (0, 1))
    elif frame.cfa == "MONO":
        yield frame.mosaic, 1
    else:
        yield from ((frame.mosaic[..., c], 1) for c in range(3))


def _segment_residuals(plane: Plane, period: int) -> Plane:
    """[rows, segments]: means of segments of a row, less the running vertical median over rows of the same colour."""
    rows, width = plane.shape
    count = width // _SEGMENT
    means = plane[:, : count * _SEGMENT].reshape(rows, count, _SEGMENT).mean(axis=2)
    residual: Plane = np.empty_like(means)
    for phase in range(period):
        own = means[phase::period]
        reach = min(_TREND, len(own) - 1) // 2
        padded = np.concatenate([_continued(own, reach)[::-1], own, _continued(own[::-1], reach)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
        residual[phase::period] = own - np.median(windows, axis=2)
    return residual


def _continued(rows: Plane, count: int) -> Plane:
    """`count` rows before the first, outwards: turned about where the scene begins, so that a slope stays a slope."""
    first, second = np.median(rows[:_END], axis=0), np.median(rows[_END : 2 * _END], axis=0)
    start = first - (second - first) * ((_END - 1) / 2 / _END)
    return np.asarray(2 * start - rows[1 : count + 1], np.float32)
