"""TIFF photos, through tifffile. Sources: TIFF Revision 6.0 (1992), Adobe's Photoshop TIFF Technical Notes (2002)."""

from __future__ import annotations

import importlib.util
import io
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import JpegImagePlugin

from quietlight.frames import Array, Image, Metadata, UnusableInput
from quietlight.io.metadata import append_exif, exif_extratags, read_exif
from quietlight.io.planes import METADATA_LIMIT, full_range, planes_of, unit_floats

# tifffile logs its doubts about a file; without a handler, logging would print them.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_XMP, _ICC, _ORIENTATION, _DNG_VERSION, _SUBFILE = 700, 34675, 274, 50706, 254
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_REFUSED = {5: "CMYK", 8: "CIELab", 9: "ICCLab", 32803: "a raw mosaic", 34892: "a linear raw"}
_JPEG = 7
_COMPRESSIONS = {1, 2, 3, 4, 5, _JPEG, 8, 32773, 32946, 34925, 50000}
_UNSIGNED, _FLOAT = 1, 3
_ASSOCIATED = 1


def read_tiff(path: Path, check: Callable[[int, int], None]) -> tuple[Image, int]:
    """The photo of a TIFF file as it is stored, and its orientation.

    The photo is the first page that is not marked as a thumbnail or mask; further pages are not read. Integers of 1 to 8 bits
    become uint8, up to 16 uint16, up to 32 float32, each spread over the full range. Floats stay float32 and are not scaled: they
    have to lie in [0, 1], where at most 0.01 beyond either end counts as overshoot of a filter and is clipped; anything further
    out (HDR, 0 to 255) is refused. WhiteIsZero is inverted, palettes become RGB. One extra sample is the alpha; associated
    (premultiplied) alpha is divided out, which cannot restore colours where alpha is 0.

    Args:
        path: the file.
        check: called with (width, height) before any pixel is read; raises where they are too much.

    Raises:
        UnusableInput: for a cut-short file and for what has no photo in it: CMYK, Lab, raw mosaics, signed or complex numbers.
    """
    with tifffile.TiffFile(path) as file:
        page = _photo_page(file)
        check(page.imagewidth, page.imagelength)
        _check_kind(page)
        _check_segments(file, page)
        try:
            values = page.asarray(squeeze=False)
        except ValueError as error:
            if "imagecodecs" in str(error):
                raise UnusableInput("its compression needs imagecodecs: pip install 'quietlight[io]'") from error
            raise
        planes = np.moveaxis(values[:, 0, :, :, 0], 0, 2) if values.shape[0] > 1 else values[0, 0]
        pixels, alpha = _photo(page, planes)
        profile, xmp = _block(page, _ICC), _block(page, _XMP)
        orientation = page.tags.valueof(_ORIENTATION, 1)
    return Image(pixels, alpha, False, profile, Metadata(read_exif(path), xmp)), int(orientation)


def write_tiff(image: Image, path: Path) -> None:
    """Write 8-bit, 16-bit or float32 pixels; deflate with predictor where imagecodecs is installed, else uncompressed."""
    planes = planes_of(image)
    meta = image.metadata
    extratags: list[tuple[int | str, int, int, Any, bool]] = [*exif_extratags(meta.exif)]
    if meta.xmp:
        extratags.append((_XMP, 1, len(meta.xmp), meta.xmp, True))
    packed = importlib.util.find_spec("imagecodecs") is not None
    tifffile.imwrite(
        path,
        planes,
        photometric="rgb" if image.pixels.shape[2] == 3 else "minisblack",
        planarconfig="contig" if planes.ndim == 3 else None,
        extrasamples=None if image.alpha is None else ["unassalpha"],
        compression="adobe_deflate" if packed else None,
        predictor=packed,
        iccprofile=image.profile or None,
        metadata=None,
        byteorder="<",
        software=False,
        datetime=False,
        extratags=extratags,
    )
    if meta.exif:
        append_exif(path, meta.exif)


def _photo_page(file: tifffile.TiffFile) -> tifffile.TiffPage:
    for index in range(8):
        try:
            page = file.pages[index]
        except IndexError:
            break
        if not isinstance(page, tifffile.TiffPage):
            page = page.aspage()
        subfile = page.tags.valueof(_SUBFILE, 0)
        if _DNG_VERSION in page.tags:
            raise UnusableInput("this is a DNG: read it as a raw")
        if not int(subfile) & 5:
            return page
    raise UnusableInput("the TIFF holds no picture but thumbnails")


def _check_kind(page: tifffile.TiffPage) -> None:
    """Raises UnusableInput unless the page is gray, RGB or palette, of numbers and a compression that we know."""
    photometric, bits, kind = int(page.photometric), page.bitspersample, int(page.sampleformat)
    if photometric in _REFUSED:
        raise UnusableInput(f"its colours are {_REFUSED[photometric]}: convert it to RGB")
    jpeg_colors = photometric == _YCBCR and page.compression == _JPEG
    if not jpeg_colors and photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE):
        raise UnusableInput(f"its colours are of a kind we do not know (photometric {photometric}): convert it to RGB")
    if not isinstance(bits, int) or not ((kind == _UNSIGNED and 1 <= bits <= 32) or (kind == _FLOAT and bits <= 64)):
        raise UnusableInput(f"its numbers are {bits}-bit of sample format {kind}: save it as 8 or 16 bits or float32")
    if page.compression not in _COMPRESSIONS:
        raise UnusableInput(f"its compression {int(page.compression)} is not read: save it with LZW or deflate")
    colors = 3 if photometric in (_RGB, _YCBCR) else 1
    if page.samplesperpixel not in (colors, colors + 1) or page.imagedepth != 1:
        raise UnusableInput(
            f"it has {page.samplesperpixel} samples per pixel where a photo has {colors}, or one more for alpha"
        )


def _check_segments(file: tifffile.TiffFile, page: tifffile.TiffPage) -> None:
    """Raises UnusableInput where strips or tiles are missing, cut short, or bigger inside than they say."""
    size = file.filehandle.size
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(segments) < math.prod(page.chunked) or not all(
        at > 0 and count > 0 and at + count <= size for at, count in segments
    ):
        raise UnusableInput("the TIFF is cut short: strips or tiles of the picture are missing")
    height, width = page.chunks[:2] if page.planarconfig == 1 or len(page.chunks) == 2 else page.chunks[-2:]
    if width * height > 4 * max(page.imagewidth * page.imagelength, 1 << 20):
        raise UnusableInput("the TIFF is damaged: its tiles are far larger than the picture")
    if page.compression == _JPEG:
        for at, count in segments:
            file.filehandle.seek(at)
            with JpegImagePlugin.JpegImageFile(io.BytesIO(file.filehandle.read(count))) as segment:
                if segment.width > width or segment.height > height:
                    raise UnusableInput("the TIFF is damaged: a JPEG inside it is larger than its tile")


def _photo(page: tifffile.TiffPage, planes: Array) -> tuple[Array, Array | None]:
    """Pixels and alpha of the page's own samples [H, W, C]."""
    photometric = int(page.photometric)
    if photometric == _PALETTE:
        alpha = full_range(planes[:, :, 1], int(page.bitspersample)) if planes.shape[2] > 1 else None
        return _palette_colors(page, planes[:, :, 0]), alpha
    planes = unit_floats(planes) if page.sampleformat == _FLOAT else full_range(planes, int(page.bitspersample))
    colors = 3 if planes.shape[2] >= 3 else 1
    pixels, alpha = planes[:, :, :colors], planes[:, :, colors] if planes.shape[2] > colors else None
    top = 1 if planes.dtype == np.float32 else np.iinfo(planes.dtype).max
    if photometric == _WHITE_IS_ZERO:
        pixels = planes.dtype.type(top) - pixels
    if alpha is not None and page.extrasamples and page.extrasamples[0] == _ASSOCIATED:
        pixels = _unassociated(pixels, alpha, float(top))
    return pixels, alpha


def _palette_colors(page: tifffile.TiffPage, indices: Array) -> Array:
    colors = np.asarray(page.colormap)
    if colors.ndim != 2 or colors.shape[0] != 3 or int(indices.max()) >= colors.shape[1]:
        raise UnusableInput("the TIFF is damaged: its palette is missing or too short")
    # Old writers put 8-bit values where the standard wants 16.
    colors = colors if colors.max() < 256 else (colors.astype(np.uint32) + 128) // 257
    return colors.astype(np.uint8).T[indices.astype(np.intp)]


def _unassociated(pixels: Array, alpha: Array, top: float) -> Array:
    share = np.maximum(alpha.astype(np.float64), 1e-9)[:, :, None] / top
    plain = np.where(alpha[:, :, None] > 0, np.minimum(pixels / share, top), 0)
    return (plain if pixels.dtype == np.float32 else np.round(plain)).astype(pixels.dtype)


def _block(page: tifffile.TiffPage, code: int) -> bytes:
    tag: Any = page.tags.get(code)
    if tag is None:
        return b""
    if tag.valuebytecount > METADATA_LIMIT:
        raise UnusableInput(f"its tag {code} is larger than 8 MiB")
    return bytes(tag.value)
