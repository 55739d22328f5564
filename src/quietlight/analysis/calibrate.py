"""Photon transfer: flats and darks -> the shot and read noise of a camera at each ISO, and the file that keeps them.

Source: Janesick 2007, Photon Transfer, chapter 5: the difference of two equal exposures holds their noise and nothing of the
scene, the lens or the sensor's pattern, so variance = Var(f1 - f2) / 2 at the mean of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.bayer import PLANE_COLORS, pack, pattern_colors
from quietlight.frames import BAYER, NoiseProfile, RawFrame, UnusableInput

TILE = 32
"""Side of the tiles that a flat is measured in, pixels of one colour: vignetting gives each its own level."""
BENT = 0.8
"""Signals above are left out: sensors bend before they saturate."""
EQUAL = 0.05
"""Relative difference of mean level up to which two flats are one exposure."""


@dataclass(frozen=True)
class Entry:
    """The noise of one camera at one ISO (None: unknown). `row` is the variance that the pixels of a row share, part of read."""

    camera: str
    iso: int | None
    noise: NoiseProfile
    row: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """Measured entries, as many cameras and ISOs as there are."""

    entries: tuple[Entry, ...]

    def profile(self, camera: str, iso: int | None) -> NoiseProfile:
        """The profile of a camera at an ISO, of its `entry`."""
        return self.entry(camera, iso).noise

    def entry(self, camera: str, iso: int | None) -> Entry:
        """The noise of a camera at an ISO: as measured, or in between shot / ISO, read / ISO² and row / ISO² interpolated linearly.

        Outside of the measured ISOs they stay as at the end. A camera or ISO that is unknown on either side matches any.
        Raises UnusableInput where no entry fits, and where the ISO is unknown though it matters.
        """
        fitting = [e for e in self.entries if not camera or not e.camera or e.camera == camera]
        if not fitting:
            known = ", ".join(sorted({e.camera for e in self.entries})) or "nothing"
            raise UnusableInput(f"the calibration knows {known}, but the frame is from {camera}: calibrate this camera")
        if len(fitting) == 1 and (iso is None or fitting[0].iso is None):
            return fitting[0]
        known_isos = sorted((e for e in fitting if e.iso), key=lambda e: e.iso or 0)
        if iso is None or not known_isos:
            raise UnusableInput(
                "the calibration has several entries and the frame's ISO is unknown: keep one entry in the file"
            )
        isos = np.array([float(e.iso or 0) for e in known_isos])
        shots, reads = (np.array(v) for v in zip(*(e.noise.per_color() for e in known_isos), strict=True))
        rows = np.array([[e.row] for e in known_isos])

        def at_iso(values: NDArray[np.float64], power: int) -> tuple[float, ...]:
            columns = (values / isos[:, None] ** power).T
            return tuple(iso**power * float(np.interp(iso, isos, column)) for column in columns)

        profile = NoiseProfile(at_iso(shots, 1), at_iso(reads, 2))
        return Entry(known_isos[0].camera, iso, profile, at_iso(rows, 2)[0])


def calibrate(flats: Sequence[RawFrame], darks: Sequence[RawFrame] = ()) -> Calibration:
    """Photon transfer, one entry per camera and ISO of the flats.

    Args:
        flats: evenly lit, out of focus, two of each exposure, several exposures for a good slope.
        darks: lens capped; they give the read noise. Without them it is the line's intercept.

    Raises UnusableInput for flats without a partner, none at all, darks clipped at black, and frames that are no Bayer mosaics.
    """
    if not flats:
        raise UnusableInput("a calibration needs flats: two evenly lit raws of each exposure")
    for frame in (*flats, *darks):
        if frame.cfa not in BAYER or min(frame.mosaic.shape) < 16:
            raise UnusableInput(
                f"only Bayer raws of 16x16 and more can be calibrated, not {frame.cfa} {frame.mosaic.shape}"
            )
    settings = sorted({(f.camera, f.iso or 0) for f in flats})
    for dark in darks:
        if (dark.camera, dark.iso or 0) not in settings:
            name = dark.camera or "an unknown camera"
            raise UnusableInput(f"a dark of {name} at ISO {dark.iso} fits none of the flats: leave it out")
    return Calibration(tuple(_entry(_of(flats, *s), _of(darks, *s), *s) for s in settings))


def _of(frames: Iterable[RawFrame], camera: str, iso: int) -> list[RawFrame]:
    return [f for f in frames if (f.camera, f.iso or 0) == (camera, iso)]


def _entry(flats: list[RawFrame], darks: list[RawFrame], camera: str, iso: int) -> Entry:
    points = np.concatenate([_points(*pair) for pair in _pairs(flats)])
    points = points[points[:, 1] <= BENT]
    fixed, row = dark_noise(darks) if darks else (None, 0.0)
    lines = []
    for color, name in enumerate(("red", "green", "blue")):
        chosen = points[points[:, 0] == color]
        if len(chosen) < 2:
            raise UnusableInput(f"the flats are too bright or too small to measure {name}: use shorter exposures")
        lines.append(_line(chosen[:, 1], chosen[:, 2], chosen[:, 3], None if fixed is None else fixed[color]))
    shot, read = zip(*lines, strict=True)
    return Entry(camera, iso or None, NoiseProfile(shot, read), row)


def _pairs(flats: list[RawFrame]) -> list[tuple[RawFrame, RawFrame]]:
    """Flats of one exposure, two by two."""
    levels = {id(f): float(f.mosaic.mean()) for f in flats}
    waiting = sorted(flats, key=lambda f: (f.exposure_time or 0, levels[id(f)]))
    pairs = []
    while waiting:
        first = waiting.pop(0)
        second = waiting.pop(0) if waiting else None
        if (
            second is None
            or (first.cfa, first.mosaic.shape) != (second.cfa, second.mosaic.shape)
            or not _equal(first, second, levels[id(first)], levels[id(second)])
        ):
            seconds = f" ({first.exposure_time:g} s)" if first.exposure_time else ""
            raise UnusableInput(
                f"the flat of mean level {levels[id(first)]:.3f}{seconds} has no partner: take two of each exposure"
            )
        pairs.append((first, second))
    return pairs


def _equal(first: RawFrame, second: RawFrame, level: float, other: float) -> bool:
    return first.exposure_time == second.exposure_time and abs(level - other) <= EQUAL * max(abs(level), abs(other))


def _points(first: RawFrame, second: RawFrame) -> NDArray[np.float64]:
    """[N, 4]: colour, mean, variance and its degrees of freedom, of each tile of a pair."""
    planes, others = (pack(_even(f.mosaic), f.cfa).astype(np.float64) for f in (first, second))
    side = min(TILE, *planes.shape[1:])
    rows = []
    for color, plane, other in zip(PLANE_COLORS, planes, others, strict=True):
        mean, difference = _tiles((plane + other) / 2, side), _tiles(plane - other, side)
        columns = (mean.mean(1), difference.var(1, ddof=1) / 2)
        rows.append(np.stack([np.full(len(mean), color), *columns, np.full(len(mean), side**2 - 1)], 1))
    return np.concatenate(rows)


def _even(mosaic: NDArray[np.float32]) -> NDArray[np.float32]:
    return mosaic[: mosaic.shape[0] // 2 * 2, : mosaic.shape[1] // 2 * 2]


def _tiles(plane: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """[H, W] -> [N, side²]; what does not fill a tile is left out."""
    rows, columns = (length // side for length in plane.shape)
    cut = plane[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.transpose(0, 2, 1, 3).reshape(-1, side * side)


def _line(
    signal: NDArray[np.float64], variance: NDArray[np.float64], freedom: NDArray[np.float64], read: float | None
) -> tuple[float, float]:
    """(shot, read) by weighted least squares, `read` fixed where it is known.

    The weights come from the fit itself: the measured variances would favour those that came out too small.
    """
    terms = np.stack([signal, np.ones_like(signal)], 1)
    expected = np.full_like(variance, variance.mean())
    shot, level = 0.0, 0.0
    for _ in range(4):
        weight = freedom / (2 * expected**2)
        if read is None:
            shot, level = np.linalg.lstsq(terms * np.sqrt(weight)[:, None], variance * np.sqrt(weight), rcond=None)[0]
        if read is not None or level < 0:
            level = read or 0.0
            shot = float(np.sum(weight * signal * (variance - level)) / np.sum(weight * signal**2))
        shot = max(shot, 0.0)
        expected = np.maximum(shot * signal + level, 1e-3 * variance.mean())
    return float(shot), float(level)


def dark_noise(darks: Sequence[RawFrame]) -> tuple[tuple[float, float, float], float]:
    """(read variance of red, green, blue; row variance, part of it) of Bayer darks of one size.

    Two or more are compared pairwise, which also removes the fixed pattern; of a single one the neighbours are, which leaves it
    in. Hot pixels (beyond six robust deviations) are left out. Raises UnusableInput for darks clipped at black.
    """
    for dark in darks:
        if _clipped_at_black(dark.mosaic):
            raise UnusableInput(
                "a dark frame is clipped at black, so its noise is lost: use raws that keep values below black"
            )
    if any((d.cfa, d.mosaic.shape) != (darks[0].cfa, darks[0].mosaic.shape) for d in darks):
        raise UnusableInput("darks of different size or pattern cannot be compared")
    fields = [_even(d.mosaic).astype(np.float64) for d in darks]
    if len(fields) > 1:
        fields = [(a - b) / np.sqrt(2) for a, b in zip(fields[:-1:2], fields[1::2], strict=False)]
    variances, rows = zip(*(_dark_field(field, darks[0].cfa) for field in fields), strict=True)
    red, green, blue = (float(v) for v in np.mean(variances, axis=0))
    return (red, green, blue), float(np.mean(rows))


def _clipped_at_black(mosaic: NDArray[np.float32]) -> bool:
    """Whether many pixels sit at the lowest value, unless the converter's steps are so coarse that they would anyway."""
    lowest = mosaic.min()
    above = mosaic[mosaic > lowest]
    if not above.size:
        return True
    share = 1 - above.size / mosaic.size
    coarse = above.min() - lowest > 0.5 * float(np.diff(np.quantile(mosaic, (0.16, 0.84)))[0])
    return bool(share > (0.45 if coarse else 0.2))


def _dark_field(field: NDArray[np.float64], cfa: str) -> tuple[NDArray[np.float64], float]:
    """(variance per colour [3], row variance) of one dark, or difference of darks scaled to the noise of one."""
    height, width = field.shape
    colors = np.tile(pattern_colors(cfa), (height // 2, width // 2))
    residual, inlier = np.empty_like(field), np.empty(field.shape, bool)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        plane = _levelled(field[row::2, column::2])
        low, high = np.quantile(
            plane, (0.025, 0.975)
        )  # The median deviation is 0 where the converter's steps are coarse.
        residual[row::2, column::2] = plane
        inlier[row::2, column::2] = np.abs(plane) <= 6 * (high - low) / 3.92
    variance = np.array([np.var(residual[inlier & (colors == c)]) for c in (0, 1, 2)])
    kept = np.where(inlier, residual, 0)
    means = kept.sum(1) / np.maximum(inlier.sum(1), 1)
    # Differences of neighbouring rows, so that slow gradients do not count; minus what independent pixels would give.
    alone = np.mean([variance[colors[row]].mean() for row in (0, 1)]) / width
    return variance, max(float(np.mean(np.diff(means) ** 2)) / 2 - float(alone), 0.0)


def _levelled(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """The plane minus the medians of its tiles: without glow."""
    level = plane.copy()
    for top in range(0, plane.shape[0], TILE):
        for left in range(0, plane.shape[1], TILE):
            tile = level[top : top + TILE, left : left + TILE]
            tile -= np.median(tile)
    return level
