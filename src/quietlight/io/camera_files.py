"""Raw files that are not DNGs -> RawFrame, by what LibRaw knows of their cameras."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray
from PIL import Image

from quietlight.frames import BAYER, ColorCalibration, Floats, Metadata, RawFrame, UnusableInput
from quietlight.io import ifd, libraw, metadata
from quietlight.io.dng_tags import Levels, Rectangle

_EXIF_IFD = 34665
_MAKE, _MODEL, _DATE = 271, 272, 306
_EXPOSURE_TIME, _F_NUMBER, _ISO, _DATE_ORIGINAL, _FOCAL_LENGTH, _LENS_MODEL = 33434, 33437, 34855, 36867, 37386, 42036
_SOFTWARE = 305
_D65 = 21
_SMALLEST_DETERMINANT = 1e-5
_LARGEST_GAIN = 64.0
# LibRaw's flip (bits: transpose, upside down, mirrored) -> EXIF orientation.
_ORIENTATIONS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}


def read_camera_file(path: Path) -> RawFrame:
    """One raw file through LibRaw. Raises UnusableInput where LibRaw cannot read it or its sensor has other colours than RGB."""
    if _start(path).startswith(b"FOVb"):
        raise UnusableInput(f"{path}: Foveon raws are not supported: convert the file to a linear DNG first")
    with libraw.opened(path) as raw:
        exif = camera_exif(path, raw)
        if not exif and path.suffix.lower() == ".raw":
            # LibRaw knows some files without a header by nothing but their size, and so takes others for them.
            raise UnusableInput(f"{path}: has no header: describe it with --raw-format FILE.toml")
        mosaic, cfa = _mosaic(raw, path)
        exposure_time, iso = shot_settings(exif)
        color = cfa != "MONO"
        return RawFrame(
            mosaic=mosaic,
            cfa=cfa,
            white_balance=_white_balance(raw.camera_whitebalance) if color else None,
            calibrations=_calibrations(raw.rgb_xyz_matrix) if color else (),
            exposure_time=exposure_time,
            iso=iso,
            orientation=_ORIENTATIONS.get(raw.sizes.flip, 1),
            crop=_crop(raw.sizes),
            camera=camera_of(exif),
            metadata=Metadata(exif=exif),
        )


def camera_name(make: str, model: str) -> str:
    """Maker and model in one, the maker once.

    >>> camera_name("NIKON CORPORATION", "NIKON D850")
    'NIKON D850'
    >>> camera_name("Canon", "EOS D30")
    'Canon EOS D30'
    """
    make, model = make.strip(), model.strip()
    brand = make.split(" ")[0]
    return model if brand and model.lower().startswith(brand.lower()) else f"{make} {model}".strip()


def shot_settings(exif: bytes) -> tuple[float | None, int | None]:
    """(exposure time in seconds, ISO) of an EXIF block, None for what is absent or 0, as some phones write it."""
    settings = metadata.exif_of(exif).get_ifd(_EXIF_IFD)
    time, iso = (_positive(settings.get(tag)) for tag in (_EXPOSURE_TIME, _ISO))
    return time, None if iso is None else round(iso) or None


def _positive(value: object) -> float | None:
    """A number above 0 of an EXIF entry, or the first of several, else None."""
    first = value[0] if isinstance(value, tuple) and value else value
    try:
        number = float(first)  # type: ignore[arg-type] # whatever the file says; what is no number is refused here
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _mosaic(raw: rawpy.RawPy, path: Path) -> tuple[NDArray[np.float32], str]:
    """The visible part as float32, black 0, white 1, and its pattern."""
    sizes = raw.sizes
    black, white = _levels(raw, path)
    if raw.num_colors not in (1, 3):
        raise UnusableInput(f"{path}: sensors of {raw.num_colors} colours are not supported")
    if raw.raw_type is rawpy.RawType.Stack:
        rows, columns = (
            slice(sizes.top_margin, sizes.top_margin + sizes.height),
            slice(sizes.left_margin, sizes.left_margin + sizes.width),
        )
        pixels = raw.raw_image[rows, columns, :3].astype(np.float32)
        Levels(black[None, None, :3], np.full(3, white)).scale_to_unit(pixels)
        return pixels, "RGB"
    pattern = raw.raw_pattern
    if pattern is not None and pattern.shape == (6, 6):
        demosaiced, top = libraw.demosaiced(raw, path)
        pixels = demosaiced.astype(np.float32)
        pixels *= top / 65535
        Levels(black[None, None, :3], np.full(3, white)).scale_to_unit(pixels)
        return pixels, "RGB"
    if raw.num_colors == 1 or (pattern is not None and pattern.shape == (1, 1)):
        cfa, phases = "MONO", black[:1].reshape(1, 1, 1)
    else:
        cfa, phases = _bayer(raw, path, black)
    mosaic = raw.raw_image_visible.astype(np.float32)
    Levels(phases, np.array([white])).scale_to_unit(mosaic)
    return mosaic, cfa


def _bayer(raw: rawpy.RawPy, path: Path, black: Floats) -> tuple[str, Floats]:
    """The pattern from the visible part's first pixel, and black by phase, [2, 2, 1]."""
    pattern = raw.raw_pattern
    top, left = raw.sizes.top_margin, raw.sizes.left_margin
    indices = [raw.raw_color(top + row, left + column) for row in (0, 1) for column in (0, 1)]
    letters = raw.color_desc.decode("ascii", "replace")
    cfa = "".join(letters[i] if i < len(letters) else "?" for i in indices)
    if pattern is None or pattern.shape != (2, 2) or cfa not in BAYER:
        raise UnusableInput(
            f"{path}: its colour filter array is neither Bayer nor X-Trans: convert the file to a linear DNG first"
        )
    return cfa, black[indices].reshape(2, 2, 1)


def _levels(raw: rawpy.RawPy, path: Path) -> tuple[Floats, float]:
    """Black of LibRaw's four colour indices, and the white level: the camera's own where it has a sane one, else LibRaw's."""
    black = np.array(raw.black_level_per_channel, np.float64)
    white = float(raw.white_level)
    own = raw.camera_white_level_per_channel
    if own is not None and max(own) <= white and min(own) > (white + black.max()) / 2:
        white = float(min(own))
    if white <= black.max():
        raise UnusableInput(f"{path}: its white level {white:g} does not lie above its black level {black.max():g}")
    return black, white


def _white_balance(multipliers: list[float]) -> tuple[float, float, float] | None:
    """The camera's multipliers with green 1; None where LibRaw says that there are none (zero or negative ones)."""
    red, green, blue = multipliers[:3]
    if not all(math.isfinite(v) and v > 0 for v in (red, green, blue)):
        return None
    gains = red / green, 1.0, blue / green
    return gains if all(1 / _LARGEST_GAIN <= g <= _LARGEST_GAIN for g in gains) else None


def _calibrations(matrix: NDArray[np.float32]) -> tuple[ColorCalibration, ...]:
    """LibRaw's own XYZ -> camera matrix of the model, which is for D65; none where it is all zero."""
    color = np.asarray(matrix[:3], np.float64)
    usable = np.isfinite(color).all() and abs(np.linalg.det(color)) > _SMALLEST_DETERMINANT
    return (ColorCalibration(_D65, color),) if usable else ()


def _crop(sizes: rawpy.ImageSizes) -> Rectangle | None:
    """The maker's picture inside the visible part, None where the file does not say or says the impossible."""
    top, left = sizes.crop_top_margin - sizes.top_margin, sizes.crop_left_margin - sizes.left_margin
    height, width = sizes.crop_height, sizes.crop_width
    inside = min(top, left) >= 0 and top + height <= sizes.height and left + width <= sizes.width
    if not (inside and min(height, width) > 0) or (height, width) == (sizes.height, sizes.width):
        return None
    return top, left, height, width


def camera_of(exif: bytes) -> str:
    """The camera that an EXIF block names, "" for none."""
    tags = metadata.exif_of(exif)
    return camera_name(*(str(tags.get(tag, "")).split("\0")[0] for tag in (_MAKE, _MODEL)))


@dataclass(frozen=True)
class _Shot:
    """What LibRaw knows of the shot, as EXIF entries of the first and of the Exif directory."""

    image: dict[int, ifd.Entry]
    settings: dict[int, ifd.Entry]


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def camera_exif(path: Path, raw: rawpy.RawPy) -> bytes:
    """The file's EXIF block, or its preview's, completed by what LibRaw knows; the pixels need not have been read.

    Into a preview without EXIF, LibRaw itself writes the maker and model that it identified, which it gives in no other way.
    """
    is_ciff = _start(path)[6:14] == b"HEAPCCDR"
    own = metadata.read_exif(path) or _preview_exif(raw)
    tags = metadata.exif_of(own)
    settings = tags.get_ifd(_EXIF_IFD)
    shot = _shot(raw, is_ciff)
    lacking = {tag: entry for tag, entry in shot.settings.items() if tag not in settings}
    if is_ciff or _DATE not in tags:
        return metadata.with_entries(own, shot.image, lacking)
    return metadata.with_entries(own, {}, lacking) if lacking else own


def _preview_exif(raw: rawpy.RawPy) -> bytes:
    """The EXIF block of the embedded JPEG preview without the Software that LibRaw signs it with; empty where there is none."""
    try:
        with libraw.silenced():
            preview = raw.extract_thumb()
        if preview.format is not rawpy.ThumbFormat.JPEG:
            return b""
        with Image.open(io.BytesIO(bytes(preview.data))) as picture:
            block = picture.info.get("exif", b"")
    except Exception:  # A broken preview must not keep the raw from being read.
        return b""
    tree = metadata.parse(block)
    software = tree.get(0, {}).get(_SOFTWARE)
    if software is not None and software.data.startswith(b"dcraw"):
        del tree[0][_SOFTWARE]
    return metadata.with_entries(b"", tree.get(0, {}), tree.get(_EXIF_IFD, {}))


def _shot(raw: rawpy.RawPy, is_ciff: bool) -> _Shot:
    other = raw.other
    settings: dict[int, ifd.Entry] = {}
    for tag, value in (
        (_EXPOSURE_TIME, other.shutter_speed),
        (_F_NUMBER, other.aperture),
        (_FOCAL_LENGTH, other.focal_length),
    ):
        if (number := _positive(value)) is not None:
            settings[tag] = ifd.numbers(ifd.RATIONAL, [number])
    if (iso := _positive(other.iso_speed)) is not None:
        settings[_ISO] = ifd.numbers(ifd.SHORT, [min(round(iso), 65535)])
    if raw.lens.model:
        settings[_LENS_MODEL] = ifd.text(raw.lens.model)
    image: dict[int, ifd.Entry] = {}
    if (taken := other.timestamp) is not None and taken.year > 1970:
        # LibRaw takes a CIFF file's local time for UTC, and rawpy turns it into this machine's zone: go back.
        taken = datetime.fromtimestamp(taken.timestamp(), UTC) if is_ciff else taken
        date = ifd.text(f"{taken:%Y:%m:%d %H:%M:%S}")
        settings[_DATE_ORIGINAL] = image[_DATE] = date
    return _Shot(image, settings)
