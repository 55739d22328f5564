"""Photos in and out: a file <-> an Image, upright, in its own depth and colours, with its EXIF, XMP and ICC profile.

What a file is, its content decides; what is written, the suffix. Sizes are checked before anything is unpacked, and whatever goes
wrong inside a decoder becomes one UnusableInput. Sources: RFC 9649 (WebP); ISO 23000-22 (AVIF, HEIC); ISO 18181 (JPEG XL); Adobe,
XMP specification part 3 (2020), section 1.1.3 (JPEG).
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import WebPImagePlugin

from quietlight.camera.develop import upright
from quietlight.frames import Array, Image, Metadata, UnusableInput
from quietlight.io import metadata
from quietlight.io.files import written_beside
from quietlight.io.jpeg import read_jpeg, write_jpeg
from quietlight.io.jxl import read_jxl, write_jxl
from quietlight.io.kind import PHOTO_FORMATS, photo_format
from quietlight.io.limits import MOST_PIXELS
from quietlight.io.planes import (
    METADATA_LIMIT,
    by_rows,
    full_range,
    image_of,
    imagecodecs_for,
    of_pillow,
    planes_of,
    saved,
)
from quietlight.io.png import Buffer, encoded, read_png, split
from quietlight.io.profile import coded_profile, is_linear, matrix_profile
from quietlight.io.tiff import read_tiff, write_tiff

_MOST_PIXELS_PER_BYTE = 10_000
_HARMLESS_PIXELS = 1 << 20
_ORIENTATION = 274
_INCHES_PER_METRE = 1 / 0.0254
_Check = Callable[[int, int], None]


def read_photo(path: Path) -> Image:
    """A PNG, JPEG, TIFF, WebP, AVIF, HEIC or JPEG XL file as an Image: its content decides, whatever its suffix says.

    - Depth: 8 bits or fewer give uint8, more give uint16, float TIFF and JPEG XL float32 (see `read_tiff` for their range).
      16-bit colour PNG, AVIF above 8 bits and JPEG XL need imagecodecs (`quietlight[io]`), HEIC needs pillow-heif.
    - Orientation: the pixels are turned upright once, and EXIF and XMP then say 1. EXIF is obeyed; in TIFF its tag, in AVIF and
      HEIC the container, in JPEG XL the codestream; XMP alone is not.
    - Colours: RGB or gray, alpha apart; palettes become RGB. The ICC profile is kept, one is made for other colour tags, and
      `linear` says whether its curves are the identity. CMYK, Lab, PQ and HLG are refused rather than guessed at.
    - Resolution and IPTC: from JFIF, pHYs and Photoshop's segment they go into the EXIF block, where TIFF keeps its own.
    - One picture: animations are refused; of a TIFF, and of a JPEG with more pictures behind it (MPO), the first is read.

    Raises:
        UnusableInput: for a missing, empty, cut-short or damaged file; one of another kind; one of more than 400 megapixels, or
            of more than one megapixel and 10,000 pixels per byte; one with an EXIF, XMP or ICC block above 8 MiB.
    """
    with _refusing(path, "read"):
        if not path.is_file():
            raise UnusableInput("there is no such file")
        size = path.stat().st_size
        with path.open("rb") as file:
            kind = photo_format(file.read(64))
        check = partial(_check_size, size)
        if kind == "TIFF":
            return _finished(*read_tiff(path, check))
        return _finished(*_READERS[kind](path.read_bytes(), check))


def write_photo(image: Image, path: Path, quality: int = 95) -> None:
    """Write an Image in the format of the path's suffix, with its profile, EXIF and XMP; beside the target first, then renamed.

    - PNG (8 or 16 bits) and TIFF (8, 16, float32) are exact. JPEG, WebP, AVIF and JPEG XL are written with 8 bits, HEIC with up
      to 10: what is deeper is rounded to nearest. Floats outside [0, 1] are clipped, except in TIFF.
    - An image that is linear and has no profile gets one that says so. A maker note too long for a JPEG is left out, and so is an
      IPTC record above 64 KiB; a longer XMP packet is written in parts.

    Args:
        image: any Image.
        path: where to; its suffix is one of `PHOTO_FORMATS`. Missing folders are made.
        quality: 1 to 100, for JPEG (4:4:4), WebP, AVIF, HEIC and JPEG XL; 100 is lossless in WebP and JPEG XL.

    Raises:
        UnusableInput: for an unknown suffix, for what the format cannot hold (alpha in JPEG, a profile in JPEG XL), for NaN.
        OSError: where the folder cannot be written.
    """
    kind = PHOTO_FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UnusableInput(f"{path}: no photo format has this suffix; known are {' '.join(sorted(PHOTO_FORMATS))}")
    if not 1 <= quality <= 100:
        raise UnusableInput(f"{path}: quality lies between 1 and 100, not at {quality}")
    with _refusing(path, "written"):
        image = _storable(image, kind)
        parts = [] if kind == "TIFF" else _WRITERS[kind](image, quality)
    with written_beside(path) as beside:
        if kind == "TIFF":
            with _refusing(path, "written"):
                write_tiff(image, beside)
        else:
            with beside.open("wb") as file:
                file.writelines(parts)


@contextmanager
def _refusing(path: Path, done: str) -> Iterator[None]:
    """The one place where the many exceptions of the codecs become UnusableInput, and where their warnings end."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnusableInput as error:
        raise UnusableInput(f"{path}: {error}") from error
    except MemoryError as error:
        raise UnusableInput(f"{path}: cannot be {done}, since it does not fit into memory") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            if done == "written":
                raise
            raise UnusableInput(f"{path}: cannot be read: {error.strerror}") from error
        why = " ".join(f"{error}".split())[:200] or type(error).__name__
        raise UnusableInput(f"{path}: cannot be {done}{', the file is damaged' * (done == 'read')}: {why}") from error


def _check_size(file_bytes: int, width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise UnusableInput(f"it says that it has {width} x {height} pixels: it is damaged")
    if width * height > MOST_PIXELS:
        raise UnusableInput(f"{width} x {height} pixels are more than the 400 megapixels that we read: cut it in parts")
    if width * height > max(_MOST_PIXELS_PER_BYTE * file_bytes, _HARMLESS_PIXELS):
        raise UnusableInput(
            f"{width} x {height} pixels cannot come out of {file_bytes} bytes: it is damaged, or a trap"
        )


def _finished(image: Image, orientation: int | None = None) -> Image:
    """The image upright, with the blocks checked and all they say about orientation made true."""
    meta, profile = image.metadata, image.profile
    for name, block in (("EXIF", meta.exif), ("XMP", meta.xmp), ("ICC", profile)):
        if len(block) > METADATA_LIMIT:
            raise UnusableInput(f"its {name} block of {len(block) >> 20} MiB is larger than 8 MiB")
    code = metadata.exif_of(meta.exif).get(_ORIENTATION, 1) if orientation is None else orientation
    code = code if code in range(1, 9) else 1
    profile = profile if profile[36:40] == b"acsp" else b""
    return replace(
        image,
        pixels=upright(image.pixels, code),
        alpha=None if image.alpha is None else upright(image.alpha, code),
        linear=is_linear(profile),
        profile=profile,
        metadata=metadata.turned_upright(meta),
    )


def _read_png(data: bytes, check: _Check) -> tuple[Image, None]:
    image = read_png(data, check)
    density = next((bytes(body) for name, body in split(data) if name == b"pHYs"), b"")
    if len(density) != 9 or density[8] != 1:  # 1: per metre
        return image, None
    across, down = (n / _INCHES_PER_METRE for n in struct.unpack(">II", density[:8]))
    exif = metadata.with_resolution(image.metadata.exif, across, down)
    return replace(image, metadata=Metadata(exif, image.metadata.xmp)), None


def _read_webp(data: bytes, check: _Check) -> tuple[Image, None]:
    # Pillow makes its canvas while it opens the file, so the size is read here first.
    name, flags = data[12:16], data[20]
    if name == b"VP8X":
        check(1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little"))
    elif name == b"VP8L":
        packed = int.from_bytes(data[21:25], "little")
        check(1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF))
    else:
        check(*(side & 0x3FFF for side in struct.unpack_from("<HH", data, 26)))
    if name == b"VP8X" and flags & 2:
        raise UnusableInput("an animated WebP is not a photo: extract one frame")
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise UnusableInput("the WebP is cut short")
    with WebPImagePlugin.WebPImageFile(io.BytesIO(data)) as picture:
        planes = np.asarray(picture if picture.mode == "RGBA" else picture.convert("RGB"))
        return of_pillow(picture, planes), None


def _avif_plugin() -> ModuleType:
    try:
        from PIL import AvifImagePlugin

        AvifImagePlugin.get_codec_version("dav1d")
    except (ImportError, AttributeError, NameError) as error:
        raise UnusableInput("AVIF needs Pillow 11.3 or newer, built with it: pip install -U pillow") from error
    return AvifImagePlugin


def _read_avif(data: bytes, check: _Check) -> tuple[Image, None]:
    with _avif_plugin().AvifImageFile(io.BytesIO(data)) as picture:
        check(*picture.size)
        if getattr(picture, "n_frames", 1) > 1:
            raise UnusableInput("an animated AVIF is not a photo: extract one frame")
        # av1C: two bytes, then bits tier, high_bitdepth, twelve_bit. Pillow silently cuts deeper pixels to 8 bits.
        av1c = data.find(b"av1C")
        if av1c >= 0 and data[av1c + 6] & 0x40:
            bits = 12 if data[av1c + 6] & 0x20 else 10
            deep = imagecodecs_for("AVIF above 8 bits").avif_decode(data)
            image = of_pillow(picture, full_range(np.minimum(deep, (1 << bits) - 1), bits))
        else:
            image = of_pillow(picture)
    nclx = data.find(b"colrnclx")
    if not image.profile and nclx >= 0:
        image = replace(image, profile=coded_profile(*struct.unpack_from(">HH", data, nclx + 8)))
    return image, None


def _heif() -> ModuleType:
    try:
        import pillow_heif
    except ImportError as error:
        raise UnusableInput("HEIC needs pillow-heif: pip install pillow-heif") from error
    module: ModuleType = pillow_heif
    return module


def _read_heic(data: bytes, check: _Check) -> tuple[Image, int]:
    picture = _heif().open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    check(*picture.size)
    if picture.mode.endswith("a"):
        raise UnusableInput("its alpha is premultiplied: save it with plain alpha")
    bits, planes = picture.info.get("bit_depth", 8), np.asarray(picture)
    if planes.dtype == np.uint16:
        planes = full_range(planes >> (16 - bits), bits)
    image = image_of(planes, *(picture.info.get(name) or b"" for name in ("icc_profile", "exif", "xmp")))
    nclx = picture.info.get("nclx_profile")
    if not image.profile and nclx:
        codes = int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
        image = replace(image, profile=coded_profile(*codes))
    return image, 1


_READERS: dict[str, Callable[[bytes, _Check], tuple[Image, int | None]]] = {
    "PNG": _read_png,
    "JPEG": read_jpeg,
    "WebP": _read_webp,
    "AVIF": _read_avif,
    "HEIC": _read_heic,
    "JPEG XL": read_jxl,
}


def _storable(image: Image, kind: str) -> Image:
    """The image in a depth and with a profile that the format holds."""
    if not image.pixels.size:
        raise UnusableInput("the image has no pixels")
    if image.pixels.dtype == np.float32 and not np.isfinite([image.pixels.min(), image.pixels.max()]).all():
        raise UnusableInput("the image holds NaN or infinity")
    if image.alpha is not None and kind == "JPEG":
        raise UnusableInput("a JPEG holds no alpha: write PNG, WebP or TIFF, or drop the alpha")
    gray = image.pixels.shape[2] == 1
    if image.linear and not image.profile:
        image = replace(image, profile=matrix_profile(1.0, gray=gray))
    if image.profile and kind == "JPEG XL":
        raise UnusableInput("a JPEG XL is written without an ICC profile, and this image has one: write PNG or TIFF")
    if gray and image.profile[16:20] == b"GRAY" and kind in ("WebP", "AVIF"):
        raise UnusableInput(f"a {kind} holds no gray with a profile: write PNG or TIFF")
    if kind == "TIFF":
        return image
    bits = 16 if kind in ("PNG", "HEIC") else 8
    alpha = None if image.alpha is None else _at_most(image.alpha, bits)
    return replace(image, pixels=_at_most(image.pixels, bits), alpha=alpha)


def _at_most(values: Array, bits: int) -> Array:
    """Floats as integers of 8 or 16 bits, and uint16 as uint8 where 8 are the most; rounded to nearest."""
    if values.dtype == np.float32:
        top = np.float32((1 << bits) - 1)
        return by_rows(lambda rows: np.round(np.clip(rows, 0, 1) * top), values, np.dtype(f"uint{bits}"))
    if values.dtype == np.uint16 and bits == 8:
        return by_rows(lambda rows: (rows.astype(np.uint32) + 128) // 257, values, np.dtype(np.uint8))
    return values


def _write_png(image: Image, quality: int) -> list[Buffer]:  # noqa: ARG001
    per_inch = metadata.resolution(image.metadata.exif) or ()
    sides = [round(side * _INCHES_PER_METRE) for side in per_inch]
    return encoded(image, struct.pack(">IIB", *sides, 1) if sides else b"")


def _write_jpeg(image: Image, quality: int) -> list[Buffer]:
    return [write_jpeg(image, quality)]


def _write_webp(image: Image, quality: int) -> list[Buffer]:
    return [saved(image, "WEBP", quality=quality, lossless=quality == 100, exact=True)]


def _write_avif(image: Image, quality: int) -> list[Buffer]:
    _avif_plugin()
    return [saved(image, "AVIF", quality=quality, subsampling="4:4:4")]


def _write_jxl(image: Image, quality: int) -> list[Buffer]:
    return [write_jxl(image, quality)]


def _write_heic(image: Image, quality: int) -> list[Buffer]:
    planes, stream = planes_of(image), io.BytesIO()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[1 if planes.ndim == 2 else planes.shape[2]]
    mode += ";16" if planes.dtype == np.uint16 else ""
    blocks = {"icc_profile": image.profile, "exif": image.metadata.exif, "xmp": image.metadata.xmp}
    kept = {k: v for k, v in blocks.items() if v}
    size = planes.shape[1], planes.shape[0]
    _heif().encode(mode, size, planes.tobytes(), stream, quality=quality, chroma=444, **kept)
    return [stream.getbuffer()]


_WRITERS: dict[str, Callable[[Image, int], list[Buffer]]] = {
    "PNG": _write_png,
    "JPEG": _write_jpeg,
    "WebP": _write_webp,
    "AVIF": _write_avif,
    "HEIC": _write_heic,
    "JPEG XL": _write_jxl,
}
