"""Many files -> the bursts among them.

In case of doubt every file is by itself: noise that is left costs less than two pictures made into one. Files are neighbours where
one was taken right after the other by the same camera with the same exposure, or, of raws that do not tell the time, where they are
numbered one after the other; and a burst is as long as its neighbours show the scene of its first file (`camera.likeness`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from quietlight.camera.likeness import same_scene
from quietlight.frames import Floats, UnusableInput
from quietlight.io.burst import MOST_FRAMES, disagreement, exposure_difference
from quietlight.io.header import Header, is_exact, read_header
from quietlight.io.headerless import RawFormat
from quietlight.io.thumbnail import thumbnail

LONGEST_PAUSE = 2.0
"""Seconds from the end of an exposure to the begin of the next."""
_LEVEL_TOLERANCE = 0.15
"""Share by which the mean may differ where no file tells its exposure: a third of a stop is 0.21."""
_HEADERS = 0.2
"""Share of the work that reading headers is."""


@dataclass(frozen=True)
class _File:
    path: Path
    header: Header

    @property
    def series(self) -> tuple[object, ...]:
        """What files have in common that one camera wrote into one folder."""
        header = self.header
        return self.path.parent, self.path.suffix.lower(), header.photo, header.camera, header.taken is None

    @property
    def order(self) -> tuple[float, tuple[tuple[int, str], ...]]:
        """By time, then by name, numbers in it as numbers."""
        return self.header.taken or 0.0, tuple(
            (int(part), "") if part.isdecimal() else (-1, part) for part in _parts(self.path)
        )


def group(
    paths: Sequence[Path], raw_format: RawFormat | None = None, progress: Callable[[float], None] = lambda _: None
) -> list[tuple[Path, ...]]:
    """The paths in groups, in the order of their first ones: bursts in the order in which they were taken, the others alone.

    Args:
        paths: of files, of any kinds and folders; what cannot be read stays alone.
        raw_format: describes files without a header.
        progress: called with the finished share, from 0 to 1.
    """
    files: list[_File] = []
    for index, path in enumerate(paths, start=1):
        try:
            header = read_header(path, raw_format)
        except (UnusableInput, OSError):  # It is said when its turn comes.
            header = None
        if header is not None and not header.film and not (header.photo and header.taken is None):
            files.append(_File(path, header))
        progress(_HEADERS * index / len(paths))
    shots = _without_versions(files)
    series: dict[tuple[object, ...], list[_File]] = {}
    for file in shots:
        series.setdefault(file.series, []).append(file)
    done = count(1)

    def told(members: list[_File]) -> Iterator[_File]:
        for file in sorted(members, key=lambda f: f.order):
            yield file
            progress(_HEADERS + (1 - _HEADERS) * next(done) / len(shots))

    burst_of = {
        path: burst for members in series.values() for burst in _split(told(members), raw_format) for path in burst
    }
    return list(dict.fromkeys(burst_of.get(path, (path,)) for path in paths))


def _without_versions(files: Sequence[_File]) -> list[_File]:
    """Without files whose name goes on where that of another one ends, as IMG_1_clean beside IMG_1: pictures made of pictures."""
    names = {(file.path.parent, file.path.stem) for file in files}

    def is_version(file: _File) -> bool:
        stem = file.path.stem
        begins = (stem[:end] for end in range(1, len(stem)) if not stem[end].isdecimal())
        return any((file.path.parent, begin) in names for begin in begins)

    return [file for file in files if not is_version(file)]


def _split(files: Iterable[_File], raw_format: RawFormat | None) -> Iterator[tuple[Path, ...]]:
    """A series in its order -> its bursts and single files, as they are found."""
    burst: list[_File] = []
    first: Floats | None = None
    for file in files:
        picture = None
        if burst and len(burst) < MOST_FRAMES and _are_neighbours(burst[-1], file):
            first = _picture(burst[0], raw_format) if first is None else first
            picture = _picture(file, raw_format)
            if first is not None and picture is not None and _show_the_same(first, picture, _is_exposed(file)):
                burst.append(file)
                continue
        if burst:
            yield tuple(one.path for one in burst)
        burst, first = [file], picture
    yield tuple(one.path for one in burst)


def _are_neighbours(one: _File, other: _File) -> bool:
    """Whether one file may be the next of a burst after another, by what their headers say."""
    first, second = one.header, other.header
    if disagreement(first, second) is not None or exposure_difference(first, second) is not None:
        return False
    if first.taken is None or second.taken is None:
        return _are_consecutive(one.path, other.path)
    if first.taken == second.taken and is_exact(first.taken):
        return False  # One shot, saved twice.
    return second.taken - first.taken <= LONGEST_PAUSE + (first.exposure_time or 0)


def _parts(path: Path) -> list[str]:
    """The name without its suffix, cut where numbers begin and end."""
    return re.split(r"(\d+)", path.stem)


def _are_consecutive(one: Path, other: Path) -> bool:
    """Whether names are equal but for one number, which is one more."""
    first, second = _parts(one), _parts(other)
    apart = [(a, b) for a, b in zip(first, second, strict=False) if a != b]
    return len(first) == len(second) and len(apart) == 1 and _is_next(*apart[0])


def _is_next(one: str, other: str) -> bool:
    return one.isdecimal() and other.isdecimal() and int(other) == int(one) + 1


def _is_exposed(file: _File) -> bool:
    """Whether the file tells how it was exposed."""
    return file.header.exposure_time is not None


def _picture(file: _File, raw_format: RawFormat | None) -> Floats | None:
    try:
        return thumbnail(file.path, raw_format, exact=not _is_exposed(file))
    except (UnusableInput, OSError, MemoryError):
        return None


def _show_the_same(first: Floats, other: Floats, exposed: bool) -> bool:
    """Whether two pictures show one scene, equally bright where nothing else says that they were exposed equally."""
    means = float(np.mean(first)), float(np.mean(other))
    if not exposed and abs(means[0] - means[1]) > _LEVEL_TOLERANCE * max(means):
        return False
    return same_scene(first, other)
