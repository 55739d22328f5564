"""NoiseBreaker's classifier: says of what class the noise of a picture is, and how strong it is.

The backbone is MobileNetV2: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, table 2. The head
is that of Lemarchand et al., "NoiseBreaker: Gradual Image Denoising Guided by Noise Analysis", 2020, section 3.1: a layer of 1024
units with ReLU, and one of as many as there are classes.

Departures from NoiseBreaker:

- Beside the layer of classes stands one of levels, which says how strong the noise is within each class; the paper has none.
- Pictures are gray by default, as those to be denoised are, and of any size; the paper's classifier takes 224×224.
- It starts from torchvision's or timm's ImageNet weights instead of Keras's (section 4.1). So convolutions of stride 2 are padded
  on all sides, where Keras pads right and below; batch normalisation adds 1e-5 to the variance instead of 1e-3; and the input is
  normalised by ImageNet's mean and deviation instead of being mapped to [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

# Sandler et al., table 2: expansion, channels, blocks, and stride of the first block, for each stage.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_STEM, _LAST = 32, 1280
# Of ImageNet's red, green and blue in [0, 1].
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_COUNTER = "num_batches_tracked"


class InvertedResidual(nn.Module):
    """[B, before, H, W] -> [B, after, H / stride, W / stride]: expand, filter each channel, project without a non-linearity."""

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = before * expansion
        expand = [] if expansion == 1 else [_convolution(before, hidden, 1)]
        filters = _convolution(hidden, hidden, 3, stride, groups=hidden)
        project = nn.Conv2d(hidden, after, 1, bias=False), nn.BatchNorm2d(after)
        self.conv = nn.Sequential(*expand, filters, *project)
        self.residual = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """Classifier [B, C, H, W], values in [0, 1], sRGB -> [B, 2n]: n logits, then n levels.

    The softmax of the logits is the certainty of each class. A level is that of the noise if it is of this class, as a share of the
    upper level of the class; it is not limited to [0, 1].

    Args:
        classes: n.
        channels: of the picture, 1 (gray) or 3.
        width: multiplier of the channels of the backbone, which are then rounded to multiples of 8.
        hidden: units of the layer before the last ones.

    Any size from 32×32 up. Tensors of the backbone are named as in torchvision's mobilenet_v2.
    """

    multiple = 1
    mean: Tensor
    deviation: Tensor

    def __init__(self, classes: int = 11, channels: int = 1, width: float = 1.0, hidden: int = 1024) -> None:
        super().__init__()
        if channels not in (1, 3):
            raise ValueError(f"a picture has 1 or 3 channels, not {channels}")
        if classes < 1 or hidden < 1 or not width > 0:
            raise ValueError(f"classes, hidden and width are above 0, not {classes}, {hidden} and {width}")
        # They are no weights, so they do not travel with them.
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1), persistent=False)
        before = _rounded(_STEM * width)
        features: list[nn.Module] = [_convolution(3, before, 3, stride=2)]
        for expansion, exact, blocks, stride in _STAGES:
            after = _rounded(exact * width)
            for index in range(blocks):
                features.append(InvertedResidual(before, after, stride if index == 0 else 1, expansion))
                before = after
        last = _rounded(_LAST * max(1.0, width))
        self.features = nn.Sequential(*features, _convolution(before, last, 1))
        self.hidden = nn.Sequential(nn.Linear(last, hidden), nn.ReLU(inplace=True))
        self.logits, self.levels = nn.Linear(hidden, classes), nn.Linear(hidden, classes)
        for layer in self.features.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        # One gray channel broadcasts against the three of the mean.
        features = self.features((x - self.mean) / self.deviation)
        hidden = self.hidden(features.mean((2, 3)))
        return torch.cat([self.logits(hidden), self.levels(hidden)], dim=1)

    def adopt(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the backbone from the state dict of torchvision's mobilenet_v2 or one of timm's mobilenetv2_*, by name.

        What is not of the backbone is ignored. Raises ValueError, with nothing taken, for the first tensor that is missing, has
        another shape, or is too many.
        """
        timm = _timm_layers()
        pairs: dict[str, Tensor] = {}
        for name, value in self.state_dict().items():
            layer, _, part = name.rpartition(".")
            if layer not in timm or part == _COUNTER:
                continue
            names = name, f"{timm[layer]}.{part}"
            found = next((n for n in names if n in tensors), None)
            if found is None:
                raise ValueError(f"the tensor {' or '.join(names)} is missing")
            if tensors[found].shape != value.shape:
                raise ValueError(f"the tensor {found} has shape {[*tensors[found].shape]} instead of {[*value.shape]}")
            pairs[found] = value
        for name in tensors:
            if name.startswith(("features.", "blocks.")) and name not in pairs and not name.endswith(_COUNTER):
                raise ValueError(f"the tensor {name} is one too many: these are weights of another backbone")
        with torch.no_grad():
            for name, value in pairs.items():
                value.copy_(tensors[name])


def _convolution(before: int, after: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU6(inplace=True),
    )


def _rounded(channels: float) -> int:
    """The nearest multiple of 8, or the next one where that takes away more than a tenth, as in the authors' programs."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _timm_layers() -> dict[str, str]:
    """The layers of the backbone: torchvision's name -> timm's."""
    layers = {"features.0.0": "conv_stem", "features.0.1": "bn1"}
    index = 1
    for stage, (expansion, _, blocks, _) in enumerate(_STAGES):
        parts = {"conv.0.0": "conv_pw", "conv.0.1": "bn1", "conv.1.0": "conv_dw", "conv.1.1": "bn2"}
        parts |= {"conv.2": "conv_pwl", "conv.3": "bn3"}
        if expansion == 1:
            parts = {"conv.0.0": "conv_dw", "conv.0.1": "bn1", "conv.1": "conv_pw", "conv.2": "bn2"}
        for block in range(blocks):
            layers |= {f"features.{index}.{ours}": f"blocks.{stage}.{block}.{theirs}" for ours, theirs in parts.items()}
            index += 1
    return layers | {f"features.{index}.0": "conv_head", f"features.{index}.1": "bn2"}
