"""One U-Net of CameraNet (Liang et al. 2021, section III-C and figure 4), its global branch, and its adaptive normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

BRANCHES = ("none", "scale", "scale_shift")
NORMS = ("none", "abn")
SLOPE = 0.2
"""Of rectifiers, below zero."""


class AdaptiveNorm(nn.Module):
    """a·x + b·BN(x) with learned numbers a and b (Chen, Xu and Koltun 2017, section 3); it begins as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kept = nn.Parameter(torch.ones(()))
        self.normalised = nn.Parameter(torch.zeros(()))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.kept * x + self.normalised * self.norm(x)
        return mixed


def rectified(x: Tensor) -> Tensor:
    """Leaky, with the slope of the released code."""
    return functional.leaky_relu(x, SLOPE)


def convolution(before: int, after: int, rate: int = 1, step: int = 1) -> nn.Conv2d:
    """3x3, of a dilation, that keeps the size, or divides it by `step`."""
    layer = nn.Conv2d(before, after, 3, step, padding=rate, dilation=rate)
    nn.init.kaiming_normal_(layer.weight, SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def _normed(before: int, after: int, rate: int, norm: str) -> nn.Module:
    layer = convolution(before, after, rate)
    return nn.Sequential(layer, AdaptiveNorm(after)) if norm == "abn" else layer


class _Block(nn.Module):
    """Two convolutions, of two dilations; what comes out is not yet rectified."""

    def __init__(self, width: int, rates: tuple[int, int], residual: bool, norm: str) -> None:
        super().__init__()
        self.residual = residual
        self.first, self.second = (_normed(width, width, rate, norm) for rate in rates)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(rectified(self.first(x)))
        return x + y if self.residual else y


class _Scale(nn.Module):
    """A convolution that enters a scale, and its blocks."""

    def __init__(self, before: int, width: int, rates: tuple[int, int], blocks: int, residual: bool, norm: str) -> None:
        super().__init__()
        self.entry = _normed(before, width, 1, norm)
        self.blocks = nn.ModuleList(_Block(width, rates, residual, norm) for _ in range(blocks))

    def enter(self, x: Tensor) -> Tensor:
        return rectified(self.entry(x))

    def work(self, x: Tensor) -> Tensor:
        """What was entered -> what the last block gives, not yet rectified."""
        for index, block in enumerate(self.blocks):
            x = block(rectified(x) if index else x)
        return x


class _GlobalBranch(nn.Module):
    """The mean [B, C] of features, and others -> these times factors and, if it shifts, plus summands that follow from it.

    They begin near 1 and 0.
    """

    def __init__(self, width: int, shifts: bool) -> None:
        super().__init__()
        self.shifts = shifts
        count = 2 * width if shifts else width
        self.hidden, self.last = nn.Linear(width, count), nn.Linear(count, count)
        nn.init.zeros_(self.last.bias)
        nn.init.ones_(self.last.bias[:width])

    def forward(self, mean: Tensor, features: Tensor) -> Tensor:
        numbers = self.last(rectified(self.hidden(mean)))[..., None, None]
        if not self.shifts:
            return features * numbers  # type: ignore[no-any-return]
        scale, shift = numbers.chunk(2, 1)
        return features * scale + shift  # type: ignore[no-any-return]


class Stage(nn.Module):
    """Planes [B, planes, h, w] -> [B, outputs, h, w]; h and w are multiples of 2^(scales - 1).

    But for the global branch, what comes out depends on nothing farther than `reach`.

    Args:
        planes, outputs: that come in and out.
        width: features at the first scale; they double at each further one.
        widest: features that a scale has at most.
        rates: dilation at each scale, the largest first. On the way up and at the deepest scale only a block's first convolution
            has it.
        blocks: at each scale, on the way down and up.
        residual: whether a block adds to what it sees.
        global_branch: what the mean over the picture of the features that enter the deepest scale does to those that leave it, by
            two full layers: "none", "scale" (eq. 5), or "scale_shift".
        norm: "none", or "abn" after every 3x3 convolution.

    Raises ValueError for arguments that make no sense.
    """

    def __init__(
        self,
        planes: int = 12,
        outputs: int = 12,
        width: int = 32,
        widest: int = 512,
        rates: Sequence[int] = (1, 1, 1, 1, 1),
        blocks: int = 1,
        residual: bool = False,
        global_branch: str = "scale_shift",
        norm: str = "none",
    ) -> None:
        super().__init__()
        if global_branch not in BRANCHES or norm not in NORMS:
            raise ValueError(f"global_branch is one of {', '.join(BRANCHES)}, norm one of {', '.join(NORMS)}")
        if len(rates) < 2 or min(width, widest, blocks, *rates) < 1:
            raise ValueError("a stage has two scales or more, and a width, blocks and rates of one or more")

        def scale(before: int, after: int, rates: tuple[int, int]) -> _Scale:
            return _Scale(before, after, rates, blocks, residual, norm)

        # Of a scale: two entries, blocks on the way down and up, and two for the pooling and the enlargement.
        upper_reach = sum((4 + blocks * (3 * rate + 1)) * 2**i for i, rate in enumerate(rates[:-1]))
        self.reach = upper_reach + (1 + blocks * (rates[-1] + 1)) * 2 ** (len(rates) - 1)
        widths = [min(width * 2**i, widest) for i in range(len(rates))]
        upper = list(zip(widths[1:], widths, rates, strict=False))[::-1]
        self.down = nn.ModuleList(
            scale(before, after, (rate, rate))
            for before, after, rate in zip([planes, *widths], widths[:-1], rates, strict=False)
        )
        self.bottom = scale(widths[-2], widths[-1], (rates[-1], 1))
        self.branch = None if global_branch == "none" else _GlobalBranch(widths[-1], global_branch == "scale_shift")
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(below, w, 2, stride=2, bias=False) for below, w, _ in upper)
        self.up = nn.ModuleList(scale(2 * w, w, (rate, 1)) for _, w, rate in upper)
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor, mean: Tensor | None = None) -> Tensor:
        """`mean` [B, C] stands for the mean of this picture's own `deepest` features, where it is but a part of a larger one."""
        *skips, x = self._way_down(x)
        entered, x = x, self.bottom.work(x)
        if self.branch is not None:
            x = self.branch(entered.float().mean((2, 3)) if mean is None else mean, x)
        for enlarge, scale, skip in zip(self.enlarge, self.up, skips[::-1], strict=True):
            x = scale.work(scale.enter(torch.cat([enlarge(rectified(x)), skip], 1)))  # type: ignore[operator]
        output: Tensor = self.head(x).float()
        return output

    def deepest(self, x: Tensor) -> Tensor:
        """What enters the deepest scale, [B, C, h, w] of its size: the global branch takes its mean."""
        return self._way_down(x)[-1].float()

    def _way_down(self, x: Tensor) -> list[Tensor]:
        """What leaves each scale, the largest first, and what enters the deepest one."""
        left: list[Tensor] = []
        for scale in self.down:
            left.append(rectified(scale.work(scale.enter(x))))  # type: ignore[operator]
            # 3x3 in steps of 2 as TensorFlow pads them ("SAME"): a row and a column more at the end.
            x = functional.max_pool2d(functional.pad(left[-1], (0, 1, 0, 1), value=-torch.inf), 3, 2)
        return [*left, self.bottom.enter(x)]
