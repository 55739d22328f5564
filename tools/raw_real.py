"""Prints what denoisers do to real raws: noise in the flattest patches, and sharpness of the strongest edges; pictures on demand.

Usage: QUIETLIGHT_DATA=... python tools/raw_real.py [--pictures DIR]

There is no truth to compare with. FLAT is the deviation of the green pixels in the 5% of blocks of 16x16 whose deviation was least
for their brightness, as a share of what it was; a little of it is the scene's. EDGES is the size of the gradient at the 0.5% of
green pixels where the smoothed one is greatest, as a share of what it was. Both are 1 for the raw as it was.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from quietlight.analysis.estimate import estimate_raw
from quietlight.camera.bayer import pack
from quietlight.camera.defects import repair_hot_pixels
from quietlight.frames import RawFrame
from quietlight.io import read_file, write
from quietlight.pipeline import develop
from quietlight.systems.classical import classical
from quietlight.systems.fan import fan

sys.path.insert(0, str(Path(__file__).parent))
from foundation import scene

Plane = NDArray[np.float64]

SCENES = ("Indoor1", "Outdoor1", "Outdoor3")
SYSTEMS = ("classical", "fan", "fan-plus")
BLOCK, FLAT, EDGES = 16, 0.05, 0.005


def frames(data: Path) -> dict[str, RawFrame]:
    """The real raws that are there."""
    found = {name: scene(data, name) for name in SCENES}
    canon = read_file(data / "raw" / "CRW.CRW")
    if isinstance(canon, RawFrame):
        found["Canon D30"] = canon
    return found


def blocks(green: Plane) -> Plane:
    """[h, w] -> [n, 16, 16]."""
    height, width = (side // BLOCK * BLOCK for side in green.shape)
    cut = green[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return np.moveaxis(cut, 1, 2).reshape(-1, BLOCK, BLOCK)


def flattest(green: Plane) -> NDArray[np.intp]:
    """Blocks that are neither dark nor clipped and have the least deviation for their brightness."""
    cut = blocks(green)
    level, deviation = cut.mean(axis=(1, 2)), cut.std(axis=(1, 2))
    usable = np.flatnonzero((level > 0.03) & (cut.max(axis=(1, 2)) < 0.9))
    order = np.argsort(deviation[usable] / np.sqrt(level[usable]))
    return usable[order[: max(int(FLAT * len(usable)), 1)]]


def gradient(green: Plane) -> Plane:
    down, right = np.gradient(green)
    return np.asarray(np.hypot(down, right))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("QUIETLIGHT_DATA", "data")))
    parser.add_argument("--pictures", type=Path, help="folder for the developed results, as PNG")
    options = parser.parse_args()
    print("| scene | shot noise | system | flat | edges |\n| --- | ---: | --- | ---: | ---: |")
    for name, frame in frames(options.data).items():
        noise = estimate_raw(frame).profile
        before = pack(frame.mosaic, frame.cfa)[1].astype(np.float64)
        flat = flattest(before)
        strength = gradient(gaussian_filter(before, 1.5))
        edges = strength > np.quantile(strength, 1 - EDGES)
        results = {"as it was": frame} | {system: _denoised(frame, system) for system in SYSTEMS}
        for system, result in results.items():
            after = pack(result.mosaic, result.cfa)[1].astype(np.float64)
            left = np.median(blocks(after)[flat].std(axis=(1, 2)) / blocks(before)[flat].std(axis=(1, 2)))
            kept = gradient(after)[edges].mean() / gradient(before)[edges].mean()
            shot = "too low" if noise is None else f"{noise.shot[0]:.1e}"
            print(f"| {name} | {shot} | {system} | {left:.2f} | {kept:.3f} |", flush=True)
            if options.pictures:
                options.pictures.mkdir(parents=True, exist_ok=True)
                photo = develop(result, denoise="off", bits=8)
                write(photo, options.pictures / f"{name} {system}.png".replace(" ", "-"))


def _denoised(frame: RawFrame, system: str) -> RawFrame:
    """As `quietlight denoise` does it, by the network of that name."""
    known = replace(repair_hot_pixels(frame)[0], noise=estimate_raw(frame).profile)
    if known.noise is None:
        return frame
    result = classical(known) if system == "classical" else fan(known, weights=system)
    if not isinstance(result.frame, RawFrame):
        raise TypeError("a raw becomes a raw")
    return result.frame


if __name__ == "__main__":
    main()
