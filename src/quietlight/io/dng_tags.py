"""What a DNG's tags say of its raw picture, where LibRaw rounds, drops or hides it (DNG 1.4 specification, chapters 4 to 6).

A garbage tag that the picture needs (its size, pattern, levels) is refused; any other garbage tag counts as absent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quietlight.camera import color
from quietlight.frames import BAYER, ColorCalibration, Floats, GainMap, NoiseProfile, UnusableInput
from quietlight.io import opcodes
from quietlight.io.dng_file import CFA, DngFile, Entry

Rectangle = tuple[int, int, int, int]
"""(top, left, height, width)."""

# Carried from DNG to DNG as they are: what describes the camera, its rendering and its corrections, and stays true when pixels are
# denoised. Levels, crop, colours and noise are fields of the frame, which the writer writes anew.
_CARRIED = (
    50708, 50709,  # UniqueCameraModel, LocalizedCameraModel
    50718,  # DefaultScale
    50731, 50732, 50733, 50734, 50735, 50736, 50737, 50738, 50739,  # BaselineNoise to ShadowScale, with serial number and LensInfo
    50740, 50741,  # DNGPrivateData, MakerNoteSafety
    50780, 50827,  # BestQualityScale, OriginalRawFileName
    50934, 50936, 50937, 50938, 50939, 50940, 50941, 50942,  # AsShotProfileName, name and tables of the profile
    50981, 50982, 51107, 51108, 51110,  # LookTable, encodings, DefaultBlackRender
    51009, 51022,  # OpcodeList2, OpcodeList3
    51125,  # DefaultUserCrop
)  # fmt: skip

_OPCODES = 51009
_KNOWN_LIGHTS = {*range(1, 5), *range(9, 25)}
_D65 = 21
_LARGEST_GAIN = 64.0
_LARGEST_ENTRY = 100.0
_SMALLEST_DETERMINANT = 1e-5
_LARGEST_REPEAT = 64


@dataclass(frozen=True)
class Levels:
    """Black and white of a raw, in the numbers of the file.

    Args:
        black: [repeat rows, repeat columns, planes], repeating from the top left of the ActiveArea.
        rows, columns: what is added for each row and column of the ActiveArea (BlackLevelDeltaV and DeltaH), or None.
        white: one value per plane.
    """

    black: Floats
    white: Floats
    rows: Floats | None = None
    columns: Floats | None = None

    def scale_to_unit(self, mosaic: Floats) -> None:
        """In place: float32 [H, W] or [H, W, 3] in the file's numbers -> black 0, white 1, neither clipped.

        One scale for all phases of a plane, 1 / (white - the largest black), as chapter 5 "Rescaling" has it: so the noise of a
        phase is not scaled by its own black.
        """
        rows, columns, _ = self.black.shape
        for row in range(rows):
            for column in range(columns):
                level = self.black[row, column].astype(np.float32)
                mosaic[row::rows, column::columns] -= level if mosaic.ndim == 3 else level[0]
        expand = (slice(None), slice(None), *([None] * (mosaic.ndim - 2)))
        if self.rows is not None:
            mosaic -= self.rows.astype(np.float32)[:, None][expand]
        if self.columns is not None:
            mosaic -= self.columns.astype(np.float32)[None, :][expand]
        span = (self.white - self.largest_black()).astype(np.float32)
        mosaic /= span if mosaic.ndim == 3 else span[0]

    def largest_black(self) -> Floats:
        """The largest black of each plane, deltas included."""
        added = sum(float(deltas.max()) for deltas in (self.rows, self.columns) if deltas is not None)
        return np.asarray(self.black.max(axis=(0, 1)) + added)


def active_area(dng: DngFile, height: int, width: int) -> Rectangle:
    """The part of the stored picture that saw light; all of it where the tag is absent. Refused where the tag is garbage."""
    if 50829 not in dng.raw:
        return 0, 0, height, width
    found = dng.layouts(50829)
    if len(found) != 4 or not (found[0] < found[2] <= height and found[1] < found[3] <= width):
        raise UnusableInput(f"{dng.path}: its ActiveArea {found} does not lie in its picture of {height}x{width}")
    top, left, bottom, right = found
    return top, left, bottom - top, right - left


def pattern(dng: DngFile) -> tuple[int, int, str]:
    """The colour filter array: its repeat (rows, columns) and its colours from the top left of the ActiveArea, "RGB" letters.

    Raises UnusableInput for colours other than red, green and blue, for turned layouts, and for damaged tags.
    """
    repeat, colors = dng.layouts(33421), dng.layouts(33422)
    if len(repeat) != 2 or not 1 <= min(repeat) <= max(repeat) <= 8 or len(colors) != repeat[0] * repeat[1]:
        raise UnusableInput(f"{dng.path}: the tags of its colour filter array are missing or damaged")
    if dng.layout(50711, 1) != 1:
        raise UnusableInput(f"{dng.path}: its colour filter array lies on staggered rows, which we cannot read")
    if not set(colors) <= {0, 1, 2}:
        raise UnusableInput(
            f"{dng.path}: its colour filter array has other colours than red, green and blue, which we cannot read"
        )
    return repeat[0], repeat[1], "".join("RGB"[c] for c in colors)


def bayer(dng: DngFile) -> str | None:
    """The 2x2 Bayer pattern, None where the array is the 6x6 one of X-Trans sensors. Others are refused."""
    rows, columns, colors = pattern(dng)
    if (rows, columns) == (6, 6):
        return None
    if (rows, columns) != (2, 2) or colors not in BAYER:
        raise UnusableInput(
            f"{dng.path}: its {rows}x{columns} colour filter array {colors} is neither Bayer nor X-Trans"
        )
    return colors


def levels(dng: DngFile, area: Rectangle, samples: int, full: float) -> Levels:
    """Black and white levels, fractions and phases kept.

    Args:
        dng: the file.
        area: the ActiveArea.
        samples: planes, 1 or 3.
        full: the white level where the tag is absent: 2^bits - 1, or 1 for floating point.

    Raises:
        UnusableInput: a damaged level, or a white that does not lie above black.
    """
    white = _required(dng, 50717, "WhiteLevel") or (full,)
    black = _required(dng, 50714, "BlackLevel") or (0.0,)
    # Some phones write four blacks and leave out that they repeat 2x2, or as many whites as colours.
    usual = (2.0, 2.0) if samples == 1 and len(black) == 4 else (1.0, 1.0)
    repeat = _required(dng, 50713, "BlackLevelRepeatDim") or usual
    white = white[:samples] if len(set(white)) == 1 else white
    if len(repeat) != 2 or not all(1 <= r <= _LARGEST_REPEAT and r == int(r) for r in repeat):
        raise UnusableInput(f"{dng.path}: its BlackLevelRepeatDim {repeat} is damaged")
    rows, columns = int(repeat[0]), int(repeat[1])
    if len(black) not in (1, rows * columns * samples) or len(white) not in (1, samples):
        raise UnusableInput(
            f"{dng.path}: it has {len(black)} black and {len(white)} white levels for {rows}x{columns}x{samples}"
        )
    found = Levels(
        np.broadcast_to(np.array(black), rows * columns * samples).reshape(rows, columns, samples),
        np.broadcast_to(np.array(white), samples),
        _deltas(dng, 50716, "BlackLevelDeltaV", area[2]),
        _deltas(dng, 50715, "BlackLevelDeltaH", area[3]),
    )
    if not (found.white > found.largest_black()).all():
        raise UnusableInput(f"{dng.path}: its white level {white} does not lie above its black level {black}")
    return found


def _required(dng: DngFile, code: int, name: str) -> tuple[float, ...] | None:
    """Numbers without which pixels mean nothing: None where the tag is absent, refused where it is there but damaged."""
    found = dng.numbers(code)
    if found is None and dng.entry(code) is not None:
        raise UnusableInput(f"{dng.path}: its {name} is damaged")
    return found


def _deltas(dng: DngFile, code: int, name: str, length: int) -> Floats | None:
    found = _required(dng, code, name)
    if found is None:
        return None
    if len(found) != length:
        raise UnusableInput(f"{dng.path}: its {name} has {len(found)} values for {length}")
    return np.array(found)


def linearization(dng: DngFile) -> np.ndarray | None:
    """LinearizationTable, stored value -> linear value, uint16; None where there is none."""
    found = _required(dng, 50712, "LinearizationTable")
    return None if found is None else np.array(found).clip(0, 65535).astype(np.uint16)


def default_crop(dng: DngFile, area: Rectangle) -> Rectangle | None:
    """DefaultCrop inside the ActiveArea, to whole pixels; None where it is absent, damaged or all of it."""
    origin, size = dng.numbers(50719), dng.numbers(50720)
    if origin is None or size is None or len(origin) != 2 or len(size) != 2:
        return None
    if max(*map(abs, origin), *map(abs, size)) > 2**31:
        return None
    left, top = (round(v) for v in origin)
    width, height = (round(v) for v in size)
    if min(top, left) < 0 or min(height, width) < 1 or top + height > area[2] or left + width > area[3]:
        return None
    return None if (height, width) == area[2:] else (top, left, height, width)


def _matrix(dng: DngFile, code: int) -> Floats | None:
    """A 3x3 matrix that can be inverted, None where the tag is absent or no such matrix."""
    found = dng.numbers(code)
    if found is None or len(found) != 9 or max(map(abs, found)) > _LARGEST_ENTRY:
        return None
    matrix = np.array(found).reshape(3, 3)
    return matrix if abs(np.linalg.det(matrix)) > _SMALLEST_DETERMINANT else None


def calibrations(dng: DngFile) -> tuple[ColorCalibration, ...]:
    """The colour calibrations in the file's order, with the camera's own corrections folded in.

    ColorMatrix becomes AnalogBalance · CameraCalibration · ColorMatrix. ForwardMatrix applies to balanced reference colours, so it
    stays where the corrections are diagonal, and else is brought to the as-shot neutral (chapter 6, "Camera to XYZ (D50)
    Transform"). One matrix of unknown light counts as D65; of two, only those of known lights are kept.
    """
    balance = dng.numbers(50727)
    analog = np.diag(balance) if balance and len(balance) == 3 and min(balance) > 0 else np.eye(3)
    found: list[tuple[int, Floats, Floats | None]] = []
    # The corrections hold for the profile that carries their signature.
    signed = dng.text(50931) == dng.text(50932)
    for matrix_code, forward_code, calibration_code, light_code in (
        (50721, 50964, 50723, 50778),
        (50722, 50965, 50724, 50779),
    ):
        matrix = _matrix(dng, matrix_code)
        if matrix is None:
            continue
        individual = _matrix(dng, calibration_code) if signed else None
        reference = analog if individual is None else analog @ individual
        light = dng.numbers(light_code)
        forward = _matrix(dng, forward_code)
        found.append(
            (
                int(light[0]) if light and len(light) == 1 and light[0] in _KNOWN_LIGHTS else 0,
                reference @ matrix,
                None if forward is None else _forward(forward, reference, neutral(dng)),
            )
        )
    known = [entry for entry in found if entry[0]] or [(_D65, *entry[1:]) for entry in found[:1]]
    if len(known) == 2 and known[0][0] == known[1][0]:
        known = known[:1]
    return tuple(ColorCalibration(*entry) for entry in known)


def _forward(forward: Floats, reference: Floats, white: Floats | None) -> Floats:
    """FM · D · (AB·CC)^-1 · diag(neutral), where D balances the neutral's reference colour."""
    if white is None or np.count_nonzero(reference - np.diag(np.diag(reference))) == 0:
        return forward
    inverse = np.linalg.inv(reference)
    balanced = inverse @ white
    if (balanced <= 0).any():
        return forward
    return np.asarray(forward @ np.diag(1 / balanced) @ inverse @ np.diag(white))


def neutral(dng: DngFile) -> Floats | None:
    """AsShotNeutral, the camera's colour of the scene's white, green 1; None where it is absent or impossible."""
    found = dng.numbers(50728)
    if found is None or len(found) != 3 or min(found) <= 0:
        return None
    white = np.array(found) / found[1]
    return white if white.max() <= _LARGEST_GAIN and white.min() >= 1 / _LARGEST_GAIN else None


def white_balance(dng: DngFile, known: tuple[ColorCalibration, ...]) -> tuple[float, float, float] | None:
    """Gains (red, green, blue), green 1, from AsShotNeutral, or else from AsShotWhiteXY through the colour matrices `known`."""
    white = neutral(dng)
    place = dng.numbers(50729)
    if white is None and known and place and len(place) == 2 and min(place) > 0.05 and sum(place) < 1:
        x, y = place
        xyz = np.array([x / y, 1.0, (1 - x - y) / y])
        white = color.color_matrix(known, color.white_to_temperature(xyz)) @ xyz
        white = white / white[1] if white[1] else white
    if white is None or not 1 / _LARGEST_GAIN <= white.min() <= white.max() <= _LARGEST_GAIN:
        return None
    red, _, blue = (float(1 / v) for v in white)
    return red, 1.0, blue


def noise_profile(dng: DngFile, cfa: str) -> NoiseProfile | None:
    """NoiseProfile, with one pair, three (red, green, blue), or the mean of each colour's where four follow the pattern's places.

    None where it is absent, damaged or all zero, which is how some cameras say that they do not know.
    """
    found = dng.numbers(51041)
    if found is None or min(found) < 0 or max(found) <= 0:
        return None
    pairs = np.array(found[: len(found) // 2 * 2]).reshape(-1, 2)
    if len(found) == 8 and cfa in BAYER:
        pairs = np.stack([pairs[[c == name for c in cfa]].mean(axis=0) for name in "RGB"])
    if cfa == "MONO":
        pairs = pairs[:1]
    if len(found) % 2 or len(pairs) not in (1, 3) or pairs.max() > 1:
        return None
    return NoiseProfile(tuple(map(float, pairs[:, 0])), tuple(map(float, pairs[:, 1])))


def baseline_exposure(dng: DngFile) -> float | None:
    """BaselineExposure and the profile's BaselineExposureOffset together, in EV; None where neither is given or both are absurd."""
    given = [found[0] for code in (50730, 51109) if (found := dng.numbers(code)) and len(found) == 1]
    total = math.fsum(given)
    return total if given and abs(total) <= 16 else None


def orientation(dng: DngFile) -> int:
    """EXIF code 1 to 8 of the first directory, which holds for all pictures of the file."""
    found = dng.main.get(274, dng.raw.get(274))
    value = found[2] if found else 1
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def gain_maps(dng: DngFile, area: Rectangle, planes: int) -> tuple[GainMap, ...] | None:
    """The lens-shading maps of OpcodeList2, () where it has none, None where it is damaged."""
    entry = dng.entry(_OPCODES)
    if entry is None:
        return ()
    try:
        return opcodes.gain_maps(entry[2], area[2], area[3], planes) if isinstance(entry[2], bytes) else None
    except UnusableInput:
        return None


def carried(dng: DngFile, with_corrections: bool) -> dict[int, Entry]:
    """The tags that a DNG made from this one keeps as they are; OpcodeList2 only `with_corrections`: where it still holds."""
    found = {code: entry for code in _CARRIED if (entry := dng.entry(code)) is not None}
    if not with_corrections:
        found.pop(_OPCODES, None)
    return found


def xmp(dng: DngFile) -> bytes:
    """The XMP packet, empty where there is none."""
    entry = dng.main.get(700)
    value = entry[2] if entry else b""
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""


def is_mosaic(dng: DngFile) -> bool:
    """Whether the raw picture is a colour filter array's (else linear)."""
    return dng.layout(262) == CFA
