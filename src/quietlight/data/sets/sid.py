"""See-in-the-Dark (Chen et al. 2018): short exposures made as bright as the long one of the same scene, which is the clean one.

Relied on: Sony/short and Sony/long with .ARW files, named SCENE_SEQUENCE_EXPOSUREs, and the lists Sony_train_list.txt and the like,
here or in dataset/, of rows `./Sony/short/00001_00_0.04s.ARW ./Sony/long/00001_00_10s.ARW ISO200 F8`. Exposures in names are
rounded, and the authors use them as they are: ratio = min(long/short, 300). The Fuji half is X-Trans, which is no Bayer mosaic.

Levels and visible size are those of LibRaw, not the authors' constants (512, 16383, 4256x2848), which hold for one version of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from quietlight.camera.bayer import amplify
from quietlight.data.sets.scene import TEST, TRAINING, VALIDATION, Item, Scene, read_bayer, ready, restored_of
from quietlight.frames import UnusableInput

LICENCE = "see-in-the-dark, MIT for code; no licence stated for the pictures"
LARGEST_RATIO = 300.0
_LISTS = {"train": TRAINING, "val": VALIDATION, "test": TEST}
_NAME = re.compile(r"\d{5}_\d\d_(\d+(?:\.\d+)?)s\.ARW", re.IGNORECASE)


def items(root: Path) -> list[Item]:
    """A short exposure each: many share one long one."""
    lists = {part: _list(root, name) for name, part in _LISTS.items()}
    if not any(lists.values()):
        hint = " (of the Fuji half: X-Trans frames are no Bayer mosaics)" if list(root.rglob("Fuji_*_list.txt")) else ""
        raise UnusableInput(f"{root}: no Sony_train_list.txt, nor one for val or test, here or in dataset{hint}")
    return [
        Item(short, partial(_scene, short, long), part, licence=LICENCE)
        for part, path in lists.items()
        if path is not None
        for short, long in _rows(root, path)
    ]


def _list(root: Path, name: str) -> Path | None:
    places = (folder / f"Sony_{name}_list.txt" for folder in (root, root / "dataset", root.parent / "dataset"))
    return next((path for path in places if path.is_file()), None)


def _rows(root: Path, path: Path) -> list[tuple[Path, Path]]:
    """(short, long) of each row. Raises UnusableInput for others than four fields."""
    rows = [line.split() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    if wrong := next((row for row in rows if len(row) != 4), None):
        raise UnusableInput(f"{path}: has a row that is not of four fields: {' '.join(wrong)[:60]!r}")
    return [(root / row[0], root / row[1]) for row in rows]


def exposure(path: Path) -> float:
    """Seconds by the name of a file. Raises UnusableInput for other names."""
    match = _NAME.fullmatch(path.name)
    if match is None or not float(match[1]):
        raise UnusableInput(f"{path}: is not named SCENE_SEQUENCE_EXPOSUREs.ARW, such as 00001_00_0.04s.ARW")
    return float(match[1])


def _scene(short: Path, long: Path) -> Scene:
    ratio = min(exposure(long) / exposure(short), LARGEST_RATIO)
    dark, clean = read_bayer(short), read_bayer(long)
    if (dark.cfa, dark.mosaic.shape) != (clean.cfa, clean.mosaic.shape):
        raise UnusableInput(f"{long}: differs from {short.name} in size or pattern")
    bright = amplify(ready(dark), ratio)
    frame = replace(bright, mosaic=np.minimum(bright.mosaic, 1))
    clean = ready(replace(clean, white_balance=clean.white_balance or dark.white_balance))
    return Scene(frame, restored_of(clean), facts={"ratio": ratio, "clean": long.name})
