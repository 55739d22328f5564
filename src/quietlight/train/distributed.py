"""Where a training computes: the device, and one process or many.

`torchrun` starts the processes, DDP averages their gradients, and only the first one writes. Batch normalisation sees the samples
of its own process; networks without it train as in one process.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from quietlight.frames import UnusableInput


@dataclass(frozen=True)
class Group:
    """The processes of a training: this one's rank, how many there are, and the device that this one computes on."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set in any process, so that all of them stop at the same step."""
        if self.size == 1:
            return flag
        value = torch.tensor(float(flag))  # on the CPU, so that a GPU need not finish its work first
        distributed.all_reduce(value, distributed.ReduceOp.MAX)
        return bool(value.item())

    def mean(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each loss, averaged over the processes."""
        if self.size == 1:
            return losses
        values = torch.stack(list(losses.values()))
        distributed.all_reduce(values)
        return dict(zip(losses, values / self.size, strict=True))


def device_of(name: str) -> torch.device:
    """The device of that name; "auto" is a CUDA GPU where there is one, else the CPU. Raises UnusableInput where it is absent."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise UnusableInput(f"no device {name!r} here ({reason}): cpu always works") from error
    return device


@contextmanager
def group(name: str) -> Iterator[Group]:
    """The group that torchrun set up in the environment (nccl between GPUs, gloo between CPUs), else this process alone."""
    if "WORLD_SIZE" not in os.environ:
        yield Group(0, 1, device_of(name))
        return
    device = device_of(name)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size(), device)
    finally:
        # Networks in reference cycles keep the group's threads, which abort a process that ends before them.
        gc.collect()
        distributed.destroy_process_group()


def wrap(network: nn.Module) -> nn.Module:
    """The network as it is trained: with gradients averaged over the group, if there is one."""
    return nn.parallel.DistributedDataParallel(network) if distributed.is_initialized() else network


def averaging(network: nn.Module, wanted: bool) -> AbstractContextManager[Any]:
    """Whether the gradients of this part of a batch are averaged over the group; only after the last part they need to be."""
    if wanted or not isinstance(network, nn.parallel.DistributedDataParallel):
        return nullcontext()
    context: AbstractContextManager[Any] = network.no_sync()
    return context


def precision(name: str, device: torch.device) -> AbstractContextManager[Any]:
    """bf16 on GPUs unless "float32" is asked for; on CPUs where "bf16" is asked for and they have instructions for it.

    With AVX-512's alone it pays for plain wide convolutions (DnCNN: 1.5 against 3.2 s a step) and costs in U-Nets; with AMX it pays
    in these, too (a step of `unet-color`, 8 patches of 96: 0.46 against 0.84 s); without any, a step takes ten times as long.
    """
    able = device.type == "cuda" or (device.type == "cpu" and torch.cpu._is_avx512_bf16_supported())
    wanted = name == "bf16" or (name == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16) if wanted and able else nullcontext()
