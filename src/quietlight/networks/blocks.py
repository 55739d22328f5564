"""What our encoder-decoders are built of: two kinds of blocks, and the way down and up the scales.

NAFNet's block (Chen et al. 2022) is here without its channel attention, whose mean over the picture would make a tiled result
differ from an untiled one.

Where a network becomes a graph, blocks are written as their `traced` says: the same, in operations that graph compilers fuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        rows = functional.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-6)
        return rows.permute(0, 3, 1, 2)

    def traced(self, x: Tensor) -> Tensor:
        centered = x - x.mean(1, keepdim=True)
        scaled = centered * torch.rsqrt(centered.square().mean(1, keepdim=True) + 1e-6)
        return scaled * self.weight[:, None, None] + self.bias[:, None, None]


def _gate(x: Tensor) -> Tensor:
    """The product of both halves of the channels: NAFNet's only non-linearity (its SimpleGate)."""
    a, b = x.chunk(2, dim=1)
    return a * b


def halves(layer: nn.Conv2d) -> Iterator[Callable[[Tensor], Tensor]]:
    """Two convolutions that give the first and the second half of the channels of one.

    Cutting weights is done once, and cutting features at every run.
    """
    assert layer.bias is not None
    pad = layer.padding if isinstance(layer.padding, str) else list(layer.padding)
    groups = max(layer.groups // 2, 1)
    for weight, bias in zip(layer.weight.chunk(2), layer.bias.chunk(2), strict=True):
        yield partial(functional.conv2d, weight=weight, bias=bias, padding=pad, groups=groups)


class GatedBlock(nn.Module):
    """NAFNet's block without attention: a depthwise part and a pointwise part, each gated, normalised and residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(channels), ChannelNorm(channels)
        self.expand1 = nn.Conv2d(channels, 2 * channels, 1)
        self.depthwise = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.project1 = nn.Conv2d(channels, channels, 1)
        self.expand2 = nn.Conv2d(channels, 2 * channels, 1)
        self.project2 = nn.Conv2d(channels, channels, 1)
        # Blocks begin as the identity, as in NAFNet.
        self.scale1 = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.scale2 = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scale1 * self.project1(_gate(self.depthwise(self.expand1(self.norm1(x)))))
        y: Tensor = x + self.scale2 * self.project2(_gate(self.expand2(self.norm2(x))))
        return y

    def traced(self, x: Tensor) -> Tensor:
        seen = self.norm1(x)
        a, b = (deep(wide(seen)) for wide, deep in zip(halves(self.expand1), halves(self.depthwise), strict=True))
        x = x + self.scale1 * self.project1(a * b)
        seen = self.norm2(x)
        a, b = (wide(seen) for wide in halves(self.expand2))
        y: Tensor = x + self.scale2 * self.project2(a * b)
        return y


class ResidualBlock(nn.Module):
    """Two dense 3×3 convolutions, residual, as in DRUNet (Zhang et al. 2021).

    For the same effort a `GatedBlock` gives more, but these run several times as fast where matrices are what hardware is good at.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.second(functional.relu(self.first(x)))
        return y


Step = Callable[[Tensor, int], Tensor]
"""What happens to features before the blocks of a scale: (features, place) -> features, places counted along the way."""


class EncoderDecoder(nn.Module):
    """The way from features at full size down to the smallest scale and up again, each half the size of the one before.

    Args:
        widths: features at each scale, the largest first.
        encoder: blocks at each scale on the way down, all but the smallest.  middle: blocks at the smallest.
        decoder: blocks at each scale on the way up, the smallest first.
    """

    block: type[nn.Module] = GatedBlock

    def __init__(self, widths: Sequence[int], encoder: Sequence[int], middle: int, decoder: Sequence[int]) -> None:
        super().__init__()
        if not len(encoder) == len(decoder) == len(widths) - 1:
            raise ValueError(f"encoder and decoder have as many scales: not {len(encoder)} and {len(decoder)}")
        self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
        for blocks, width, next_width in zip(encoder, widths[:-1], widths[1:], strict=True):
            self.encoders.append(self._blocks(width, blocks))
            self.downs.append(nn.Conv2d(width, next_width, 2, stride=2))
        self.middle = self._blocks(widths[-1], middle)
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        for blocks, width, last_width in zip(decoder, widths[-2::-1], widths[:0:-1], strict=True):
            self.ups.append(nn.Sequential(nn.Conv2d(last_width, 4 * width, 1, bias=False), nn.PixelShuffle(2)))
            self.decoders.append(self._blocks(width, blocks))

    def encode(self, features: Tensor, step: Step = lambda features, _: features) -> list[Tensor]:
        """Features [B, C, H, W] -> what the blocks of each scale make of them, the largest first."""
        scales = []
        for place, (encoder, down) in enumerate(zip(self.encoders, self.downs, strict=True)):
            scales.append(encoder(step(features, place)))
            features = down(scales[-1])
        return [*scales, self.middle(step(features, len(scales)))]

    def decode(self, scales: Sequence[Tensor], step: Step = lambda features, _: features) -> Tensor:
        """What `encode` returned -> features [B, C, H, W] at full size."""
        features, place = scales[-1], len(scales)
        for up, decoder, skip in zip(self.ups, self.decoders, scales[-2::-1], strict=True):
            features = decoder(step(up(features) + skip, place))
            place += 1
        return features

    def _blocks(self, channels: int, count: int) -> nn.Sequential:
        return nn.Sequential(*(self.block(channels) for _ in range(count)))
