"""Prints what merging a burst by KPN costs, and what of it goes where: a Markdown table of seconds, and the peak memory.

Usage: python tools/burst_speed.py [--frames 8] [--megapixels 12] [--threads 2] [--weights NAME]

The burst is made: one scene, moved by some pixels from frame to frame, with shot noise 4e-3. Without --weights the network of
recipes/kpn.toml runs with random ones, which takes as long. CPU seconds are those of the process in all its threads; the memory is
that of the whole process, the burst and all libraries included.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from quietlight import engine, zoo
from quietlight.evaluate import speed_frames
from quietlight.networks import NETWORKS
from quietlight.networks import kpn as network
from quietlight.registry import build
from quietlight.systems import bursts, kpn_seen
from quietlight.systems.kpn import kpn
from quietlight.train.recipe import load
from quietlight.zoo import Weights

STEPS = {
    "the sharpest frame": (bursts, "reference_of"),
    "aligning": (kpn_seen, "located"),
    "moving": (kpn_seen, "stacked"),
    "network and kernels": (engine, "run"),
    "of it, filtering by the kernels": (network, "filtered"),
    "of it, enlarging features and kernels": (network, "_enlarged"),
}
"""What is timed -> where it stands."""
SEED = 12


def random_weights(folder: Path) -> Weights:
    """Of the network that the recipe of raws trains."""
    recipe = load(Path(__file__).parents[1] / "recipes" / "kpn.toml")
    torch.manual_seed(SEED)
    fresh: Any = build(NETWORKS, recipe.network.name, "network", recipe.network.arguments)
    data = json.dumps({"data": {"name": recipe.data.name, "arguments": recipe.data.arguments}})
    path = folder / "kpn-random.safetensors"
    facts = {"multiple": str(fresh.multiple), "recipe": data}
    zoo.save(path, recipe.network.name, recipe.network.arguments, fresh.state_dict(), facts)
    return zoo.read(str(path))


def watched(work: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """The same, adding up its CPU and wall seconds in `spent`."""

    def run(*arguments: Any, **more: Any) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        result = work(*arguments, **more)
        spent[0] += time.process_time() - cpu
        spent[1] += time.perf_counter() - wall
        return result

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", help="of the zoo, or a file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    burst = speed_frames.burst(options.megapixels, options.frames)
    with tempfile.TemporaryDirectory() as folder:
        weights = zoo.read(options.weights) if options.weights else random_weights(Path(folder))
    total = [0.0, 0.0]
    spent = {name: [0.0, 0.0] for name in STEPS}
    for name, (module, attribute) in STEPS.items():
        setattr(module, attribute, watched(getattr(module, attribute), spent[name]))
    result = watched(kpn, total)(burst, weights=weights)
    print(f"{options.frames} frames of {burst.frames[0].mosaic.size / 1e6:.1f} megapixels, {options.threads} threads, ")
    print(
        f"{len(result.record['used'])} used; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB\n"
    )
    print("| step | CPU s | wall s | share of CPU |\n| --- | ---: | ---: | ---: |")
    for name, (cpu, wall) in {**spent, "all": total}.items():
        print(f"| {name} | {cpu:.1f} | {wall:.1f} | {cpu / total[0]:.0%} |")


if __name__ == "__main__":
    main()
