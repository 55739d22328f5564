"""Who is compared on bursts: merges without learning, KPN and its ablations, and denoisers of single raws on one frame."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from quietlight.camera.bayer import average
from quietlight.evaluate.burst_sample import Merged
from quietlight.evaluate.peers import NOT_TRAINED, Peer, never, peer, weights_of_ours
from quietlight.evaluate.raw_sample import reference_of
from quietlight.evaluate.sample import Output, Sample
from quietlight.frames import Burst, Floats, RawFrame, UnusableInput
from quietlight.systems import Result, merge
from quietlight.systems.bursts import raws_of
from quietlight.systems.kpn import kpn as run_kpn
from quietlight.systems.kpn_seen import see
from quietlight.systems.merge_fan import hdrplus_fan
from quietlight.systems.merge_kpn import hdrplus_kpn
from quietlight.zoo import Weights


def burst_in(sample: Sample) -> Burst:
    """The input of a system for bursts. Raises UnusableInput for others."""
    if not isinstance(sample.input, Burst):
        raise UnusableInput("takes bursts only")
    return sample.input


def reference(name: str, _: str) -> Peer:
    """The reference as it is."""
    return Peer(name, "the reference frame alone, noisy", reference_of)


_ALIGNED = "-aligned"
_UNALIGNED = "-unaligned"


def mean(name: str, _: str) -> Peer:
    """The plain mean, of frames as they are or aligned."""
    aligned = name.endswith(_ALIGNED)
    about = "the mean of the aligned frames" if aligned else "the mean of the frames as they are"
    return Peer(name, about, lambda sample: merge.mean(burst_in(sample), aligned=aligned))


def mean_oracle(name: str, _: str) -> Peer:
    """The mean of frames that lie on each other: what merging can reach that only averages."""

    def run(sample: Sample) -> RawFrame:
        if "aligned" not in sample.info:
            raise UnusableInput("an oracle of alignment needs bursts whose aligned frames are known")
        return average(sample.info["aligned"])

    return Peer(name, "the mean of frames that lie on each other", run)


_MERGES: dict[str, tuple[str, dict[str, Any]]] = {
    "hdrplus": ("HDR+: aligned frames merged tile by tile", {}),
    "hdrplus-whole": ("the same, frames moved by whole pixels of a plane", {"subpixel": False}),
    "hdrplus-unaligned": ("the same, frames not aligned", {"aligned": False}),
    "hdrplus-authors": (
        "HDR+ as the authors of KPN ran it: not aligned, their c",
        {"aligned": False, "tuning": merge.AUTHORS_TUNING},
    ),
}
"""Name -> what it is, and arguments of the system."""


def hdrplus(name: str, _: str) -> Peer:
    """The merge of HDR+."""
    about, arguments = _MERGES[name]
    return Peer(name, about, lambda sample: merge.hdrplus(burst_in(sample), **arguments).frame)


def alone(name: str, weights: str) -> Peer:
    """A denoiser of single raws, which gets the reference alone."""
    single = peer(f"{name}={weights}" if weights else name, "raws")

    def run(sample: Sample) -> Output:
        return single.run(replace(sample, input=reference_of(sample)))

    return replace(single, name=name, about=f"the reference alone: {single.about}", run=run)


def merged(name: str, weights: str) -> Peer:
    """A denoiser of single raws, "hdrplus-" before its name, which gets what HDR+ merged and is told what noise is left."""
    inner = name.removeprefix("hdrplus-")
    single = peer(f"{inner}={weights}" if weights else inner, "raws")
    net = single.weights
    if net is None:  # is not trained
        return replace(single, name=name)
    return replace(
        single,
        name=name,
        about=f"HDR+, then {single.about}",
        run=lambda sample: hdrplus_fan(burst_in(sample), weights=net).frame,
    )


_KPNS: dict[str, str] = {
    "kpn": "KPN for raws",
    "kpn-gray": "KPN on gray bursts",
    "kpn-short": "KPN, trained for 3,000 steps like all below",
    "kpn-1-frame": "the reference alone",
    "kpn-unannealed": "no loss of single frames",
    "kpn-blind": "not told the noise",
    "kpn-direct": "pixels instead of kernels",
}
"""Weights -> what they are."""


def kpn(name: str, weights: str) -> Peer:
    """KPN with the weights of a name, or with others; "-unaligned" behind it for frames as they are."""
    aligned = not name.endswith(_UNALIGNED)
    own = name.removesuffix(_UNALIGNED)
    about = _KPNS.get(own, "a network for bursts") + ("" if aligned else ", frames not aligned")
    found = weights_of_ours(weights or own, asked=bool(weights))
    if found is None:
        return Peer(name, about, never, absent=NOT_TRAINED)
    return Peer(name, about, lambda sample: _merged_by(burst_in(sample), found, aligned), found)


def merged_by_kernels(name: str, weights: str) -> Peer:
    """KPN with the weights of a name, "hdrplus-" before it, and what HDR+ gives back of what they smoothed away."""
    own = name.removeprefix("hdrplus-")
    found = weights_of_ours(weights or own, asked=bool(weights))
    about = f"{_KPNS[own]}, and what HDR+ gives back"
    if found is None:
        return Peer(name, about, never, absent=NOT_TRAINED)
    return Peer(name, about, lambda sample: hdrplus_kpn(burst_in(sample), weights=found).frame, found)


def _merged_by(burst: Burst, weights: Weights, aligned: bool) -> Result:
    result = run_kpn(burst, weights=weights, aligned=aligned)
    if weights.arguments.get("direct"):  # has no kernels
        return result
    return Merged(result.frame, result.record, masses=partial(_masses, burst, weights, aligned))


def _masses(burst: Burst, weights: Weights, aligned: bool) -> Floats:
    """The masses of the kernels of every frame, the reference first; none of frames that the network did not get."""
    seen = see(raws_of(burst, "kpn"), weights, aligned)
    kernels = seen.kernels(slice(None), slice(None))
    masses = np.zeros((len(burst.frames), *kernels.shape[3:]), np.float32)
    masses[seen.used] = kernels.sum(axis=(1, 2))
    return masses
