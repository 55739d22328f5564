"""Rival networks of CameraNet: SRGAN with 10 layers and CAN24, the second architecture of its Table I, and DeepISP.

None of the three is described in CameraNet's paper beyond its name, so the layers follow the papers they come from, and where
those leave a choice, the counts that CameraNet's paper states.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from quietlight.networks.cameranet import TwoStages, check_part
from quietlight.networks.stage import convolution, rectified


class SRGAN10(nn.Module):
    """The generator of SRGAN (Ledig et al. 2017, figure 4) without enlargement: [B, planes, H, W] -> [B, outputs, H, W].

    Ten convolutions are our reading of "10 layers": one in, four residual blocks of two, one out. It has no batch normalisation,
    which on batches of one sees the statistics of the picture itself.
    """

    def __init__(self, planes: int = 3, outputs: int = 3, width: int = 64) -> None:
        super().__init__()
        self.entry = convolution(planes, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(convolution(width, width), nn.PReLU(width), convolution(width, width)) for _ in range(4)
        )
        self.activation = nn.PReLU(width)
        self.head = convolution(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        entered = x = self.activation(self.entry(x))
        for block in self.blocks:
            x = x + block(x)
        output: Tensor = self.head(x + entered).float()
        return output


class CAN24(nn.Module):
    """Context aggregation (Chen, Xu and Koltun 2017, table 1): dilations 1, 2, 4 ... 64, 1, then pixel by pixel.

    It has 24 features, as its name says, and no normalisation, as everything that it is compared with here.
    """

    def __init__(self, planes: int = 3, outputs: int = 3, width: int = 24) -> None:
        super().__init__()
        rates = (1, 2, 4, 8, 16, 32, 64, 1)
        self.layers = nn.ModuleList(convolution(planes if i == 0 else width, width, r) for i, r in enumerate(rates))
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = rectified(layer(x))
        output: Tensor = self.head(x).float()
        return output


class SRGANCAN(TwoStages):
    """SRGAN10 to restore and CAN24 to enhance; trained at once, on the finished picture alone, it is one stage.

    Args:
        width: features of SRGAN10.
        fold: as for `TwoStages`; 2 quarters the operations.
        relative, part: as for `CameraNet`.

    Raises ValueError for another part.
    """

    def __init__(self, width: int = 64, fold: int = 1, relative: bool = False, part: str = "both") -> None:
        check_part(part)
        planes = 3 * fold**2
        outputs = 2 * planes if relative else planes
        restorer = None if part == "enhance" else SRGAN10(planes, outputs, width)
        enhancer = None if part == "restore" else CAN24(planes, outputs)
        super().__init__(restorer, enhancer, fold, relative, fold)


class DeepISP(TwoStages):
    """One stage: [B, 3, H, W] of prepared XYZ -> sRGB. Its default has the 0.629 M parameters that CameraNet's paper states.

    After Schwartz, Giryes and Bronstein 2019: fifteen 3x3 convolutions, of whose values three are added to the picture and the rest
    are features; then three more on features that get smaller, whose mean gives a quadratic transform of all colours. It sees
    linear sRGB in the coding of our other one-stage networks. The transform begins as the identity.
    """

    def __init__(self, width: int = 64, layers: int = 15, looks: int = 3) -> None:
        super().__init__(None, None, 1, True, 4**looks)
        self.layers = nn.ModuleList(convolution(width if i else 3, width) for i in range(layers))
        self.looks = nn.ModuleList(convolution(width, width, step=2) for _ in range(looks))
        self.transform = nn.Linear(width, 30)
        nn.init.zeros_(self.transform.weight)
        nn.init.zeros_(self.transform.bias)

    def forward(self, x: Tensor, apart: bool = False) -> Tensor:  # noqa: ARG002  # it has one stage
        return self.enhance(x)

    def enhance(self, restored: Tensor, *given: Tensor) -> Tensor:  # noqa: ARG002
        picture = self._enhancer_sees(restored)
        features = picture
        for layer in self.layers:
            values = layer(features)
            picture = picture + values[:, :3].tanh()
            features = rectified(values)
        for look in self.looks:
            features = functional.max_pool2d(rectified(look(features)), 2)
        change = self.transform(features.float().mean((2, 3))).view(-1, 3, 10, 1, 1)
        red, green, blue = picture.unbind(1)
        terms = (red * red, green * green, blue * blue, red * green, green * blue, blue * red, red, green, blue)
        enhanced: Tensor = picture + (change * torch.stack([*terms, torch.ones_like(red)], 1)[:, None]).sum(2)
        return enhanced
