"""The workhorse: a small U-shaped denoiser, after NAFNet (Chen et al., "Simple Baselines for Image Restoration", 2022).

Departures, for speed on a CPU and for tiles: the picture is folded to half size first, so that no layer runs at full size; and the
blocks have no channel attention.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from quietlight.networks.blocks import EncoderDecoder, ResidualBlock
from quietlight.networks.raw_input import in_noise, noise_map, precisely


class UNet(EncoderDecoder):
    """Denoiser [B, C, H, W] -> [B, C, H, W], values around [0, 1]; it predicts the noise and subtracts it.

    Args:
        channels: of the picture, 1 or 3.
        width: features at the first scale; they double at each further one.
        encoder: blocks at each scale on the way down.  middle: blocks at the smallest scale.
        decoder: blocks at each scale on the way up, the smallest first.
        maps: further input channels, such as a noise map, appended by the caller.
        fold: the first scale has 1/fold of the picture's height and width.

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
        fold: int = 2,
    ) -> None:
        super().__init__([width * 2**i for i in range(len(encoder) + 1)], encoder, middle, decoder)
        self.channels, self.fold = channels, fold
        self.multiple = fold * 2 ** len(encoder)
        self.stem = nn.Conv2d(fold**2 * (channels + maps), width, 3, padding=1)
        self.head = nn.Conv2d(width, fold**2 * channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.decode(self.features(x))
        return x[:, : self.channels] - functional.pixel_shuffle(self.head(features), self.fold)

    def features(self, x: Tensor) -> list[Tensor]:
        """What the encoder makes of a picture, the largest scale first."""
        return self.encode(self.stem(functional.pixel_unshuffle(x, self.fold)))


class RawUNet(UNet):
    """A large U-Net of dense blocks for packed raws that are told their noise: the teacher of FAN.

    As Brooks et al. 2019, section 4, it sees the planes and the noise map; departing from them, it also sees how far values stand
    out of their surroundings (`in_noise`), and predicts the noise in units of its deviation.

    Args:
        width, encoder, middle, decoder, fold: as for `UNet`.
    """

    is_raw = True
    block = ResidualBlock

    def __init__(
        self,
        width: int = 48,
        encoder: Sequence[int] = (2, 2),
        middle: int = 2,
        decoder: Sequence[int] = (2, 2),
        fold: int = 1,
    ) -> None:
        super().__init__(4, width, encoder, middle, decoder, maps=8, fold=fold)

    def forward(self, planes: Tensor, shot: Tensor, read: Tensor) -> Tensor:  # type: ignore[override]
        """Planes R, Gr, Gb, B [B, 4, H, W], shot and read variances [B, 4, 1, 1] -> the clean planes."""
        noise = self.head(self.decode(self.raw_features(planes, shot, read)))
        return planes - noise_map(planes, shot, read) * functional.pixel_shuffle(noise, self.fold).float()

    def raw_features(self, planes: Tensor, shot: Tensor, read: Tensor) -> list[Tensor]:
        """What the encoder makes of the planes, the largest scale first: features in the raw domain."""
        deviation = noise_map(planes, shot, read)
        seen = torch.cat([planes, deviation, in_noise(planes, deviation)], 1)
        return self.encode(precisely(self.stem, functional.pixel_unshuffle(seen, self.fold)))
