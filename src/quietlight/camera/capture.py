"""Light in front of a camera -> RawFrame, and the restored picture of it; for learning a whole camera pipeline.

`unprocess` (Brooks et al., CVPR 2019) draws a white balance that has nothing to do with the camera's colour matrix, and lets
bright highlights clip together, which turn magenta where the frame is darkened afterwards. A denoiser does not mind. Here the
scene's light is a light of some colour and the matrix the camera's own, which agree as DNG says (chapter 6), so that `prepare` gets
the scene back in both of its modes; a colour clips when the sensor is full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quietlight.arrays import Pixels, like, namespace
from quietlight.camera import tone
from quietlight.camera.color import XYZ_FROM_SRGB, Gains, kelvin_to_gains, srgb_from_camera
from quietlight.camera.unprocess import BENCHMARK_GAINS, BRIGHTNESS, XYZ_TO_CAMERA, mixed_matrix, mosaic
from quietlight.frames import ColorCalibration, Floats, RawFrame

_KELVIN = (2500.0, 8000.0)
"""Of the scene's light, evenly in 1/K."""
_OFF_PLANCK = 0.03
"""Deviation of the logarithm of the red and of the blue gain from those of a Planckian light."""
_D65 = 21


@dataclass(frozen=True)
class Camera:
    """A camera in some light.

    Args:
        color: its ColorMatrix, XYZ -> camera RGB, [3, 3].
        gains: what makes the light's colour neutral.
        exposure: green of the sensor, white 1, that the scene's white has; above 1 it clips.
    """

    color: Floats
    gains: Gains
    exposure: float = BRIGHTNESS

    @property
    def calibration(self) -> ColorCalibration:
        """The one that its files have."""
        return ColorCalibration(_D65, self.color)

    @property
    def srgb_from_balanced(self) -> Floats:
        """White-balanced camera RGB -> linear sRGB, [3, 3]."""
        return srgb_from_camera((self.calibration,), self.gains)


def fixed_camera(name: str) -> Camera:
    """One of the four of Brooks et al., "A" to "D", with the white balance and brightness that our benchmarks give it."""
    red, blue = BENCHMARK_GAINS[name]
    return Camera(XYZ_TO_CAMERA[name], (red, 1.0, blue))


def camera_in_some_light(color: Floats, rng: np.random.Generator) -> Camera:
    """A camera of that ColorMatrix in a light of 2500 to 8000 K, a little off the Planckian ones, brightness N(0.8, 0.1)."""
    kelvin = 1 / rng.uniform(1 / _KELVIN[1], 1 / _KELVIN[0])
    red, _, blue = kelvin_to_gains((ColorCalibration(_D65, color),), kelvin)
    red, blue = (gain * math.exp(rng.normal(0, _OFF_PLANCK)) for gain in (red, blue))
    return Camera(color, (red, 1.0, blue), max(float(rng.normal(BRIGHTNESS, 0.1)), 0.3))


def random_camera(rng: np.random.Generator) -> Camera:
    """A convex mix of the four in some light."""
    return camera_in_some_light(mixed_matrix(rng), rng)


def scene_light(display: Pixels) -> Pixels:
    """A photo, display sRGB in [0, 1] -> linear sRGB, white 1, as `unprocess` sees it: tone curve and gamma undone."""
    return tone.undo_gamma(tone.undo_smoothstep(display))


def captured(light: Pixels, camera: Camera) -> Pixels:
    """Linear sRGB [H, W, 3], white 1 -> what the sensor has of it, camera RGB [H, W, 3] in [0, 1], not white-balanced."""
    matrix = camera.exposure * np.diag(1 / np.asarray(camera.gains)) @ np.linalg.inv(camera.srgb_from_balanced)
    return namespace(light).clip(light @ like(matrix.T, light), 0, 1)


def restored(light: Pixels, camera: Camera) -> Pixels:
    """Linear sRGB [H, W, 3], white 1 -> XYZ D65, white-balanced, sensor white 1: what is to be got back of what was captured.

    Lost highlights are white: linear sRGB is held at 1.
    """
    held = namespace(light).clip(light * camera.exposure, None, 1)
    return held @ like(XYZ_FROM_SRGB.T, light)


def captured_frame(light: Floats, camera: Camera, cfa: str = "RGGB") -> RawFrame:
    """The clean raw of a scene, linear sRGB [H, W, 3], white 1, with the tags that develop it back."""
    return RawFrame(
        mosaic=mosaic(captured(light, camera), cfa).astype(np.float32),
        cfa=cfa,
        white_balance=camera.gains,
        calibrations=(camera.calibration,),
        baseline_exposure=-math.log2(camera.exposure),
        camera="Quietlight Synthetic",
    )
