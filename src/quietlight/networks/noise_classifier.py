"""Our classifier: it looks at the noise, not at the scene.

NoiseBreaker's own (`mobilenet`) looks at the picture, and has to learn to see past what is on it. This one lets a small
frozen denoiser take the noise out first. What was taken out goes into statistics (`noise_statistics`), which a few layers judge
in the place of the paper's two (Lemarchand et al. 2020, section 3.1). A narrow MobileNetV2 can look at it, too, and is fused with
the statistics before these layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from quietlight.networks import noise_statistics
from quietlight.networks.mobilenet import MobileNetV2
from quietlight.networks.unet import UNet

_FARTHEST = 6.0
"""Deviations from a statistic's mean beyond which it tells no more."""
_SHOWN = 4.0 / 255
"""Residuals are shown to the backbone in two strengths: as shares of the scale, and squashed around this."""


class NoiseClassifier(nn.Module):
    """Classifier [B, 1, H, W], values in [0, 1] -> [B, 2n]: n logits, then n levels, as `MobileNetV2` gives them.

    Without a backbone it takes a picture's statistics [B, COUNT] as well, so that they need not be computed at every step of a
    training: the denoiser is not trained.

    Args:
        classes: n.
        backbone: width multiplier of the MobileNetV2, 0 for the statistics alone.
        hidden, layers: units of the layers before the last ones, and how many such layers.
        width, encoder, middle, decoder: of the denoiser, a `UNet` for gray.

    H and W are multiples of `multiple`, 32 or more. The denoiser is not trained; `adopt` gives it trained weights.
    """

    def __init__(
        self,
        classes: int = 11,
        backbone: float = 0.0,
        hidden: int = 384,
        layers: int = 3,
        width: int = 16,
        encoder: Sequence[int] = (1, 1),
        middle: int = 1,
        decoder: Sequence[int] = (1, 1),
    ) -> None:
        super().__init__()
        if min(classes, hidden, layers) < 1:
            raise ValueError(f"classes, hidden and layers are above 0, not {classes}, {hidden} and {layers}")
        self.denoiser = UNet(1, width, encoder, middle, decoder).requires_grad_(False)
        self.multiple = self.denoiser.multiple
        self.norm = nn.BatchNorm1d(noise_statistics.COUNT)
        self.features = MobileNetV2(width=backbone).features if backbone else None
        seen = self.features[-1][0].out_channels if self.features else 0  # type: ignore[index]
        sizes = [noise_statistics.COUNT + int(seen), *[hidden] * layers]
        self.hidden = nn.Sequential(*(_layer(before, after) for before, after in pairwise(sizes)))
        self.logits, self.levels = nn.Linear(hidden, classes), nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        clean, statistics = (x, x) if x.ndim == 2 else self._look(x)
        fused = self.norm(statistics).clip(-_FARTHEST, _FARTHEST)
        if self.features is not None:
            residual = x - clean
            planes = torch.cat([2 * clean - 1, torch.tanh(residual / _SHOWN), residual / 0.2], dim=1)
            fused = torch.cat([fused, self.features(planes).mean((2, 3))], dim=1)
        hidden = self.hidden(fused)
        return torch.cat([self.logits(hidden), self.levels(hidden)], dim=1)

    @torch.no_grad()
    def _look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 1, H, W] -> the same without noise, and statistics [B, COUNT]."""
        clean = self.denoiser(x)
        return clean, noise_statistics.statistics(x.float(), clean.float())

    def adopt(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the denoiser from the tensors of a trained `UNet`. Raises ValueError where they are of another one."""
        try:
            self.denoiser.load_state_dict(dict(tensors))
        except RuntimeError as error:
            raise ValueError("these are not weights of the denoiser that the classifier is built with") from error


def _layer(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Linear(before, after), nn.GELU(), nn.Dropout(0.2))
