"""JPEG XL photos, through imagecodecs. Source: ISO 18181-1 and -2."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from quietlight.frames import Image, UnusableInput
from quietlight.io.planes import image_of, imagecodecs_for, planes_of, unit_floats
from quietlight.io.profile import coded_profile, matrix_profile

JXL_BOX = b"\0\0\0\x0cJXL \r\n\x87\n"
"""How a JPEG XL file with boxes begins; a bare codestream begins with FF 0A."""


def read_jxl(data: bytes, check: Callable[[int, int], None]) -> tuple[Image, int]:
    """The photo of a JPEG XL file, which libjxl has turned upright, and so the orientation 1; `check` as in `read_tiff`."""
    boxes = _jxl_boxes(data) if data.startswith(JXL_BOX) else {b"jxlc": data}
    width, height, profile = _jxl_header(boxes.get(b"jxlc") or boxes.get(b"jxlp", b"")[4:])
    check(width, height)
    planes = np.asarray(imagecodecs_for("JPEG XL").jpegxl_decode(data))
    if planes.dtype.kind == "f":
        planes = unit_floats(planes)
    exif = boxes.get(b"Exif", b"")
    return image_of(planes, profile, exif[4 + int.from_bytes(exif[:4]) :], boxes.get(b"xml ", b"")), 1


def write_jxl(image: Image, quality: int) -> bytes:
    """A JPEG XL file of an 8-bit sRGB image with Exif and XMP boxes, lossless at quality 100.

    Never deeper: imagecodecs marks 16 bits and floats as linear light, so that every viewer would show them far too bright.
    """
    # From quality to distance as libjxl's own JxlEncoderDistanceFromQuality does it.
    distance = 0.1 + 0.09 * (100 - quality) if quality >= 30 else 53 / 3000 * quality**2 - 23 / 20 * quality + 25
    how = {"lossless": True} if quality == 100 else {"distance": distance}
    data = imagecodecs_for("JPEG XL").jpegxl_encode(planes_of(image), usecontainer=True, **how)
    blocks = ((b"Exif", bytes(4) * bool(image.metadata.exif) + image.metadata.exif), (b"xml ", image.metadata.xmp))
    boxes = b"".join(struct.pack(">I4s", 8 + len(block), name) + block for name, block in blocks if block)
    behind_type = len(JXL_BOX) + int.from_bytes(data[len(JXL_BOX) : len(JXL_BOX) + 4])
    return bytes(data[:behind_type] + boxes + data[behind_type:])


def _jxl_boxes(data: bytes) -> dict[bytes, bytes]:
    """The first box of each name; a size of 0 means "to the end", of 1 that 8 bytes follow with the true one."""
    boxes: dict[bytes, bytes] = {}
    at = 0
    while at + 8 <= len(data):
        size, head = int.from_bytes(data[at : at + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        size = size or len(data) - at
        if size < head or at + size > len(data):
            raise UnusableInput("the JPEG XL is cut short")
        boxes.setdefault(data[at + 4 : at + 8], data[at + head : at + size])
        at += size
    return boxes


class _Bits:
    """Little-endian bit fields of a JPEG XL header (ISO 18181-1, annex B)."""

    def __init__(self, data: bytes) -> None:
        self.value = int.from_bytes(data[:4096], "little")
        self.left = 8 * min(len(data), 4096)

    def take(self, count: int) -> int:
        taken = self.value & ((1 << count) - 1)
        self.value >>= count
        self.left -= count
        if self.left < 0:
            raise UnusableInput("the JPEG XL is cut short or damaged")
        return taken

    def u32(self, *choices: tuple[int, int]) -> int:
        """One of four (offset, bits)."""
        offset, bits = choices[self.take(2)]
        return offset + self.take(bits)

    def enum(self) -> int:
        return self.u32((0, 0), (1, 0), (2, 4), (18, 6))

    def size(self) -> tuple[int, int]:
        """Width and height of a SizeHeader."""
        small = self.take(1)

        def side() -> int:
            return 8 * (1 + self.take(5)) if small else self.u32((1, 9), (1, 13), (1, 18), (1, 30))

        height = side()
        ratio = self.take(3)
        over, under = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio]
        return (height * over // under if ratio else side()), height

    def depth(self) -> None:
        """Step over a BitDepth."""
        if self.take(1):
            self.u32((32, 0), (16, 0), (24, 0), (1, 6))
            self.take(4)
        else:
            self.u32((8, 0), (10, 0), (12, 0), (1, 6))


def _jxl_header(codestream: bytes) -> tuple[int, int, bytes]:
    """Width, height and the profile of the pixels that libjxl gives out (it turns them upright itself).

    imagecodecs hands out no profile, so a codestream with an embedded one, or one of other colours than sRGB in XYB, is refused.
    """
    if not codestream.startswith(b"\xff\x0a"):
        raise UnusableInput("the JPEG XL is damaged: it holds no codestream")
    bits = _Bits(codestream[2:])
    width, height = bits.size()
    if bits.take(1):
        return width, height, b""
    if bits.take(1):
        bits.take(3)
        if bits.take(1):
            bits.size()
        if bits.take(1) or bits.take(1):
            raise UnusableInput("a JPEG XL with a preview or an animation is not read: save it as a plain picture")
    bits.depth()
    bits.take(1)
    for _ in range(bits.u32((0, 0), (1, 0), (2, 4), (1, 12))):
        _check_alpha(bits)
    xyb = bits.take(1)
    if bits.take(1):
        return width, height, b""
    embedded, space = bits.take(1), bits.enum()
    white = 0 if embedded else bits.enum()
    primaries = 1 if space == 1 or embedded else bits.enum()
    transfer = 0 if embedded or bits.take(1) else bits.enum()
    if (
        embedded
        or space > 1
        or white != 1
        or primaries not in (1, 9, 11)
        or (xyb and (primaries, transfer) not in ((1, 13), (1, 8)))
    ):
        raise UnusableInput(
            "the colours of this JPEG XL are not sRGB and its profile cannot be read: convert it to PNG with djxl"
        )
    if space == 1:
        coded_profile(1, transfer)
        return width, height, matrix_profile(1.0, gray=True) if transfer == 8 else b""
    return width, height, coded_profile(12 if primaries == 11 else primaries, transfer)


def _check_alpha(bits: _Bits) -> None:
    """Step over an ExtraChannelInfo, which has to be plain alpha."""
    if bits.take(1):
        return
    kind = bits.enum()
    bits.depth()
    bits.u32((0, 0), (3, 0), (4, 0), (1, 3))
    bits.take(8 * bits.u32((0, 0), (0, 4), (16, 5), (48, 10)))
    if kind != 0 or bits.take(1):
        raise UnusableInput(
            "a JPEG XL with premultiplied alpha or other channels than alpha is not read: convert it to PNG"
        )
