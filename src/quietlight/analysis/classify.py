"""Photo -> what its dominating noise is: several crops at their own resolution are looked at by a classifier, and vote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quietlight import engine, zoo
from quietlight.analysis.judgement import Judgement
from quietlight.frames import Array, Image, UnusableInput
from quietlight.noise.classes import TABLES, NoiseClass
from quietlight.tiles import mirrored
from quietlight.zoo import Weights

CLASSIFIER = "noise-classifier"
CROP = 224
"""Side of a crop: what the paper's classifier looks at."""
ACROSS = 3
"""Most crops along a side."""
_LEAST = 64
_BATCH = 6


def classify(photos: Image | Sequence[Image], weights: Weights | str = CLASSIFIER, across: int = ACROSS) -> Judgement:
    """Judge the noise of a photo, or of several with the same noise, together.

    Up to `across` by `across` crops of 224×224, evenly spread, never resized; each channel of a colour photo votes for itself. What
    is judged is the 8-bit picture, whatever the photo's type. Source: Lemarchand et al. 2020, section 3.1; the vote is ours.

    Args:
        weights: of a classifier, or their name in the zoo, or a file.

    Raises:
        UnusableInput: weights that there are not, or that do not say which classes they know.
    """
    loaded = zoo.read(weights) if isinstance(weights, str) else weights
    classes = classes_of(loaded)
    crops = [
        c
        for photo in ([photos] if isinstance(photos, Image) else photos)
        for c in _crops(photo, across, loaded.multiple)
    ]
    votes = np.concatenate([engine.run(loaded, batch) for batch in _batches(crops)])
    if votes.shape[1] != 2 * len(classes):
        raise UnusableInput(
            f"{loaded.name}: these weights give {votes.shape[1]} numbers and not a certainty and a level for each of the "
            f"{len(classes)} classes of their recipe"
        )
    logits, levels = votes[:, : len(classes)].astype(np.float64), votes[:, len(classes) :]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    uppers = np.array([c.high for c in classes])
    # A crop tells the level of a class as far as it believes in it.
    strengths = uppers * (odds * levels).sum(axis=0) / np.maximum(odds.sum(axis=0), 1e-12)
    lows = np.array([c.low for c in classes])
    return Judgement(classes, tuple(odds.mean(axis=0).tolist()), tuple(np.clip(strengths, lows, uppers).tolist()))


def classes_of(weights: Weights) -> tuple[NoiseClass, ...]:
    """The classes that a classifier was trained on, by its recipe. Raises UnusableInput for other weights."""
    try:
        table = json.loads(weights.metadata["recipe"])["data"]["arguments"]["table"]
        return TABLES[table]
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableInput(f"{weights.name}: these weights are not of a classifier of noise") from error


def _crops(photo: Image, across: int, multiple: int) -> Iterator[NDArray[np.float32]]:
    """[1, h, w] in [0, 1], 8-bit: the crops of a photo, channel by channel; a small photo is one crop."""
    height, width, channels = photo.pixels.shape
    for top in _starts(height, across):
        for left in _starts(width, across):
            crop = _eight_bits(photo.pixels[top : top + CROP, left : left + CROP])
            rows, columns = (mirrored(0, _padded(n, multiple), n) for n in crop.shape[:2])
            whole = crop[rows[:, None], columns]
            yield from (whole[None, ..., c] for c in range(channels))


def _starts(size: int, across: int) -> list[int]:
    """Where crops begin: as many as fit, `across` at most, evenly spread and never beyond the border."""
    count = min(across, max(size // CROP, 1))
    room = max(size - CROP, 0)
    return [room // 2] if count == 1 else [round(i * room / (count - 1)) for i in range(count)]


def _padded(size: int, multiple: int) -> int:
    return -(-max(size, _LEAST) // multiple) * multiple


def _eight_bits(pixels: Array) -> NDArray[np.float32]:
    white = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    rounded = np.rint(np.clip(pixels.astype(np.float32) / np.float32(white), 0, 1) * 255) / 255
    return np.asarray(rounded, np.float32)


def _batches(crops: Sequence[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Crops of one size together, a few at a time."""
    begin = 0
    for end in range(1, len(crops) + 1):
        if end == len(crops) or end - begin == _BATCH or crops[end].shape != crops[begin].shape:
            yield np.stack(crops[begin:end])
            begin = end
