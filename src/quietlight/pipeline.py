"""The whole story: analyze, denoise, develop. Frame (or plain array) in, report, frame or photo out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from quietlight import __version__
from quietlight.analysis.calibrate import Calibration
from quietlight.analysis.estimate import analyze_photo, analyze_raw, estimate_raw
from quietlight.camera import develop as rendering
from quietlight.camera.color import WHITE_BALANCES
from quietlight.camera.defects import remove_banding, repair_hot_pixels, subtract_dark
from quietlight.frames import Array, Burst, Frame, Image, NoiseReport, RawFrame, UnusableInput
from quietlight.io.metadata import with_fields
from quietlight.io.profile import srgb_profile
from quietlight.registry import resolve
from quietlight.systems import SYSTEMS, Result
from quietlight.systems.blend import blend

__all__ = ["WHITE_BALANCES", "analyze", "denoise", "develop", "prepare"]

Progress = Callable[[float], None]
_NOISE_REDUCTION_APPLIED, _RATIONAL = 50935, 5
_VISIBLE = 0.004
"""Noise deviation at mid-gray, as a share of full scale, above which `develop` denoises first."""


def analyze(frame: Frame | Array, calibration: Calibration | None = None) -> NoiseReport:
    """Say what noise a frame has, how much, and how sure that is. A burst is judged by its reference frame.

    Args:
        frame: a frame, or an array [H, W] or [H, W, 3] as `denoise` takes it.
        calibration: measured noise of the camera, used for raws that carry no NoiseProfile.
    """
    if isinstance(frame, Burst):
        frame = frame.frames[frame.reference]
    if isinstance(frame, RawFrame):
        return analyze_raw(frame, calibration)
    return analyze_photo(frame if isinstance(frame, Image) else _image_of(frame))


def prepare(frame: RawFrame, dark: RawFrame | None = None, banding: bool = False) -> RawFrame:
    """Repair what is not noise: hot and dead pixels always, a dark frame's pattern and row banding where asked for."""
    if dark is not None:
        frame = subtract_dark(frame, dark)
    frame, _ = repair_hot_pixels(frame)
    return remove_banding(frame) if banding else frame


def denoise(
    frame: Frame | Array,
    *,
    strength: float = 1.0,
    chroma: float | None = None,
    noise_scale: float = 1.0,
    calibration: Calibration | None = None,
    system: str = "classical",
    record: bool = False,
    progress: Progress | None = None,
) -> Any:
    """Remove the noise: Image -> Image, RawFrame -> RawFrame, Burst -> RawFrame or Image, array -> array.

    Args:
        frame: a frame, or an array [H, W] or [H, W, 3] of uint8, uint16, or float in [0, 1]; the result has its type and shape.
            Of a burst only the reference frame is denoised for now; the record says so.
        strength: share of the change that is made, in [0, 1]: out = in + strength · (clean - in).
        chroma: the same for the colour noise alone; as `strength` where None.
        noise_scale: factor on the standard deviation that a raw's noise is taken to have.
        calibration: as for `analyze`.
        system: a name of SYSTEMS.
        record: return the Result, which holds the frame and what was done.
        progress: called with the finished share, from 0 to 1.

    Raises:
        UnusableInput: an array, strength or name that cannot be worked with.
    """
    note: dict[str, Any] = {"system": system, "strength": strength}
    source: RawFrame | Image
    if isinstance(frame, Burst):
        source = frame.frames[frame.reference]
        note["burst"] = f"only the reference frame of {len(frame.frames)} was used"
    else:
        source = frame if isinstance(frame, RawFrame | Image) else _image_of(frame)
    result = _run(source, system, calibration, noise_scale, progress)
    clean = blend(source, result.frame, strength, strength if chroma is None else chroma)
    result = Result(_with_history(clean, system, strength), {**note, **result.record})
    if record:
        return result
    return _array_of(result.frame, frame) if isinstance(frame, np.ndarray) else result.frame


def _run(
    frame: RawFrame | Image, system: str, calibration: Calibration | None, noise_scale: float, progress: Progress | None
) -> Result:
    """A system on one frame; on a raw with the noise that it is taken to have, and not at all where that cannot be measured."""
    run: Callable[..., Result] = resolve(SYSTEMS, system, "system")
    if isinstance(frame, Image):
        return run(frame, progress=progress)
    estimate = estimate_raw(frame, calibration)
    if estimate.profile is None:
        return Result(frame, {"noise": "too low to be measured"})
    result = run(replace(frame, noise=estimate.profile.overstated(noise_scale)), progress=progress)
    return Result(result.frame, {"noise_from": estimate.source, **result.record})


def _with_history(frame: RawFrame | Image, system: str, strength: float) -> RawFrame | Image:
    """The frame saying what was done to it: ImageHistory in its EXIF block, and NoiseReductionApplied in a DNG."""
    metadata = frame.metadata
    if isinstance(frame, RawFrame):
        applied = (_RATIONAL, 1, (round(100 * strength), 100))
        metadata = replace(metadata, dng={**metadata.dng, _NOISE_REDUCTION_APPLIED: applied})
    elif not metadata.exif:
        return frame
    history = f"quietlight {__version__}: denoised by {system}, strength {strength:g}"
    return replace(frame, metadata=replace(metadata, exif=with_fields(metadata.exif, history=history)))


_denoise = denoise  # `develop` has an argument of that name.


def develop(
    frame: RawFrame | Burst,
    *,
    denoise: Literal["auto", "off"] = "auto",
    white_balance: str = "as-shot",
    exposure: float = 0.0,
    bits: int = 16,
    **options: Any,
) -> Image:
    """Develop a raw into a display-referred sRGB photo, upright.

    Args:
        denoise: "auto" denoises first where the noise is visible: its deviation at mid-gray exceeds 0.4% of full scale.
        white_balance: "as-shot", "auto", "daylight", or a temperature in kelvin such as "5200".
        exposure: EV added to the camera's or the automatic exposure.
        bits: 8 or 16.
        options: as for `denoise`.

    Raises:
        UnusableInput: for an Image, which is developed already, and for unknown options.
    """
    if not isinstance(frame, RawFrame | Burst):
        raise UnusableInput("only a raw or a burst of raws is developed; a photo is developed already: denoise it")
    if denoise not in ("auto", "off"):
        raise UnusableInput(f"denoise is auto or off, not {denoise!r}")
    one = frame if isinstance(frame, RawFrame) else frame.frames[frame.reference]
    if isinstance(one, Image):
        raise UnusableInput("a burst of photos is developed already: denoise it")
    if denoise == "auto":
        deviation = estimate_raw(one, options.get("calibration")).deviation
        if deviation is not None and deviation > _VISIBLE:
            one = _denoise(one, **options)
    photo = rendering.develop(one, rendering.neutral_rendering(one, white_balance, exposure), bits)
    return replace(photo, profile=srgb_profile(gray=photo.pixels.shape[2] == 1))


def _image_of(array: Array) -> Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)) or array.size == 0:
        raise UnusableInput(f"an array is H x W or H x W x 3 and not empty, not {array.shape}")
    pixels = array if array.ndim == 3 else array[..., None]
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise UnusableInput("a float array holds values from 0 to 1: divide it by its full scale first")
        return Image(pixels.astype(np.float32))
    if array.dtype not in (np.uint8, np.uint16):
        raise UnusableInput(f"an array holds uint8, uint16 or floats in [0, 1], not {array.dtype}")
    return Image(pixels)


def _array_of(frame: RawFrame | Image, like: Array) -> Array:
    if not isinstance(frame, Image):
        raise TypeError("an array was denoised as an image")
    return frame.pixels.reshape(like.shape).astype(like.dtype)
