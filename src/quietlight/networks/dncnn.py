"""DnCNN: Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising", TIP 2017, section III."""

from __future__ import annotations

import copy

from torch import Tensor, nn


class DnCNN(nn.Module):
    """Denoiser [B, C, H, W] -> [B, C, H, W] of any size: plain 3×3 convolutions that predict the noise.

    Args:
        channels: of the picture, 1 or 3.
        depth: layers, 2 or more; 17 is the paper's DnCNN-S, 20 its DnCNN-B.
        width: features of the hidden layers.
        norm: whether the hidden layers are batch-normalised; `folded` gives the same network without.
    """

    multiple = 1

    def __init__(self, channels: int = 1, depth: int = 17, width: int = 64, norm: bool = True) -> None:
        super().__init__()
        if depth < 2:
            raise ValueError(f"depth is at least 2, not {depth}")
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1, bias=not norm))
            if norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(width, channels, 3, padding=1))
        self.arguments = {"channels": channels, "depth": depth, "width": width}
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        noise: Tensor = self.layers(x)
        return x - noise

    def folded(self) -> DnCNN:
        """The same function without batch normalisation, for inference: each one is folded into the convolution before it."""
        plain = DnCNN(**self.arguments, norm=False).to(next(self.parameters()).device)
        layers = list(copy.deepcopy(self).eval().layers)
        targets = [layer for layer in plain.layers if isinstance(layer, nn.Conv2d)]
        sources = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
        for target, index in zip(targets, sources, strict=True):
            source, follower = layers[index], layers[index + 1] if index + 1 < len(layers) else None
            if isinstance(source, nn.Conv2d) and isinstance(follower, nn.BatchNorm2d):
                source = nn.utils.fusion.fuse_conv_bn_eval(source, follower)
            target.load_state_dict(source.state_dict())
        return plain.eval()
