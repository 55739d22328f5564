"""KPN: a burst in, and one clean frame out, as a mean of the frames, each filtered by kernels that a network predicts.

Mildenhall et al., "Burst Denoising with Kernel Prediction Networks", CVPR 2018, after the authors' code where the paper is silent.
Departures, all of them before the first step of a training: convolutions begin as He et al. 2015 do, and kernels as box filters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from quietlight.networks.kernels import filtered, mass, shares, taps_of, weights_of
from quietlight.networks.raw_input import noise_map, precisely


class KPN(nn.Module):
    """Merges bursts of linear frames, the reference first. The defaults are the paper's network, for gray frames.

    An encoder-decoder of 3x3 convolutions, three per scale, with average pooling, bilinear enlargement and concatenated skips. Its
    last scale has half the size of the frames; kernels are enlarged from there. It sees the frames and, of the reference, the map
    of its noise's deviation. Frames that are absent are zero to it, and count for nothing.

    Args:
        channels: of a frame: 1 (gray) or 4 (packed mosaic: the planes R, Gr, Gb, B); all are filtered by the same kernels.
        frames: N, how many it takes, the absent ones included.
        widths: features at each scale, the largest first; three scales or more.
        size: K, the side of a kernel, odd.
        separable: whether kernels are products of a column and a row, told by 2K numbers instead of K².
        direct: for comparison: three more convolutions give pixels, instead of kernels. Unlike kernels these cannot be enlarged, so
            they see the features at full size, too.
        blind: for comparison: it sees no noise map.

    H and W are multiples of `multiple`. Raises ValueError for arguments that make no sense.
    """

    is_burst = True

    def __init__(
        self,
        channels: int = 1,
        frames: int = 8,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        size: int = 5,
        separable: bool = False,
        direct: bool = False,
        blind: bool = False,
    ) -> None:
        super().__init__()
        if len(widths) < 3 or size % 2 == 0 or min(channels, frames, size) < 1:
            raise ValueError("there are three scales at least, kernels of odd size, and frames of a channel or more")
        self.channels, self.frames, self.size, self.blind = channels, frames, size, blind
        self.multiple = 2 ** (len(widths) - 1)
        taps = frames * taps_of(size, separable)
        self.stem = _convolution(channels * (frames + (not blind)), widths[0])
        self.encoders = nn.ModuleList([_convolutions(widths[0], widths[0], 2)])
        self.encoders.extend(_convolutions(a, b, 3) for a, b in pairwise(widths))
        self.decoders = nn.ModuleList()
        below = widths[-1]
        for width in widths[-2:1:-1]:
            self.decoders.append(_convolutions(below + width, width, 3))
            below = width
        self.decoders.append(_convolutions(below + widths[1], taps, 2))
        self.head = _convolution(taps, taps)
        self.pixels: nn.ModuleList | None = None
        if direct:
            features = _convolutions(taps + widths[0], widths[0], 2)
            self.pixels = nn.ModuleList([features, _convolution(widths[0], channels)])
        else:
            nn.init.kaiming_uniform_(self.head.weight, a=5**0.5)
            nn.init.constant_(self.head.bias, 1 / size if separable else 1 / size**2)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, present: Tensor, shot: Tensor, read: Tensor, apart: bool = False) -> Tensor:
        """The merged frame [B, C, H, W], linear: the mean of what the frames that are present give each alone.

        Args:
            frames: [B, N, C, H, W], linear, black 0, white 1, negative values kept.
            present: [B, N], 1 for a frame that is there and 0 for one that is not; the reference is.
            shot, read: variances [B, C, 1, 1] of the frames' noise, as in the DNG NoiseProfile: variance(x) = shot·x + read.
            apart: what the frames give each alone instead, [B, N, C, H, W]: the first result of `explain`. It is asked for here
                because training on many machines takes no other way into a network than this one.
        """
        if apart:
            return self.explain(frames, present, shot, read)[0]
        frames, features, full = self._features(frames, present, shot, read)
        if self.pixels is not None:
            inner, last = self.pixels
            return precisely(last, inner(torch.cat([_enlarged(features.relu()), full], 1)))
        if torch.is_grad_enabled():  # where all enlarged kernels are kept anyway, all at once is faster
            return self._at_once(frames, features, present)
        merged = torch.zeros_like(frames[:, 0])
        # Frame by frame: the enlarged kernels of all of them would fill a gigabyte per megapixel.
        parts = zip(frames.unbind(1), features.chunk(self.frames, 1), shares(present).unbind(1), strict=True)
        for frame, taps, share in parts:
            merged = merged + share * filtered(frame, _enlarged(taps), self.size)
        return merged

    def traced(self, frames: Tensor, present: Tensor, shot: Tensor, read: Tensor) -> Tensor:
        """`forward` for a graph, in which frame by frame would be many times as long."""
        if self.pixels is not None:
            return KPN.forward(self, frames, present, shot, read)
        frames, features, _ = self._features(frames, present, shot, read)
        return self._at_once(frames, features, present)

    def _at_once(self, frames: Tensor, features: Tensor, present: Tensor) -> Tensor:
        return (shares(present) * filtered(frames, self._taps(features), self.size)).sum(1)

    def explain(self, frames: Tensor, present: Tensor, shot: Tensor, read: Tensor) -> tuple[Tensor, Tensor]:
        """What every frame gives alone, [B, N, C, H, W], and its part in the merged one, the mass of its kernels: [B, N, H, W].

        The masses of a pixel add up to 1 where the merged frame is as bright as the burst. Arguments as for `forward`.
        Raises ValueError for direct synthesis, which knows no frames.
        """
        frames, taps = self._explained(frames, present, shot, read)
        return filtered(frames, taps, self.size), shares(present)[:, :, 0] * mass(taps, self.size)

    def kernels(self, frames: Tensor, present: Tensor, shot: Tensor, read: Tensor) -> Tensor:
        """The weight of every value in the merged frame, [B, N, K, K, H, W]: the kernels times their frames' shares.

        800 bytes per pixel of the paper's network: for parts of a picture. Arguments and what is raised as for `explain`.
        """
        _, taps = self._explained(frames, present, shot, read)
        return shares(present)[..., None] * weights_of(taps, self.size)

    def _explained(self, frames: Tensor, present: Tensor, shot: Tensor, read: Tensor) -> tuple[Tensor, Tensor]:
        """The frames, zero where they are absent, and the taps of their kernels."""
        if self.pixels is not None:
            raise ValueError("direct synthesis has no kernels to explain it by")
        frames, features, _ = self._features(frames, present, shot, read)
        return frames, self._taps(features)

    def _taps(self, features: Tensor) -> Tensor:
        """What the head gives -> taps of all kernels at full size, [B, N, T, H, W]."""
        taps = _enlarged(features)
        return taps.unflatten(1, (self.frames, -1))  # type: ignore[no-any-return, no-untyped-call]

    def _features(self, frames: Tensor, present: Tensor, shot: Tensor, read: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The frames, zero where they are absent; what the head makes of them, at half size; and the features at full size."""
        frames = frames * present[:, :, None, None, None]
        seen = [frames.flatten(1, 2)] + ([] if self.blind else [noise_map(frames[:, 0], shot, read)])
        features = precisely(self.stem, torch.cat(seen, 1)).relu()
        scales = [self.encoders[0](features)]
        for encoder in self.encoders[1:]:
            scales.append(encoder(functional.avg_pool2d(scales[-1], 2)))
        features = scales[-1]
        for decoder, skip in zip(self.decoders, scales[-2:0:-1], strict=True):
            features = decoder(torch.cat([_enlarged(features), skip], 1))
        # Whole planes in memory, one after the other, are what is fast to filter by.
        return frames, precisely(self.head, features).contiguous(), scales[0]


def _convolution(before: int, after: int) -> nn.Conv2d:
    convolution = nn.Conv2d(before, after, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return convolution


def _convolutions(before: int, width: int, count: int) -> nn.Sequential:
    """That many convolutions, each rectified."""
    layers: list[nn.Module] = []
    for _ in range(count):
        layers += [_convolution(before, width), nn.ReLU()]
        before = width
    return nn.Sequential(*layers)


def _enlarged(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
