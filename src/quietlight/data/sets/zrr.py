"""Zurich RAW to RGB (Ignatov, Van Gool and Timofte 2020): raws of a Huawei P20, and a Canon's JPEGs of the same.

Relied on: train/huawei_raw/N.png, 448x448, one plane of 10 bits, and train/canon/N.jpg; test likewise. The pattern is RGGB: the
authors take red at (0, 0) and blue at (1, 1). Levels as theirs: divided by 4·255, no black subtracted. The raws tell no colours and
no white balance, so the gains are automatic ones, and the mode "xyz" cannot prepare them.

The two cameras stood side by side: their pictures lie on each other to within some pixels only. The restored picture is that of the
raw as FAN denoises it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from quietlight.data.sets.denoised import denoised
from quietlight.data.sets.scene import TEST, TRAINING, Item, Scene, on_each_other, read_display, ready, restored_of
from quietlight.frames import Image, RawFrame, UnusableInput
from quietlight.io import read_file

LICENCE = "ZRR, research only"
WHITE = 4 * 255
_LARGEST = 1023


def items(root: Path) -> list[Item]:
    """A raw each, those of both parts."""
    found = [
        (part, path)
        for part in ("train", "test")
        for path in sorted((root / part / "huawei_raw").glob("*.png"), key=_number)
    ]
    if not found:
        raise UnusableInput(f"{root}: no train/huawei_raw/*.png in it, nor for test")
    return [
        Item(path, partial(_scene, path), TRAINING if part == "train" else TEST, Path(part), LICENCE)
        for part, path in found
    ]


def _number(path: Path) -> tuple[int, str]:
    return (int(path.stem) if path.stem.isdecimal() else 0, path.stem)


def _scene(path: Path) -> Scene:
    image = read_file(path)
    if not isinstance(image, Image) or image.pixels.dtype != np.uint16 or image.pixels.shape[2] != 1:
        raise UnusableInput(f"{path}: is no PNG of one plane of 16 bits, as ZRR's raws are")
    pixels = image.pixels[..., 0]
    if pixels.max() > _LARGEST:
        raise UnusableInput(f"{path}: holds values up to {pixels.max()}, where raws of 10 bits end at {_LARGEST}")
    target = path.parents[1] / "canon" / f"{path.stem}.jpg"
    shown = read_display(target)
    frame = ready(RawFrame(pixels.astype(np.float32) / np.float32(WHITE), "RGGB", camera="HUAWEI P20"))
    return on_each_other(frame, restored_of(denoised(frame)), shown, target)
