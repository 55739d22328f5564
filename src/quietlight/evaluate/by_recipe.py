"""Weights, scored as their own recipe scores them, whatever computes them: so small losses of an engine are seen.

Pictures are crops of a few photos that no training reads, with the noise that the recipe names, the same at every call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quietlight.data import DATASETS
from quietlight.frames import UnusableInput
from quietlight.registry import build
from quietlight.train import recipe as recipes
from quietlight.train.objectives import OBJECTIVES, Batch, Objective
from quietlight.train.recipe import Recipe
from quietlight.zoo import Weights

Compute = Callable[..., NDArray[np.float32]]
PICTURES = "cbsd68"
"""Every sixteenth of them, as of all folders that are for validation."""
_SEED = 20271204


def held_out(weights: Weights, samples: int) -> tuple[str, list[Batch]]:
    """The folder of pictures, and batches of one sample each: of PICTURES, or, where these are too small, of the recipe's own.

    Raises UnusableInput where pictures are missing, or the weights do not carry their recipe.
    """
    recipe = _recipe(weights)
    own = str(recipe.data.arguments["source"])
    try:
        return PICTURES, _batches(recipe, samples, validation=True, held_out=PICTURES)
    except UnusableInput:
        return own, _batches(recipe, samples, validation=True)


def learnt_from(weights: Weights, samples: int) -> list[Batch]:
    """Batches of one sample each, of the pictures that the weights learnt from."""
    return _batches(_recipe(weights), samples, validation=False)


def inputs_seen(weights: Weights, batches: list[Batch]) -> list[list[NDArray[np.float32]]]:
    """What the network is given of every batch."""
    seen: list[list[NDArray[np.float32]]] = []

    def watch(*arrays: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(list(arrays))
        return arrays[0][:, 0] if arrays[0].ndim == 5 else arrays[0]  # something of the shape of a result

    score(weights, watch, batches)
    return seen


def score(weights: Weights, compute: Compute, batches: list[Batch]) -> float:
    """The mean score of these batches: dB for all networks that make pictures."""
    part = _recipe(weights).objective
    # Recipes in weights name others by the file that they were in, which the zoo may hold now.
    arguments = {k: v.removesuffix(".safetensors") if isinstance(v, str) else v for k, v in part.arguments.items()}
    objective: Objective = build(OBJECTIVES, part.name, "objective", arguments)

    def network(*inputs: Tensor) -> Tensor:
        return torch.from_numpy(np.array(compute(*(x.contiguous().numpy() for x in inputs)), np.float32))

    return float(np.mean([float(objective.score(cast(nn.Module, network), batch)) for batch in batches]))


def _recipe(weights: Weights) -> Recipe:
    return recipes.from_json(weights.metadata.get("recipe", ""))


def _batches(recipe: Recipe, samples: int, validation: bool, **changed: Any) -> list[Batch]:
    arguments = {**recipe.data.arguments, **changed}
    device = torch.device("cpu")
    data: Any = build(DATASETS, recipe.data.name, "data", arguments, device=device, validation=validation)
    return [data.batch(_SEED, [index]) for index in range(samples)]
