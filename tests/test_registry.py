"""Every name of every registry leads to something, and what cannot be called so is refused in one line."""

import pytest

from quietlight.data import DATASETS
from quietlight.data.sets import LAYOUTS
from quietlight.engine import ENGINES, installed
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.noise import NOISES
from quietlight.registry import build, resolve
from quietlight.systems import LOOKS, SYSTEMS
from quietlight.train.objectives import OBJECTIVES

REGISTRIES = {
    "network": NETWORKS,
    "noise": NOISES,
    "data": DATASETS,
    "layout": LAYOUTS,
    "objective": OBJECTIVES,
    "engine": ENGINES,
    "system": SYSTEMS,
    "look": LOOKS,
}
ENTRIES = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_name_resolves(kind, name):
    if kind == "engine" and name not in installed():
        pytest.skip(f"{name} is not installed")
    assert callable(resolve(REGISTRIES[kind], name, kind))


@pytest.mark.parametrize("kind", REGISTRIES)
def test_an_unknown_name_is_refused_with_the_known_ones(kind):
    with pytest.raises(UnusableInput, match=f"unknown {kind} 'x': it is one of {next(iter(REGISTRIES[kind]))}"):
        resolve(REGISTRIES[kind], "x", kind)


def test_arguments_are_checked_before_the_call():
    registry = {"fraction": "fractions:Fraction", "gap": "quietlight.noise.natures:Gaussian"}
    assert build(registry, "gap", "noise", {"sigma": 5.0}).sigma == 5
    assert build(registry, "gap", "noise", {}, sigma=5.0).sigma == 5
    with pytest.raises(UnusableInput, match="unknown key level; known are sigma"):
        build(registry, "gap", "noise", {"level": 5.0})
    with pytest.raises(UnusableInput, match="unknown key sigma; known are none"):
        build(registry, "gap", "noise", {"sigma": 5.0}, sigma=6.0)
    with pytest.raises(UnusableInput, match="the key sigma is missing"):
        build(registry, "gap", "noise", {})
    with pytest.raises(UnusableInput, match="number 'fraction': "):
        build(registry, "fraction", "number", {"numerator": "a half"})
