"""RawFrame -> linear XYZ: what CameraNet's first network takes (Liang et al. 2021, section III-C, eq. 2).

Three modes. "xyz" is the paper's: camera RGB -> XYZ by the inverse of the mean of both ColorMatrices, whatever the light; to find
the white is left to the network. "wb": white-balanced first, and the matrix for that light, as `develop` does it; for cameras that
the network has not seen. "rgb": camera RGB is taken for linear sRGB, whatever the camera, which is how the paper's rivals get it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quietlight.arrays import Pixels
from quietlight.camera.color import XYZ_FROM_SRGB, Gains, srgb_from_camera
from quietlight.camera.develop import Rendering, balanced_phases, choose_gains, develop_linear, in_colors
from quietlight.frames import ColorCalibration, Floats, RawFrame, UnusableInput

MODES = ("xyz", "wb", "rgb")
_NO_GAINS: Gains = (1.0, 1.0, 1.0)


def prepare(frame: RawFrame, mode: str = "wb") -> NDArray[np.float32]:
    """A frame whose bad pixels are repaired -> XYZ [H, W, 3], float32, D65, upright and cropped, as it would be developed.

    Lens shading is corrected where the frame has its maps, highlights are repaired, mosaics are demosaiced. Black is 0, and noise
    goes below it; a green of sensor white becomes a Y of about 1. What is brighter than the first clipped colour is held there.
    With "wb" the gains are those of the file, else automatic ones, and a gray is a gray of D65.

    Raises UnusableInput for another mode, and in the mode "xyz" for a camera without usable ColorMatrix.
    """
    return develop_linear(frame, preparation(frame, mode))


def preparation(frame: RawFrame, mode: str = "wb") -> Rendering:
    """The rendering of `prepare`: its gains, and a matrix that leads to XYZ instead of sRGB."""
    if mode not in MODES:
        raise UnusableInput(f"a raw is prepared in one of the modes {', '.join(MODES)}, not {mode!r}")
    if frame.cfa == "MONO":
        return _rendering(_NO_GAINS, XYZ_FROM_SRGB)
    return preparation_of(frame.calibrations, choose_gains(frame) if mode == "wb" else _NO_GAINS, mode)


def preparation_of(calibrations: Sequence[ColorCalibration], gains: Gains, mode: str) -> Rendering:
    """That of a mode, for a camera in colour, whose `gains` count in the mode "wb". Raises as `preparation`."""
    if mode == "rgb":
        return _rendering(_NO_GAINS, XYZ_FROM_SRGB)
    if mode == "wb":
        return _rendering(gains, XYZ_FROM_SRGB @ srgb_from_camera(calibrations, gains))
    if not calibrations:
        raise UnusableInput('this camera\'s colour matrix is unknown, which the mode "xyz" needs: prepare it with "wb"')
    try:  # footnote 1 of the paper
        return _rendering(_NO_GAINS, np.linalg.inv(np.mean([c.color for c in calibrations], axis=0)))
    except np.linalg.LinAlgError:
        raise UnusableInput('the mean of this camera\'s colour matrices has no inverse: prepare it with "wb"') from None


def _rendering(gains: Gains, matrix: Floats) -> Rendering:
    return Rendering(gains, matrix, 1.0, "neutral", 1.0)


def prepared_phases(rows: Pixels, cfa: str, rendering: Rendering) -> Iterator[tuple[tuple[int, int], list[Pixels]]]:
    """`prepare` of a mosaic [H + 4, W + 4] with a halo, array or tensor, which is changed: XYZ, phase by phase as demosaiced."""
    for place, planes in balanced_phases(rows, cfa, rendering.gains, rendering.white):
        yield place, in_colors(planes, rendering)
