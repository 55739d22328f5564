"""Prints how fast each recipe's samples are made. A device that learns from more per second, as a training tells, waits for data.

Usage: QUIETLIGHT_DATA=... python tools/data_speed.py [RECIPE.toml...] [--device cuda] [--batches 5]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch

from quietlight.data import DATASETS
from quietlight.frames import UnusableInput
from quietlight.registry import build
from quietlight.train.recipe import Recipe, load


def rate(recipe: Recipe, device: torch.device, batches: int) -> float:
    """Samples per second of a recipe's data, on one stream of the device; the first batch is not counted."""
    given = {"device": device, "validation": False}
    data: Any = build(DATASETS, recipe.data.name, "data", recipe.data.arguments, **given)
    begin = 0.0
    for number in range(batches + 1):
        samples = data.batch(recipe.seed, range(number * recipe.batch, (number + 1) * recipe.batch))
        float(samples["input"].sum())  # waits for the device
        begin = begin or time.perf_counter()
    return batches * recipe.batch / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batches", type=int, default=5)
    arguments = parser.parse_args()
    print("| recipe | samples per second |\n| --- | ---: |")
    for path in arguments.recipes or sorted(Path("recipes").glob("*.toml")):
        try:
            print(
                f"| {path.stem} | {rate(load(path), torch.device(arguments.device), arguments.batches):.0f} |",
                flush=True,
            )
        except UnusableInput as error:
            print(f"| {path.stem} | {error} |", flush=True)


if __name__ == "__main__":
    main()
