"""The noise of people's photos: that of a sensor, carried through a camera's development and JPEG, for photos in [0, 1].

Source: Brooks et al. 2019: the random camera with its curve, and shot and read noise (section 3.1).
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from PIL import Image

from quietlight.arrays import Pixels, namespace
from quietlight.camera import tone
from quietlight.camera.bayer import pattern_colors
from quietlight.camera.demosaic import demosaic
from quietlight.camera.develop import Rendering
from quietlight.camera.unprocess import fixed_camera, mosaic, random_camera, unprocess
from quietlight.frames import BAYER, Floats, UnusableInput
from quietlight.noise.nature import Generator, Nature
from quietlight.noise.sensor import ShotRead, upi_read

MID_GRAY = 0.46
"""Display value at which the level of this noise is measured."""
QUALITIES = (75, 98)
"""Of the JPEGs, drawn uniformly."""
SMOOTHINGS = ((0.0, 0.0), (0.5, 1.5), (0.7, 2.5), (0.8, 3.0), (0.9, 4.0))
"""Of the noise by the camera: widths of Gaussians over luma and over colour, in pixels.

Chosen so that the noise of neighbours goes together, and colour against luma is as strong, as in photos of ISO 1600 to 6400.
"""
_UNCOMPRESSED = 1 / 8  # share of the photos
_LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, as JPEG weighs
_LONGEST = 65500  # pixels of a side of a JPEG


@dataclass(frozen=True)
class Camera(Nature):
    """Shot and read noise developed by a random camera and saved as JPEG: coloured blotches, strongest in the middle tones.

    `sigma` is its standard deviation before JPEG at mid-gray (display 0.46), on the 0-255 scale: of a gray photo's values, or
    the root mean square over the three colours. Everything else is drawn anew for every photo: see `Capture.draw`.

    The declared mean and variance are approximate: before JPEG, of gray surfaces, of a usual camera, by the slope of the curve.
    Near black much is clipped, so that the mean is higher and the variance lower; elsewhere the bend of the curve lowers the mean
    a little (by 4 of 255 in a gray photo of sigma 25).
    """

    sigma: float

    levels: ClassVar = (1.0, 25.0)
    unit: ClassVar = "sigma at mid-gray, 0-255"

    def sample(self, x: Pixels, rng: Generator) -> Pixels:
        """Each photo of `x` as a capture of its own, clipped to [0, 1] and, unless drawn uncompressed, in 8 bits.

        Raises UnusableInput for other than 1 or 3 channels, and for sides of no pixel or more than a JPEG can have.
        """
        pixels, numbers = _as_numpy(x), _numpy_generator(rng)
        noisy = np.empty(pixels.shape)
        for photo, target in zip(_photos(pixels, x), _photos(noisy, x), strict=True):
            target[...] = Capture.draw(self.sigma, photo.shape[2], numbers).take(photo, numbers)
        return _like(noisy, x)

    def variance(self, x: Pixels) -> Pixels:
        """(Slope of the curve)² * (a * light + b), of camera "D" without jitter, at a gray of `x` in each colour."""
        rendering = fixed_camera("D")
        light = _light(np.clip(_as_numpy(x), 0.01, 1))  # The slope at black itself is infinite.
        shot, read = strength(self.sigma, rendering)
        of_shot, of_read = developed_noise(rendering)
        return _like(_slope(light, rendering) ** 2 * (of_shot * shot * light + of_read * read), x)


@dataclass(frozen=True)
class Capture:
    """A camera with its settings.

    Args:
        rendering: how it develops.
        cfa: its Bayer pattern.
        noise: of its raws.
        smoothing: of the noise it develops, one of SMOOTHINGS: (luma, colour).
        boost: of the smoothed noise, so that smoothing does not change sigma and the raw is not driven into clipping.
        quality: of its JPEGs; 0 for none, nor 8 bits.
        subsampling: of their colours as Pillow counts it, 0 for 4:4:4, 2 for 4:2:0.
    """

    rendering: Rendering
    cfa: str
    noise: ShotRead
    smoothing: tuple[float, float]
    boost: float
    quality: int
    subsampling: int

    @classmethod
    def draw(cls, sigma: float, channels: int, rng: np.random.Generator) -> Capture:
        """Noise that gives `sigma` to photos of 1 or 3 channels; camera, pattern, read noise, smoothing and JPEG by chance.

        Read noise follows UPI's line with its jitter; one photo in eight is not compressed.
        """
        rendering, cfa = random_camera(rng), BAYER[rng.integers(len(BAYER))]
        jitter = upi_read(1.0, rng) / upi_read(1.0)
        noise = ShotRead(*strength(sigma, rendering, channels, jitter))
        smoothing = SMOOTHINGS[rng.integers(len(SMOOTHINGS))]
        # Nearly all of the noise at mid-gray is shot noise.
        sharp, soft = (developed_noise(rendering, channels, s)[0] for s in (SMOOTHINGS[0], smoothing))
        quality = 0 if rng.random() < _UNCOMPRESSED else int(rng.integers(*QUALITIES, endpoint=True))
        return cls(rendering, cfa, noise, smoothing, math.sqrt(sharp / soft), quality, 2 * int(rng.integers(2)))

    def take(self, photo: Floats, rng: np.random.Generator) -> Floats:
        """A clean photo [H, W, 1 or 3] in [0, 1] -> the same with noise, clipped and saved.

        Only the difference that the noise makes to the development is added: the detail that a mosaic loses is no noise.
        """
        raw = self.expose(photo)
        noise = self.develop(self.noise.sample(raw, rng)) - self.develop(raw)
        luma = (noise @ _LUMA.astype(np.float32))[..., None]
        smooth = _smoothed(luma, self.smoothing[0])
        if photo.shape[2] == 3:
            smooth = smooth + _smoothed(noise - luma, self.smoothing[1])
        return self._saved(np.clip(photo + self.boost * smooth, 0, 1))

    def expose(self, photo: Floats) -> Floats:
        """Display [H, W, 1 or 3] in [0, 1] -> the clean mosaic [H, W]: `develop` undoes it but for fine detail."""
        rgb = np.broadcast_to(photo, (*photo.shape[:2], 3)).astype(np.float32)
        return mosaic(unprocess(rgb, self.rendering), self.cfa).astype(np.float32)

    def develop(self, raw: Floats) -> Floats:
        """Mosaic [H, W] -> display sRGB [H, W, 3] in [0, 1]."""
        height, width = raw.shape
        gains = np.asarray(self.rendering.gains, np.float32)[pattern_colors(self.cfa)]
        balanced = raw * np.tile(gains, (height // 2 + 1, width // 2 + 1))[:height, :width]
        # Cut where the first colour clips, as `develop.develop` does: burnt highlights are white, not magenta.
        rgb = demosaic(np.minimum(balanced, 1), self.cfa)
        return self.rendering.to_display(rgb @ (self.rendering.matrix.T * self.rendering.exposure).astype(np.float32))

    def _saved(self, photo: Floats) -> Floats:
        if self.quality == 0:
            return photo
        pixels = np.rint(photo * 255).astype(np.uint8)
        file = io.BytesIO()
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        image.save(file, "JPEG", quality=self.quality, subsampling=self.subsampling)
        with Image.open(file) as saved:
            return np.asarray(saved, np.float64).reshape(photo.shape) / 255


def strength(sigma: float, rendering: Rendering, channels: int = 3, jitter: float = 1.0) -> tuple[float, float]:
    """(shot, read) variances of a raw that make `sigma` (0-255) at mid-gray of the photo; read is `jitter` times UPI's line."""
    light = float(_light(np.array(MID_GRAY)))
    target = (sigma / 255 / float(_slope(np.array(light), rendering))) ** 2
    if target == 0:
        return 0.0, 0.0
    of_shot, of_read = developed_noise(rendering, channels)
    low, high = 0.0, target / (of_shot * light)  # at most: all of it shot noise
    for _ in range(30):
        shot = (low + high) / 2
        too_much = of_shot * shot * light + of_read * jitter * upi_read(shot) > target
        low, high = (low, shot) if too_much else (shot, high)
    return high, jitter * upi_read(high)


def developed_noise(
    rendering: Rendering, channels: int = 3, smoothing: tuple[float, float] = SMOOTHINGS[0]
) -> tuple[float, float]:
    """(a, b) of variance = a * shot * light + b * read: of gray in linear sRGB, for the (shot, read) of the raw.

    The variance is that of Rec. 601 luma for one channel, or the mean over three.
    """
    gains = np.asarray(rendering.gains) * rendering.exposure
    # The raw of gray light holds light / gain, whose noise the development amplifies by gain².
    luma = np.outer(np.ones(3), _LUMA)
    develop = np.hstack([luma @ rendering.matrix, (np.eye(3) - luma) @ rendering.matrix])
    per_color = np.einsum("ij,cjk,lk->cil", develop, _covariances(smoothing), develop)
    weigh = np.outer(_LUMA, _LUMA) if channels == 1 else np.eye(3) / 3
    variances = (per_color * weigh).sum((1, 2))
    return float(variances @ gains), float(variances @ gains**2)


@cache
def _covariances(smoothing: tuple[float, float]) -> Floats:
    """[3, 6, 6]: what noise of variance 1 of each colour becomes in the demosaicked colours, smoothed as luma and as colour is.

    The covariance of the six, mean over the pixels.
    """
    covariances = np.zeros((3, 6, 6))
    for (row, column), color in np.ndenumerate(pattern_colors(BAYER[0])):
        impulse = np.zeros((48, 48))  # wider than the filters reach
        impulse[24 + row, 24 + column] = 1
        rgb = demosaic(impulse, BAYER[0])
        response = np.concatenate([_smoothed(rgb, width) for width in smoothing], axis=2).reshape(-1, 6)
        covariances[color] += response.T @ response / 4  # one pixel in four is of this phase
    return covariances


def _smoothed(planes: Floats, width: float) -> Floats:
    """[H, W, C] under a Gaussian of a standard deviation of `width` pixels; edges are mirrored."""
    if width == 0:
        return planes
    reach = math.ceil(2.5 * width)
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * width**2))
    for _ in range(2):  # along the rows, then along the columns
        long = np.pad(planes.swapaxes(0, 1), ((reach, reach), (0, 0), (0, 0)), mode="reflect")
        planes = np.zeros_like(planes.swapaxes(0, 1))
        for start, weight in enumerate(kernel / kernel.sum()):
            planes += float(weight) * long[start : start + len(planes)]
    return planes


def _light(display: Floats) -> Floats:
    """Display -> linear sRGB."""
    light: Floats = tone.undo_gamma(tone.undo_smoothstep(display))
    return light


def _slope(light: Floats, rendering: Rendering) -> Floats:
    """Derivative of the tone curve, linear sRGB -> display."""
    step = 1e-4 * light
    return np.asarray((rendering.to_display(light + step) - rendering.to_display(light - step)) / (2 * step))


def _numpy_generator(rng: Generator) -> np.random.Generator:
    """The generator itself, or one that a torch generator seeds."""
    if isinstance(rng, np.random.Generator):
        return rng
    seed = namespace(rng).randint(2**63 - 1, (1,), generator=rng, device=rng.device)
    return np.random.default_rng(int(seed))


def _as_numpy(x: Pixels) -> Floats:
    return np.asarray(x if isinstance(x, np.ndarray) else x.detach().cpu().double().numpy(), np.float64)


def _like(array: Floats, x: Pixels) -> Pixels:
    return array.astype(x.dtype) if isinstance(x, np.ndarray) else x.new_tensor(array)


def _photos(array: Floats, x: Pixels) -> Iterator[Floats]:
    """Views [H, W, C] of the photos of `array`, which lies as the library of `x` has it. Refuses what is none."""
    if array.ndim == 2:
        photos = array[None, ..., None]
    elif array.ndim == 3 and isinstance(x, np.ndarray):
        photos = array[None]
    elif array.ndim >= 3 and not isinstance(x, np.ndarray):
        photos = np.moveaxis(array.reshape(math.prod(array.shape[:-3]), *array.shape[-3:]), 1, -1)
    else:
        raise UnusableInput(f"camera noise is for photos, not for an array of shape {array.shape}")
    height, width, channels = photos.shape[1:]
    if channels not in (1, 3) or not 1 <= min(height, width) <= max(height, width) <= _LONGEST:
        size = f"{height}x{width} in {channels} channels"
        raise UnusableInput(
            f"camera noise is for photos of 1 to {_LONGEST} pixels a side in 1 or 3 channels, not {size}"
        )
    yield from photos
