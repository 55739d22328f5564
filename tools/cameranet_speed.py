"""Prints what CameraNet costs: its size, a step of each recipe, and developing a raw by it. Markdown tables.

Usage: QUIETLIGHT_DATA=... python tools/cameranet_speed.py [RECIPE.toml...] [--steps 10] [--megapixels 12.2] [--threads 1]

Seconds are those of the process on the CPU, in all its threads, so that what else runs on the machine hardly counts. The network
that develops has fresh parameters, and the frame is made; memory is the largest that the process had, all libraries included.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from quietlight import zoo
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.data import DATASETS
from quietlight.engine.costs import costs_of
from quietlight.networks import NETWORKS
from quietlight.networks.cameranet import PRESETS, CameraNet
from quietlight.registry import build
from quietlight.systems.cameranet import cameranet
from quietlight.train import distributed
from quietlight.train.objectives import OBJECTIVES
from quietlight.train.recipe import load


def sizes() -> None:
    print("| preset | parameters, M | GFLOP at 4032×3024 | of them per megapixel |\n| --- | ---: | ---: | ---: |")
    for name, arguments in PRESETS.items():
        costs = costs_of(SimpleNamespace(network="cameranet", arguments=arguments))  # type: ignore[arg-type]
        flops = 2 * costs.gmac
        print(f"| {name} | {costs.parameters / 1e6:.2f} | {flops * 4.032 * 3.024:.1f} | {flops:.1f} |", flush=True)


def step(path: Path, steps: int) -> tuple[float, float]:
    """Seconds of a recipe's step: for its samples, photos finished before, and for the network."""
    recipe, device = load(path), torch.device("cpu")
    network = build(NETWORKS, recipe.network.name, "network", recipe.network.arguments).to(
        memory_format=torch.channels_last
    )
    objective: Any = build(OBJECTIVES, recipe.objective.name, "objective", recipe.objective.arguments)
    given = {"device": device, "validation": False}
    data: Any = build(DATASETS, recipe.data.name, "data", recipe.data.arguments, **given)
    optimiser = torch.optim.AdamW(network.parameters())
    samples, computing = [], []
    for number in range(-2, steps):
        indices = range(max(number, 0) * recipe.batch, (max(number, 0) + 1) * recipe.batch)
        data.batch(recipe.seed, indices)
        begun = time.process_time()
        batch = data.batch(recipe.seed, indices)
        made = time.process_time()
        with distributed.precision(recipe.precision, device):
            objective(network, batch, 0.0)["total"].backward()
        optimiser.step()
        optimiser.zero_grad()
        if number >= 0:
            samples.append(made - begun)
            computing.append(time.process_time() - made)
    return float(np.mean(samples)), float(np.mean(computing))


def developing(megapixels: float) -> tuple[float, float]:
    """CPU seconds and GB."""
    with tempfile.TemporaryDirectory() as folder:
        network, path = CameraNet(**PRESETS["light"]), Path(folder) / "fresh.safetensors"
        recipe = json.dumps({"data": {"name": "isp", "arguments": {}}})
        facts = {"multiple": str(network.multiple), "reach": json.dumps(network.reach), "recipe": recipe}
        zoo.save(path, "cameranet", PRESETS["light"], network.state_dict(), facts)
        weights = zoo.read(str(path))
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4) / 48) * 48
    rows, columns = np.mgrid[:height, : height * 4 // 3].astype(np.float32)
    scene = 0.4 + 0.3 * np.stack([np.sin(rows / 300), np.cos(columns / 170), np.sin((rows + columns) / 90)], axis=-1)
    frame = unprocessed_frame(scene, fixed_camera("A"))
    begun = time.process_time()
    cameranet(frame, weights=weights)
    return time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", type=Path)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--megapixels", type=float, default=12.2)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    seconds, memory = developing(arguments.megapixels)
    sizes()
    print("\n| develop by light | CPU s | GB |\n| --- | ---: | ---: |")
    print(f"| {arguments.megapixels:g} megapixels | {seconds:.1f} | {memory:.2f} |", flush=True)
    print("\n| a step of | samples, s | network, s |\n| --- | ---: | ---: |")
    ours = [Path("recipes") / f"{name}.toml" for name in ("cameranet-restore", "cameranet-enhance", "cameranet")]
    for path in arguments.recipes or ours:
        made, computed = step(path, arguments.steps)
        print(f"| {path.stem} | {made:.3f} | {computed:.3f} |", flush=True)


if __name__ == "__main__":
    main()
