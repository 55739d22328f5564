"""What is taken from a visitor: how much, under which names, and looked at by its header before anything is decoded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from quietlight.frames import UnusableInput
from quietlight.io.header import read_header
from quietlight.io.kind import PACKED_SUFFIX

_LONGEST_NAME = 100
_MEBI = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one visitor may bring, and what the page holds of all.

    Args:
        files: at once, of one visitor.
        file_bytes: of one file.
        bytes: of all files and results of one visitor, and as much again of uploads on their way in.
        pixels: of one picture.
        visitors: at once.
        age: seconds without a touch after which a visitor's files are deleted.
        grace: the same after the page was closed; a reload or a phone that sleeps closes it as well.
    """

    files: int = 64
    file_bytes: int = 512 * _MEBI
    bytes: int = 4096 * _MEBI
    pixels: int = 120_000_000
    visitors: int = 16
    age: float = 3600.0
    grace: float = 120.0


def plain_name(name: str) -> str:
    r"""The last part of a name, of letters, digits, spaces and -_.()+ alone, neither hidden nor longer than 100.

    >>> plain_name("../../etc/pass\x00wd"), plain_name(".profile"), plain_name("Fête (1).CR3")
    ('pass_wd', 'profile', 'Fête (1).CR3')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = re.sub(r"[^\w\-. ()+]", "_", last).strip(". ") or "picture"
    if len(plain) > _LONGEST_NAME:
        suffix = Path(plain).suffix[:16]
        plain = plain[: _LONGEST_NAME - len(suffix)] + suffix
    return plain


def plain_names(names: Iterable[str]) -> list[str]:
    """Names as `plain_name` makes them, each once in any case of letters: the second IMG.jpg is IMG-2.jpg.

    >>> plain_names(["a/IMG.jpg", "b/img.JPG", "IMG.png"])
    ['IMG.jpg', 'img-2.JPG', 'IMG.png']
    """
    taken: set[str] = set()
    plain: list[str] = []
    for name in map(plain_name, names):
        path, count = Path(name), 1
        while name.casefold() in taken:
            count += 1
            name = f"{path.stem}-{count}{path.suffix}"
        taken.add(name.casefold())
        plain.append(name)
    return plain


def check(path: Path, limits: Limits) -> None:
    """Refuse, by its size and its header, a file that is not one photo or raw, or too large. Raises UnusableInput."""
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise UnusableInput(
            f"{path}: {size / _MEBI:.0f} MB are more than the {limits.file_bytes // _MEBI} MB that this page takes"
        )
    if path.suffix.lower() == PACKED_SUFFIX:
        raise UnusableInput(f"{path}: planes are for the command line: drop a photo or a raw")
    header = read_header(path)
    if header is not None and header.height * header.width > limits.pixels:
        raise UnusableInput(
            f"{path}: {header.width} x {header.height} pixels are more than the {limits.pixels // 10**6} megapixels that "
            "this page takes; the command line takes more"
        )


def in_one_line(error: BaseException, folder: Path | None = None) -> str:
    """What is said of an error to a visitor: one line, without the path of the visitor's folder."""
    if isinstance(error, UnusableInput):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = "there is not enough memory for it"
    elif isinstance(error, OSError):
        text = error.strerror or type(error).__name__
    else:
        text = f"a fault in quietlight, please report it: {type(error).__name__} {error}"
    if folder is not None:
        text = re.sub(re.escape(str(folder)) + r"[/\\](?:[^/\\\s:]+[/\\])*", "", text)
    return " ".join(text.split())[:400]
