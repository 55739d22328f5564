"""The whole story: analyze, denoise, develop. Frame (or plain array) in, report, frame or photo out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np

from quietlight import __version__, machine
from quietlight.analysis import words
from quietlight.analysis.calibrate import Calibration
from quietlight.analysis.estimate import analyze_photo, analyze_raw, estimate_raw
from quietlight.analysis.photo import is_drawn, squares, to_planes
from quietlight.camera.defects import remove_banding, repair_hot_pixels, subtract_dark
from quietlight.camera.develop import choose_gains
from quietlight.camera.shading import apply_gain_maps
from quietlight.camera.tone import MID_GRAY
from quietlight.frames import Array, Burst, Finding, Frame, Image, NoiseProfile, NoiseReport, RawFrame, UnusableInput
from quietlight.io.metadata import turned_upright, with_fields
from quietlight.io.profile import srgb_profile
from quietlight.registry import resolve
from quietlight.systems import FINISHING, LOOKS, OF_BURSTS, SYSTEMS, Result
from quietlight.systems.blend import blend
from quietlight.systems.bursts import halves, reference_of
from quietlight.systems.grain import with_grain
from quietlight.systems.noisebreaker import examine
from quietlight.systems.photo_burst import photo_burst

Progress = Callable[[float], None]
MERGER, GRAY_MERGER = "hdrplus-fan", "hdrplus-kpn"
"""The systems that merge bursts of raws, and of monochrome ones, unless another one is asked for."""
_NOISE_REDUCTION_APPLIED, _RATIONAL = 50935, 5
_JUDGED = 64
"""Smallest side of a photo that a classifier can judge."""
_VISIBLE = 0.004
"""Noise deviation at mid-gray, as a share of full scale, above which `develop` denoises first."""


def analyze(frame: Frame | Array, calibration: Calibration | None = None) -> NoiseReport:
    """Say what noise a frame has, how much, and how sure that is. A burst is judged by its reference frame.

    Args:
        frame: a frame, or an array [H, W] or [H, W, 3] as `denoise` takes it.
        calibration: measured noise of the camera, used for raws that carry no NoiseProfile.
    """
    if isinstance(frame, Burst):
        frame = frame.frames[reference_of(frame)]
    if isinstance(frame, RawFrame):
        return analyze_raw(frame, calibration)
    return _analyze_photo(frame if isinstance(frame, Image) else _image_of(frame))


def _analyze_photo(photo: Image) -> NoiseReport:
    """By gradual denoising of parts of it; by statistics where there is too little of a photo for a classifier."""
    parts = squares(photo, 512, 2)
    if min(photo.pixels.shape[:2]) < _JUDGED or all(is_drawn(to_planes(part.pixels)) for part in parts):
        return analyze_photo(photo)
    record = examine(photo)
    steps = [step for step in record["steps"] if step["kept"]]
    findings = tuple(Finding(step["nature"], step["level"], step["unit"], step["certainty"]) for step in steps)
    return NoiseReport("photo", findings, "photo", words.found(record))


def denoise(
    frame: Frame | Array,
    *,
    strength: float = 1.0,
    chroma: float | None = None,
    grain: float = 0.0,
    local: bool = False,
    remove: Sequence[str] = (),
    noise_scale: float = 1.0,
    calibration: Calibration | None = None,
    dark: RawFrame | None = None,
    banding: bool = False,
    system: str = "auto",
    frugal: bool = False,
    record: bool = False,
    progress: Progress | None = None,
) -> Any:
    """Remove the noise: Image -> Image, RawFrame -> RawFrame, Burst -> RawFrame or Image, array -> array.

    Hot and dead pixels of raws are repaired as well. A raw without white balance is given an automatic one.

    Args:
        frame: a frame, or an array [H, W] or [H, W, 3] of uint8, uint16, or float in [0, 1]; the result has its type and shape.
            The frames of a burst are merged onto its reference, the sharpest where it names none.
        strength: share of the change that is made, in [0, 1]: out = in + strength · (clean - in).
        chroma: the same for the colour noise alone; as `strength` where None.
        grain: share of a photo's own grain to keep, in [0, 1]: texture without colour, and without lost pixels.
        local: decide region by region what noise a photo has, for noise that differs over it; noisebreaker only.
        remove: natures of noise to remove from a photo, in this order, whatever it seems to have; noisebreaker only.
        noise_scale: factor on the standard deviation that a raw's noise is taken to have.
        calibration: as for `analyze`.
        dark: a dark frame, of the same camera and exposure, to subtract from a raw.
        banding: remove the row banding of a raw.
        system: a name of SYSTEMS; "auto" takes noisebreaker for photos, fan for raws, and for bursts MERGER, GRAY_MERGER or, of
            photos, hdrplus. Of a burst, a system for single frames gets the reference; the record says so.
        frugal: spare memory: the frame's pixels may be changed, and the Result has no stages.
        record: return the Result, which holds the frame and what was done.
        progress: called with the finished share, from 0 to 1.

    Raises:
        UnusableInput: an array, strength or name that cannot be worked with.
    """
    source, note = _chosen(frame, system)
    system = note["system"]
    note["strength"] = strength
    if isinstance(source, Burst):
        source, found = _prepared_burst(source, calibration, dark, banding, frugal)
        note |= found
    elif isinstance(source, RawFrame):
        source, repairs = _repaired(source, dark, banding, frugal)
        source, found = _measured(source, calibration)
        note |= {**repairs, **found}
    if (local or remove) and system != "noisebreaker":
        raise UnusableInput("local and remove are for photos that noisebreaker denoises")
    if local and remove:
        raise UnusableInput("local decides which noise there is, and remove says so: choose one of them")
    options: dict[str, Any] = ({"local": True} if local else {}) | ({"truth": remove} if remove else {})
    if system == "noisebreaker":
        options["stages"] = not frugal or grain > 0
    result = _cleaned(source, note, strength, chroma, grain, noise_scale, frugal, progress, **options)
    if record:
        return result
    if isinstance(frame, np.ndarray):
        return frame.copy() if result.frame is source else _array_of(cast(Image, result.frame), frame)
    return result.frame


def _cleaned(
    source: Frame,
    note: dict[str, Any],
    strength: float,
    chroma: float | None,
    grain: float,
    noise_scale: float,
    frugal: bool,
    progress: Progress | None,
    **options: Any,
) -> Result:
    """What `denoise` does with a frame that is prepared, and with a record that names the system; its options are the last."""
    system = note["system"]
    if system in LOOKS:
        raise UnusableInput(f"{system} makes a photo of a raw: develop with that look")
    result = _run(source, system, noise_scale, progress, **options)
    if frugal:
        machine.give_back()
    before = source.frames[source.reference or 0] if isinstance(source, Burst) else source
    clean = with_grain(before, result, grain) if isinstance(before, Image) else result.frame
    if _differ(before, clean):
        blended = blend(before, clean, strength, strength if chroma is None else chroma, in_place=frugal)
        clean = _with_history(blended, system, strength)
    else:
        clean = before
    return replace(result, frame=clean, record={**note, **result.record}, stages=() if frugal else result.stages)


def _chosen(frame: Frame | Array, system: str) -> tuple[Frame, dict[str, Any]]:
    """What is worked on, a burst or a single frame, and the record's first lines: by which system, and what of a burst."""
    if not isinstance(frame, Burst):
        source = frame if isinstance(frame, RawFrame | Image) else _image_of(frame)
        return source, {"system": _single(source) if system == "auto" else system}
    count = len(frame.frames)
    if system in OF_BURSTS or (system == "auto" and count > 1):
        return frame, {"system": system if system != "auto" else _merger(frame.frames[0])}
    reference = reference_of(frame)
    source = frame.frames[reference]
    note = {"system": _single(source) if system == "auto" else system, "frames": count, "reference": reference}
    return source, note | ({"burst": f"only the reference frame of {count} was used"} if count > 1 else {})


def _merger(frame: RawFrame | Image) -> str:
    if isinstance(frame, Image):
        return "hdrplus"
    return GRAY_MERGER if frame.cfa == "MONO" else MERGER


def _single(frame: RawFrame | Image) -> str:
    return "fan" if isinstance(frame, RawFrame) else "noisebreaker"


def _prepared_burst(
    burst: Burst, calibration: Calibration | None, dark: RawFrame | None, banding: bool, frugal: bool
) -> tuple[Burst, dict[str, Any]]:
    """The burst with its reference chosen; raws repaired one by one, the noise of all being that of the reference."""
    if isinstance(burst.frames[0], Image):
        return replace(burst, reference=reference_of(burst)), {"noise_from": "frame"}
    repaired, bad = [], 0
    for frame in burst.frames:
        one, repairs = _repaired(frame, dark, banding, frugal)
        repaired.append(one)
        bad += repairs["repaired_pixels"]
    burst = Burst(tuple(repaired), burst.reference)
    reference = reference_of(burst, next((frame.noise for frame in repaired if frame.noise is not None), None))
    repaired[reference], found = _measured(repaired[reference], calibration)
    noise = repaired[reference].noise
    frames = tuple(replace(frame, noise=noise) for frame in repaired)
    return Burst(frames, reference), {"repaired_pixels": bad, **found}


def _repaired(
    frame: RawFrame, dark: RawFrame | None, banding: bool, frugal: bool = False
) -> tuple[RawFrame, dict[str, Any]]:
    """What is not noise is taken away: bad pixels always, a dark frame's pattern and row banding where asked for.

    The mosaic is a copy, or the frame's own where it is `frugal`.
    """
    own = frame.mosaic if frugal and frame.mosaic.flags.writeable else None
    if dark is not None:
        frame = subtract_dark(frame, dark, out=own)
        own = frame.mosaic
    frame, bad = repair_hot_pixels(frame, out=own)
    frame = remove_banding(frame, out=frame.mosaic) if banding else frame
    return frame, {"repaired_pixels": int(bad.sum())}


def _measured(frame: RawFrame, calibration: Calibration | None) -> tuple[RawFrame, dict[str, Any]]:
    """The frame with a white balance, and with its noise profile as `_with_noise` says."""
    if frame.white_balance is None and frame.cfa != "MONO":
        frame = replace(frame, white_balance=choose_gains(frame, "auto"))
    return _with_noise(frame, calibration)


def _with_noise(frame: RawFrame, calibration: Calibration | None) -> tuple[RawFrame, dict[str, Any]]:
    """The frame with its noise profile, None where that is too low to be measured.

    The record says where the profile comes from and, where that is the frame itself, what was measured: (signal, variance,
    patches) of each level.
    """
    estimate = estimate_raw(frame, calibration)
    measured = {"points": estimate.points} if estimate.points else {}
    return replace(frame, noise=estimate.profile), {"noise_from": estimate.source, **measured}


def _run(source: Frame, system: str, noise_scale: float, progress: Progress | None, **options: Any) -> Result:
    """A system on a frame or a burst; not on raws whose noise could not be measured."""
    run: Callable[..., Result] = resolve(SYSTEMS, system, "system")
    if isinstance(source, Burst) and isinstance(source.frames[0], Image):
        return photo_burst(source, run, progress)
    if isinstance(source, Image):
        return run(source, progress=progress, **options)
    one = cast(RawFrame, source.frames[source.reference or 0]) if isinstance(source, Burst) else source
    if one.noise is None:
        return Result(one, {"noise": "too low to be measured"})
    told = one.noise.overstated(noise_scale)
    if isinstance(source, Burst):
        source = replace(source, frames=tuple(replace(cast(RawFrame, frame), noise=told) for frame in source.frames))
    else:
        source = replace(source, noise=told)
    result = run(source, progress=progress)
    clean = result.frame
    if isinstance(clean, RawFrame) and clean.noise is not None:
        # What is left is a share of the true noise, whatever the system was told.
        clean = replace(clean, noise=clean.noise.overstated(1 / noise_scale))
    return Result(clean, result.record)


def _differ(before: RawFrame | Image, after: RawFrame | Image) -> bool:
    """Whether a system made other pixels."""
    one, other = (f.mosaic if isinstance(f, RawFrame) else f.pixels for f in (before, after))
    if one is other:
        return False
    return any(not np.array_equal(one[top : top + 256], other[top : top + 256]) for top in range(0, len(one), 256))


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
    white_balance: str | float = "as-shot",
    exposure: float = 0.0,
    bits: int = 16,
    strength: float = 1.0,
    chroma: float | None = None,
    noise_scale: float = 1.0,
    calibration: Calibration | None = None,
    dark: RawFrame | None = None,
    banding: bool = False,
    system: str = "auto",
    look: str = "neutral",
    enhance: float | None = None,
    frugal: bool = False,
    record: bool = False,
    progress: Progress | None = None,
) -> Any:
    """Develop a raw into a display-referred sRGB photo, upright: RawFrame or Burst -> Image.

    Args:
        frame: a raw, or a burst of raws.
        denoise: "auto" denoises a raw first where the noise is visible: its deviation at mid-gray exceeds 0.4% of full scale; and
            merges a burst always. "off" develops a burst's reference.
        white_balance: "as-shot" (automatic where the file has none), "auto", "daylight", or a temperature in kelvin.
        exposure: EV added to the camera's or the automatic exposure.
        bits: 8 or 16.
        strength, chroma, noise_scale, calibration, dark, banding, system, progress: as for `denoise`.
        look: a name of LOOKS. cameranet removes noise itself, and yet is better by 1.3 dB at night where FAN went first.
        enhance: strength of the finish of such a look, in [0, 1]; all of it where None.
        frugal: spare memory: the frame's pixels may be changed.
        record: return the Result, which holds the photo and what was done.

    Raises:
        UnusableInput: for a photo, which is developed already, and for values that cannot be worked with.
    """
    if not isinstance(frame.frames[0] if isinstance(frame, Burst) else frame, RawFrame):
        raise UnusableInput("only a raw or a burst of raws is developed; a photo is developed already: denoise it")
    if denoise not in ("auto", "off"):
        raise UnusableInput(f"denoise is auto or off, not {denoise!r}")
    render: Callable[..., Result] = resolve(LOOKS, look, "look")
    if enhance is not None and look not in FINISHING:
        raise UnusableInput(f"the look {look} has no finish to weaken: enhance is for {', '.join(FINISHING)}")
    first, last = halves(progress, 0.5 if look in FINISHING else 1.0)
    note: dict[str, Any]
    if isinstance(frame, Burst) and denoise == "auto":
        result: Result = _denoise(
            frame,
            strength=strength,
            chroma=chroma,
            noise_scale=noise_scale,
            calibration=calibration,
            dark=dark,
            banding=banding,
            system=system,
            frugal=frugal,
            record=True,
            progress=first,
        )
        one, note = cast(RawFrame, result.frame), result.record
    else:
        one = cast(RawFrame, frame.frames[reference_of(frame)] if isinstance(frame, Burst) else frame)
        one, note = _repaired(one, dark, banding, frugal)
        if denoise == "auto":
            one, found = _measured(one, calibration)
            note |= found
            if is_visible(one.noise):
                note |= {"system": _single(one) if system == "auto" else system, "strength": strength}
                result = _cleaned(one, note, strength, chroma, 0.0, noise_scale, True, first)
                one, note = cast(RawFrame, result.frame), result.record
    if look not in FINISHING:
        one = apply_gain_maps(one, out=one.mosaic)
    finish = {} if enhance is None else {"enhance": enhance}
    made = render(one, white_balance=white_balance, exposure=exposure, bits=bits, progress=last, **finish)
    photo = cast(Image, made.frame)
    photo = replace(
        photo, profile=srgb_profile(gray=photo.pixels.shape[2] == 1), metadata=turned_upright(photo.metadata)
    )
    return Result(photo, {**note, "look": look, **made.record}) if record else photo


def is_visible(noise: NoiseProfile | None) -> bool:
    """Whether `develop` denoises a raw of this noise first."""
    return noise is not None and float(noise.variance(MID_GRAY)) > _VISIBLE**2


def _image_of(array: Any) -> Image:
    if not isinstance(array, np.ndarray):
        raise UnusableInput(f"a frame or an array is denoised, not {type(array).__name__}: ql.read gives a frame")
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
