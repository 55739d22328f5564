"""Other people's methods, where they are installed, as peers of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from quietlight.analysis.estimate import estimate_photo
from quietlight.evaluate.peers import Peer, photo_of, raw_of
from quietlight.evaluate.sample import Sample, as_floats
from quietlight.frames import Array, Frame, Image, RawFrame, UnusableInput
from quietlight.systems.anscombe import stabilise, unstabilise
from quietlight.systems.warp import colors_of, planes_of, with_planes


def median_nlm(name: str, _: str) -> Peer:
    """Median 3×3, then non-local means (Buades et al. 2005) of OpenCV.

    Its strength is what served best on the mixture after the median, which takes most of the noise: 0.4 of the sigma that we
    measure in the input, and not less than 10, which OpenCV recommends.
    """

    def run(sample: Sample) -> Frame:
        cv2 = import_module("cv2")
        image = photo_of(sample)
        strength = max(10.0, 0.4 * estimate_photo(image))
        pixels = cv2.medianBlur(_eight_bits(image), 3)
        if image.pixels.shape[2] == 1:
            clean = cv2.fastNlMeansDenoising(pixels, None, strength, 7, 21)
        else:
            clean = cv2.fastNlMeansDenoisingColored(pixels, None, strength, strength, 7, 21)
        return Image(clean.reshape(image.pixels.shape))

    return _installed("cv2", "opencv-python-headless", Peer(name, "median 3×3, then OpenCV's non-local means", run))


def wavelet(name: str, _: str) -> Peer:
    """BayesShrink (Chang et al. 2000) of scikit-image, which estimates sigma by itself."""

    def run(sample: Sample) -> Frame:
        restoration = import_module("skimage.restoration")
        pixels = as_floats(photo_of(sample))
        color = pixels.shape[2] == 3
        clean = restoration.denoise_wavelet(
            pixels if color else pixels[..., 0],
            method="BayesShrink",
            rescale_sigma=True,
            channel_axis=-1 if color else None,
            convert2ycbcr=color,
        )
        return _image(clean.reshape(pixels.shape))

    return _installed("skimage", "scikit-image", Peer(name, "scikit-image's wavelet shrinkage", run))


def bm3d(name: str, _: str) -> Peer:
    """BM3D (Dabov et al. 2007), told the true sigma where the noise has one; 50 elsewhere, NoiseBreaker's setting."""

    def run(sample: Sample) -> Frame:
        module = import_module("bm3d")
        pixels = as_floats(photo_of(sample))
        impulsive = "mask" in sample.info
        sigma = 50.0 if impulsive else float(sample.info.get("sigma", 50.0))
        if sigma == 0:
            return sample.input
        denoise = module.bm3d_rgb if pixels.shape[2] == 3 else module.bm3d
        clean = denoise(pixels if pixels.shape[2] == 3 else pixels[..., 0], sigma / 255)
        return _image(np.asarray(clean).reshape(pixels.shape))

    return _installed("bm3d", "bm3d", Peer(name, "BM3D, told the true sigma, or 50", run))


def bm3d_raw(name: str, _: str) -> Peer:
    """BM3D of every plane between the generalised Anscombe transform and its exact unbiased inverse (Mäkitalo and Foi 2013)."""

    def run(sample: Sample) -> Frame:
        return _plane_by_plane(raw_of(sample), import_module("bm3d").bm3d)

    return _installed("bm3d", "bm3d", Peer(name, "BM3D plane by plane, with Anscombe's transform", run))


def nlm_raw(name: str, _: str) -> Peer:
    """Non-local means (Buades et al. 2005) of scikit-image, as `bm3d_raw`."""

    def run(sample: Sample) -> Frame:
        nlm = import_module("skimage.restoration").denoise_nl_means
        return _plane_by_plane(raw_of(sample), lambda plane, sigma: nlm(plane, h=_NLM * sigma, sigma=sigma, **_PATCHES))

    return _installed("skimage", "scikit-image", Peer(name, "non-local means, plane by plane", run))


_NLM = 0.8
"""h of non-local means in units of the noise's deviation: what scikit-image advises, and what served best of 0.4 to 1."""
_PATCHES = {"patch_size": 5, "patch_distance": 6, "fast_mode": True}


def _plane_by_plane(frame: RawFrame, denoise: Callable[[Array, float], Array]) -> RawFrame:
    """A raw whose planes, their noise stabilised, went through `denoise`: (plane in [0, 1], sigma of its noise) -> clean plane."""
    if frame.noise is None:
        raise UnusableInput("takes raws of known noise")
    shots, reads = frame.noise.per_color()
    planes = []
    for plane, color in zip(planes_of(frame), colors_of(frame.cfa), strict=True):
        stable = stabilise(plane, shots[color], reads[color])
        least, span = stable.min(), np.ptp(stable)  # patches are compared on the scale of [0, 1]
        clean = np.asarray(denoise((stable - least) / span, 1 / float(span)), np.float32) * span + least
        planes.append(unstabilise(clean, shots[color], reads[color]))
    return with_planes(frame, np.stack(planes))


def _installed(module: str, package: str, made: Peer) -> Peer:
    return made if find_spec(module) else replace(made, absent=f"needs {package}")


def _eight_bits(image: Image) -> Array:
    return np.rint(np.clip(as_floats(image), 0, 1) * 255).astype(np.uint8)


def _image(pixels: Array) -> Image:
    return Image(np.clip(pixels, 0, 1).astype(np.float32))
