"""Our classifier: it looks at the noise, not at the scene.

NoiseBreaker's own (`mobilenet`) looks at the picture, and has to learn to see past what is on it. This one lets a small
frozen denoiser take the noise out first. What was taken out goes to a narrow MobileNetV2 and into statistics
(`noise_statistics`), and both are fused before the paper's two layers (Lemarchand et al. 2020, section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from quietlight.networks import noise_statistics
from quietlight.networks.mobilenet import MobileNetV2
from quietlight.networks.unet import UNet

_SHOWN = 4.0 / 255
"""Residuals are shown to the backbone in two strengths: as shares of the scale, and squashed around this."""


class NoiseClassifier(nn.Module):
    """Classifier [B, 1, H, W], values in [0, 1] -> [B, 2n]: n logits, then n levels, as `MobileNetV2` gives them.

    Args:
        classes: n.
        backbone: width multiplier of the MobileNetV2, 0 for the statistics alone.
        hidden: units of the layer before the last ones.
        width, encoder, middle, decoder: of the denoiser, a `UNet` for gray.

    H and W are multiples of `multiple`, 32 or more. The denoiser is not trained; `adopt` gives it trained weights.
    """

    def __init__(
        self,
        classes: int = 11,
        backbone: float = 0.35,
        hidden: int = 1024,
        width: int = 16,
        encoder: Sequence[int] = (1, 1),
        middle: int = 1,
        decoder: Sequence[int] = (1, 1),
    ) -> None:
        super().__init__()
        if classes < 1 or hidden < 1:
            raise ValueError(f"classes and hidden are above 0, not {classes} and {hidden}")
        self.denoiser = UNet(1, width, encoder, middle, decoder).requires_grad_(False)
        self.multiple = self.denoiser.multiple
        self.norm = nn.BatchNorm1d(noise_statistics.COUNT)
        self.features = MobileNetV2(width=backbone).features if backbone else None
        seen = self.features[-1][0].out_channels if self.features else 0  # type: ignore[index]
        self.hidden = nn.Sequential(nn.Linear(noise_statistics.COUNT + int(seen), hidden), nn.ReLU(), nn.Dropout(0.2))
        self.logits, self.levels = nn.Linear(hidden, classes), nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            clean = self.denoiser(x)
            statistics = noise_statistics.statistics(x.float(), clean.float())
        fused = self.norm(statistics)
        if self.features is not None:
            residual = x - clean
            planes = torch.cat([2 * clean - 1, torch.tanh(residual / _SHOWN), residual / 0.2], dim=1)
            fused = torch.cat([fused, self.features(planes).mean((2, 3))], dim=1)
        hidden = self.hidden(fused)
        return torch.cat([self.logits(hidden), self.levels(hidden)], dim=1)

    def adopt(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the denoiser from the tensors of a trained `UNet`. Raises ValueError where they are of another one."""
        try:
            self.denoiser.load_state_dict(dict(tensors))
        except RuntimeError as error:
            raise ValueError("these are not weights of the denoiser that the classifier is built with") from error
