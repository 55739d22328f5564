"""A job -> what its noise is, and a part of it before and after, from which every setting of the page is shown at once.

What takes time is done once: the file is read, its noise judged, and the part denoised in full. Strength and chroma then only blend
the part, and the exposure only develops it, with what was metered on the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from quietlight.analysis import words
from quietlight.analysis.estimate import estimate_raw, measured_points, report_of_raw
from quietlight.batch import Job, read_job
from quietlight.camera.defects import repair_hot_pixels
from quietlight.camera.develop import Metering, develop, meter
from quietlight.frames import Array, Burst, Finding, Frame, Image, NoiseProfile, NoiseReport, RawFrame
from quietlight.pipeline import denoise, is_visible
from quietlight.report.noise_curve import NoiseCurve
from quietlight.report.pair_page import about_raw
from quietlight.report.pictures import Picture, most_telling, to_eight_bits
from quietlight.systems.blend import blend
from quietlight.systems.bursts import reference_of
from quietlight.systems.noisebreaker import examine, repeat
from quietlight.web.pictures import small
from quietlight.web.window import Size, Window, around, grown, part, upright_size
from quietlight.web.wishes import Wishes

Progress = Callable[[float], None]
MOST = 560, 840
"""Of the part that is shown: a screen of it at 100%, and little enough to be blended and developed while a slider moves."""
MARGIN, BURST_MARGIN = 96, 192
"""Pixels around it that what is seen depends on: by the networks, and by how far the frames of a burst lie apart as well."""
OVERVIEW, THUMBNAIL = 440, 104
"""Longest sides of the whole picture, made small to choose a part of it by, and to be told from others."""


@dataclass(frozen=True)
class Study:
    """What is known of a whole picture.

    Args:
        raw: whether it is developed; a photo is not.
        size: of the photo that it becomes or is.
        report: what noise it has.
        record: of a photo, the steps that were found.
        facts: what else is worth telling, (what, value).
        curve: of a raw, how its noise grows with the signal.
        overview, thumbnail: all of it, small and smaller, as the page shows them.
        frames, reference: of a burst, how many, and which the result will look like.
        noise: of a raw, None where it is too low to be measured.
        metering: of a raw.
        profile: the ICC profile of a photo.
    """

    raw: bool
    size: Size
    report: NoiseReport
    facts: tuple[tuple[str, str], ...]
    overview: str
    thumbnail: str
    record: dict[str, Any] = field(default_factory=dict)
    frames: int = 1
    reference: int = 0
    noise: NoiseProfile | None = None
    metering: Metering | None = None
    curve: NoiseCurve | None = None
    profile: bytes = b""


@dataclass(frozen=True)
class View:
    """A part of a picture, as it was and with all of its noise removed.

    Args:
        window: what is shown, in the upright picture.
        inside: of photos, where that lies in `before` and `clean`; raws have it as their crop.
        before, clean: a margin around the window included.
    """

    window: Window
    inside: Window
    before: RawFrame | Image
    clean: RawFrame | Image


def warm() -> None:
    """Load what the first look would wait for."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    denoise(noise)
    denoise(RawFrame((noise[..., 0] / 255).astype(np.float32), "RGGB", noise=NoiseProfile((1e-2,), (1e-4,))))


def look(job: Job, progress: Progress) -> tuple[Study, View]:
    """Read a job, judge its noise, and denoise the part of it that tells most. Raises UnusableInput as `read_job`."""
    frame = read_job(job, progress=lambda share: progress(0.3 * share))
    progress(0.3)
    study, telling = _study(frame)
    progress(0.6)
    return study, view(frame, study, telling)


def look_at(job: Job, study: Study, place: tuple[float, float], progress: Progress) -> View:
    """Another part of a picture that was looked at: around a place, in shares of its height and width."""
    frame = read_job(job, progress=lambda share: progress(0.5 * share))
    progress(0.5)
    row, column = (share * side for share, side in zip(place, study.size, strict=True))
    return view(frame, study, around(row, column, study.size, MOST))


def _study(frame: Frame) -> tuple[Study, Window]:
    """What is known of it, and the part that tells most."""
    frames, reference = 1, 0
    if isinstance(frame, Burst):
        frames = len(frame.frames)
        profiles = (one.noise for one in frame.frames if isinstance(one, RawFrame) and one.noise is not None)
        reference = reference_of(frame, next(profiles, None))
        frame = frame.frames[reference]
    study, picture = _study_of_raw(frame) if isinstance(frame, RawFrame) else _study_of_photo(frame)
    side = min(MOST)
    top, left = most_telling(picture, side)
    telling = around(top + side / 2, left + side / 2, study.size, MOST)
    return replace(study, frames=frames, reference=reference), telling


def _study_of_raw(frame: RawFrame) -> tuple[Study, Picture]:
    metering = meter(frame)
    picture = develop(frame, metering.rendering()).pixels
    estimate = estimate_raw(frame)
    curve = NoiseCurve(estimate.points or measured_points(frame), estimate.profile, estimate.source)
    study = Study(
        raw=True,
        size=upright_size(frame),
        report=report_of_raw(estimate),
        facts=(("Raw", f"{about_raw(frame)}, {frame.mosaic.shape[1]} × {frame.mosaic.shape[0]}"),),
        curve=curve,
        **_small(picture),
        noise=estimate.profile,
        metering=metering,
    )
    return study, picture


def _study_of_photo(photo: Image) -> tuple[Study, Picture]:
    record = examine(photo)
    kept = [step for step in record["steps"] if step["kept"]]
    findings = tuple(Finding(s["nature"], s["level"], s["unit"], s["certainty"]) for s in kept)
    height, width, channels = photo.pixels.shape
    depth = "float" if photo.pixels.dtype.kind == "f" else f"{8 * photo.pixels.dtype.itemsize} bits"
    study = Study(
        raw=False,
        size=(height, width),
        report=NoiseReport("photo", findings, "photo", words.found(record)),
        facts=(("Photo", f"{width} × {height}, {'gray' if channels == 1 else 'colour'}, {depth}"),),
        **_small(photo.pixels, photo.profile),
        record=record,
        profile=photo.profile,
    )
    return study, photo.pixels


def _small(pixels: Array, profile: bytes = b"") -> dict[str, Any]:
    """The two small pictures of a Study."""
    step = max(1, max(pixels.shape[:2]) // (2 * OVERVIEW))
    thin = _eight_bits(pixels[::step, ::step])
    return {"overview": small(thin, OVERVIEW, profile), "thumbnail": small(thin, THUMBNAIL, profile)}


def view(frame: Frame, study: Study, window: Window) -> View:
    """The part of a frame or burst that a window shows, and the same with all noise removed that was found in the whole."""
    frames = frame.frames if isinstance(frame, Burst) else (frame,)
    margin = BURST_MARGIN if len(frames) > 1 else MARGIN
    outer = grown(window, margin, study.size)
    parts: list[Any] = [_part(one, study, window, outer, margin) for one in frames]
    noisy = parts[study.reference]
    if len(parts) > 1:
        clean = denoise(Burst(tuple(parts), study.reference))
    elif isinstance(noisy, Image):
        clean = repeat(noisy, study.record)
    else:
        clean = noisy if study.noise is None else denoise(noisy)
    return View(window, window.seen_from(outer), noisy, clean)


def _part(frame: RawFrame | Image, study: Study, window: Window, outer: Window, margin: int) -> RawFrame | Image:
    if isinstance(frame, Image):
        return Image(np.ascontiguousarray(frame.pixels[outer.slices]))
    metering = cast(Metering, study.metering)
    piece = replace(part(frame, window, margin), noise=study.noise, white_balance=metering.gains)
    return repair_hot_pixels(piece)[0]


def before(study: Study, part: View, wishes: Wishes) -> Picture:
    """The window as it was, [H, W, C] with C 1 or 3, in the exposure that is wished."""
    return _displayed(study, part, part.before, wishes)


def after(study: Study, part: View, wishes: Wishes) -> Picture:
    """The window as it will be, [H, W, C] with C 1 or 3."""
    if not removes_noise(study, wishes):
        return before(study, part, wishes)
    return _displayed(study, part, blend(part.before, part.clean, wishes.strength, wishes.chroma), wishes)


def _displayed(study: Study, part: View, frame: RawFrame | Image, wishes: Wishes) -> Picture:
    if isinstance(frame, RawFrame):
        return develop(frame, cast(Metering, study.metering).rendering(wishes.exposure)).pixels
    return _eight_bits(frame.pixels[part.inside.slices])


def removes_noise(study: Study, wishes: Wishes) -> bool:
    """Whether anything is removed: a raw whose noise nobody would see is developed as it is, and only its DNG is denoised."""
    return not study.raw or study.frames > 1 or wishes.suffix == ".dng" or is_visible(study.noise)


def _eight_bits(pixels: Array) -> Picture:
    """With as many channels as there are."""
    return to_eight_bits(Image(np.ascontiguousarray(pixels)))[..., : pixels.shape[2]]
