"""The state of a training <-> safetensors files: parameters, their average, the optimiser's moments, and the step.

Everything random follows from (seed, step), so no generator needs to be kept. Nothing is unpickled.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from quietlight import zoo
from quietlight.frames import UnusableInput
from quietlight.train import recipe as recipes
from quietlight.train.recipe import Recipe

KEPT = 2


def save(
    folder: Path, recipe: Recipe, step: int, network: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> Path:
    """Write `step-*.safetensors` beside and rename it; the last `KEPT` stay. Raises UnusableInput where it cannot be written."""
    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in average.state_dict().items()}
    for index, parameter in enumerate(_parameters(optimiser)):
        tensors |= {f"optimiser.{index}.{key}": value for key, value in optimiser.state[parameter].items()}
    path = folder / f"step-{step:08d}.safetensors"
    arrays = {key: value.detach().cpu().numpy() for key, value in tensors.items()}
    zoo.store(path, arrays, {"step": str(step), "recipe": recipe.to_json()})
    for old in sorted(folder.glob("step-*.safetensors"))[:-KEPT]:
        old.unlink()
    return path


def latest(folder: Path) -> Path | None:
    """The newest checkpoint of a run that opens; one cut short by a failing disk is passed over."""
    for path in sorted(folder.glob("step-*.safetensors"), reverse=True):
        try:
            with safe_open(path, "pt"):
                return path
        except SafetensorError:
            continue
    return None


def restore(
    path: Path, recipe: Recipe, network: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> int:
    """Load a checkpoint into a training of the same recipe (see `recipe.differences`), and return its step.

    Raises UnusableInput where the recipe is another one, naming the keys, and for files that are no checkpoint.
    """
    with safe_open(path, "pt") as file:
        metadata: dict[str, str] = file.metadata() or {}
        if not {"step", "recipe"} <= set(metadata):
            raise UnusableInput(f"{path}: not a checkpoint of ours")
        if changed := recipes.differences(recipes.from_json(metadata["recipe"]), recipe):
            raise UnusableInput(
                f"{path}: this training differs from the recipe in {', '.join(changed)}: give another --out, or its own recipe"
            )
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    network.load_state_dict(_part(tensors, "network."))
    average.load_state_dict(_part(tensors, "average."))
    parameters = _parameters(optimiser)
    for key, value in _part(tensors, "optimiser.").items():
        index, _, name = key.partition(".")
        parameter = parameters[int(index)]
        # Moments take the memory layout of their parameter, as fresh ones do, so that the arithmetic is the same.
        laid_out = value if name == "step" else torch.empty_like(parameter).copy_(value)
        optimiser.state[parameter][name] = laid_out.detach()
    return int(metadata["step"])


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
