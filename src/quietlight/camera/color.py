"""Colour of a raw: camera RGB <-> XYZ <-> linear sRGB, as DNG 1.4 maps it (chapter 6, "Mapping Camera Color Space to CIE XYZ").

Gains are (red, green, blue) with green 1; a neutral is their inverse: the camera RGB of the scene's white. Matrices act on column
vectors. XYZ of a white has Y = 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quietlight.frames import ColorCalibration, Floats, UnusableInput

Gains = tuple[float, float, float]

SRGB_FROM_XYZ: Floats = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
"""XYZ D65 -> linear sRGB (IEC 61966-2-1)."""
XYZ_FROM_SRGB: Floats = np.linalg.inv(SRGB_FROM_XYZ)
D65: Floats = XYZ_FROM_SRGB.sum(axis=1)
D50: Floats = np.array([0.9642, 1.0, 0.8249])
_BRADFORD: Floats = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

# Correlated colour temperatures of the EXIF LightSource codes.
_TEMPERATURES = {
    1: 5500, 2: 4150, 3: 2850, 4: 5500, 9: 5500, 10: 6500, 11: 7500, 12: 6400, 13: 5050, 14: 4150, 15: 3525, 16: 2925,
    17: 2850, 18: 5500, 19: 6500, 20: 5500, 21: 6500, 22: 7500, 23: 5000, 24: 3200,
}  # fmt: skip

WHITE_BALANCES = ("as-shot", "auto", "daylight")
"""The named white balances; any other is a temperature in kelvin."""
DAYLIGHT_KELVIN = 5500.0


def adaptation(source: Floats, target: Floats) -> Floats:
    """Bradford chromatic adaptation from white `source` to white `target` (XYZ), [3, 3]."""
    scale = (_BRADFORD @ target) / (_BRADFORD @ source)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD)


def temperature_to_white(kelvin: float) -> Floats:
    """XYZ (Y = 1) of the Planckian radiator at 1667 to 25000 K: the cubic fit of Kim et al. 2002 (US patent 7024034)."""
    if not 1667 <= kelvin <= 25000:
        raise UnusableInput(f"a colour temperature lies between 1667 and 25000 K, not at {kelvin:g}")
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return np.array([x / y, 1.0, (1 - x - y) / y])


def white_to_temperature(white: Floats) -> float:
    """Correlated colour temperature in kelvin of a white (XYZ): McCamy 1992, held to 1667 to 25000 K."""
    x, y = white[:2] / white.sum()
    n = (x - 0.3320) / (0.1858 - y)
    return float(np.clip(449 * n**3 + 3525 * n**2 + 6823.3 * n + 5520.33, 1667, 25000))


def _weight_of_first(calibrations: Sequence[ColorCalibration], kelvin: float) -> float:
    """Share of the first of two calibrations at `kelvin`: linear in the inverse temperature, held outside of the two."""
    first, second = (1 / _TEMPERATURES.get(c.illuminant, 5000) for c in calibrations)
    if first == second:
        return 1.0
    return float(np.clip((1 / kelvin - second) / (first - second), 0, 1))


def color_matrix(calibrations: Sequence[ColorCalibration], kelvin: float) -> Floats:
    """XYZ -> camera RGB at `kelvin`, interpolated between the calibrations in either order; one calibration holds everywhere."""
    if len(calibrations) == 1:
        return calibrations[0].color
    weight = _weight_of_first(calibrations, kelvin)
    return np.asarray(weight * calibrations[0].color + (1 - weight) * calibrations[1].color)


def neutral_to_white(calibrations: Sequence[ColorCalibration], neutral: Floats) -> Floats:
    """XYZ (Y = 1) of the white whose camera RGB is `neutral`: the specification's iteration, since the matrix depends on it."""
    white = D50
    for _ in range(30):
        found = np.linalg.solve(color_matrix(calibrations, white_to_temperature(white)), neutral)
        if not np.isfinite(found).all() or found[1] <= 0 or found.sum() <= 0:
            raise UnusableInput("the colour matrix and the white balance of this file contradict each other")
        found = found / found[1]
        if np.allclose(found, white, atol=1e-7):
            break
        white = found
    return np.asarray(white)


def kelvin_to_gains(calibrations: Sequence[ColorCalibration], kelvin: float) -> Gains:
    """White-balance gains for light of a colour temperature. Raises UnusableInput for a camera without colour matrix."""
    if not calibrations:
        raise UnusableInput(
            "this camera's colour matrix is unknown, so no colour temperature can be set: use --wb as-shot or auto"
        )
    neutral = color_matrix(calibrations, kelvin) @ temperature_to_white(kelvin)
    if (neutral <= 0).any():
        raise UnusableInput(f"this camera's colour matrix has no white at {kelvin:g} K: use --wb as-shot or auto")
    red, green, blue = (float(v) for v in neutral)
    return green / red, 1.0, green / blue


def srgb_from_camera(calibrations: Sequence[ColorCalibration], gains: Gains) -> Floats:
    """White-balanced camera RGB -> linear sRGB, [3, 3]; the neutral (1, 1, 1) becomes (1, 1, 1).

    With ForwardMatrices in all calibrations they lead to XYZ D50; else the inverse ColorMatrix and a Bradford adaptation from
    the scene's white. A camera without calibration keeps its own RGB.
    """
    if not calibrations:
        return np.eye(3)
    neutral = 1 / np.asarray(gains, np.float64)
    white = neutral_to_white(calibrations, neutral)
    kelvin = white_to_temperature(white)
    forwards = [c.forward for c in calibrations if c.forward is not None]
    if len(forwards) == len(calibrations):
        weight = _weight_of_first(calibrations, kelvin) if len(calibrations) == 2 else 1.0
        xyz_d50 = weight * forwards[0] + (1 - weight) * forwards[-1]
        # The specification normalises ForwardMatrices to map (1, 1, 1) to D50; a file's rounding must not tint the whites.
        xyz_d50 = np.diag(D50 / xyz_d50.sum(axis=1)) @ xyz_d50
        matrix = SRGB_FROM_XYZ @ adaptation(D50, D65) @ xyz_d50
    else:
        camera = np.linalg.inv(color_matrix(calibrations, kelvin)) @ np.diag(neutral)
        matrix = SRGB_FROM_XYZ @ adaptation(white, D65) @ camera / camera.sum(axis=1)[1]
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def calibration_from_srgb(srgb_from_balanced: Floats, gains: Gains) -> ColorCalibration:
    """The D65 ColorMatrix of a camera known by `srgb_from_balanced`, its matrix from white-balanced RGB to linear sRGB.

    The inverse of `srgb_from_camera` under D65.
    """
    color = np.diag(1 / np.asarray(gains)) @ np.linalg.inv(srgb_from_balanced) @ SRGB_FROM_XYZ
    return ColorCalibration(illuminant=21, color=color)
