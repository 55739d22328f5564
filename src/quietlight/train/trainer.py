"""The training loop. It knows networks, batches and losses, and no system.

Samples depend on (seed, step) alone and the state on the checkpoint alone: so 3 + 3 steps equal 6 bit for bit on a CPU, a killed
run goes on from its last checkpoint, and many short legs equal one long run.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quietlight import zoo
from quietlight.data import DATASETS
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.registry import build
from quietlight.train import checkpoint, distributed
from quietlight.train.distributed import Group
from quietlight.train.objectives import OBJECTIVES, Objective
from quietlight.train.recipe import Optimiser, Recipe

VALIDATION_SEED = 18_000_000
VALIDATION_SAMPLES = 54
LOG_STEPS = 100
WATCH_SECONDS = 0.5


@dataclass(frozen=True)
class Status:
    """Where a run stands, for whoever watches: a loss per name, and the score of the last validation if it was just made."""

    step: int
    steps: int
    losses: dict[str, float]
    rate: float
    steps_per_second: float
    validation: float | None = None


def train(
    recipe: Recipe,
    out: Path,
    device: str = "cpu",
    budget: float = math.inf,
    watch: Callable[[Status], None] = lambda _: None,
) -> Path | None:
    """Train until the recipe's last step, or until `budget` seconds are over; go on from the newest checkpoint in `out`.

    Returns:
        The weights file when the run is complete; None while it is not, and in processes that write nothing.

    Raises:
        UnusableInput: a recipe, device, data or checkpoint that cannot be worked with, or a loss that is no number any more.
    """
    clock = _Clock(budget)
    with distributed.group(device) as group:
        return _trained(recipe, out, group, clock, watch)


def _trained(
    recipe: Recipe, out: Path, group: distributed.Group, clock: _Clock, watch: Callable[[Status], None]
) -> Path | None:
    """What `train` does in the group. A function of its own, so that nothing of it is left when the group ends."""
    if recipe.batch < recipe.accumulate * group.size:
        raise UnusableInput(
            f"a batch of {recipe.batch} cannot be cut for {group.size} processes in {recipe.accumulate} parts: raise batch"
        )
    torch.backends.cudnn.benchmark = True  # all batches of a run have one size
    newest = checkpoint.latest(out)
    run = _Run(recipe, group.device, fresh=newest is None)
    if newest is not None:
        run.step = checkpoint.restore(newest, recipe, run.network, run.average, run.optimiser)
    log = _Log(out, run, watch) if group.is_first else None
    score = None
    while run.step < recipe.steps:
        _steps_to_checkpoint(run, group, clock, log)
        if log:
            checkpoint.save(out, recipe, run.step, run.network, run.average, run.optimiser)
            score = _validate(run, clock)
            log.validation(score)
        if group.any(clock.is_over()):
            break
    if not log or run.step < recipe.steps:
        return None
    score = _validate(run, clock) if score is None else score
    return None if score is None else _finish(run, out, score)


class _Clock:
    """The end of a budget of time, less what the checkpoint and leaving take, and the time of the next step."""

    def __init__(self, budget: float) -> None:
        self.end = time.monotonic() + 0.97 * budget - 1
        self.begun = self.lasted = 0.0

    def step_begins(self) -> None:
        self.begun = time.monotonic()

    def step_ends(self) -> None:
        self.lasted = time.monotonic() - self.begun

    def is_over(self) -> bool:
        return time.monotonic() + 1.5 * self.lasted > self.end


class _Run:
    """What a recipe asks for, built, and what changes while it is trained, apart from what follows from (seed, step)."""

    def __init__(self, recipe: Recipe, device: torch.device, fresh: bool) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.step = recipe, device, 0
        self.objective: Objective = build(OBJECTIVES, recipe.objective.name, "objective", recipe.objective.arguments)
        network: nn.Module = build(NETWORKS, recipe.network.name, "network", recipe.network.arguments)
        if recipe.start and fresh:
            _load(network, recipe.start)
        self.data, self.held_out = (
            build(DATASETS, recipe.data.name, "data", recipe.data.arguments, device=device, validation=validation)
            for validation in (False, True)
        )
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.trained = distributed.wrap(self.network.train())
        self.optimiser = _optimiser(self.network, recipe.optimiser)


def _load(network: nn.Module, starts: Sequence[str]) -> None:
    """Begin with weights of the network, or with others of which it can `adopt` a part, ours or those of another library.

    Several hold different parts of it, and together all.
    """
    tensors: dict[str, Tensor] = {}
    for start in starts:
        found = _tensors(start)
        if twice := sorted(tensors.keys() & found):
            raise UnusableInput(f"start {start!r}: holds {twice[0]}, which the weights before it hold as well")
        tensors |= found
    adopt: Callable[[dict[str, Tensor]], None] | None = getattr(network, "adopt", None)
    names = ", ".join(map(repr, starts))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        if adopt is None:
            raise UnusableInput(f"start {names}: these weights are of another network than the recipe's") from error
        try:
            adopt(tensors)
        except ValueError as reason:
            raise UnusableInput(f"start {names}: {reason}") from reason


def _tensors(start: str) -> dict[str, Tensor]:
    """What a weights file holds, ours checked."""
    if start.endswith((".pth", ".pt")):
        raise UnusableInput(
            f"start {start!r}: such files can run code when read: save the tensors as .safetensors first"
        )
    arrays, metadata = zoo.read_tensors(start)
    if "network" in metadata:
        arrays = zoo.read(start).tensors
    return {key: torch.from_numpy(value) for key, value in arrays.items()}


def _optimiser(network: nn.Module, options: Optimiser) -> torch.optim.Optimizer:
    kind: Any = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[options.name]
    optimiser: torch.optim.Optimizer = kind(
        [p for p in network.parameters() if p.requires_grad],
        lr=options.rate,
        betas=options.betas,
        weight_decay=options.decay,
    )
    return optimiser


def _steps_to_checkpoint(run: _Run, group: Group, clock: _Clock, log: _Log | None) -> None:
    """Steps up to the next multiple of `validate`, the end of the run or that of the budget; one at least."""
    limited, last = math.isfinite(clock.end), False
    while not last:
        clock.step_begins()
        losses = _one_step(run, group)
        run.step += 1
        clock.step_ends()
        last = run.step % run.recipe.validate == 0 or run.step == run.recipe.steps
        last = last or (limited and group.any(clock.is_over()))
        if last or run.step % LOG_STEPS == 0:
            _refuse_nonsense(losses, run.step)
        if log:
            log.step(losses, last)


def _refuse_nonsense(losses: dict[str, Tensor], step: int) -> None:
    """Raise UnusableInput where a loss or the gradient is no number; one such step spoils all later ones, so few are looked at."""
    for name, value in losses.items():
        if not math.isfinite(value.item()):
            raise UnusableInput(f"{name} is {value.item()} at step {step}: lower optimiser.rate, or train in float32")


def _one_step(run: _Run, group: Group) -> dict[str, Tensor]:
    """One update; returns the losses, averaged over the batch, and the norm of the gradient. Does not wait for a GPU."""
    recipe, share = run.recipe, run.step / run.recipe.steps
    for parameters in run.optimiser.param_groups:
        parameters["lr"] = recipe.optimiser.rate_at((run.step + 1) / recipe.steps)
    run.optimiser.zero_grad(set_to_none=True)
    # What is random in networks and objectives.
    torch.manual_seed(int(np.random.SeedSequence([recipe.seed, run.step, group.rank]).generate_state(1)[0]))
    mine = range(run.step * recipe.batch + group.rank, (run.step + 1) * recipe.batch, group.size)
    parts = [mine[i :: recipe.accumulate] for i in range(recipe.accumulate)]
    totals: dict[str, Tensor] = {}
    for part in parts:
        # Samples weigh the same, however many others are in their part and process.
        weight = len(part) * group.size / recipe.batch
        batch = run.data.batch(recipe.seed, part)
        with distributed.averaging(run.trained, part is parts[-1]):
            with distributed.precision(recipe.precision, run.device):
                losses = run.objective(run.trained, batch, share)
            (losses["total"] * weight).backward()  # type: ignore[no-untyped-call]
        for key, value in losses.items():
            totals[key] = totals.get(key, 0) + value.detach() * weight
    norm = nn.utils.clip_grad_norm_(run.network.parameters(), recipe.optimiser.clip or math.inf)
    run.optimiser.step()
    _follow(run.average, run.network, recipe.average, run.step)
    return {**group.mean(totals), "gradient": norm}


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Exponential moving average of the parameters, shorter in the beginning; counters and the like are copied."""
    decay = min(decay, (1 + step) / (10 + step))
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    floats = [pair for pair in pairs if pair[0].is_floating_point()]
    torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - decay)
    for kept, value in pairs:
        if not kept.is_floating_point():
            kept.copy_(value)


@torch.no_grad()
def _validate(run: _Run, clock: _Clock) -> float | None:
    """The mean score of the averaged network on fixed samples of the validation part; None where the time does not suffice."""
    scores = []
    for index in range(VALIDATION_SAMPLES):
        if clock.is_over():
            return None
        scores.append(run.objective.score(run.average, run.held_out.batch(VALIDATION_SEED, [index])))
    return float(torch.stack(scores).mean().item())


def _finish(run: _Run, out: Path, score: float) -> Path:
    recipe, average = run.recipe, run.average
    target = out / f"{recipe.name}.safetensors"
    facts = {"multiple": average.multiple, "steps": run.step, "validation": f"{score:.3f}", "device": run.device.type}
    facts |= {"reach": json.dumps(average.reach)} if hasattr(average, "reach") else {}
    metadata = {"recipe": recipe.to_json()} | {key: str(value) for key, value in facts.items()}
    zoo.save(target, recipe.network.name, recipe.network.arguments, average.state_dict(), metadata)
    return target


class _Log:
    """A line of JSON per validation and every hundredth step, TensorBoard where it is installed, and whoever watches."""

    def __init__(self, out: Path, run: _Run, watch: Callable[[Status], None]) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.path, self.run, self.watch = out / "log.jsonl", run, watch
        self.begun = self.shown = time.monotonic()
        self.first = run.step
        self.status = Status(run.step, run.recipe.steps, {}, 0.0, 0.0)
        try:
            from torch.utils.tensorboard import SummaryWriter

            self.board: Any = SummaryWriter(str(out))
        except ImportError:
            self.board = None

    def step(self, losses: dict[str, Tensor], last: bool) -> None:
        """Tell of a step, if it is time to, or it is the last one before a checkpoint."""
        now, run = time.monotonic(), self.run
        noted = run.step % LOG_STEPS == 0
        if not (noted or last or now - self.shown > WATCH_SECONDS):
            return
        self.shown = now
        values = {key: value.item() for key, value in losses.items()}
        speed = (run.step - self.first) / max(now - self.begun, 1e-9)
        self.status = Status(run.step, run.recipe.steps, values, run.optimiser.param_groups[0]["lr"], speed)
        self.watch(self.status)
        if noted:
            self._write(self.status)

    def validation(self, score: float | None) -> None:
        """Tell of a validation, if it was made."""
        if score is not None:
            status = replace(self.status, step=self.run.step, validation=score)
            self.watch(status)
            self._write(status)

    def _write(self, status: Status) -> None:
        losses = {"loss" if key == "total" else key: value for key, value in status.losses.items()}
        facts = {"step": status.step, **losses, "rate": status.rate, "steps_per_second": status.steps_per_second}
        if status.validation is not None:
            facts["validation"] = status.validation
        with self.path.open("a") as file:
            file.write(json.dumps(facts) + "\n")
        if self.board:
            for key in facts.keys() - {"step"}:
                self.board.add_scalar(key, facts[key], status.step)
