"""Who is compared: our systems, other people's methods where they are installed, oracles, and networks of the zoo.

A peer is made by `peer(spec)` from a name of SYSTEMS or PEERS, or of CLASSIFIERS where judgements are compared; from
`NAME=WEIGHTS`, which gives a peer other weights than those of its own name; or from a weights file alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from quietlight import __version__, zoo
from quietlight.analysis.estimate import estimate_photo
from quietlight.analysis.judgement import Judgement
from quietlight.evaluate import CLASSIFIERS, PEERS
from quietlight.evaluate.sample import Kind, Output, Sample, as_floats
from quietlight.frames import Array, Frame, Image, UnusableInput
from quietlight.registry import resolve
from quietlight.systems import SYSTEMS, impulses
from quietlight.systems.network import network as run_network
from quietlight.zoo import Weights

NOT_TRAINED = "not trained"


@dataclass(frozen=True)
class Peer:
    """One row of a table.

    Args:
        run: sample -> result. Only oracles look at more than the sample's input. Raises UnusableInput for inputs of another kind.
        weights: of the network that it runs, if any.
        absent: why it cannot run, such as "not trained"; empty where it can.
    """

    name: str
    about: str
    run: Callable[[Sample], Output]
    weights: Weights | None = None
    absent: str = ""

    @property
    def fingerprint(self) -> str:
        """What a stored result of it depends on."""
        return f"{__version__} {self.weights.sha256[:16] if self.weights else ''}".strip()


def names(kind: Kind = "photos") -> list[str]:
    """Every peer and system of a kind, in the order of the rows."""
    return list(CLASSIFIERS) if kind == "classes" else [*PEERS, *(name for name in SYSTEMS if name not in PEERS)]


def peer(spec: str, kind: Kind = "photos") -> Peer:
    """The peer of a name, of NAME=WEIGHTS, or of a weights file. Raises UnusableInput for those unknown among its kind."""
    name, _, weights = spec.partition("=")
    registry, alone = (CLASSIFIERS, noise_classifier) if kind == "classes" else (PEERS, network)
    if name.endswith(".safetensors"):
        return alone(Path(name).name, name)
    if name in registry:
        made: Peer = resolve(registry, name, "system")(name, weights)
        return replace(made, name=f"{name}={Path(weights).name}") if weights else made
    if name not in names(kind):
        raise UnusableInput(f"unknown system {name!r}: it is one of {', '.join(names(kind))}, or a .safetensors file")
    return _system(name)


def _photo(sample: Sample) -> Image:
    if not isinstance(sample.input, Image):
        raise UnusableInput("takes photos only")
    return sample.input


def _system(name: str) -> Peer:
    run: Any = resolve(SYSTEMS, name, "system")
    return Peer(name, f"Quietlight's {name}", lambda sample: run(sample.input).frame)


def noisy(name: str, _: str) -> Peer:
    """The input as it is."""
    return Peer(name, "the input", lambda sample: sample.input)


def classical(name: str, _: str) -> Peer:
    """Our classical system, which finds the noise by itself."""
    return replace(_system("classical"), name=name, about="our wavelet shrinkage, blind")


def classical_oracle(name: str, _: str) -> Peer:
    """The same, told the true sigma of the gaussian noise."""
    run: Any = resolve(SYSTEMS, "classical", "system")

    def with_sigma(sample: Sample) -> Frame:
        if "sigma" not in sample.info:
            raise UnusableInput("an oracle of sigma needs noise that has one")
        result: Frame = run(_photo(sample), sample.info["sigma"]).frame
        return result

    return Peer(name, "the same, told the true sigma", with_sigma)


def network(name: str, weights: str) -> Peer:
    """One network of the zoo, or of a file."""
    found = _weights(weights or name, asked=bool(weights))
    if found is None:
        return Peer(name, "network", _never, absent=NOT_TRAINED)
    return Peer(name, f"network {found.network}", lambda sample: run_network(_photo(sample), found).frame, found)


def chain(name: str, weights: str) -> Peer:
    """The untrained chain: isolated impulses found by rule and filled, then our blind network for gaussian noise."""
    return _chain(name, weights, "impulses found by rule, filled, then a network for gaussian noise", _found_mask)


def chain_oracle(name: str, weights: str) -> Peer:
    """The chain, told which pixels were hit."""
    return _chain(name, weights, "the chain, told which pixels were hit", _true_mask)


def _chain(name: str, weights: str, about: str, find: Callable[[Sample], Array]) -> Peer:
    found = _weights(weights or "unet-gray", asked=bool(weights))
    if found is None:
        return Peer(name, about, _never, absent=NOT_TRAINED)

    def run(sample: Sample) -> Frame:
        image = _photo(sample)
        filled = replace(image, pixels=impulses.fill(image.pixels, find(sample)))
        return run_network(filled, found).frame

    return Peer(name, about, run, found)


def _found_mask(sample: Sample) -> Array:
    return impulses.detect(_photo(sample).pixels)


def _true_mask(sample: Sample) -> Array:
    if "mask" not in sample.info:
        raise UnusableInput("an oracle of impulses needs noise that has some")
    return np.asarray(sample.info["mask"])


def _weights(name: str, asked: bool) -> Weights | None:
    """Weights by name; None where they were never trained, unless a user asked for just these."""
    return zoo.read(name) if asked or name in zoo.names() else None


def noise_classifier(name: str, weights: str) -> Peer:
    """Our classifier of noise."""
    return _classifier(name, weights, "our classifier")


def noise_classifier_six(name: str, weights: str) -> Peer:
    """The same, for ablation, without ranges of levels."""
    return _classifier(name, weights, "the same with six types for its classes; scored by type alone")


def noise_classifier_fine_bernoulli(name: str, weights: str) -> Peer:
    """The same, for ablation, with a class more."""
    return _classifier(name, weights, "the same with two ranges of bernoulli, which are scored as one class")


def mobilenet(name: str, weights: str) -> Peer:
    """The paper's classifier."""
    return _classifier(name, weights, "the paper's pure MobileNetV2")


def _classifier(name: str, weights: str, about: str) -> Peer:
    found = _weights(weights or name, asked=bool(weights))
    if found is None:
        return Peer(name, about, _never, absent=NOT_TRAINED)

    def run(sample: Sample) -> Judgement:
        from quietlight.analysis.classify import classify

        return classify(_photo(sample), found)

    return Peer(name, about, run, found)


def median_nlm(name: str, _: str) -> Peer:
    """Median 3×3, then non-local means (Buades et al. 2005) of OpenCV.

    Its strength is what served best on the mixture after the median, which takes most of the noise: 0.4 of the sigma that we
    measure in the input, and not less than 10, which OpenCV recommends.
    """

    def run(sample: Sample) -> Frame:
        cv2 = import_module("cv2")
        image = _photo(sample)
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
        pixels = as_floats(_photo(sample))
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
        pixels = as_floats(_photo(sample))
        impulsive = "mask" in sample.info
        sigma = 50.0 if impulsive else float(sample.info.get("sigma", 50.0))
        if sigma == 0:
            return sample.input
        denoise = module.bm3d_rgb if pixels.shape[2] == 3 else module.bm3d
        clean = denoise(pixels if pixels.shape[2] == 3 else pixels[..., 0], sigma / 255)
        return _image(np.asarray(clean).reshape(pixels.shape))

    return _installed("bm3d", "bm3d", Peer(name, "BM3D, told the true sigma, or 50", run))


def _installed(module: str, package: str, made: Peer) -> Peer:
    return made if find_spec(module) else replace(made, absent=f"needs {package}")


def _eight_bits(image: Image) -> Array:
    return np.rint(np.clip(as_floats(image), 0, 1) * 255).astype(np.uint8)


def _image(pixels: Array) -> Image:
    return Image(np.clip(pixels, 0, 1).astype(np.float32))


def _never(sample: Sample) -> Frame:
    raise UnusableInput(f"{sample.name}: this system cannot run")
