"""What a file says of itself before its pixels are read: enough to tell which files may be one burst, in some milliseconds."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import tifffile
from PIL import Image

from quietlight.frames import UnusableInput
from quietlight.io import dng_tags, libraw, metadata
from quietlight.io.camera_files import camera_exif, camera_of, shot_settings
from quietlight.io.dng_file import DngFile, open_dng
from quietlight.io.dng_pixels import layout
from quietlight.io.headerless import RawFormat
from quietlight.io.kind import PACKED_SUFFIX, is_photo, photo_format
from quietlight.io.limits import library_errors
from quietlight.io.raw import camera_of_dng

_EXIF, _ORIENTATION = 34665, 274
# DateTimeOriginal and DateTimeDigitized, with their fractions of a second; DateTime is often that of an export.
_TIMES = ((36867, 37521), (36868, 37522))
# TimeCodes and FrameRate of CinemaDNG.
_FILM = (51043, 51044)


@dataclass(frozen=True)
class Header:
    """One file's.

    Args:
        photo: whether it is a photo, not a raw.
        camera: "Make Model", empty if unknown.
        height, width: of the picture that is read, upright for photos. planes: values per pixel.
        cfa: the pattern, empty where only the pixels' decoder knows it, and for photos.
        exposure_time, iso: of the shot, seconds and ISO, None if unknown.
        taken: seconds on the camera's own clock, None if unknown; whole ones where it tells no fraction.
        film: whether it is one picture of a film.
    """

    photo: bool
    camera: str
    height: int
    width: int
    planes: int = 1
    cfa: str = ""
    exposure_time: float | None = None
    iso: int | None = None
    taken: float | None = None
    film: bool = False


def read_header(path: Path, raw_format: RawFormat | None = None) -> Header | None:
    """The header of a photo or raw; None for planes in safetensors and for photo formats that have to be decoded for it.

    Raises UnusableInput for files that are missing, damaged or of no kind that we know.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise UnusableInput(f"{path}: {'the file is empty' if path.is_file() else 'there is no such file'}")
    if raw_format is not None:
        known = raw_format
        return Header(False, known.camera, known.height, known.width, 1, known.cfa, known.exposure_time, known.iso)
    if path.suffix.lower() == PACKED_SUFFIX:
        return None
    if is_photo(path):
        return _photo_header(path)
    with open_dng(path) as dng:
        return _dng_header(dng) if dng is not None else _camera_header(path)


def _dng_header(dng: DngFile) -> Header:
    found = layout(dng)
    _, _, height, width = dng_tags.active_area(dng, found.height, found.width)
    exif = metadata.read_exif(dng.path)
    mosaic = dng_tags.is_mosaic(dng)
    cfa = (dng_tags.bayer(dng) or "RGB") if mosaic else ("MONO" if found.samples == 1 else "RGB")
    film = any(dng.entry(code) is not None for code in _FILM)
    planes = 3 if cfa == "RGB" else 1
    return Header(False, camera_of_dng(dng), height, width, planes, cfa, *shot_settings(exif), capture_time(exif), film)


def _camera_header(path: Path) -> Header:
    with libraw.identified(path) as raw:
        exif = camera_exif(path, raw)
        height, width = raw.sizes.height, raw.sizes.width
    return Header(False, camera_of(exif), height, width, 1, "", *shot_settings(exif), capture_time(exif))


def _photo_header(path: Path) -> Header | None:
    with path.open("rb") as file:
        kind = photo_format(file.read(64))
    with library_errors(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "TIFF":
            with tifffile.TiffFile(path) as tiff:
                page = tiff.pages.first
                width, height = page.imagewidth, page.imagelength
        elif kind in ("HEIC", "JPEG XL"):
            return None
        else:
            with Image.open(path) as picture:
                width, height = picture.size
    exif = metadata.read_exif(path)
    if metadata.exif_of(exif).get(_ORIENTATION, 1) in (5, 6, 7, 8):
        height, width = width, height
    return Header(True, camera_of(exif), height, width, 3, "", *shot_settings(exif), capture_time(exif))


def capture_time(exif: bytes) -> float | None:
    """When the picture of an EXIF block was taken, in seconds on the camera's clock (zones ignored); None where it does not say.

    A fraction of zeros counts as none: so write cameras that do not know it.
    """
    settings = metadata.exif_of(exif).get_ifd(_EXIF)
    for time, fraction in _TIMES:
        match = re.match(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", str(settings.get(time, "")))
        if match is None:
            continue
        try:
            whole = datetime(*map(int, match.groups()), tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]
        except ValueError:  # Such as a month 0, of clocks that were never set.
            continue
        digits = re.match(r"\d+", str(settings.get(fraction, "")).strip())
        return whole + (float(f"0.{digits[0]}") if digits else 0.0)
    return None


def is_exact(taken: float | None) -> bool:
    """Whether a time of `capture_time` has a fraction of a second."""
    return taken is not None and math.modf(taken)[0] != 0
