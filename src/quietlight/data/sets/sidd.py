"""SIDD Medium or Small, raw (Abdelhamed, Lin and Brown 2018): noisy frames of five smartphones, and the mean of many on each.

Relied on: Data/SCENE/NNNN_NOISY_RAW_010.MAT, GT likewise, 011 for the second frame, with x, float32, black 0 and white 1, axes as
MATLAB has them; NNNN_METADATA_RAW_010.MAT with the phone's DNG tags, whose illuminants come in either order, and which iPhones keep
in a SubIFD. SCENE is NNNN_SSS_CAMERA_ISO_SHUTTER_TEMPERATURE_BRIGHTNESS. The pattern is that of the tags, else the camera's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from quietlight.data.sets.scene import Item, Scene, ready, restored_of
from quietlight.frames import ColorCalibration, Floats, GainMap, NoiseProfile, RawFrame, UnusableInput
from quietlight.io.matlab import stored_array
from quietlight.io.opcodes import gain_maps
from quietlight.io.sidd import (
    CFA_PATTERN,
    COLORS,
    FORWARDS,
    ILLUMINANTS,
    NEUTRAL,
    NOISE_PROFILE,
    OPCODES,
    metadata_tags,
)

PATTERNS = {"GP": "BGGR", "IP": "RGGB", "S6": "GRBG", "N6": "BGGR", "G4": "BGGR"}
LICENCE = "SIDD, terms of its page"


def items(root: Path) -> list[Item]:
    """A noisy frame each."""
    noisy = sorted((root / "Data").glob("*/*_NOISY_RAW_*.MAT"))
    if not noisy:
        raise UnusableInput(f"{root}: no Data/SCENE/NNNN_NOISY_RAW_010.MAT in it: name the folder SIDD_Medium_Raw")
    return [Item(path, partial(_scene, path), licence=LICENCE) for path in noisy]


def _scene(path: Path) -> Scene:
    clean_path, tags_path = (path.with_name(path.name.replace("_NOISY_", f"_{what}_")) for what in ("GT", "METADATA"))
    for needed in (clean_path, tags_path):
        if not needed.is_file():
            raise UnusableInput(f"{needed}: is missing")
    noisy, clean = _mosaic(path), _mosaic(clean_path)
    if noisy.shape != clean.shape:
        raise UnusableInput(f"{clean_path}: differs from {path.name} in size: {clean.shape}, not {noisy.shape}")
    frame = _frame(noisy, metadata_tags(tags_path), path)
    made = ready(frame)
    truth = ready(replace(frame, mosaic=clean, white_balance=made.white_balance))
    return Scene(made, restored_of(truth), facts={"scene": path.parent.name})


def _mosaic(path: Path) -> Floats:
    stored = stored_array(path, "x")
    if len(stored.shape) != 2:
        raise UnusableInput(f"{path}: x is no mosaic [H, W], but {list(stored.shape)}")
    mosaic = stored.part()
    if not np.isfinite(mosaic).all() or mosaic.max() > 2:
        raise UnusableInput(f"{path}: x is not of numbers with black 0 and white 1")
    return mosaic


def _frame(mosaic: Floats, tags: dict[int, Floats], path: Path) -> RawFrame:
    camera = (path.parent.name.split("_") + [""] * 3)[2]
    cfa = PATTERNS.get(camera, "")
    colors = tags.get(CFA_PATTERN, np.zeros(0))
    if colors.size == 4 and {0, 1, 2}.issuperset(colors):
        cfa = "".join("RGB"[int(color)] for color in colors)
    if not cfa:
        raise UnusableInput(f"{path}: neither its metadata nor the name of its folder tells the pattern of the mosaic")
    neutral = tags.get(NEUTRAL, np.zeros(0))
    gains = (float(neutral[1] / neutral[0]), 1.0, float(neutral[1] / neutral[2])) if _is_neutral(neutral) else None
    profile = tags.get(NOISE_PROFILE, np.zeros(0))
    noise = None
    if profile.size in (2, 6) and np.isfinite(profile).all() and profile.min() >= 0:
        noise = NoiseProfile(tuple(map(float, profile[::2])), tuple(map(float, profile[1::2])))
    maps = _maps(tags.get(OPCODES, np.zeros(0)), mosaic.shape, path)
    return RawFrame(
        mosaic, cfa, white_balance=gains, calibrations=_calibrations(tags), noise=noise, gain_maps=maps, camera=camera
    )


def _is_neutral(neutral: Floats) -> bool:
    return neutral.size == 3 and bool(np.isfinite(neutral).all() and neutral.min() > 0.01)


def _calibrations(tags: dict[int, Floats]) -> tuple[ColorCalibration, ...]:
    found = []
    for color, forward, illuminant in zip(COLORS, FORWARDS, ILLUMINANTS, strict=True):
        if color in tags and tags[color].size == 9:
            light = int(tags.get(illuminant, np.zeros(1)).ravel()[0])
            has_forward = forward in tags and tags[forward].size == 9
            matrix = tags[forward].reshape(3, 3) if has_forward else None
            found.append(ColorCalibration(light, tags[color].reshape(3, 3), matrix))
    return tuple(found)


def _maps(opcodes: Floats, shape: tuple[int, ...], path: Path) -> tuple[GainMap, ...]:
    if not opcodes.size:
        return ()
    try:
        return gain_maps(opcodes.astype(np.uint8).tobytes(), shape[0], shape[1], 1)
    except UnusableInput as error:
        raise UnusableInput(f"{path}: in its metadata, {error}") from error
