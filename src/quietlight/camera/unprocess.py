"""Image -> RawFrame: the inverse of `develop.process`, then the mosaic; for making training pairs.

Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019: inverse tone curve, gamma, colour matrix and gains, with
their random camera. Noise is added by `noise`, not here.
"""

from __future__ import annotations

import math

import numpy as np

from quietlight.arrays import Pixels, like, namespace
from quietlight.camera import tone
from quietlight.camera.bayer import PLANE_COLORS, pattern_colors, plane_offsets
from quietlight.camera.color import XYZ_FROM_SRGB, calibration_from_srgb
from quietlight.camera.develop import Rendering
from quietlight.frames import Floats, RawFrame

# XYZ -> camera of the four cameras of Brooks et al., and the white balance that our benchmarks give them.
XYZ_TO_CAMERA: dict[str, Floats] = {
    "A": np.array([[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]]),
    "B": np.array([[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]]),
    "C": np.array([[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]]),
    "D": np.array([[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]]),
}
BENCHMARK_GAINS = {"A": (2.0, 1.6), "B": (2.3, 1.8), "C": (1.9, 1.5), "D": (2.2, 1.7)}
BRIGHTNESS = 0.8
"""Green of the sensor that display white has."""
_HIGHLIGHT = 0.9


def _rendering(xyz_to_camera: Floats, red: float, blue: float, brightness: float) -> Rendering:
    camera_from_srgb = xyz_to_camera @ XYZ_FROM_SRGB
    camera_from_srgb = camera_from_srgb / camera_from_srgb.sum(axis=1, keepdims=True)
    return Rendering((red, 1.0, blue), np.linalg.inv(camera_from_srgb), 1 / brightness, "smoothstep")


def fixed_camera(name: str) -> Rendering:
    """One of the four pure cameras "A" to "D", with its benchmark white balance and brightness 0.8."""
    return _rendering(XYZ_TO_CAMERA[name], *BENCHMARK_GAINS[name], BRIGHTNESS)


def random_camera(rng: np.random.Generator) -> Rendering:
    """A random camera: a convex mix of the four matrices, red gain U(1.9, 2.4), blue U(1.5, 1.9), brightness N(0.8, 0.1)."""
    mixed = mixed_matrix(rng)
    brightness = max(float(rng.normal(BRIGHTNESS, 0.1)), 0.3)
    return _rendering(mixed, float(rng.uniform(1.9, 2.4)), float(rng.uniform(1.5, 1.9)), brightness)


def mixed_matrix(rng: np.random.Generator) -> Floats:
    """XYZ -> camera of a random convex mix of the four, [3, 3]."""
    weights = rng.uniform(1e-8, 1e8, 4)
    return np.asarray(np.tensordot(weights / weights.sum(), np.stack(list(XYZ_TO_CAMERA.values())), axes=1))


def unprocess(display: Pixels, rendering: Rendering) -> Pixels:
    """Display sRGB [H, W, 3] in [0, 1] -> linear camera RGB [H, W, 3], not white-balanced, clipped to [0, 1].

    The inverse of `process` with the smoothstep curve, but for bright highlights, whose gain is not undone: so they clip together,
    as on a sensor (Brooks et al., section 3.4).
    """
    linear = tone.undo_gamma(tone.undo_smoothstep(display))
    balanced = linear @ like(np.linalg.inv(rendering.matrix).T, linear)
    return namespace(linear).clip(_undo_gains(balanced, rendering), 0, 1)


def _undo_gains(balanced: Pixels, rendering: Rendering) -> Pixels:
    library = namespace(balanced)
    inverse = like(1 / (np.asarray(rendering.gains) * rendering.exposure), balanced)
    gray = balanced.mean(-1)[..., None]
    mask = (library.clip(gray - _HIGHLIGHT, 0, None) / (1 - _HIGHLIGHT)) ** 2
    return balanced * library.maximum(mask + (1 - mask) * inverse, inverse)


def sensor_planes(camera: Pixels, cfa: str) -> Pixels:
    """RGB [H, W, 3] of even size -> planes R, Gr, Gb, B [4, H/2, W/2]: what `pack` makes of its `mosaic`.

    More axes may follow, [H, W, 3, ...] -> [4, H/2, W/2, ...].
    """
    places = zip(plane_offsets(cfa), PLANE_COLORS, strict=True)
    return namespace(camera).stack([camera[row::2, column::2, color] for (row, column), color in places])


def mosaic(camera: Floats, cfa: str) -> Floats:
    """RGB [H, W, 3] -> mosaic [H, W]: each pixel keeps the colour of its filter. `demosaic` estimates the inverse."""
    height, width = camera.shape[:2]
    tiled = np.tile(pattern_colors(cfa), (height // 2 + 1, width // 2 + 1))[:height, :width, None]
    chosen: Floats = np.take_along_axis(camera, tiled, axis=2)
    return chosen[..., 0]


def unprocessed_frame(display: Floats, rendering: Rendering, cfa: str = "RGGB") -> RawFrame:
    """The clean raw frame that a camera would have captured: `unprocess`, `mosaic`, and the tags that develop it back."""
    return tagged(mosaic(unprocess(display, rendering), cfa), rendering, cfa)


def tagged(mosaic: Floats, rendering: Rendering, cfa: str = "RGGB") -> RawFrame:
    """A raw with the tags that develop it as `rendering` says."""
    return RawFrame(
        mosaic=mosaic.astype(np.float32),
        cfa=cfa,
        white_balance=rendering.gains,
        calibrations=(calibration_from_srgb(rendering.matrix, rendering.gains),),
        baseline_exposure=math.log2(rendering.exposure),
        camera="Quietlight Synthetic",
    )
