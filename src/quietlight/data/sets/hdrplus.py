"""HDR+ (Hasinoff et al. 2016; hdrplusdata.org, CC BY-SA 4.0): the reference frame, the merged raw, and Google's own finish.

Relied on: bursts/ID/payload_N000.dng and so on, lens_shading_map_N000.tiff beside each (float gains [h, w, 4], planes R, Gr, Gb,
B); results_20171023/ID or results_20161014/ID with merged.dng (lens shading in its OpcodeList2), final.jpg (upright, at times cut)
and reference_frame.txt, one number from 0, which some copies keep with the burst.

The colours of the restored picture are those of the DNG's matrices, as everywhere; `rgb2rgb.txt`, which is more saturated, is not
used. The longer exposure that Nexus 5 bursts of 2015 end with is never the reference.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

from quietlight.camera.bayer import plane_offsets
from quietlight.data.sets.scene import (
    Item,
    Scene,
    laid_down,
    on_each_other,
    read_bayer,
    read_display,
    ready,
    restored_of,
)
from quietlight.frames import GainMap, RawFrame, UnusableInput
from quietlight.io.limits import library_errors

RESULTS = ("results_20171023", "results_20161014")
"""The tuned ones first."""
LICENCE = "CC BY-SA 4.0"
_LARGEST_MAP = 1 << 22
"""Bytes."""


def items(root: Path) -> list[Item]:
    """A burst each, of those in ROOT/bursts or one folder below."""
    places = [path for path in (root, *sorted(root.glob("*/"))) if (path / "bursts").is_dir()]
    if not places:
        raise UnusableInput(
            f"{root}: has no folder bursts, as HDR+ does: name the folder that holds bursts and {RESULTS[0]}"
        )
    found = [(place, burst) for place in places for burst in sorted((place / "bursts").iterdir()) if burst.is_dir()]
    return [Item(burst, partial(_scene, place, burst), licence=LICENCE) for place, burst in found]


def _scene(place: Path, burst: Path) -> Scene:
    results = next((place / name / burst.name for name in RESULTS if (place / name / burst.name).is_dir()), None)
    if results is None:
        raise UnusableInput(f"{burst}: has no results: neither {RESULTS[0]} nor {RESULTS[1]} is beside bursts with it")
    number = _reference(burst, results)
    path = burst / f"payload_N{number:03}.dng"
    reference, merged = read_bayer(path), read_bayer(results / "merged.dng")
    if (reference.cfa, reference.mosaic.shape) != (merged.cfa, merged.mosaic.shape):
        raise UnusableInput(f"{results / 'merged.dng'}: differs from {path.name} in size or pattern")
    if not reference.gain_maps:
        maps = _shading(burst / f"lens_shading_map_N{number:03}.tiff", reference)
        reference = replace(reference, gain_maps=maps)
    frame, clean = ready(reference), ready(replace(merged, white_balance=reference.white_balance, crop=reference.crop))
    final = laid_down(read_display(results / "final.jpg"), merged.orientation)
    scene = on_each_other(frame, restored_of(clean), final, results / "final.jpg")
    return replace(scene, facts={**scene.facts, "reference": number, "results": results.parent.name})


def _reference(burst: Path, results: Path) -> int:
    path = next((p / "reference_frame.txt" for p in (results, burst) if (p / "reference_frame.txt").is_file()), None)
    if path is None:
        raise UnusableInput(f"{results / 'reference_frame.txt'}: is missing")
    text = path.read_text(errors="replace").strip()
    if not text.isdecimal() or len(text) > 3:
        raise UnusableInput(f"{path}: holds no number of a frame: {text[:20]!r}")
    return int(text)


def _shading(path: Path, frame: RawFrame) -> tuple[GainMap, ...]:
    """A map for each of the four phases."""
    if not path.is_file():
        raise UnusableInput(f"{path}: is missing")
    if path.stat().st_size > _LARGEST_MAP:
        raise UnusableInput(f"{path}: is too large to be a lens-shading map")
    with library_errors(path):
        gains = np.asarray(tifffile.imread(path), np.float32)
    if (
        gains.ndim != 3
        or gains.shape[2] != 4
        or min(gains.shape[:2]) < 2
        or not (gains.min() > 0 and gains.max() < 100)
    ):
        raise UnusableInput(f"{path}: is no map of positive gains [h, w, 4], but {gains.shape}")
    height, width = frame.mosaic.shape
    spacing = 1 / (gains.shape[0] - 1), 1 / (gains.shape[1] - 1)
    return tuple(
        GainMap((0, 0, height, width), (row, column, height, width), (2, 2), spacing, (0.0, 0.0), gains[..., [plane]])
        for plane, (row, column) in enumerate(plane_offsets(frame.cfa))
    )
