"""The workhorse: a small U-shaped denoiser for photos, after NAFNet (Chen et al., "Simple Baselines for Image Restoration", 2022).

Departures, for speed on a CPU and for tiles: the picture is folded to half size first, so that no layer runs at full size; and the
blocks have no channel attention, whose mean over the picture would make a tiled result differ from an untiled one.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def _gate(x: Tensor) -> Tensor:
    """The product of both halves of the channels: NAFNet's only non-linearity (its SimpleGate)."""
    a, b = x.chunk(2, dim=1)
    return a * b


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


class UNet(nn.Module):
    """Denoiser [B, C, H, W] -> [B, C, H, W], values around [0, 1]; it predicts the noise and subtracts it.

    Args:
        channels: of the picture, 1 or 3.
        width: features at half size; they double at each of the further scales.
        encoder: blocks at each scale on the way down.  middle: blocks at the smallest scale.
        decoder: blocks at each scale on the way up, the smallest first.
        maps: further input channels, such as a noise map, appended by the caller.

    H and W are multiples of `multiple`.
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 40,
        encoder: Sequence[int] = (2, 2),
        middle: int = 3,
        decoder: Sequence[int] = (1, 2),
        maps: int = 0,
    ) -> None:
        super().__init__()
        if len(encoder) != len(decoder):
            raise ValueError(f"encoder and decoder have as many scales: not {len(encoder)} and {len(decoder)}")
        self.channels = channels
        self.multiple = 2 ** (len(encoder) + 1)
        self.stem = nn.Conv2d(4 * (channels + maps), width, 3, padding=1)
        self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
        for blocks in encoder:
            self.encoders.append(_blocks(width, blocks))
            self.downs.append(nn.Conv2d(width, 2 * width, 2, stride=2))
            width *= 2
        self.middle = _blocks(width, middle)
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        for blocks in decoder:
            self.ups.append(nn.Sequential(nn.Conv2d(width, 2 * width, 1, bias=False), nn.PixelShuffle(2)))
            width //= 2
            self.decoders.append(_blocks(width, blocks))
        self.head = nn.Conv2d(width, 4 * channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.stem(functional.pixel_unshuffle(x, 2))
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            features = encoder(features)
            skips.append(features)
            features = down(features)
        features = self.middle(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(up(features) + skips.pop())
        return x[:, : self.channels] - functional.pixel_shuffle(self.head(features), 2)


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(GatedBlock(channels) for _ in range(count)))
