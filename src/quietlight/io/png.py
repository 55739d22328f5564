"""PNG photos, chunk by chunk.

The decoders see only what makes the picture (IHDR, PLTE, IDAT): no text, profile or animation of a stranger's file reaches
them, and a file that is cut short or damaged is refused by its checksums. Pillow silently gives 8 bits for 16-bit RGB, so those go
through imagecodecs. Source: Portable Network Graphics, W3C Recommendation, third edition (2025).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image as Pillow
from PIL import PngImagePlugin

from quietlight.frames import Array, Image, UnusableInput
from quietlight.io.planes import METADATA_LIMIT, full_range, image_of, imagecodecs_for, planes_of
from quietlight.io.profile import SRGB_XY, coded_profile, matrix_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"

Buffer = bytes | bytearray | memoryview

_BEHIND_HEADER = len(SIGNATURE) + 12 + 13
_GRAY, _RGB, _PALETTE, _GRAY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {_GRAY: 1, _RGB: 3, _PALETTE: 1, _GRAY_ALPHA: 2, _RGB_ALPHA: 4}
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def read_png(data: bytes, check: Callable[[int, int], None]) -> Image:
    """The picture of a PNG file as it is stored, not yet turned upright.

    Grays of 1, 2 and 4 bits are spread to uint8, palettes become RGB, tRNS becomes alpha. Colours: cICP, else iCCP, else sRGB, else
    gAMA and cHRM, in the standard's order; where they do not mean sRGB, the profile is one made from them.

    Args:
        data: the whole file.
        check: called with (width, height) before anything is unpacked; raises where they are too much.

    Raises:
        UnusableInput: for a damaged or animated file, and for 16-bit colour without imagecodecs.
    """
    chunks = split(data)
    first = {name: bytes(body) for name, body in reversed(chunks) if name != b"IDAT"}
    if chunks[0][0] != b"IHDR" or len(first[b"IHDR"]) != 13:
        raise UnusableInput("a PNG begins with a header chunk, this one does not")
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", first[b"IHDR"])
    if kind not in _SAMPLES or depth not in (1, 2, 4, 8, 16) or (depth == 16 and kind == _PALETTE):
        raise UnusableInput(f"a PNG of colour type {kind} and {depth} bits does not exist")
    check(width, height)
    if b"acTL" in first:
        raise UnusableInput("an animated PNG is not a photo: extract one frame")
    _check_filled(chunks, width, height, depth * _SAMPLES[kind], interlaced)
    keep = (b"IHDR", b"PLTE", b"IDAT") if kind != _PALETTE else (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
    bare = join([(name, body) for name, body in chunks if name in keep])
    profile = _profile(first, gray=kind in (_GRAY, _GRAY_ALPHA))
    image = image_of(_decode(bare, depth, kind, b"tRNS" in first), profile, first.get(b"eXIf", b""), _xmp(chunks))
    if b"tRNS" in first and kind in (_GRAY, _RGB):
        image = replace(image, alpha=_keyed_alpha(image.pixels, first[b"tRNS"], depth))
    return image


def encoded(image: Image, density: bytes = b"") -> list[Buffer]:
    """A PNG file of a uint8 or uint16 image, as `with_metadata` gives it; imagecodecs writes 16-bit colour and alpha."""
    planes = planes_of(image)
    if planes.dtype == np.uint16 and planes.ndim == 3:
        # Bytes would be a copy of what was packed.
        data = imagecodecs_for("writing a 16-bit colour PNG").png_encode(planes, out=bytearray)
    else:
        stream = io.BytesIO()
        Pillow.fromarray(planes).save(stream, "PNG")
        data = stream.getbuffer()
    return with_metadata(data, image.profile, image.metadata.exif, image.metadata.xmp, density)


def with_metadata(
    data: Buffer, profile: bytes = b"", exif: bytes = b"", xmp: bytes = b"", density: bytes = b""
) -> list[Buffer]:
    """A PNG file with iCCP, eXIf, iTXt "XML:com.adobe.xmp" and pHYs chunks behind its header; empty ones are left out.

    In parts to be written one after the other: of a large picture, a copy less.
    """
    extra = []
    if density:
        extra.append((b"pHYs", density))
    if profile:
        extra.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
    if exif:
        extra.append((b"eXIf", exif))
    if xmp:
        extra.append((b"iTXt", _XMP_KEYWORD + b"\0\0\0\0\0" + xmp))
    view = memoryview(data)
    return [view[:_BEHIND_HEADER], *(_chunk(name, body) for name, body in extra), view[_BEHIND_HEADER:]]


def split(data: bytes) -> list[tuple[bytes, Buffer]]:
    """The (name, body) of every chunk up to IEND; those of IDAT are views of the data.

    Raises UnusableInput where one is cut short or its checksum is wrong.
    """
    chunks: list[tuple[bytes, Buffer]] = []
    view = memoryview(data)
    at = len(SIGNATURE)
    while True:
        length, name = struct.unpack_from(">I4s", data, at) if at + 12 <= len(data) else (len(data), b"")
        if at + 12 + length > len(data):
            raise UnusableInput("the PNG is cut short")
        body = view[at + 8 : at + 8 + length]
        if zlib.crc32(body, zlib.crc32(name)) != int.from_bytes(data[at + 8 + length : at + 12 + length]):
            raise UnusableInput(f"the PNG is damaged: wrong checksum of its {name.decode('latin-1')!r} chunk")
        chunks.append((name, body if name == b"IDAT" else bytes(body)))
        at += 12 + length
        if name == b"IEND":
            return chunks


def join(chunks: Sequence[tuple[bytes, Buffer]]) -> bytes:
    """The PNG file of chunks; an IEND is added."""
    parts: list[Buffer] = [SIGNATURE]
    for name, body in [*chunks, (b"IEND", b"")]:
        parts += [struct.pack(">I4s", len(body), name), body, _checksum(name, body)]
    return b"".join(parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), name) + body + _checksum(name, body)


def _checksum(name: bytes, body: Buffer) -> bytes:
    return struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))


def _check_filled(chunks: list[tuple[bytes, Buffer]], width: int, height: int, bits: int, interlaced: int) -> None:
    """Raises UnusableInput unless the stream holds exactly the picture: Pillow leaves missing rows black without a word."""
    steps = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(height - top) // down), -(-(width - left) // across)) for top, left, down, across in steps]
    wanted = sum(rows * (1 + (columns * bits + 7) // 8) for rows, columns in sizes if columns > 0 and rows > 0)
    unpacker, found = zlib.decompressobj(), 0
    for body in (body for name, body in chunks if name == b"IDAT"):
        rest: Buffer = body
        while rest and found <= wanted:
            found += len(unpacker.decompress(rest, 1 << 20))
            rest = unpacker.unconsumed_tail
    if found != wanted:
        raise UnusableInput("the PNG is damaged: its data do not fill the picture")


def _decode(bare: bytes, depth: int, kind: int, transparent: bool) -> Array:
    """[H, W, C], uint8 or uint16, of a PNG that holds nothing but its picture."""
    if depth == 16 and kind != _GRAY:
        return np.asarray(imagecodecs_for("a 16-bit colour PNG").png_decode(bare))
    with PngImagePlugin.PngImageFile(io.BytesIO(bare)) as picture:
        if kind == _PALETTE:
            return np.asarray(picture.convert("RGBA" if transparent else "RGB"))
        planes = np.asarray(picture.convert("L") if picture.mode == "1" else picture)
    return planes.astype(np.uint16) if depth == 16 else planes


def _keyed_alpha(pixels: Array, key: bytes, depth: int) -> Array:
    """Alpha 0 where a pixel has the colour of tRNS (given in the samples' own depth), else full."""
    color = np.frombuffer(key, ">u2")
    if color.size != pixels.shape[2]:
        raise UnusableInput("the PNG is damaged: its tRNS chunk does not fit its colours")
    color = full_range(color & ((1 << depth) - 1), depth)
    return np.where((pixels == color).all(axis=2), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(body, METADATA_LIMIT)
    if not unpacker.eof:
        raise UnusableInput("a compressed profile or text of the PNG is damaged or larger than 8 MiB")
    return plain


def _xmp(chunks: list[tuple[bytes, Buffer]]) -> bytes:
    """The XMP packet: iTXt is keyword, 0, compressed?, method, language, 0, translated keyword, 0, text (section 11.3.3.4)."""
    for body in (bytes(body) for name, body in chunks if name == b"iTXt"):
        if body.startswith(_XMP_KEYWORD + b"\0") and len(body) > len(_XMP_KEYWORD) + 3:
            rest = body[len(_XMP_KEYWORD) + 1 :]
            text = rest[2:].split(b"\0", 2)[-1]
            return _unpacked(text) if rest[0] else text
    return b""


def _profile(first: dict[bytes, bytes], gray: bool) -> bytes:
    if len(first.get(b"cICP", b"")) == 4:
        return coded_profile(first[b"cICP"][0], first[b"cICP"][1])
    if b"iCCP" in first:
        return _unpacked(first[b"iCCP"].partition(b"\0")[2][1:])
    if b"sRGB" in first or not {b"gAMA", b"cHRM"} & first.keys():
        return b""
    gamma = None
    if len(first.get(b"gAMA", b"")) == 4:
        coded = int.from_bytes(first[b"gAMA"]) / 1e5
        gamma = None if not 0.1 <= coded <= 10 or abs(coded - 1 / 2.2) < 0.01 else 1 / coded
    xy: tuple[tuple[float, float], ...] = SRGB_XY
    if len(first.get(b"cHRM", b"")) == 32 and not gray:
        values = np.array(struct.unpack(">8I", first[b"cHRM"])).reshape(4, 2) / 1e5
        if np.abs(values - SRGB_XY).max() > 0.005:
            xy = tuple((float(x), float(y)) for x, y in values)
    return b"" if gamma is None and xy is SRGB_XY else matrix_profile(gamma, xy, gray)
