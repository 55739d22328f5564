from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

WriteDng = Callable[..., Path]
CFA, LINEAR = 32803, 34892


def rationals(*values: float) -> tuple[int, ...]:
    return tuple(n for v in values for n in (round(v * 10000), 10000))


def dng_tags(cfa: str, repeat: tuple[int, int]) -> list[tuple[int, int, int, Any]]:
    matrix = (0.9, -0.3, -0.1, -0.5, 1.3, 0.2, -0.1, 0.2, 0.6)
    pattern = bytes("RGB".index(c) for c in cfa)
    return [
        (50706, 1, 4, (1, 4, 0, 0)),
        (50708, 2, 0, "Test Cam"),
        (50721, 10, 9, rationals(*matrix)),
        (50778, 3, 1, 21),
    ] + ([(33421, 3, 2, repeat), (33422, 1, len(pattern), pattern)] if cfa else [])


def _write(
    path: Path,
    pixels: Any,
    extra: tuple[tuple[int, int, int, Any], ...] = (),
    *,
    cfa: str = "RGGB",
    repeat: tuple[int, int] = (2, 2),
    byteorder: str = "<",
    in_subifd: bool = False,
    first: tuple[tuple[int, int, int, Any], ...] = (),
    **options: Any,
) -> Path:
    """A DNG by tifffile alone. `cfa` "" makes a linear one; `in_subifd` puts a
    thumbnail first, with `first` and
    the tags that the standard puts there, and `extra` with the raw picture."""
    base = dng_tags(cfa, repeat)
    added = {code for code, *_ in extra}
    tags = [(*tag, True) for tag in base if tag[0] not in added] + [(*tag, True) for tag in extra]
    mono = not cfa and len(options.get("shape") or pixels.shape) == 2
    with tifffile.TiffWriter(path, byteorder=byteorder) as writer:
        if in_subifd:
            ours = [tag for tag in tags if tag[0] in (33421, 33422) or tag[0] in added]
            of_file = [tag for tag in tags if tag not in ours] + [(*tag, True) for tag in first]
            thumbnail = np.zeros((8, 8, 3), np.uint8)
            writer.write(
                thumbnail, photometric="rgb", subfiletype=1, subifds=1, extratags=of_file, metadata=None, software=False
            )
            tags = ours
        writer.write(
            pixels,
            photometric="minisblack" if mono else CFA if cfa else LINEAR,
            subfiletype=0,
            extratags=tags,
            metadata=None,
            software=False,
            **options,
        )
    if mono:
        with tifffile.TiffFile(path, mode="r+b") as tiff:
            tiff.pages[0].tags[262].overwrite(LINEAR)
    return path


@pytest.fixture
def make_dng(tmp_path: Path) -> WriteDng:
    count = 0

    def make(pixels: Any, *extra: tuple[int, int, int, Any], **options: Any) -> Path:
        nonlocal count
        count += 1
        return _write(tmp_path / f"made{count}.dng", pixels, extra, **options)

    return make
