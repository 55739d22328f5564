"""A raw file -> RawFrame: DNGs by their own tags, other cameras' files by LibRaw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quietlight.frames import Array, GainMap, Metadata, RawFrame, UnusableInput
from quietlight.io import dng_tags, libraw, metadata
from quietlight.io.camera_files import camera_name, read_camera_file, shot_settings
from quietlight.io.dng_file import DngFile, open_dng
from quietlight.io.dng_pixels import Layout, layout, read_pixels
from quietlight.io.dng_tags import Levels, Rectangle


def read_raw(path: Path) -> RawFrame:
    """Any raw file of a camera, linear, black 0, white 1.

    Bayer and monochrome mosaics come as they are; linear DNGs and colour raws without mosaic as cfa "RGB", and so do X-Trans raws,
    which LibRaw demosaics in camera RGB.

    Raises:
        UnusableInput: what is wrong with the file: missing, cut short, damaged, or of a sensor that we cannot use.
    """
    if not path.is_file():
        raise UnusableInput(f"{path}: there is no such file")
    try:
        with open_dng(path) as dng:
            return _read_dng(dng) if dng is not None else read_camera_file(path)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_dng(dng: DngFile) -> RawFrame:
    found = layout(dng)
    area = dng_tags.active_area(dng, found.height, found.width)
    mosaic, cfa, maps = _mosaic(dng, found, area)
    calibrations = dng_tags.calibrations(dng) if cfa != "MONO" else ()
    exif = metadata.read_exif(dng.path)
    exposure_time, iso = shot_settings(exif)
    return RawFrame(
        mosaic=mosaic,
        cfa=cfa,
        white_balance=dng_tags.white_balance(dng, calibrations) if cfa != "MONO" else None,
        calibrations=calibrations,
        noise=dng_tags.noise_profile(dng, cfa),
        exposure_time=exposure_time,
        iso=iso,
        baseline_exposure=dng_tags.baseline_exposure(dng),
        orientation=dng_tags.orientation(dng),
        crop=dng_tags.default_crop(dng, area),
        gain_maps=maps or (),
        camera=camera_of_dng(dng),
        metadata=Metadata(exif=exif, xmp=dng_tags.xmp(dng), dng=dng_tags.carried(dng, maps is not None)),
    )


def camera_of_dng(dng: DngFile) -> str:
    """Maker and model, or else what the DNG calls the camera."""
    return camera_name(dng.text(271), dng.text(272)) or dng.text(50708)


def _mosaic(
    dng: DngFile, found: Layout, area: Rectangle
) -> tuple[NDArray[np.float32], str, tuple[GainMap, ...] | None]:
    """Pixels of the ActiveArea, their pattern, and the lens-shading maps that belong to them, None where the file's do not hold."""
    levels = dng_tags.levels(dng, area, found.samples, found.full)
    if not dng_tags.is_mosaic(dng):
        cfa = "MONO" if found.samples == 1 else "RGB"
        return _unit(read_pixels(dng, found), area, levels), cfa, dng_tags.gain_maps(dng, area, found.samples)
    if found.samples != 1:
        raise UnusableInput(f"{dng.path}: a colour filter array with {found.samples} planes is not supported")
    if cfa := dng_tags.bayer(dng) or "":
        return _unit(read_pixels(dng, found), area, levels), cfa, dng_tags.gain_maps(dng, area, 1)
    return _xtrans(dng, area, levels), "RGB", None


def _unit(stored: Array, area: Rectangle, levels: Levels) -> NDArray[np.float32]:
    """The ActiveArea as float32, black 0, white 1."""
    top, left, height, width = area
    mosaic = stored[top : top + height, left : left + width].astype(np.float32)
    levels.scale_to_unit(mosaic)
    return mosaic


def _xtrans(dng: DngFile, area: Rectangle, levels: Levels) -> NDArray[np.float32]:
    """The ActiveArea of an X-Trans DNG demosaiced by LibRaw, [H, W, 3]; blacks that differ between pixels count with their mean."""
    with libraw.opened(dng.path) as raw:
        pixels, top = libraw.demosaiced(raw, dng.path)
        start = raw.sizes.top_margin, raw.sizes.left_margin
    mosaic = pixels.astype(np.float32)
    mosaic *= top / 65535
    added = sum(float(deltas.mean()) for deltas in (levels.rows, levels.columns) if deltas is not None)
    black = np.full((1, 1, 3), levels.black.mean() + added)
    Levels(black, np.broadcast_to(levels.white, 3)).scale_to_unit(mosaic)
    # LibRaw moves an odd start of the ActiveArea to the next even place: repeat the edge, so that all coordinates hold.
    before = [max(begin - wanted, 0) for begin, wanted in zip(start, area[:2], strict=True)]
    after = [max(size - had - b, 0) for size, had, b in zip(area[2:], mosaic.shape[:2], before, strict=True)]
    if any(n > 1 for n in before):
        raise UnusableInput(f"{dng.path}: LibRaw reads another part of the sensor than the file's ActiveArea")
    if any(before + after):
        mosaic = np.pad(mosaic, [*zip(before, after, strict=True), (0, 0)], mode="edge")
    return mosaic[: area[2], : area[3]]
