"""How noisy a frame is: what its file says, else what a calibration or darktable says, else what the frame itself shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quietlight.analysis import words
from quietlight.analysis.calibrate import Calibration
from quietlight.analysis.darktable import installed_profile
from quietlight.analysis.heteroscedastic import MIDDLE, fit
from quietlight.analysis.photo import gaussian_sigma, impulse_shares, is_drawn, to_planes
from quietlight.camera.bayer import plane_views
from quietlight.frames import Finding, Image, NoiseProfile, NoiseReport, RawFrame

LOW = 0.004
"""Deviation at mid-gray below which a frame's own texture and grain pass for noise: no profile is fitted then."""
SURE = 0.0066
"""Deviation at mid-gray from which a fit to the frame is within 15% for nine frames of ten (shot noise 3e-4 and above, less the
error of the fit); below, a report says "low", and what is fitted serves to denoise only."""
CLOSE = 0.15
"""A finding's certainty is the chance that its level is this close."""
STRONG = 2 * SURE
"""Deviation from which nearly every frame was that close (12 of 12 full-size Kodak pictures at shot noise 4e-3); below, where a
picture's own grain passes for noise, 7 of 12 (at 4e-4)."""
MOST_CERTAIN, LESS_CERTAIN = 0.9, 0.6
"""Greatest certainty above and below `STRONG`: the error of a fit does not know of grain."""
CLEAN = 1.5
"""Sigma (0-255) up to which clean photographs are measured."""


@dataclass(frozen=True)
class NoiseEstimate:
    """The noise of a raw.

    Args:
        profile: None where it is too low, or too little of the frame is usable, to be measured.
        source: "DNG NoiseProfile", "calibration", "darktable" or "frame".
        points: where measured from the frame, (signal, variance, patches) of each signal level.
        error: where measured from the frame, the relative standard error of `deviation`.
    """

    profile: NoiseProfile | None
    source: str
    points: tuple[tuple[float, float, int], ...] = ()
    error: float | None = None

    @property
    def deviation(self) -> float | None:
        """Standard deviation at mid-gray (0.18), green, as a share of full scale."""
        return None if self.profile is None else math.sqrt(float(self.profile.variance(MIDDLE)))


def estimate_raw(frame: RawFrame, calibration: Calibration | None = None) -> NoiseEstimate:
    """The noise profile of a raw: its own, else the calibration's, else an installed darktable's, else one fitted to the picture.

    Raises UnusableInput where the calibration does not hold the frame's camera.
    """
    if frame.noise is not None:
        return NoiseEstimate(frame.noise, "DNG NoiseProfile")
    if calibration is not None:
        return NoiseEstimate(calibration.profile(frame.camera, frame.iso), "calibration")
    known = installed_profile(frame.camera, frame.iso)
    if known is not None:
        return NoiseEstimate(known, "darktable")
    line = fit(_planes(frame))
    if line is None:
        return NoiseEstimate(None, "frame")
    low = math.sqrt(line.shot * MIDDLE + line.read) < LOW
    return NoiseEstimate(None if low else NoiseProfile((line.shot,), (line.read,)), "frame", line.points, line.error)


def measured_points(frame: RawFrame) -> tuple[tuple[float, float, int], ...]:
    """What a raw itself shows, whatever its file says: (signal, variance, patches); nothing where too little is usable."""
    line = fit(_planes(frame))
    return () if line is None else line.points


def _planes(frame: RawFrame) -> list[NDArray[np.float32]]:
    if frame.cfa == "RGB":
        return list(np.moveaxis(frame.mosaic, 2, 0))
    if frame.cfa == "MONO":
        return [frame.mosaic]
    height, width = frame.mosaic.shape
    return plane_views(frame.mosaic[: height // 2 * 2, : width // 2 * 2], frame.cfa)


def estimate_photo(image: Image) -> float:
    """Standard deviation of a photo's noise on the 0-255 scale, whatever its type.

    NaN where unknown: for drawings and pictures of a few pixels.
    """
    planes = to_planes(image.pixels)
    return 255 * gaussian_sigma(planes, sum(impulse_shares(planes)))


def analyze_raw(frame: RawFrame, calibration: Calibration | None = None) -> NoiseReport:
    """What `estimate_raw` finds, as a report. Raises UnusableInput as it does."""
    return report_of_raw(estimate_raw(frame, calibration))


def report_of_raw(estimate: NoiseEstimate) -> NoiseReport:
    """An estimate in words, and what of it is sure enough to be told."""
    deviation = estimate.deviation
    if estimate.profile is None and not estimate.points:
        return NoiseReport("raw", (), "frame", "The noise of this raw is unknown: too little of the frame is usable.")
    if deviation is None or (estimate.source == "frame" and deviation < SURE):
        return NoiseReport(
            "raw", (), "frame", f"The noise of this raw is low: below {SURE:.2%} of full scale at mid-gray."
        )
    unit = "standard deviation at mid-gray, share of full scale"
    finding = Finding("shot-read", deviation, unit, _certainty(estimate))
    verdict = words.raw_noise(deviation, estimate.source)
    return NoiseReport("raw", (finding,), estimate.source, verdict, estimate.profile, deviation)


def _certainty(estimate: NoiseEstimate) -> float | None:
    """The chance that a deviation measured from the frame is within `CLOSE`; None for what a file or a calibration states."""
    if estimate.error is None or estimate.deviation is None:
        return None
    most = MOST_CERTAIN if estimate.deviation >= STRONG else LESS_CERTAIN
    return min(most, math.erf(CLOSE / (estimate.error * math.sqrt(2))))


def analyze_photo(image: Image) -> NoiseReport:
    """Gaussian noise and lost pixels of a photo, the stronger one first."""
    planes = to_planes(image.pixels)
    black, white = impulse_shares(planes)
    sigma = 255 * gaussian_sigma(planes, black + white)
    found: list[tuple[float, Finding, str]] = []
    if sigma > CLEAN:
        found.append((sigma, Finding("gaussian", sigma, "sigma, 0-255"), f"noise of sigma {sigma:.1f} (0-255)"))
    if black + white > 0:
        nature = "salt-and-pepper" if white > 0 else "bernoulli"
        lost = Finding(nature, black + white, "share of pixels")
        found.append((128 * math.sqrt(black + white), lost, f"{black + white:.1%} of the pixels lost ({nature})"))
    found.sort(key=lambda entry: -entry[0])
    if math.isnan(sigma) and not found and is_drawn(planes):
        verdict = "This picture is clean or drawn: too much of it is constant, black or white to measure noise."
    elif math.isnan(sigma) and not found:
        verdict = "The noise of this picture is unknown: it is too small, or too much of it is black or white."
    elif not found:
        verdict = "This picture is clean, as far as can be told from its texture."
    else:
        verdict = f"This picture has {' and '.join(text for _, _, text in found)}."
    return NoiseReport("photo", tuple(finding for _, finding, _ in found), "photo", verdict)
