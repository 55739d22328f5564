"""A recipe: TOML of at most 30 lines -> frozen dataclasses, with unknown keys refused.

It travels as JSON inside the checkpoint and the weights' metadata.
"""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

from quietlight.frames import UnusableInput

OPTIMISERS = ("adam", "adamw")
SCHEDULES = ("cosine", "step", "constant")
PRECISIONS = ("auto", "float32", "bf16")
PLACES = ("source", "held_out")
"""Arguments of a data set that say where files lie on one machine."""
_WEIGHTS = ".safetensors"
FREE = ("about", "validate", "accumulate", "precision", *(f"data.{key}" for key in PLACES))
"""Keys that may change while a training rests, since other machines have other folders and other memory."""


def _one_of(key: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UnusableInput(f"{key} is one of {', '.join(choices)}, not {value!r}")


@dataclass(frozen=True)
class Part:
    """A named entry of a registry with its arguments: `{ name = "unet", width = 40 }`. What takes them checks them."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimiser:
    """Adam or AdamW and how its rate moves.

    Args:
        name: "adam" or "adamw" (decoupled weight decay).
        schedule: "cosine", "step" or "constant"; positions are fractions of the run, so that a shorter run keeps its shape.
        warmup: fraction of the run in which the rate rises linearly from 0.
        floor: the rate that "cosine" ends at, as a share of `rate`.
        milestones, factor: "step" multiplies the rate by `factor` at each of these fractions of the run.
        clip: largest norm of the gradient, 0 for none.
    """

    name: str = "adamw"
    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.01
    floor: float = 1e-3
    milestones: tuple[float, ...] = ()
    factor: float = 0.1
    clip: float = 1.0

    def __post_init__(self) -> None:
        _one_of("name", self.name, OPTIMISERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        if not 0 < self.rate < math.inf:
            raise UnusableInput(f"rate is above 0, not {self.rate}")
        if not 0 <= self.warmup < 1:
            raise UnusableInput(f"warmup is a fraction of the run, at least 0 and below 1, not {self.warmup}")

    def rate_at(self, share: float) -> float:
        """The learning rate when `share` of the run is done.

        >>> [Optimiser(rate=1.0, warmup=0.1, floor=0.0).rate_at(share) for share in (0.05, 0.1, 1.0)]
        [0.5, 1.0, 0.0]
        """
        if share < self.warmup:
            return self.rate * share / self.warmup
        if self.schedule == "constant":
            return self.rate
        if self.schedule == "step":
            return self.rate * self.factor ** sum(share >= m for m in self.milestones)
        done = (share - self.warmup) / (1 - self.warmup)
        return self.rate * (self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2)


@dataclass(frozen=True)
class Recipe:
    """What is trained on what, how, and for how long.

    Args:
        name: of the weights that come out.
        network, data, objective: entries of NETWORKS, DATASETS, OBJECTIVES.
        steps, batch: length of the run; samples per step, over all machines.
        accumulate: parts that a batch is cut into where it does not fit at once.
        seed: everything random follows from it.
        start: names of weights in the zoo, or files, to begin with: one, or several that hold different parts of the network;
            empty for fresh parameters.
        average: decay of the exponential moving average of the parameters, which is what is validated and kept.
        precision: "auto" (bf16 on GPUs, float32 elsewhere), "float32", or "bf16" (also on CPUs that have instructions for it).
        validate: steps between validations, which are when a checkpoint is written, too.
        about: a sentence for people.
    """

    name: str
    network: Part
    data: Part
    objective: Part
    steps: int
    batch: int = 16
    accumulate: int = 1
    seed: int = 0
    start: tuple[str, ...] = ()
    average: float = 0.999
    precision: str = "auto"
    validate: int = 1000
    optimiser: Optimiser = Optimiser()
    about: str = ""

    def __post_init__(self) -> None:
        if not self.name or Path(self.name).name != self.name:
            raise UnusableInput(f"name is the name of a file, without folders, not {self.name!r}")
        for key in ("steps", "batch", "accumulate", "validate"):
            if getattr(self, key) < 1:
                raise UnusableInput(f"{key} is at least 1, not {getattr(self, key)}")
        if self.seed < 0:
            raise UnusableInput(f"seed is at least 0, not {self.seed}")
        if not 0 <= self.average < 1:
            raise UnusableInput(f"average is at least 0 and below 1, not {self.average}")
        _one_of("precision", self.precision, PRECISIONS)

    def to_json(self) -> str:
        """One line of JSON that `from_json` takes back. Of places on this machine only the last name travels."""
        table = dataclasses.asdict(self)
        arguments = table["data"]["arguments"]
        arguments.update({key: Path(arguments[key]).name for key in PLACES if key in arguments})
        learnt = table["objective"]["arguments"]
        learnt.update({key: Path(value).name for key, value in learnt.items() if str(value).endswith(_WEIGHTS)})
        table["start"] = [Path(start).name for start in self.start]
        return json.dumps(table, sort_keys=True)


def load(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a TOML file. Raises UnusableInput for what is wrong in it.

    Args:
        overrides: each "a.b=value" with a value in TOML; a value that is not TOML is taken as text, since shells eat quotes.
    """
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read as a recipe: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path}: not a recipe in TOML: {error}") from error
    for override in overrides:
        _merge(table, _override(override))
    return parse(table, str(path))


def from_json(text: str) -> Recipe:
    """The recipe that travelled in a checkpoint or weights file. Raises UnusableInput where it is none."""
    try:
        table = json.loads(text)
        for name in ("network", "data", "objective"):
            part = table[name]
            table[name] = {"name": part["name"], **part["arguments"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInput(f"not a recipe that travelled with weights: {error}") from error
    return parse(table, "the recipe in this file")


def parse(table: Mapping[str, Any], where: str) -> Recipe:
    """A recipe from nested dicts. Raises UnusableInput for unknown, missing and ill-typed keys, naming the known ones."""
    recipe: Recipe = _dataclass(Recipe, table, where, "")
    return recipe


def differences(one: Recipe, other: Recipe) -> list[str]:
    """The keys that make these two trainings different ones: all that differ, but for `FREE`."""
    a, b = (_flat(dataclasses.asdict(from_json(recipe.to_json()))) for recipe in (one, other))
    return sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key) and key not in FREE)


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, prefix if key == "arguments" else f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _dataclass(kind: type[Any], table: Any, where: str, prefix: str) -> Any:
    if not isinstance(table, Mapping):
        raise UnusableInput(f"{where}: {prefix.rstrip('.')} is a table of keys, not {table!r}")
    known = {f.name: f for f in dataclasses.fields(kind)}
    if unknown := sorted(set(table) - set(known)):
        names = ", ".join(prefix + key for key in known)
        raise UnusableInput(f"{where}: unknown key {prefix}{unknown[0]}; known are {names}")
    required = [name for name, f in known.items() if f.default is dataclasses.MISSING]
    if missing := [name for name in required if name not in table]:
        raise UnusableInput(f"{where}: the key {prefix}{missing[0]} is missing")
    hints = get_type_hints(kind)
    values = {name: _value(hints[name], value, where, prefix + name) for name, value in table.items()}
    try:
        return kind(**values)
    except UnusableInput as error:
        raise UnusableInput(f"{where}: {prefix}{error}") from None


def _value(kind: Any, value: Any, where: str, key: str) -> Any:
    if kind is Part:
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            raise UnusableInput(f"{where}: {key} is a table with a name, not {value!r}")
        return Part(value["name"], {k: v for k, v in value.items() if k != "name"})
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, where, key + ".")  # type: ignore[arg-type]
    if kind is float and type(value) is int:
        return float(value)
    if kind in (int, float, str):
        if type(value) is not kind:
            raise UnusableInput(f"{where}: {key} is of type {kind.__name__}, not {value!r}")
        return value
    if kind == tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(type(name) is str for name in names):
            raise UnusableInput(f"{where}: {key} is a text or a list of texts, not {value!r}")
        return tuple(filter(None, names))
    length = None if ... in get_args(kind) else len(get_args(kind))
    if not isinstance(value, list | tuple) or not all(type(v) in (int, float) for v in value):
        raise UnusableInput(f"{where}: {key} is a list of numbers, not {value!r}")
    if length not in (None, len(value)):
        raise UnusableInput(f"{where}: {key} is a list of {length} numbers, not of {len(value)}")
    return tuple(float(v) for v in value)


def _override(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        pass
    try:
        return tomllib.loads(f"{key}={json.dumps(value)}" if equals else text)
    except tomllib.TOMLDecodeError as error:
        raise UnusableInput(f"{text!r}: not a change of a recipe such as optimiser.rate=1e-3: {error}") from error


def _merge(table: dict[str, Any], update: Mapping[str, Any]) -> None:
    for key, value in update.items():
        if isinstance(value, Mapping) and isinstance(table.get(key), dict):
            _merge(table[key], value)
        else:
            table[key] = value
