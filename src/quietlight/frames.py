"""The nouns that flow: RawFrame, Burst and Image, what is known about them, and what is reported of them.

Everything here is frozen: a step returns a new frame (`dataclasses.replace`), so that nothing changes behind a caller.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.floating[Any]]

BAYER = ("RGGB", "GRBG", "GBRG", "BGGR")


class UnusableInput(ValueError):
    """A file, value or combination that we cannot work with: one line that says what, where and what to do."""


@dataclass(frozen=True)
class NoiseProfile:
    """Noise of a raw: `variance(x) = shot * x + read`, both variances, x linear with black 0 and white 1.

    The DNG NoiseProfile pair (S, O), tag 51041: one pair for all colours, or three in the order red, green, blue. The two green
    planes of a Bayer mosaic share theirs. Raises UnusableInput for negative or non-finite values and for other lengths.
    """

    shot: tuple[float, ...]
    read: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.shot) != len(self.read) or len(self.shot) not in (1, 3):
            raise UnusableInput(f"a noise profile has 1 or 3 (shot, read) pairs, not {len(self.shot)}/{len(self.read)}")
        if not all(np.isfinite(v) and v >= 0 for v in self.shot + self.read):
            raise UnusableInput(f"a noise profile holds variances, so no negative or infinite ones: {self}")

    def variance(self, signal: Floats | float, color: int = 1) -> Floats:
        """Variance at the noise-free `signal` (negative counts as 0) of `color`, 0 red, 1 green, 2 blue."""
        plane = min(color, len(self.shot) - 1)
        return np.asarray(self.shot[plane] * np.maximum(signal, 0) + self.read[plane])

    def scaled(self, gain: float | tuple[float, float, float]) -> NoiseProfile:
        """The profile of `gain * frame`: (g·shot, g²·read); three gains give three pairs."""
        gains = (gain,) * len(self.shot) if isinstance(gain, int | float) else gain
        shot, read = self.per_color() if len(gains) == 3 else (self.shot, self.read)
        return NoiseProfile(
            tuple(float(g * s) for g, s in zip(gains, shot, strict=True)),
            tuple(float(g * g * r) for g, r in zip(gains, read, strict=True)),
        )

    def overstated(self, factor: float) -> NoiseProfile:
        """The profile of noise whose standard deviation is `factor` times this one's."""
        return NoiseProfile(tuple(factor**2 * s for s in self.shot), tuple(factor**2 * r for r in self.read))

    def averaged(self, count: float) -> NoiseProfile:
        """The profile of the mean of `count` frames of this profile: (shot/n, read/n)."""
        return NoiseProfile(tuple(s / count for s in self.shot), tuple(r / count for r in self.read))

    def per_color(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(shot, read) as three values each: red, green, blue."""
        return (self.shot * 3, self.read * 3) if len(self.shot) == 1 else (self.shot, self.read)


@dataclass(frozen=True)
class ColorCalibration:
    """One calibration of a camera's colours, as DNG writes it.

    Args:
        illuminant: EXIF LightSource code of the light it was measured under (17 = A, 21 = D65, 23 = D50).
        color: ColorMatrix, XYZ -> camera RGB, [3, 3].
        forward: ForwardMatrix, white-balanced camera RGB -> XYZ D50, [3, 3], or None.
    """

    illuminant: int
    color: Floats
    forward: Floats | None = None


@dataclass(frozen=True)
class GainMap:
    """One lens-shading map of OpcodeList2 (DNG 1.4, opcode 9): gains on a grid, bilinear between, edges repeated.

    Args:
        bounds: (top, left, height, width) of the picture that the grid spans, in pixels of the mosaic.
        area: (top, left, bottom, right) of the pixels it applies to, and `pitch` (rows, columns) between them.
        spacing: (vertical, horizontal) between grid points and `origin` of the first, as shares of the bounds' size.
        gains: [rows, columns, planes].
    """

    bounds: tuple[int, int, int, int]
    area: tuple[int, int, int, int]
    pitch: tuple[int, int]
    spacing: tuple[float, float]
    origin: tuple[float, float]
    gains: Floats


@dataclass(frozen=True)
class Metadata:
    r"""What a file says beside its pixels, kept as the bytes that other files take.

    Args:
        exif: an EXIF block as TIFF structure, without the "Exif\0\0" prefix; empty when there is none.
        xmp: the XMP packet.
        dng: DNG tags that are carried from a DNG to a DNG as they are (tag code -> (TIFF type, count, value)), such as
            OpcodeList2 or DNGPrivateData.
    """

    exif: bytes = b""
    xmp: bytes = b""
    dng: dict[int, tuple[int, int, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class RawFrame:
    """One raw picture, linear, black 0, white 1, not white-balanced, as it lies on the sensor (not yet turned upright).

    Args:
        mosaic: float32 [H, W], or [H, W, 3] where cfa is "RGB" (linear DNG, X-Trans demosaiced by LibRaw). Never clipped
            below 0, since clipping biases the noise; values above 1 are kept.
        cfa: colour of pixel (0, 0), (0, 1), (1, 0), (1, 1): one of `BAYER`; "MONO"; or "RGB" for three-plane raws.
        white_balance: gains (red, green, blue) that make the scene's white neutral, green 1; None where the file has none.
        calibrations: the camera's colour calibrations, none to two.
        noise: the NoiseProfile, None while nobody knows it.
        exposure_time: seconds, None if unknown.  iso: None if unknown.
        baseline_exposure: EV that the maker adds in a default rendering (DNG BaselineExposure), None where absent.
        orientation: EXIF code 1 to 8, applied when the frame is developed.
        crop: (top, left, height, width) of the picture inside the mosaic (DNG DefaultCrop), None for all of it.
        gain_maps: lens shading, applied when the frame is developed, never baked into a raw.
        camera: "Make Model", empty if unknown.
    """

    mosaic: NDArray[np.float32]
    cfa: str
    white_balance: tuple[float, float, float] | None = None
    calibrations: tuple[ColorCalibration, ...] = ()
    noise: NoiseProfile | None = None
    exposure_time: float | None = None
    iso: int | None = None
    baseline_exposure: float | None = None
    orientation: int = 1
    crop: tuple[int, int, int, int] | None = None
    gain_maps: tuple[GainMap, ...] = ()
    camera: str = ""
    metadata: Metadata = Metadata()

    def __post_init__(self) -> None:
        if self.cfa not in (*BAYER, "MONO", "RGB"):
            raise UnusableInput(
                f"unknown colour filter array {self.cfa!r}: it is one of {', '.join(BAYER)}, MONO or RGB"
            )
        planes = 3 if self.cfa == "RGB" else None
        if self.mosaic.ndim != (3 if planes else 2) or (planes and self.mosaic.shape[2] != planes):
            raise UnusableInput(f"a {self.cfa} mosaic cannot have the shape {self.mosaic.shape}")
        if self.mosaic.dtype != np.float32:
            raise UnusableInput(f"a mosaic is float32, not {self.mosaic.dtype}")


@dataclass(frozen=True)
class Image:
    """One photo, upright.

    Args:
        pixels: [H, W, C] with C 1 or 3, in the type it is stored in: uint8, uint16, or float32 in [0, 1].
        alpha: [H, W] of the same type, or None.
        linear: whether the numbers are proportional to light (else display-referred, gamma-coded).
        profile: the ICC profile; empty means sRGB (or gray with sRGB's curve).
    """

    pixels: Array
    alpha: Array | None = None
    linear: bool = False
    profile: bytes = b""
    metadata: Metadata = Metadata()

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (1, 3):
            raise UnusableInput(f"an image is H x W x 1 or H x W x 3, not {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise UnusableInput(f"an image holds uint8, uint16 or float32, not {self.pixels.dtype}")


@dataclass(frozen=True)
class Burst:
    """Several frames of one scene, of one camera, size and pattern.

    `reference` is the one that the result looks like; None leaves it to whoever merges, who takes the sharpest.
    """

    frames: tuple[RawFrame, ...] | tuple[Image, ...]
    reference: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= (self.reference or 0) < len(self.frames):
            raise UnusableInput(f"a burst of {len(self.frames)} frames has no frame {self.reference or 0} to refer to")
        if len({isinstance(frame, RawFrame) for frame in self.frames}) > 1:
            raise UnusableInput("a burst is of raws or of photos, not of both: take out the one or the other")


Frame = RawFrame | Burst | Image


@dataclass(frozen=True)
class Finding:
    """One noise that was found: its nature (a name of NOISES), its level and what the level is measured in."""

    nature: str
    level: float
    unit: str
    certainty: float | None = None


@dataclass(frozen=True)
class NoiseReport:
    """What noise, how much, how sure.

    Args:
        kind: "raw" or "photo".
        findings: the noises found, the dominating one first; empty for a clean picture.
        source: where the numbers come from: "DNG NoiseProfile", "calibration", "darktable", "frame", or "photo".
        verdict: one sentence for people.
        profile: of a raw, the NoiseProfile, None where the noise is too low for a number to be sure of.
        deviation: of a raw, the noise's standard deviation at mid-gray (0.18) as a share of full scale, green.
    """

    kind: Literal["raw", "photo"]
    findings: tuple[Finding, ...]
    source: str
    verdict: str
    profile: NoiseProfile | None = None
    deviation: float | None = None

    def to_json(self) -> str:
        """The report as a JSON object, one key per field."""
        return json.dumps(asdict(self), indent=2)
