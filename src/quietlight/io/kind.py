"""A file -> what it is: a photo of some format or a raw, by its first bytes before its suffix, since suffixes lie."""

from __future__ import annotations

from pathlib import Path

import tifffile

from quietlight.frames import UnusableInput

PHOTO_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
    ".avif": "AVIF",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".hif": "HEIC",
    ".jxl": "JPEG XL",
}
"""Suffix, in lower case with its dot -> photo format."""
_KEPT = ("PNG", "JPEG", "TIFF", "WebP")
"""Formats that can be written back with all that they hold."""

RAW_SUFFIXES = frozenset((
    ".3fr", ".ari", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dcs", ".dng", ".drf", ".erf", ".fff", ".gpr", ".iiq",
    ".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".ptx", ".pxn", ".raf", ".raw", ".rw2", ".rwl", ".sr2",
    ".srf", ".srw", ".x3f",
))  # fmt: skip
"""Suffixes of raw files, lower-case, with the dot."""
PACKED_SUFFIX = ".safetensors"
"""Of planes that we wrote ourselves; files of that name in a folder are not taken for raws."""

_DNG_VERSION = 50706
_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"\xff\x0a": "JPEG XL", b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF", b"MM\0+": "TIFF",
}  # fmt: skip


def is_photo(path: Path) -> bool:
    """Whether to read a file as a photo (True) or as a raw (False). Raises UnusableInput where it is neither."""
    with path.open("rb") as file:
        head = file.read(64)
    suffix = path.suffix.lower()
    raw = suffix in RAW_SUFFIXES or suffix == PACKED_SUFFIX
    try:
        # Raws of most makers are TIFFs, and a CR3 is a relative of HEIC: there the suffix and the tags decide.
        found = photo_format(head)
        return found != "TIFF" or not (raw or _is_dng(path))
    except UnusableInput:
        if raw or suffix in PHOTO_FORMATS:
            return not raw
        raise UnusableInput(
            f"{path}: neither a photo nor a raw file that we know; describe a headerless raw with --raw-format FILE.toml"
        ) from None


def output_suffix(path: Path) -> str:
    """The suffix of a photo's result: the format stays, except where we could not write back all that it holds; then PNG."""
    with path.open("rb") as file:
        found = photo_format(file.read(64))
    if found not in _KEPT:
        return ".png"
    if PHOTO_FORMATS.get(path.suffix.lower()) == found:
        return path.suffix
    return next(suffix for suffix, name in PHOTO_FORMATS.items() if name == found)


def suffix_for(name: str) -> str | None:
    """What `output_suffix` gives for a photo that is what its name's suffix says; None for the suffix of no photo.

    >>> suffix_for("IMG.HEIC"), suffix_for("scan.JPG"), suffix_for("IMG.CR3")
    ('.png', '.JPG', None)
    """
    suffix = Path(name).suffix
    found = PHOTO_FORMATS.get(suffix.lower())
    return None if found is None else suffix if found in _KEPT else ".png"


def _is_dng(path: Path) -> bool:
    try:
        with tifffile.TiffFile(path) as tiff:
            return _DNG_VERSION in tiff.pages.first.tags
    except Exception:  # A broken TIFF raises anything; the photo reader then says what is wrong with it.
        return False


def photo_format(head: bytes) -> str:
    """The photo format that a file begins as; raises UnusableInput that names what it is instead."""
    if not head:
        raise UnusableInput("the file is empty")
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        brands = {head[i : i + 4] for i in range(8, min(int.from_bytes(head[:4]), len(head)) - 3, 4)}
        if head[8:12] in (b"avis", b"hevc", b"msf1"):
            raise UnusableInput("an animation is not a photo: extract one frame")
        if b"avif" in brands:
            return "AVIF"
        if brands & {b"heic", b"heix", b"heim", b"heis", b"mif1"}:
            return "HEIC"
    others = {
        b"GIF8": "a GIF",
        b"BM": "a BMP",
        b"8BPS": "a Photoshop document",
        b"%PDF": "a PDF",
        b"FUJIFILM": "a Fuji raw",
    }
    name = next(
        (name for start, name in others.items() if head.startswith(start)), f"unknown (it begins with {head[:8]!r})"
    )
    raise UnusableInput(
        f"what it holds is {name}, none of PNG, JPEG, TIFF, WebP, AVIF, HEIC, JPEG XL: convert it to one of them"
    )
