"""What a training minimises: an objective is a callable `(network, batch, share) -> {"total": loss, ...}`.

`share` is how much of the run is done, in [0, 1]. Annealing, distillation and stages are objectives, not options of the trainer.
An objective draws its random numbers from torch's own generator, which the trainer seeds at every step.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from quietlight import zoo
from quietlight.engine.torch_engine import module_of
from quietlight.frames import UnusableInput
from quietlight.systems import drops

Batch = dict[str, Tensor]

OBJECTIVES = {
    "pixel": "quietlight.train.objectives:Pixel",
    "repaired": "quietlight.train.objectives:Repaired",
    "classify": "quietlight.train.objectives:Classify",
    "raw": "quietlight.train.raw_objectives:Raw",
    "feature-matching": "quietlight.train.raw_objectives:FeatureMatching",
    "kpn": "quietlight.train.burst_objectives:AnnealedBurst",
    "noise2void": "quietlight.train.objectives:Noise2Void",
    "restore": "quietlight.train.isp_objectives:Restore",
    "enhance": "quietlight.train.isp_objectives:Enhance",
    "joint": "quietlight.train.isp_objectives:Joint",
}
"""Name -> "module:attribute" of every objective."""


class Objective(Protocol):
    """What the trainer asks of an objective; losses are scalars, the mean over the samples of the batch."""

    def __call__(self, network: nn.Module, batch: Batch, share: float, /) -> dict[str, Tensor]:
        """The loss to minimise as "total", and under other names what else is worth logging."""

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        """How well the network does on a batch that it was not trained on: a scalar, higher is better."""


class _Denoising:
    """Scored by the PSNR in dB of the clipped output, over the batch."""

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        output = network(batch["input"]).float().clip(0, 1)
        return -10 * torch.log10((output - batch["truth"]).square().mean())


class Pixel(_Denoising):
    """The mean difference of output and truth per pixel.

    Args:
        norm: "l1", "l2", or "charbonnier" (sqrt(d² + 1e-6), a smooth l1).
    """

    def __init__(self, norm: str = "l1") -> None:
        if norm not in ("l1", "l2", "charbonnier"):
            raise UnusableInput(f"the norm of a difference is l1, l2 or charbonnier, not {norm!r}")
        self.norm = norm

    def __call__(self, network: nn.Module, batch: Batch, _share: float) -> dict[str, Tensor]:
        difference = network(batch["input"]).float() - batch["truth"]
        if self.norm == "l1":
            return {"total": difference.abs().mean()}
        square = difference.square()
        return {"total": square.mean() if self.norm == "l2" else torch.sqrt(square + 1e-6).mean()}


class Repaired(Pixel):
    """`Pixel` for a primary denoiser that comes after the one for lost pixels: it learns from pictures which that one has repaired.

    What a repaired pixel holds is an estimate and not the truth plus noise, which no noise of a recipe imitates. Every fifth sample
    stays unrepaired, since the chain, too, may overlook some.

    Args:
        by: weights of the primary for lost pixels, a name or a file; frozen.
        norm: as for `Pixel`.
    """

    def __init__(self, by: str, norm: str = "l1") -> None:
        super().__init__(norm)
        self.primary = zoo.read(by)

    def __call__(self, network: nn.Module, batch: Batch, share: float) -> dict[str, Tensor]:
        return super().__call__(network, self._repaired(batch), share)

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        return super().score(network, self._repaired(batch))

    @torch.no_grad()
    def _repaired(self, batch: Batch) -> Batch:
        noisy = batch["input"]
        estimate = module_of(self.primary).to(noisy.device)(noisy).float().clip(0, 1)
        samples = [
            y if index % 5 == 4 else drops.repaired(y, e)
            for index, (y, e) in enumerate(zip(noisy, estimate, strict=True))
        ]
        return {**batch, "input": torch.stack(samples)}


class Classify:
    """Cross-entropy of the class, and how far the level is off where the class has one; scored by the share of right classes.

    Args:
        level: weight of the level's error.
    """

    def __init__(self, level: float = 2.0) -> None:
        self.level = level

    def __call__(self, network: nn.Module, batch: Batch, _share: float) -> dict[str, Tensor]:
        truth, share = batch["truth"], batch["level"]
        logits, levels = network(batch["input"]).float().chunk(2, dim=1)
        found = levels.gather(1, truth[:, None])[:, 0]
        kind = functional.cross_entropy(logits, truth, label_smoothing=0.01)
        error = ((found - share).abs() * (share > 0)).mean()
        return {"total": kind + self.level * error, "class": kind.detach(), "level": error.detach()}

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        logits = network(batch["input"]).chunk(2, dim=1)[0]
        share: Tensor = (logits.argmax(1) == batch["truth"]).float().mean()
        return share


class Noise2Void(_Denoising):
    """Blind spots: the network learns to say what a hidden pixel was from those around it. It sees noisy pictures alone.

    Krull, Buchholz and Jug, "Noise2Void: Learning Denoising from Single Noisy Images", CVPR 2019, section 3.4: stratified sampling
    (one pixel in every cell of the crop), each replaced by one of its neighbours drawn uniformly, and the squared error at these
    pixels only. The pixel itself is not among its neighbours here, so that nothing of its noise leaks through.

    Args:
        cell: side of a cell; 8 makes the paper's 64 blind spots in a crop of 64×64.
        window: side of the square that a neighbour is drawn from; odd.
    """

    def __init__(self, cell: int = 8, window: int = 5) -> None:
        if cell < 2 or window < 3 or window % 2 == 0:
            raise UnusableInput(f"blind spots need a cell of at least 2 and an odd window, not {cell} and {window}")
        self.cell, self.window = cell, window

    def __call__(self, network: nn.Module, batch: Batch, _share: float) -> dict[str, Tensor]:
        noisy = batch["input"]
        spots, masked = self.masked(noisy)
        error = (network(masked).float() - noisy).flatten(2).gather(2, spots)
        return {"total": error.square().mean()}

    def masked(self, noisy: Tensor) -> tuple[Tensor, Tensor]:
        """[B, C, H, W] -> indices of the blind spots in H·W, [B, C, N], equal in all channels; and the batch with these hidden."""
        count, channels, height, width = noisy.shape
        tall, wide = height // self.cell, width // self.cell
        if min(tall, wide) < 1 or min(height, width) < self.window:
            raise UnusableInput(f"a crop of {height}x{width} is too small for blind spots in cells of {self.cell}")
        place = torch.randint(self.cell, (2, count, tall, wide), device=noisy.device)
        y = place[0] + self.cell * torch.arange(tall, device=noisy.device)[:, None]
        x = place[1] + self.cell * torch.arange(wide, device=noisy.device)
        others = self.window**2 - 1
        neighbour = torch.randint(others, y.shape, device=noisy.device)
        neighbour = neighbour + (neighbour >= others // 2)  # without the pixel itself, in the middle
        reach = self.window // 2
        beside_y = _inside(y, neighbour // self.window - reach, height)
        beside_x = _inside(x, neighbour % self.window - reach, width)
        spots, beside = (
            i.reshape(count, 1, -1).expand(-1, channels, -1) for i in (y * width + x, beside_y * width + beside_x)
        )
        flat = noisy.flatten(2)
        return spots, flat.scatter(2, spots, flat.gather(2, beside)).view_as(noisy)


def _inside(place: Tensor, step: Tensor, size: int) -> Tensor:
    """`place + step`, or the other way where that leaves [0, size)."""
    there = place + step
    return torch.where((there < 0) | (there >= size), place - step, there)
