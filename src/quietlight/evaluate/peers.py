"""Who is compared: our systems, oracles, networks of the zoo, and other people's methods, which are in `others`.

A peer is made by `peer(spec)` from a name of SYSTEMS or PEERS, or of the peers of another kind of benchmark; from
`NAME=WEIGHTS`, which gives a peer other weights than those of its own name; or from a weights file alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from quietlight import __version__, zoo
from quietlight.analysis.classify import CLASSIFIER
from quietlight.analysis.judgement import Judgement
from quietlight.evaluate import BURST_PEERS, CLASSIFIERS, LOOK_PEERS, OPERATORS, PEERS, RAW_PEERS
from quietlight.evaluate.sample import Kind, Output, Sample
from quietlight.frames import Array, Frame, Image, RawFrame, UnusableInput
from quietlight.noise.classes import NoiseClass
from quietlight.registry import resolve
from quietlight.systems import LOOKS, OF_BURSTS, SYSTEMS, Result, impulses
from quietlight.systems.network import network as run_network
from quietlight.systems.noisebreaker import noisebreaker as run_noisebreaker
from quietlight.systems.primaries import POOLS, primary, weights_of
from quietlight.zoo import Weights

NOT_TRAINED = "not trained"


@dataclass(frozen=True)
class Peer:
    """One row of a table.

    Args:
        run: sample -> result. Only oracles look at more than the sample's input. Raises UnusableInput for inputs of another kind.
        weights: of the network that it runs, if any.
        pool: channels of a photo -> weights of the networks that it chooses from, photo by photo.
        alone: whether of the pool one network runs alone, apart from the borders of their ranges.
        absent: why it cannot run, such as "not trained"; empty where it can.
    """

    name: str
    about: str
    run: Callable[[Sample], Output]
    weights: Weights | None = None
    pool: dict[int, tuple[Weights, ...]] = field(default_factory=dict)
    alone: bool = False
    absent: str = ""

    def used(self, channels: int) -> tuple[Weights, ...]:
        """All weights that a result for a photo of so many channels may depend on."""
        return (*([self.weights] if self.weights else []), *self.pool.get(channels, ()))

    def fingerprint(self, channels: int) -> str:
        """What a stored result of it depends on."""
        return " ".join([__version__, *(weights.sha256[:16] for weights in self.used(channels))])


def names(kind: Kind = "photos") -> list[str]:
    """Every peer and system of a kind, in the order of the rows."""
    if kind == "photos":
        return [*PEERS, *(name for name in SYSTEMS if name not in (*PEERS, *RAW_PEERS, *OF_BURSTS, *LOOKS))]
    return list(_REGISTRIES[kind][0])


def peer(spec: str, kind: Kind = "photos") -> Peer:
    """The peer of a name, of NAME=WEIGHTS, or of a weights file. Raises UnusableInput for those unknown among its kind."""
    name, _, weights = spec.partition("=")
    registry, alone = _REGISTRIES[kind]
    if name.endswith(".safetensors"):
        made: Peer = resolve(registry, alone, "system")(Path(name).name, name)
        return made
    if name in registry:
        made = resolve(registry, name, "system")(name, weights)
        return replace(made, name=f"{name}={Path(weights).name}") if weights else made
    if name not in names(kind):
        raise UnusableInput(f"unknown system {name!r}: it is one of {', '.join(names(kind))}, or a .safetensors file")
    return _system(name)


def photo_of(sample: Sample) -> Image:
    """The input of a system for photos. Raises UnusableInput for others."""
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
        result: Frame = run(photo_of(sample), sample.info["sigma"]).frame
        return result

    return Peer(name, "the same, told the true sigma", with_sigma)


def network(name: str, weights: str) -> Peer:
    """One network of the zoo, or of a file."""
    found = weights_of_ours(weights or name, asked=bool(weights))
    if found is None:
        return Peer(name, "network", never, absent=NOT_TRAINED)
    return Peer(name, f"network {found.network}", lambda sample: run_network(photo_of(sample), found).frame, found)


def chain(name: str, weights: str) -> Peer:
    """The untrained chain: isolated impulses found by rule and filled, then our blind network for gaussian noise."""
    return _chain(name, weights, "impulses found by rule, filled, then a network for gaussian noise", _found_mask)


def chain_oracle(name: str, weights: str) -> Peer:
    """The chain, told which pixels were hit."""
    return _chain(name, weights, "the chain, told which pixels were hit", _true_mask)


def _chain(name: str, weights: str, about: str, find: Callable[[Sample], Array]) -> Peer:
    found = weights_of_ours(weights or "unet-gray", asked=bool(weights))
    if found is None:
        return Peer(name, about, never, absent=NOT_TRAINED)

    def run(sample: Sample) -> Frame:
        image = photo_of(sample)
        filled = replace(image, pixels=impulses.fill(image.pixels, find(sample)))
        return run_network(filled, found).frame

    return Peer(name, about, run, found)


def _found_mask(sample: Sample) -> Array:
    return impulses.detect(photo_of(sample).pixels)


def _true_mask(sample: Sample) -> Array:
    if "mask" not in sample.info:
        raise UnusableInput("an oracle of impulses needs noise that has some")
    return np.asarray(sample.info["mask"])


def weights_of_ours(name: str, asked: bool) -> Weights | None:
    """Weights by name; None where they were never trained, unless a user asked for just these."""
    return zoo.read(name) if asked or name in zoo.names() else None


_NOISEBREAKERS: dict[str, tuple[str, dict[str, Any]]] = {
    "noisebreaker": ("gradual denoising: find the dominating noise, remove it, look again", {}),
    "noisebreaker-natures": (
        "the same, six types without ranges of levels",
        {"classifier": "noise-classifier-natures"},
    ),
    "noisebreaker-fine-bernoulli": (
        "the same, two ranges of bernoulli",
        {"classifier": "noise-classifier-fine-bernoulli"},
    ),
    "noisebreaker-one-crop": ("the same, one crop decides instead of many votes", {"across": 1}),
    "noisebreaker-unchained": ("the same, primaries that never saw a chain", {"pool": "untrained-for-chains"}),
    "noisebreaker-dncnn": ("the same, with the paper's primaries", {"pool": "dncnn"}),
    "noisebreaker-local": ("the same, with a decision for each region of the picture", {"local": True}),
}
"""Name -> what it is, and arguments of the system: those that find the noise by themselves."""


def noisebreaker(name: str, weights: str) -> Peer:
    """Gradual denoising, with the classifier of `weights`; without its fallback, whose rate is told by "unsure" in the record."""
    about, changed = _NOISEBREAKERS[name]
    arguments = {"pool": "default", "classifier": CLASSIFIER, **changed}
    found, pool = weights_of_ours(weights or arguments["classifier"], asked=bool(weights)), _pool(arguments["pool"])
    if found is None or not pool:
        return Peer(name, about, never, absent=NOT_TRAINED)

    def run(sample: Sample) -> Result:
        return run_noisebreaker(photo_of(sample), fallback=False, **{**arguments, "classifier": found})

    return Peer(name, about, run, found, pool)


def noisebreaker_p(name: str, weights: str) -> Peer:
    """The same with a perfect classifier (Lemarchand et al. 2020, section 4.2): told which noises struck, and in which order."""
    if weights:
        raise UnusableInput(f"{name} is told which noises there are, so it takes no weights of a classifier")
    about, pool = "the same, told which noises struck", _pool("default")
    if not pool:
        return Peer(name, about, never, absent=NOT_TRAINED)

    def run(sample: Sample) -> Result:
        if "natures" not in sample.info:
            raise UnusableInput("whoever is told the noise needs samples that know theirs")
        return run_noisebreaker(photo_of(sample), truth=removals(sample.info["natures"], "default"))

    return Peer(name, about, run, pool=pool)


def removals(natures: Sequence[str], pool: str) -> list[str]:
    """Natures in the order in which they struck -> those to remove, in this order: the last first, and no denoiser twice."""
    by_denoiser: dict[str, str] = {}
    for nature in reversed(natures):
        by_denoiser.setdefault(primary(pool, NoiseClass(nature)), nature)
    return list(by_denoiser.values())


def _pool(name: str) -> dict[int, tuple[Weights, ...]]:
    """Channels of a photo -> the denoisers of a pool; nothing where some were not trained."""
    denoisers = sorted(set(POOLS.get(name, {}).values()))
    if not denoisers or any(f"{denoiser}-gray" not in zoo.names() for denoiser in denoisers):
        return {}
    return {channels: tuple(weights_of(denoiser, channels) for denoiser in denoisers) for channels in (1, 3)}


_CLASSIFIERS: dict[str, str] = {
    "noise-classifier": "our classifier: Table 1 and camera noise",
    "noise-classifier-table1": "the same, for ablation, of Table 1 alone",
    "noise-classifier-natures": "the same with six types for its classes; scored by type alone",
    "noise-classifier-fine-bernoulli": "the same with two ranges of bernoulli, which are scored as one class",
    "noise-classifier-no-levels": "the same, which never learnt how strong noise is",
    "mobilenet": "the paper's pure MobileNetV2",
}
"""Name -> what it is."""


def noise_classifier(name: str, weights: str) -> Peer:
    """A classifier of noise, by its own name or with other weights."""
    about = _CLASSIFIERS.get(name, "a classifier of noise")
    found = weights_of_ours(weights or name, asked=bool(weights))
    if found is None:
        return Peer(name, about, never, absent=NOT_TRAINED)

    def run(sample: Sample) -> Judgement:
        from quietlight.analysis.classify import classify

        return classify(photo_of(sample), found)

    return Peer(name, about, run, found)


_RAWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "fan-teacher": ("the large network that FAN learns from", ()),
    "fan-plus": ("FAN in the size for quality", ()),
    "fan": ("FAN at the paper's budget", ()),
    "fan-short": ("FAN, trained for 3,000 steps like all below", ()),
    "fan-concatenate": ("the noisy picture concatenated instead of aligned", ()),
    "fan-unmatched": ("no feature matching", ()),
    "fan-teacher-matched": ("features matched with those of the teacher's output", ()),
    "fan-k-sigma": ("told the noise by the k-sigma transform", ()),
    "fan-blind": ("not told the noise", ()),
    "fan-linear": ("trained on differences in linear light", ()),
    "fan-r2": ("two networks for subranges of the noise", ("fan-r2-1", "fan-r2-2")),
    "fan-r4": ("four networks for subranges of the noise", ("fan-r4-1", "fan-r4-2", "fan-r4-3", "fan-r4-4")),
}
"""Name -> what it is, and the networks of its subranges, where it is not one of its own name."""


def raw_network(name: str, weights: str) -> Peer:
    """Networks for raws, run as `systems.fan` runs them."""
    about, parts = _RAWS.get(name, ("a network for raws", ()))
    found = [weights_of_ours(part, asked=bool(weights)) for part in (() if weights else parts) or (weights or name,)]
    nets = tuple(net for net in found if net is not None)
    if len(nets) < len(found):
        return Peer(name, about, never, absent=NOT_TRAINED)
    run: Any = resolve(SYSTEMS, "fan", "system")

    def denoise(sample: Sample) -> Frame:
        result: Frame = run(raw_of(sample), weights=nets).frame
        return result

    if len(nets) == 1:
        return Peer(name, about, denoise, nets[0])
    return Peer(name, about, denoise, pool={1: nets}, alone=True)


def raw_of(sample: Sample) -> RawFrame:
    """The input of a system for raws. Raises UnusableInput for others."""
    if not isinstance(sample.input, RawFrame):
        raise UnusableInput("takes raws only")
    return sample.input


_REGISTRIES: dict[Kind, tuple[dict[str, str], str]] = {
    "photos": (PEERS, "unet-gray"),
    "classes": (CLASSIFIERS, "noise-classifier"),
    "raws": (RAW_PEERS, "fan"),
    "bursts": (BURST_PEERS, "kpn"),
    "looks": (LOOK_PEERS, "cameranet-short"),
    "operators": (OPERATORS, "enhancement"),
}
"""Kind -> its peers by name, and that of them which a weights file alone is run like."""


def never(sample: Sample) -> Frame:
    """What an absent peer would run."""
    raise UnusableInput(f"{sample.name}: this system cannot run")
