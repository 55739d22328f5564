"""The benchmarks of photos. Every draw is fixed by `numpy.random.default_rng([number, ..., i])`, i the index of the picture.

Pictures are taken in the string order of their file names and read as x = values / 255 in float32. Sources: Zhang et al. 2017 for
the additive noise; Lemarchand et al. 2020 (NoiseBreaker), section IV, for the mixtures, whose open details are settled in `noise/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from PIL import Image as Pillow

from quietlight.evaluate.confusion import CLASSES, class_score, class_summary
from quietlight.evaluate.sample import (
    Benchmark,
    DataSet,
    Part,
    Sample,
    as_floats,
    clean_score,
    clean_summary,
    each_file,
)
from quietlight.frames import Image, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.noise import NOISES
from quietlight.noise.classes import TABLES, NoiseClass
from quietlight.noise.nature import eight_bit
from quietlight.noise.natures import Bernoulli, Gaussian, Poisson, Uniform
from quietlight.registry import resolve

Pixels = NDArray[np.float32]
Noise = Callable[[Pixels, Generator], tuple[Pixels, dict[str, object]]]
"""(clean, generator) -> noisy, and what is known of the noise."""

BSD68 = DataSet("bsd68_gray", "BSD68 in gray, 68 PNG files as the denoising literature uses them (CBSD68-dataset)")
SET12 = DataSet("set12_gray", "Set12, 12 gray PNG files (in the test sets of the DnCNN authors)")
CBSD68 = DataSet("cbsd68", "BSD68 in colour, the 68 test JPEGs of BSDS500 (UC Berkeley)")
KODAK24 = DataSet("kodak24", "Kodak's 24 colour photos as PNG (r0k.us)")
POLYU = DataSet(
    "polyu_pairs", "PolyU-Real-World-Noisy-Images-Dataset, its cropped pairs *_real.JPG, *_mean.JPG", "*_real.*"
)


def _clean(path: Path) -> Pixels:
    return as_floats(_eight_bit_photo(path)).astype(np.float32)


def _eight_bit_photo(path: Path) -> Image:
    image = read_photo(path)
    if image.pixels.dtype != np.uint8:
        raise UnusableInput(f"{path}: the pictures of this benchmark have 8 bits, not {image.pixels.dtype}")
    return image


def awgn() -> Benchmark:
    """White Gaussian noise, neither clipped nor rounded: y = x + sigma / 255 · standard normal, generator [20200216, sigma, i]."""
    sets = {"bsd68": BSD68, "set12": SET12, "cbsd68": CBSD68, "kodak24": KODAK24}
    parts = [
        each_file(f"{name}-{sigma}", data, partial(_awgn, sigma))
        for name, data in sets.items()
        for sigma in (15, 25, 50)
    ]
    return Benchmark("White Gaussian noise of sigma 15, 25 and 50, neither clipped nor rounded.", tuple(parts))


def _awgn(sigma: int, index: int, path: Path) -> Sample:
    clean = _clean(path)
    noisy = Gaussian(sigma).sample(clean, default_rng([20200216, sigma, index]))
    return Sample(path.name, Image(noisy), clean, {"sigma": sigma})


def _eight_bits(seed: tuple[int, ...], noise: Noise, index: int, path: Path) -> Sample:
    """A sample as an 8-bit file holds it: noise by the generator [*seed, i], clipped, rounded to 1/255."""
    clean = _clean(path)
    noisy, info = noise(clean, default_rng([*seed, index]))
    return Sample(path.name, _eight_bit_image(noisy), clean, info)


def _eight_bit_image(noisy: Pixels) -> Image:
    return Image(np.rint(eight_bit(noisy) * 255).astype(np.uint8))


def _mixture(x: Pixels, rng: Generator, salt: float = 0.0) -> tuple[Pixels, dict[str, object]]:
    """Gaussian of sigma ~ U[0, 55], then bernoulli of p ~ U[0, 0.2]; both levels are drawn before any pixel's noise."""
    sigma, p = rng.uniform(0, 55), rng.uniform(0, 0.2)
    noisy = Gaussian(sigma).sample(x, rng)
    kept = np.float32(2)  # a value that no lost pixel takes, so that the nature itself tells which are lost
    fate: Pixels = Bernoulli(p, salt).sample(np.full_like(x, kept), rng)
    natures = ("gaussian", "salt-and-pepper" if salt else "bernoulli")
    info: dict[str, object] = {"natures": natures, "sigma": sigma, "p": p, "mask": fate != kept}
    return np.where(fate == kept, noisy, fate), info


def _mixture3(x: Pixels, rng: Generator) -> tuple[Pixels, dict[str, object]]:
    noisy, info = _mixture(Poisson().sample(x, rng), rng)
    return noisy, {**info, "natures": ("poisson", "gaussian", "bernoulli")}


_BSD68_MIXTURE = "4038a48595e6de8eda948c8869eb152fe374cacf0bfca9732d0170e187d1c6df"
_BSD68_MIXTURE_SP = "f499663ecb7c4ce903e3ed4ca8f8827a4226462967ce64e91c465f1b18e39b70"
_CBSD68_MIXTURE = "40351b84273e13894f6d0ff44ff3f3eeade57348938a68185aa2a2b2accd58b1"
_SEED = 20200217


def bsd68_mixture() -> Benchmark:
    """NoiseBreaker's evaluation mixture, generator [20200217, i]: sigma, p, standard normals, then uniforms for the drops."""
    part = each_file("bsd68", BSD68, partial(_eight_bits, (_SEED,), _mixture), _BSD68_MIXTURE)
    return Benchmark(
        "NoiseBreaker's mixture: gaussian of sigma U[0, 55], then drops to black with p U[0, 0.2], 8-bit.", (part,)
    )


def bsd68_mixture_sp() -> Benchmark:
    """The same draws; a lost pixel is 0 or 1 by one more uniform per pixel."""
    part = each_file("bsd68", BSD68, partial(_eight_bits, (_SEED,), partial(_mixture, salt=0.5)), _BSD68_MIXTURE_SP)
    return Benchmark("The mixture with salt and pepper: a lost pixel becomes black or white, half each.", (part,))


def cbsd68_mixture() -> Benchmark:
    """The same draws in colour: normals per channel, drops per pixel."""
    part = each_file("cbsd68", CBSD68, partial(_eight_bits, (_SEED,), _mixture), _CBSD68_MIXTURE)
    return Benchmark("The mixture in colour: a lost pixel is black in all its channels.", (part,))


def bsd68_mixture3() -> Benchmark:
    """Generator [20200219, i]: poisson of the clean picture, then the mixture with its draws."""
    part = each_file("bsd68", BSD68, partial(_eight_bits, (20200219,), _mixture3))
    return Benchmark(
        "Three noises: poisson, then gaussian of sigma U[0, 55], then drops with p U[0, 0.2], 8-bit.", (part,)
    )


def _singles() -> dict[str, NoiseClass]:
    found = {}
    for one in TABLES["table1"]:
        if one.nature:
            found[one.name.replace(" ", "-")] = one
        if one.nature == "bernoulli":
            found["salt-and-pepper"] = replace(one, nature="salt-and-pepper")
    return found


SINGLES = _singles()
"""The noisy classes of NoiseBreaker's table 1, bernoulli in both variants."""


def bsd68_single() -> Benchmark:
    """One class after the other; generator [20200220, number of the class, i]; the level uniform in its range comes first."""
    parts = tuple(
        each_file(name, BSD68, partial(_eight_bits, (20200220, number), partial(_single, one)))
        for number, (name, one) in enumerate(SINGLES.items())
    )
    return Benchmark(
        "Each class of noise of NoiseBreaker's table 1 alone, its level uniform in the class's range, 8-bit.", parts
    )


def _single(one: NoiseClass, x: Pixels, rng: Generator) -> tuple[Pixels, dict[str, object]]:
    level = rng.uniform(one.low, one.high)
    natures = (one.nature,) if one.nature else ()
    info: dict[str, object] = {"nature": one.nature, "natures": natures, "level": level}
    if one.nature == "gaussian":
        info["sigma"] = level
    return resolve(NOISES, one.nature, "noise").at(level).sample(x, rng) if one.nature else x, info


CROP = 224
"""Side of the crops whose noise is judged, as in the paper; smaller pictures are taken whole."""
_CROPS = 200  # of each class
_TABLE1 = "04a2c32b50b8bae8c428358ccf9fd85fa1bc76682e8615a5ab5833e64db30b96"
_SALT_AND_PEPPER = "8a80a9e180c30b656dd6973f10934ccb278475dc956f0d92a59c9fcea75265c2"


def noisebreaker_classes() -> Benchmark:
    """Crops to sort by their noise, 200 of each class; crop n of class c (number in `confusion.CLASSES`) by [20200221, c, n].

    Drawn are the picture out of BSD68, Set12 and Kodak24, one set after the other, top and left, the level, then the noise.
    "salt-and-pepper" has the draws of bernoulli. Of "table1" every class comes once before any comes again.
    """
    natures = [one.nature for one in CLASSES]
    bernoulli, camera = natures.index("bernoulli"), natures.index("camera")
    parts = (
        _crops("table1", dict(enumerate(TABLES["table1"])), _TABLE1),
        _crops("salt-and-pepper", {bernoulli: SINGLES["salt-and-pepper"]}, _SALT_AND_PEPPER),
        _crops("camera", {camera: CLASSES[camera]}),
    )
    about = (
        "Gray 224x224 crops to sort by their noise, 200 of each class of NoiseBreaker's table 1 (accuracy in the paper: 0.84), "
        "then 200 with salt and pepper, to be called bernoulli, and 200 with camera noise, which not every classifier knows; 8-bit."
    )
    return Benchmark(about, parts, class_score, class_summary, "classes")


def _crops(name: str, noises: dict[int, NoiseClass], sha256: str = "") -> Part:
    """A part with `_CROPS` of each noise, given by the number of its class."""
    return Part(name, (BSD68, SET12, KODAK24), partial(_crop, tuple(noises.items())), _CROPS * len(noises), sha256)


def _crop(noises: tuple[tuple[int, NoiseClass], ...], index: int, files: Sequence[Path]) -> Sample:
    n, place = divmod(index, len(noises))
    number, one = noises[place]
    rng = default_rng([20200221, number, n])
    path = files[int(rng.integers(len(files)))]
    picture = _gray(path)
    top, left = (rng.integers(max(side - CROP, 0) + 1) for side in picture.shape[:2])
    clean = as_floats(Image(picture[top : top + CROP, left : left + CROP])).astype(np.float32)
    noisy, info = _single(one, clean, rng)
    name = f"{n:03d}-{number:02d} {one.name}, {path.name}"
    return Sample(name, _eight_bit_image(noisy), clean, {**info, "class": number})


@lru_cache(maxsize=128)  # each is the source of some twenty crops, and decoding takes longer than all else
def _gray(path: Path) -> NDArray[np.uint8]:
    """A picture in gray, colours weighed by Rec. 601."""
    pixels = _eight_bit_photo(path).pixels
    if pixels.shape[2] == 1:
        return pixels
    return np.asarray(Pillow.fromarray(pixels).convert("L"))[..., None]


def bsd68_clean() -> Benchmark:
    """Pictures without noise, which a system should leave as they are."""
    part = each_file("bsd68", BSD68, partial(_eight_bits, (0,), lambda x, _: (x, {"natures": (), "sigma": 0.0})))
    about = "Clean pictures: how many of them a system leaves the same, and how it changes the others; 100 dB stands for nothing."
    return Benchmark(about, (part,), clean_score, clean_summary)


def bsd68_spatial() -> Benchmark:
    """Noise that differs over the picture; both parts by generator [20200218, i], each from its beginning.

    "scattered": one uniform per pixel chooses uniform ±50 (10%), gaussian sigma 35 (20%) or sigma 10 (70%); then the three noises
    are drawn for the whole picture in this order. "halves": gaussian sigma 30 for the whole picture, then drops of p 0.15;
    columns below W // 2 take the first, the others the second.
    """
    parts = (
        each_file("scattered", BSD68, partial(_eight_bits, (20200218,), _scattered)),
        each_file("halves", BSD68, partial(_eight_bits, (20200218,), _halves)),
    )
    about = "Noise that changes over the picture: 10% uniform, 20% and 70% gaussian pixels; half gaussian, half drops; 8-bit."
    return Benchmark(about, parts)


def _scattered(x: Pixels, rng: Generator) -> tuple[Pixels, dict[str, object]]:
    choice = rng.random(x.shape)
    uniform, strong, weak = (nature.sample(x, rng) for nature in (Uniform(50), Gaussian(35), Gaussian(10)))
    return np.where(choice < 0.1, uniform, np.where(choice < 0.3, strong, weak)), {"natures": ("uniform", "gaussian")}


def _halves(x: Pixels, rng: Generator) -> tuple[Pixels, dict[str, object]]:
    noisy: Pixels = Gaussian(30).sample(x, rng)
    lost: Pixels = Bernoulli(0.15).sample(x, rng)
    left = np.arange(x.shape[1])[None, :, None] < x.shape[1] // 2
    return np.where(left, noisy, lost), {"natures": ("gaussian", "bernoulli")}


def polyu() -> Benchmark:
    """Real pairs: one shot, and the mean of many."""
    return Benchmark(
        "Real camera noise in JPEGs: one shot against the mean of many, three cameras.",
        (each_file("polyu", POLYU, _polyu),),
    )


def _polyu(index: int, path: Path) -> Sample:  # noqa: ARG001
    truth = path.with_name(path.name.replace("_real", "_mean"))
    return Sample(path.name, read_photo(path), _clean(truth), {"natures": ("camera",)})
