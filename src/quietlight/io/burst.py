"""Files of one scene -> Burst."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from quietlight.frames import Burst, Image, RawFrame, UnusableInput
from quietlight.io.header import Header, read_header
from quietlight.io.headerless import RawFormat
from quietlight.io.limits import check_memory

Reader = Callable[[Path], RawFrame | Image]
MOST_FRAMES = 64
EXPOSURE_TOLERANCE = 0.05
"""Share by which exposure time and ISO may differ: merging takes the frames to be equally bright."""
_BYTES_PER_VALUE = 14
"""Of memory that merging takes: a float32 of the frame, one of it as it is moved, and what is being merged, as measured."""
_PAYLOAD = re.compile(r"payload_N\d+\.dng", re.IGNORECASE)


def read_burst(
    paths: Sequence[Path],
    read_file: Reader,
    raw_format: RawFormat | None = None,
    reference: int | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Burst:
    """The frames in the order of `paths`.

    Args:
        paths: of the frames.
        read_file: reads one; raw_format: describes files without a header.
        reference: the frame that the result is to look like, if somebody knows.
        progress: called with the finished share, from 0 to 1.

    Raises UnusableInput as `check_burst`, and where the pixels turn out to be of another size or pattern.
    """
    check_burst(paths, raw_format)
    frames: list[RawFrame | Image] = []
    for path in paths:
        frames.append(read_file(path))
        if (found := difference(frames[0], frames[-1])) is not None:
            raise _stranger(path, paths[0], found)
        progress(len(frames) / len(paths))
    burst = tuple(frames)
    return Burst(burst) if reference is None else Burst(burst, reference)  # type: ignore[arg-type] # of one kind, as checked


def check_burst(paths: Sequence[Path], raw_format: RawFormat | None = None) -> None:
    """Refuse by their headers, before pixels are read, files that are not one burst.

    Raises UnusableInput, naming the frame, where one differs from the first in kind, camera, size, pattern or exposure; for no
    frame or more than `MOST_FRAMES`; and for more than fits into memory.
    """
    if not 1 <= len(paths) <= MOST_FRAMES:
        raise UnusableInput(f"a burst has 1 to {MOST_FRAMES} frames, not {len(paths)}: give fewer files")
    headers = [read_header(path, raw_format) for path in paths]
    first = headers[0]
    for path, header in zip(paths, headers, strict=True):
        if first is None or header is None:
            continue
        if (found := disagreement(first, header) or exposure_difference(first, header)) is not None:
            raise _stranger(path, paths[0], found)
    values = max((h.height * h.width * h.planes for h in headers if h is not None), default=0)
    check_memory(f"{paths[0]}: a burst of {len(paths)} such frames", _BYTES_PER_VALUE * values * len(paths))


def _stranger(path: Path, first: Path, found: str) -> UnusableInput:
    return UnusableInput(f"{path}: does not belong to the burst that {first.name} begins: {found}")


def difference(first: RawFrame | Image, other: RawFrame | Image) -> str | None:
    """What keeps two frames from being of one burst, None if nothing."""
    return disagreement(_header_of(first), _header_of(other))


def _header_of(frame: RawFrame | Image) -> Header:
    if isinstance(frame, Image):
        height, width, planes = frame.pixels.shape
        return Header(True, "", height, width, planes)
    height, width = frame.mosaic.shape[:2]
    return Header(False, frame.camera, height, width, 1, frame.cfa)


def disagreement(first: Header, other: Header) -> str | None:
    """In what two files differ that frames of a burst have in common, but for the exposure; None if in nothing."""
    if first.photo != other.photo:
        return "one is a raw, the other a photo: name the raws or the photos alone"
    if first.camera != other.camera:
        return f"taken by {other.camera or 'an unknown camera'}, not by {first.camera or 'an unknown camera'}"
    if (first.height, first.width) != (other.height, other.width):
        return f"its size is {other.height}x{other.width}, not {first.height}x{first.width}"
    if (first.cfa, first.planes) != (other.cfa, other.planes):
        kinds = [header.cfa or {1: "gray", 3: "in colour"}.get(header.planes, "another") for header in (other, first)]
        return f"its pixels are {kinds[0]}, not {kinds[1]}"
    return None


def exposure_difference(first: Header, other: Header) -> str | None:
    """How the exposures of two shots differ, None if they do not, or if nobody knows."""
    if _differ(first.exposure_time, other.exposure_time):
        return f"its exposure is {_seconds(other.exposure_time)}, not {_seconds(first.exposure_time)}"
    return f"its ISO is {other.iso}, not {first.iso}" if _differ(first.iso, other.iso) else None


def _differ(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) > EXPOSURE_TOLERANCE * max(one, other)


def _seconds(time: float | None) -> str:
    """An exposure time as cameras show it."""
    return f"1/{round(1 / time)} s" if time is not None and time < 0.4 else f"{time:.3g} s"


# --- HDR+ -----------------------------------------------------------------------------------------------------------------------


def is_payload(path: Path) -> bool:
    """Whether a file is called as the frames of the HDR+ data set are, of which a folder holds one burst."""
    return _PAYLOAD.fullmatch(path.name) is not None


def payloads(paths: Sequence[Path]) -> tuple[tuple[Path, ...], int | None]:
    """The frames of an HDR+ folder in order, and the index of the reference where the data set tells it.

    Without frames of another exposure, such as the last ones of 2015: the data set's authors leave them out as well.

    Source: Hasinoff et al. 2016, the data set's README; reference_frame.txt lies beside the frames or in results_*/ID.
    """
    frames = sorted(paths)
    folder = frames[0].parent
    told = _told_reference(folder)
    chosen = next((path for path in frames if told is not None and int(path.stem.rpartition("N")[2]) == told), None)
    main = _header_or_none(chosen or frames[0])
    kept = [path for path in frames if path == chosen or not _exposed_otherwise(main, path)]
    return tuple(kept), None if chosen is None else kept.index(chosen)


def _told_reference(folder: Path) -> int | None:
    folder = folder.resolve()
    # The later results are the better ones, as the authors say.
    results = sorted(folder.parent.parent.glob(f"results_*/{folder.name}/reference_frame.txt"), reverse=True)
    for file in (folder / "reference_frame.txt", *results):
        try:
            with file.open() as told:
                return int(told.read(32))
        except (OSError, ValueError):
            continue
    return None


def _header_or_none(path: Path) -> Header | None:
    try:
        return read_header(path)
    except UnusableInput:  # It is said when the frame is read.
        return None


def _exposed_otherwise(main: Header | None, path: Path) -> bool:
    header = _header_or_none(path)
    return main is not None and header is not None and exposure_difference(main, header) is not None
