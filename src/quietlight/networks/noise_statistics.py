"""Statistics that tell one noise from another: of a picture and of what a denoiser took for noise in it.

They are the classical signs. Where the picture is flat, the residual is the noise alone: how strong it is there and how its
strength follows the brightness (gaussian: not at all; poisson: as the root; speckle: in proportion), the shape of its
distribution (uniform noise is bounded), how its values hang together from pixel to pixel (what a camera's demosaic and JPEG do),
and pixels at the ends of the scale among others that are not (bernoulli). Everything is a mean over pixels, so any size will do.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

FLATTEST = (0.05, 0.2, 0.5, 1.0)
"""Shares of the pixels, the flattest first, over which the moments of the residual are taken."""
_MOMENTS, _BINS, _TONES = 5, 16, 8
_SHIFTS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
_QUANTILES = (0.02, 0.1, 0.3, 0.5, 0.9)
_JPEG = 8
_SIDE = 128
"""Pixels are counted as if the picture had sides of this length."""
_REACHES = (12, 40, 100)
"""Distances from an end of the scale, on the 0-255 scale, beyond which pixels there are counted."""
_FEW = 20.0
"""Pixels of a tone below which the whole picture's strength stands in for its own."""
_LAWS = (0.0, 1.0, 2.0)
"""Powers of the brightness that the variance of gaussian, poisson and speckle noise is proportional to."""
COUNT = (
    (8 + len(FLATTEST) * (_MOMENTS + 1) + _BINS + 4 * _TONES + len(_SHIFTS) + len(_QUANTILES) + 2)
    + (2 * len(_REACHES) + _TONES + 2 * len(_LAWS))
)  # fmt: skip
"""How many statistics there are."""


def statistics(noisy: Tensor, clean: Tensor) -> Tensor:
    """[B, 1, H, W] in [0, 1] and what a denoiser made of it -> [B, COUNT], about as large as 1. H and W are at least 16."""
    residual = noisy - clean
    activity = _deviation(clean)
    inside = ((noisy > 0) & (noisy < 1)).float()
    flat = [a.flatten(1) for a in (residual, activity, inside, clean.clip(0, 1))]
    moments, scale = _moments(flat[0], flat[1], flat[2])
    calm = flat[2] / (1 + (flat[1] / (0.5 * scale + 1 / 255)) ** 2) ** 2
    finest = _finest(noisy)
    parts = [
        _ends(noisy, clean),
        moments,
        _histogram(flat[0][:, ::2] / scale, calm[:, ::2]),  # every other pixel tells as much
        _tones(flat[0], flat[3], calm, scale),
        _correlations(residual * calm.view_as(residual)),
        _roughness(finest),
        _grid(noisy),
        _lost(noisy, clean),
        _finest_tones(finest.flatten(1), flat[3], calm, scale),
        *(_by_law(x, flat[3], calm) for x in (flat[0], finest.flatten(1))),
    ]
    return torch.cat(parts, dim=1)


def _deviation(x: Tensor) -> Tensor:
    """Standard deviation in 5×5 pixels."""
    mean, square = (functional.avg_pool2d(functional.pad(y, (2, 2, 2, 2), "reflect"), 5, 1) for y in (x, x * x))
    return (square - mean * mean).clip(min=0).sqrt()


def _log(x: Tensor) -> Tensor:
    return torch.log(x + 1e-5)


def _ends(noisy: Tensor, clean: Tensor) -> Tensor:
    """Logarithms of the shares of pixels at an end of the scale: all, those whose surroundings are off it a little, and far."""
    shares = []
    for value, distance in ((noisy, clean), (1 - noisy, 1 - clean)):
        at_end = value <= 0
        shares += [(at_end & (distance > reach / 255)).float().mean((1, 2, 3)) for reach in (-255, *_REACHES)]
    return _log(torch.stack(shares, dim=1))


def _lost(noisy: Tensor, clean: Tensor) -> Tensor:
    """How many of the pixels that should lie so far from an end of the scale are there: the rate of lost pixels."""
    shares = []
    for value, distance in ((noisy, clean), (1 - noisy, 1 - clean)):
        for reach in _REACHES:
            far = distance > reach / 255
            shares.append(5 * ((value <= 0) & far).float().sum((1, 2, 3)) / (far.float().sum((1, 2, 3)) + _FEW))
    return torch.stack(shares, dim=1)


def _moments(residual: Tensor, activity: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Of the residual over the flattest pixels: deviation, and moments in its units; and the scale [B, 1]."""
    order = torch.where(inside > 0, activity, torch.inf)[:, ::7].sort(dim=1).values
    known = (order < torch.inf).sum(dim=1, keepdim=True)
    square, absolute = residual * residual, residual.abs()
    powers = [torch.ones_like(residual), absolute, square, square * square, square**3, square * residual]
    table = torch.stack(powers, dim=2)
    parts, scale = [], torch.ones_like(residual[:, :1])
    for share in FLATTEST:
        limit = order.gather(1, (share * (known - 1)).clip(min=0).long())
        weight = (activity <= limit).float() * inside
        sums = torch.bmm(weight[:, None], table)[:, 0]
        n, m1, m2, m4, m6, m3 = (sums / (sums[:, :1] + 1e-6)).unbind(1)
        n = sums[:, 0] / residual.shape[1]
        deviation = (m2 + 1e-8).sqrt()
        if share == FLATTEST[1]:
            scale = deviation[:, None]
        shape = [
            m1 / deviation,
            m3 / deviation**3,
            torch.log(m4 / deviation**4 + 0.1),
            torch.log(m6 / deviation**6 + 0.1),
        ]
        parts += [
            torch.log(deviation),
            _log(limit[:, 0].clip(max=1)) if share < 1 else _log(n),
            *(s.clip(-5, 5) for s in shape),
        ]
    return torch.stack(parts, dim=1), scale


def _histogram(ratio: Tensor, weight: Tensor) -> Tensor:
    """Of the residual in units of its scale, from -3.5 to 3.5, with triangular bins."""
    centers = torch.linspace(-3.5, 3.5, _BINS, device=ratio.device)
    step = 7 / (_BINS - 1)
    near = (1 - (ratio[:, None] - centers[:, None]).abs() / step).clip(min=0)
    return _BINS * torch.bmm(near, weight[:, :, None])[:, :, 0] / (weight.sum(1, keepdim=True) + 1e-6)


def _tones(residual: Tensor, tone: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """By brightness: how many pixels, the residual's strength beside the scale, and two signs of its shape."""
    near = _near(tone) * weight[:, None]
    square = residual * residual
    powers = torch.stack([torch.ones_like(residual), residual.abs(), square, square * square], dim=2)
    n, m1, m2, m4 = (torch.bmm(near, powers) * (_SIDE**2 / tone.shape[1])).unbind(2)
    variance = (m2 + _FEW * scale**2) / (n + _FEW)
    m1, m2, m4 = (m / (n + 1e-3) for m in (m1, m2, m4))
    shape = [(m1 / (m2.sqrt() + 1e-5)), torch.log(m4 / (m2**2 + 1e-10) + 0.1).clip(-5, 5)]
    return torch.cat([torch.log(n + 1) / 4, 0.5 * torch.log(variance) - torch.log(scale), *shape], dim=1)


def _finest(noisy: Tensor) -> Tensor:
    """[B, 1, H, W] through Immerkær's mask (1996), which cancels planes and keeps the strength of white noise."""
    mask = torch.tensor([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]], device=noisy.device) / 6
    return functional.conv2d(functional.pad(noisy, (1, 1, 1, 1), "reflect"), mask[None, None])


def _finest_tones(finest: Tensor, tone: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """By brightness: the strength of the finest detail beside the residual's scale."""
    near = _near(tone) * weight[:, None]
    powers = torch.stack([torch.ones_like(finest), finest * finest], dim=2)
    n, m2 = (torch.bmm(near, powers) * (_SIDE**2 / tone.shape[1])).unbind(2)
    return 0.5 * torch.log((m2 + _FEW * scale**2) / (n + _FEW)) - torch.log(scale)


def _by_law(x: Tensor, tone: Tensor, weight: Tensor) -> Tensor:
    """Logarithms of the strength that the noise has at white if its variance follows each of `_LAWS`, fitted to all pixels."""
    power = (weight * x * x).sum(1)
    bright = tone.clip(min=1 / 255)
    assumed = torch.stack([(weight * bright**law).sum(1) for law in _LAWS], dim=1)
    return 0.5 * torch.log((power[:, None] + 1e-4) / (assumed + 1.0))


def _near(tone: Tensor) -> Tensor:
    """[B, _TONES, N]: how near each pixel's brightness is to each of as many tones, in triangular bins."""
    centers = torch.linspace(0, 1, _TONES, device=tone.device)
    return (1 - (tone[:, None] - centers[:, None]).abs() * (_TONES - 1)).clip(min=0)


def _correlations(x: Tensor) -> Tensor:
    """Of neighbours in a few directions."""
    power = x.square().mean((1, 2, 3)) + 1e-12
    height, width = x.shape[2:]
    pairs = [
        (x[:, :, down:, right:] * x[:, :, : height - down, : width - right]).mean((1, 2, 3)) for down, right in _SHIFTS
    ]
    return torch.stack(pairs, dim=1) / power[:, None]


def _roughness(finest: Tensor) -> Tensor:
    """Quantiles over 8×8 blocks of the strength of the finest detail."""
    energy = functional.avg_pool2d(finest.square(), 8).flatten(1).sort(dim=1).values
    # By a tensor, so that a graph of it finds them in pictures of any size.
    places = (torch.tensor(_QUANTILES, dtype=torch.float64) * (energy.shape[1] - 1)).round().long()
    return 0.5 * torch.log(energy.index_select(1, places.to(energy.device)) + 1e-7)


def _grid(noisy: Tensor) -> Tensor:
    """How much the strongest of eight phases of rows and columns stands out in the differences between them: JPEG's blocks."""
    signs = []
    for steps in (
        (noisy[..., 1:] - noisy[..., :-1]).abs().mean((1, 2)),
        (noisy[..., 1:, :] - noisy[..., :-1, :]).abs().mean((1, 3)),
    ):
        phases = torch.stack([steps[:, k::_JPEG].mean(1) for k in range(_JPEG)], dim=1)
        signs.append(torch.log(phases.max(1).values + 1e-4) - torch.log(phases.mean(1) + 1e-4))
    return torch.stack(signs, dim=1)
