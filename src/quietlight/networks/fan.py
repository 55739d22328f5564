"""FAN: a small raw denoiser whose features are aligned with the noisy picture at every scale.

After Young et al., "Feature-Align Network and Knowledge Distillation for Efficient Denoising", 2021, of which only the abstract was
available: "an efficient encoder-decoder network augmented with a new Feature-Align layer to attend to spatially varying noise".
The layer, the blocks and the widths are our reading, within the size and the effort that the abstract lets one infer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from quietlight.networks.blocks import EncoderDecoder, halves
from quietlight.networks.raw_input import ANCHOR, in_noise, k_sigma, noise_map, precisely, undo_k_sigma

CONDITIONS = ("map", "k-sigma", "blind")
ALIGNMENTS = ("modulate", "concatenate")
_UNTOLD = 1e-3
"""Both variances that a blind network takes for given, whatever the noise is."""


class FeatureAlign(nn.Module):
    """Features·(1 + gamma) + beta, gamma and beta pixel by pixel from the noisy picture at that scale, the guide.

    As in SPADE (Park et al. 2019), but without normalisation and by pointwise convolutions. It begins as the identity.
    """

    def __init__(self, channels: int, guides: int, hidden: int = 16) -> None:
        super().__init__()
        self.embed = nn.Conv2d(guides, hidden, 1)
        self.modulation = nn.Conv2d(hidden, 2 * channels, 1)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, guide: Tensor) -> Tensor:
        gamma, beta = self.modulation(functional.relu(self.embed(guide))).chunk(2, dim=1)
        aligned: Tensor = features * (1 + gamma) + beta
        return aligned

    def traced(self, features: Tensor, guide: Tensor) -> Tensor:
        hidden = functional.relu(self.embed(guide))
        gamma, beta = (half(hidden) for half in halves(self.modulation))
        return features * (1 + gamma) + beta


class Concatenate(nn.Module):
    """For ablation: the guide beside the features, and a pointwise convolution of both."""

    def __init__(self, channels: int, guides: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels + guides, channels, 1)

    def forward(self, features: Tensor, guide: Tensor) -> Tensor:
        mixed: Tensor = self.mix(torch.cat([features, guide], 1))
        return mixed


class FAN(EncoderDecoder):
    """Raw denoiser; it predicts the noise in units of its deviation, and subtracts it. The planes are folded to half size first.

    It sees the means of 2x2 values of the planes and of the noise map, and every value relative to its surroundings, in units of
    the noise (`in_noise`), so that noise looks the same to it however strong it is.

    Args:
        widths: features at each scale, the largest first.
        encoder, middle, decoder: blocks, as for `EncoderDecoder`.
        condition: how it is told the noise: "map"; "k-sigma", by which it follows from the values; or not at all, "blind".
        align: "modulate" (the Feature-Align layer), or "concatenate" in its place.

    H and W are multiples of `multiple`.
    """

    is_raw = True

    def __init__(
        self,
        widths: Sequence[int] = (28, 48, 80),
        encoder: Sequence[int] = (1, 1),
        middle: int = 2,
        decoder: Sequence[int] = (1, 1),
        condition: str = "map",
        align: str = "modulate",
    ) -> None:
        super().__init__(widths, encoder, middle, decoder)
        if condition not in CONDITIONS or align not in ALIGNMENTS:
            raise ValueError(f"condition is one of {', '.join(CONDITIONS)}, align one of {', '.join(ALIGNMENTS)}")
        self.condition, self.multiple = condition, max(2 ** len(widths), 4)
        layer = FeatureAlign if align == "modulate" else Concatenate
        self.aligns = nn.ModuleList(layer(width, 8) for width in (*widths, *widths[-2::-1]))
        self.stem = nn.Conv2d(16 + 8, widths[0], 3, padding=1)
        self.head = nn.Conv2d(widths[0], 16, 3, padding=1)

    def forward(self, planes: Tensor, shot: Tensor, read: Tensor) -> Tensor:
        """Planes R, Gr, Gb, B [B, 4, H, W], shot and read variances [B, 4, 1, 1] -> the clean planes."""
        if self.condition == "k-sigma":
            anchor = torch.full_like(shot, ANCHOR)
            clean = self._denoise(k_sigma(planes, shot, read), anchor, torch.zeros_like(read))
            return undo_k_sigma(clean, shot, read)
        if self.condition == "blind":
            shot = read = torch.full_like(shot, _UNTOLD)
        return self._denoise(planes, shot, read)

    def _denoise(self, planes: Tensor, shot: Tensor, read: Tensor) -> Tensor:
        deviation = noise_map(planes, shot, read)
        half = [functional.avg_pool2d(torch.cat([planes, deviation], 1), 2)]
        while len(half) <= len(self.encoders):
            half.append(functional.avg_pool2d(half[-1], 2))
        guides = [*half, *half[-2::-1]]

        def align(features: Tensor, place: int) -> Tensor:
            aligned: Tensor = self.aligns[place](features, guides[place])
            return aligned

        values = functional.pixel_unshuffle(in_noise(planes, deviation), 2)
        features = precisely(self.stem, torch.cat([values, half[0]], 1))
        noise = self.head(self.decode(self.encode(features, align), align))
        return planes - deviation * functional.pixel_shuffle(noise, 2).float()
