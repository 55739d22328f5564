"""RawFrame -> linear XYZ: what CameraNet's first network takes (Liang et al. 2021, section III-C, eq. 2).

Two modes. "xyz" is the paper's: camera RGB -> XYZ by the inverse of the mean of both ColorMatrices, whatever the light; to find the
white is left to the network. "wb": white-balanced first, and the matrix for that light, as `develop` does it; for cameras that the
network has not seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.color import XYZ_FROM_SRGB, srgb_from_camera
from quietlight.camera.develop import Rendering, choose_gains, develop_linear
from quietlight.frames import RawFrame, UnusableInput

MODES = ("xyz", "wb")


def prepare(frame: RawFrame, mode: str = "wb") -> NDArray[np.float32]:
    """A frame whose bad pixels are repaired -> XYZ [H, W, 3], float32, D65, upright and cropped, as it would be developed.

    Lens shading is corrected where the frame has its maps, highlights are repaired, mosaics are demosaiced. Black is 0, and noise
    goes below it; a green of sensor white becomes a Y of about 1. What is brighter than the first clipped colour is held there.
    With "wb" the gains are those of the file, else automatic ones, and a gray is a gray of D65.

    Raises UnusableInput for another mode, and in the mode "xyz" for a camera without usable ColorMatrix.
    """
    return develop_linear(frame, preparation(frame, mode))


def preparation(frame: RawFrame, mode: str = "wb") -> Rendering:
    """The rendering of `prepare`: its gains, and its matrix, which leads to XYZ instead of sRGB."""
    if mode not in MODES:
        raise UnusableInput(f"a raw is prepared in one of the modes {', '.join(MODES)}, not {mode!r}")
    if mode == "xyz":
        return Rendering((1.0, 1.0, 1.0), _mean_matrix(frame), 1.0, "neutral", 1.0)
    gains = choose_gains(frame)
    matrix = np.eye(3) if frame.cfa == "MONO" else srgb_from_camera(frame.calibrations, gains)
    return Rendering(gains, XYZ_FROM_SRGB @ matrix, 1.0, "neutral", 1.0)


def _mean_matrix(frame: RawFrame) -> NDArray[np.float64]:
    """Camera RGB -> XYZ: the inverse of the mean of the ColorMatrices (footnote 1 of the paper). Gray frames have D65's white."""
    if frame.cfa == "MONO":
        return np.asarray(XYZ_FROM_SRGB)
    if not frame.calibrations:
        raise UnusableInput('this camera\'s colour matrix is unknown, which the mode "xyz" needs: prepare it with "wb"')
    mean = np.mean([c.color for c in frame.calibrations], axis=0)
    try:
        return np.asarray(np.linalg.inv(mean))
    except np.linalg.LinAlgError:
        raise UnusableInput('the mean of this camera\'s colour matrices has no inverse: prepare it with "wb"') from None
