"""RawFrame -> white balance: the colour of the light, estimated from the picture itself.

Cheng, Prasad and Brown 2014, "Illuminant estimation for color constancy: why spatial-domain methods work and the role of the color
distribution" (JOSA A 31(5)): the first principal component, through the origin, of the pixels that lie darkest and brightest along
the mean colour.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quietlight.camera.bayer import crop, pad_even, plane_views
from quietlight.camera.color import Gains, kelvin_to_gains
from quietlight.frames import BAYER, ColorCalibration, Floats, RawFrame, UnusableInput

DEFAULT_GAINS: Gains = (2.0, 1.0, 1.6)
"""A typical camera in daylight: the answer for a picture that shows no colour."""

_EXTREMES = 0.035  # Share of the pixels taken from either end: the paper's 3.5%.
_CLIPPED = 0.98
_DARK = 0.02  # Pixels below this share of the bright ones are noise and black-level error.
_FEWEST = 16  # Usable pixels below which the picture says nothing.
_LARGEST = 300_000  # Pixels that the estimate looks at; averaging down to them removes most of the noise.
_GAIN_RANGE = (0.4, 6.0)
_OFF_LOCUS = 4.0  # Degrees: daylight and good lamps lie closer to the Planckian locus than this.


def estimate_white_balance(frame: RawFrame, locus: Floats | None = None) -> Gains:
    """Gains (red, green, blue), green 1, that make the light of the scene neutral; between 0.4 and 6.

    `locus` as in `estimate_illuminant`. Monochrome frames give (1, 1, 1); a frame without usable pixels gives `DEFAULT_GAINS`.
    """
    if frame.cfa == "MONO":
        return 1.0, 1.0, 1.0
    light = estimate_illuminant(_small_picture(frame), locus)
    red, blue = (float(np.clip(light[1] / max(light[i], 1e-6), *_GAIN_RANGE)) for i in (0, 2))
    return red, 1.0, blue


def estimate_illuminant(rgb: Floats, locus: Floats | None = None) -> Floats:
    """Unit vector [3], the camera RGB of the light, from linear camera RGB [H, W, 3] with black 0 and white 1.

    Clipped, near-black and non-finite pixels are left out; with fewer than 16 left it is the light of `DEFAULT_GAINS`.

    Args:
        rgb: [H, W, 3], not white-balanced.
        locus: camera RGB of plausible lights, [n, 3] (see `planckian_locus`); an estimate that is more than 4 degrees off all of
            them is moved towards the nearest until it is not.
    """
    pixels = rgb.reshape(-1, 3).astype(np.float64)
    # NaN fails each comparison.
    pixels = pixels[(pixels.max(axis=1) < _CLIPPED) & (pixels.mean(axis=1) > 0)]
    if len(pixels) >= _FEWEST:
        level = pixels.mean(axis=1)
        pixels = pixels[level > _DARK * np.quantile(level, 0.99)]
    light = 1 / np.asarray(DEFAULT_GAINS)
    if len(pixels) >= _FEWEST:
        mean = pixels.mean(axis=0)
        order = np.argsort(pixels @ mean, kind="stable")
        count = max(int(len(pixels) * _EXTREMES), 1)
        extremes = pixels[np.concatenate([order[:count], order[-count:]])]
        # The matrix is positive semi-definite, and its leading vector positive for light; noise may turn a component.
        light = np.abs(np.linalg.eigh(extremes.T @ extremes)[1][:, -1])
    light /= np.linalg.norm(light)
    return light if locus is None else _held_to(light, locus)


def planckian_locus(calibrations: Sequence[ColorCalibration], steps: int = 64) -> Floats:
    """Camera RGB, [steps, 3], green 1, of Planckian lights from 2500 to 8000 K, in even steps of 1/K.

    Raises UnusableInput for a camera whose colours are unknown.
    """
    kelvins = 1 / np.linspace(1 / 2500, 1 / 8000, steps)
    return 1 / np.array([kelvin_to_gains(calibrations, float(k)) for k in kelvins])


def _held_to(light: Floats, locus: Floats) -> Floats:
    """`light` turned towards the nearest light of the locus, until it is `_OFF_LOCUS` degrees away."""
    if locus.ndim != 2 or locus.shape[1] != 3 or not len(locus):
        raise UnusableInput(f"a locus of lights is [n, 3], not {locus.shape}")
    lights = locus / np.linalg.norm(locus, axis=1, keepdims=True)
    nearest = lights[np.argmax(lights @ light)]
    angle = float(np.arccos(np.clip(nearest @ light, -1, 1)))
    limit = np.radians(_OFF_LOCUS)
    if angle <= limit:
        return light
    across = light - (nearest @ light) * nearest
    return np.asarray(np.cos(limit) * nearest + np.sin(limit) * across / np.linalg.norm(across))


def _small_picture(frame: RawFrame) -> NDArray[np.float32]:
    """[h, w, 3] of at most 0.3 MP: blocks of pixels averaged over those that are not clipped, clipped where most of them are."""
    if frame.crop is not None:
        frame = crop(frame, *frame.crop)
    mosaic = frame.mosaic
    if frame.cfa in BAYER:
        if mosaic.shape[0] % 2 or mosaic.shape[1] % 2:
            mosaic = pad_even(mosaic)
        planes = plane_views(mosaic, frame.cfa)
    else:
        planes = list(mosaic.transpose(2, 0, 1))
    height, width = planes[0].shape
    step = int(np.ceil(np.sqrt(height * width / _LARGEST)))
    step = max(1, min(step, height, width))
    planes = [plane[: height // step * step, : width // step * step] for plane in planes]
    usable = (np.maximum.reduce(planes) < _CLIPPED).astype(np.float32)
    share = _block_means(usable, step)
    means = [_block_means(plane * usable, step) / np.maximum(share, 1e-6) for plane in planes]
    if len(means) == 4:
        means = [means[0], (means[1] + means[2]) / 2, means[3]]
    return np.stack([np.where(share > 0.5, mean, 1) for mean in means], axis=-1).astype(np.float32)


def _block_means(plane: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """[H, W] -> [H/step, W/step]; rows first, which numpy does at the speed of the memory."""
    if step == 1:
        return plane
    height, width = plane.shape
    rows = plane.reshape(height // step, step, width).mean(axis=1)
    return np.asarray(rows.reshape(height // step, width // step, step).mean(axis=2))
