"""A burst of photos merged in linear light, by what merges raws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from quietlight.analysis.estimate import estimate_raw
from quietlight.frames import Burst, Image, RawFrame, UnusableInput
from quietlight.systems import Result
from quietlight.systems.bursts import Progress, reference_of
from quietlight.systems.photo_light import as_raw, undo_as_raw


def photo_burst(burst: Burst, merge: Callable[..., Result], progress: Progress | None = None) -> Result:
    """Merge photos of one size onto their reference, the sharpest where none is named.

    Args:
        burst: of photos.
        merge: a system of bursts of raws.
        progress: as for `merge`.

    Returns:
        the merged photo, with the type, profile, metadata and alpha of the reference; and the record of `merge`. Where the noise
        is too low to be measured, it is the reference, and the record says so.

    Raises:
        UnusableInput: for photos that differ in size, and what `merge` refuses.
    """
    photos = [frame for frame in burst.frames if isinstance(frame, Image)]
    for index, photo in enumerate(photos):
        if photo.pixels.shape != photos[0].pixels.shape:
            raise UnusableInput(
                f"frame {index + 1}, {photo.pixels.shape}, does not belong to a burst of {photos[0].pixels.shape}: take it out"
            )
    reference = reference_of(burst)
    first = as_raw(photos[reference])
    noise = estimate_raw(first).profile
    if noise is None:
        facts = {"frames": len(photos), "reference": reference, "noise": "too low to be measured"}
        return Result(photos[reference], facts)
    frames = tuple(replace(first if i == reference else as_raw(p), noise=noise) for i, p in enumerate(photos))
    result = merge(Burst(frames, reference), progress=progress)
    merged = result.frame
    if not isinstance(merged, RawFrame):
        raise TypeError("raws are merged into a raw")
    return replace(result, frame=undo_as_raw(merged, photos[reference]))
