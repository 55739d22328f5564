"""Frames and kernels of their own for every pixel -> filtered frames.

Mildenhall et al., "Burst Denoising with Kernel Prediction Networks", CVPR 2018. Kernels are signed and need not sum to 1; beyond
their border frames are zero, as in the authors' code. A kernel is told by its taps, channels of a tensor [..., T, H, W]:
T = K² weights row by row, or, of separable ones, T = 2K: the K factors of its rows, then those of its columns.

The taps are gone through one after the other, so that no K²-fold copy of the frames is made, neither here nor for the gradient.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def taps_of(size: int, separable: bool) -> int:
    """How many numbers tell a kernel of `size` x `size`."""
    return 2 * size if separable else size**2


def filtered(frames: Tensor, taps: Tensor, size: int) -> Tensor:
    """Frames [..., C, H, W], taps [..., T, H, W] -> [..., C, H, W]: all channels of a frame by the same kernels.

    Args:
        frames: any values, float32 where small noise matters.
        taps: of every pixel; the weight at row r and column c belongs to the value r - K//2 below and c - K//2 to the right.
        size: K, odd.

    Raises ValueError for another number of taps than kernels of that size have.
    """
    padded = functional.pad(frames, [size // 2] * 4)
    height, width = frames.shape[-2:]
    weights = [w.unsqueeze(-3) for w in taps.unbind(-3)]
    lines = [padded[..., row : row + height, :] for row in range(size)]

    shifted = [[line[..., column : column + width] for column in range(size)] for line in lines]
    if len(weights) == taps_of(size, separable=True):
        rows, columns = weights[:size], weights[size:]
        return _sum([_sum(line, columns) for line in shifted], rows)
    if len(weights) != taps_of(size, separable=False):
        raise ValueError(f"{len(weights)} taps are not those of kernels of {size}x{size}")
    return _sum([value for line in shifted for value in line], weights)


def mass(taps: Tensor, size: int) -> Tensor:
    """The sum of every kernel's weights: taps [..., T, H, W] -> [..., H, W]."""
    if taps.shape[-3] == taps_of(size, separable=True):
        return taps[..., :size, :, :].sum(-3) * taps[..., size:, :, :].sum(-3)
    return taps.sum(-3)


def weights_of(taps: Tensor, size: int) -> Tensor:
    """The weights of every kernel: taps [..., T, H, W] -> [..., K, K, H, W], rows and columns as for `filtered`."""
    if taps.shape[-3] == taps_of(size, separable=True):
        return taps[..., :size, None, :, :] * taps[..., None, size:, :, :]
    return taps.view(*taps.shape[:-3], size, size, *taps.shape[-2:])


def shares(present: Tensor) -> Tensor:
    """The part of every frame in their mean: 1 or 0 for present or absent [B, N] -> [B, N, 1, 1, 1], adding up to 1."""
    return (present / present.sum(1, keepdim=True))[:, :, None, None, None]


def _sum(values: list[Tensor], factors: list[Tensor]) -> Tensor:
    """The sum of the products; only values and factors are kept for the gradient."""
    total = values[0] * factors[0]
    for value, factor in zip(values[1:], factors[1:], strict=True):
        total.addcmul_(value, factor)
    return total
