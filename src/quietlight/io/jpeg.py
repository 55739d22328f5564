"""JPEG photos, through Pillow: in 4:4:4, with EXIF, IPTC, resolution, and XMP of any length.

Sources: CIPA DC-008 (EXIF), JFIF 1.02, Adobe's XMP specification part 3 (2020), section 1.1.3 (extended XMP).
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from PIL import ImageFile, JpegImagePlugin

from quietlight.frames import Image, Metadata, UnusableInput
from quietlight.io import metadata
from quietlight.io.planes import METADATA_LIMIT, of_pillow, saved

_IPTC = 0x0404  # Photoshop's number of the IPTC record.
_SEGMENT = 65_502  # Bytes of XMP in one segment of a JPEG.
_PART = 65_400
_MOST_JPEG_BYTES = 3  # Per sample: pixels of 0 and 255 at random, the worst that we know, need 1.1 at quality 100.
_BUFFERING = threading.Lock()
_XMP, _EXTENSION = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_POINTING = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%s"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
_POINTER = re.compile(
    rb"xmpNote:HasExtendedXMP\s*=\s*[\"'](\w*)[\"']|<xmpNote:HasExtendedXMP>\s*(\w+)\s*</xmpNote:HasExtendedXMP>"
)


def read_jpeg(data: bytes, check: Callable[[int, int], None]) -> tuple[Image, None]:
    """The photo of a JPEG file as it is stored, and no orientation beside that of its EXIF block; `check` gets its size."""
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as picture:
        check(*picture.size)
        if picture.mode not in ("L", "RGB"):
            raise UnusableInput(f"its colours are {picture.mode}: convert it to RGB")
        image = of_pillow(picture)
        exif = image.metadata.exif
        if len(exif) > METADATA_LIMIT:
            return image, None
        # Pillow's "dpi" may come from EXIF; JFIF counts per inch (1) or centimetre (2).
        inch = {1: 1.0, 2: 2.54}.get(picture.info.get("jfif_unit", 0), 0.0)
        exif = metadata.with_resolution(exif, *(inch * n for n in picture.info.get("jfif_density", (0, 0))))
        record = picture.info.get("photoshop", {}).get(_IPTC, b"")
        if record and not metadata.iptc(exif):
            exif = metadata.with_iptc(exif, record)
        return replace(image, metadata=Metadata(exif, _whole_xmp(image.metadata.xmp, picture.applist))), None


def _whole_xmp(packet: bytes, segments: list[tuple[str, bytes]]) -> bytes:
    """A JPEG's packet with its extension put in; without the pointer to one that is missing, cut or larger than 8 MiB."""
    pointer = _POINTER.search(packet)
    if pointer is None:
        return packet
    guid = pointer[1] or pointer[2] or b""
    mine = _EXTENSION + guid
    found = sorted((s[len(mine) :] for _, s in segments if s.startswith(mine)), key=lambda part: part[4:8])
    extension = b"".join(part[8:] for part in found)
    alone = packet[: pointer.start()] + packet[pointer.end() :]
    whole = bool(found) and int.from_bytes(found[0][:4]) == len(extension)
    if not whole or len(packet) + len(extension) > METADATA_LIMIT:
        return alone
    if packet == _POINTING % guid:
        return extension
    start, end, into = extension.find(b"<rdf:RDF"), extension.rfind(b"</rdf:RDF>"), alone.rfind(b"</rdf:RDF>")
    if min(start, end, into) < 0:
        return alone
    return alone[:into] + extension[extension.find(b">", start) + 1 : end] + alone[into:]


def write_jpeg(image: Image, quality: int) -> bytes:
    """A JPEG file of an 8-bit image without alpha. A maker note or IPTC record too long for a segment is left out."""
    meta = image.metadata
    record, per_inch = metadata.iptc(meta.exif), metadata.resolution(meta.exif)
    exif = metadata.shortened(metadata.with_iptc(meta.exif, b"") if record else meta.exif)
    resource = b"8BIM" + struct.pack(">HHI", _IPTC, 0, len(record)) + record + bytes(len(record) % 2)
    segments = _xmp_segments(meta.xmp)
    if 0 < len(resource) - 12 <= _SEGMENT:
        segments += _segment(0xED, b"Photoshop 3.0\0" + resource)
    image = replace(image, metadata=Metadata(b"Exif\0\0" + exif if exif else b""))
    dpi = tuple(min(max(round(side), 1), 65535) for side in per_inch or ())
    with _buffer(_MOST_JPEG_BYTES * image.pixels.size + len(segments) + (1 << 17)) as enough:
        jpeg = {"quality": quality, "subsampling": 0, "optimize": enough, "extra": segments}
        return saved(image, "JPEG", **jpeg, **({"dpi": dpi} if dpi else {}))


@contextmanager
def _buffer(size: int) -> Iterator[bool]:
    """Let Pillow's encoders use `size` bytes at once inside the block; False where it cannot be told so much.

    libjpeg writes optimised Huffman tables (5% to 30% less) only into a buffer that takes the whole file, and Pillow's own guess is
    smaller than a noisy picture. The limit is global: others meanwhile have larger buffers too, which does no harm.
    """
    with _BUFFERING:
        before = ImageFile.MAXBLOCK
        enough = size < 1 << 31
        ImageFile.MAXBLOCK = max(before, size if enough else 0)
        try:
            yield enough
        finally:
            ImageFile.MAXBLOCK = before


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(data)) + data


def _xmp_segments(packet: bytes) -> bytes:
    """The XMP of a JPEG; a packet that is too long for a segment as a short one that points to it, and it in parts behind that."""
    if not packet:
        return b""
    if len(packet) <= _SEGMENT:
        return _segment(0xE1, _XMP + packet)
    extension = re.sub(rb"<\?xpacket[^>]{0,200}>", b"", packet).strip()
    guid = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    parts = (
        guid + struct.pack(">II", len(extension), at) + extension[at : at + _PART]
        for at in range(0, len(extension), _PART)
    )
    return _segment(0xE1, _XMP + _POINTING % guid) + b"".join(_segment(0xE1, _EXTENSION + part) for part in parts)
