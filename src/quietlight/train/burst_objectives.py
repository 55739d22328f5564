"""What the training of burst networks minimises: a loss on values as a picture shows them, and, early on, one for every frame.

Mildenhall et al., "Burst Denoising with Kernel Prediction Networks", CVPR 2018, with the constants of the authors' code.
Departure: the weight of the single frames falls with the share of the run that is done, so that short trainings anneal, too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from quietlight.camera.tone import srgb_encode
from quietlight.frames import UnusableInput
from quietlight.networks.kernels import shares

Batch = dict[str, Tensor]

BORDER = 8
"""Pixels along every side that do not count."""
_FALL = 1e-4
"""What is left of the weight of single frames when they are left out: of the paper's 100 it is 0.01."""
_SLOPE = 1.055 / 2.4
"""Of sRGB's curve at 1."""


def shown(linear: Tensor, white: Tensor) -> Tensor:
    """Linear values with their white level -> sRGB's curve, black 0 and white 1, in which they are compared; without the border.

    The curve goes on straight below black, where sRGB's is straight, and above white, so that it has a slope everywhere.
    """
    scaled = (linear / white)[..., BORDER:-BORDER, BORDER:-BORDER]
    above = (scaled - 1).clip(min=0)
    curved: Tensor = srgb_encode(scaled - above) + _SLOPE * above
    return curved


def basic_loss(output: Tensor, truth: Tensor) -> Tensor:
    """Of `shown` pictures [..., C, H, W], [...]: the mean square of their difference and half the mean size of its gradients."""
    difference = output - truth
    down, right = (difference.diff(dim=axis).abs().mean((-3, -2, -1)) for axis in (-2, -1))
    loss: Tensor = difference.square().mean((-3, -2, -1)) + (down + right) / 2
    return loss


class AnnealedBurst:
    """The loss of the merged frame, and in the beginning of the run that of every frame alone, which has to do without the others.

    Without these, a network finds that it does well by the reference alone, and never gets to know the other frames. Their losses
    are added up, times a weight that falls exponentially. Scored by the mean PSNR in dB of the clipped `shown` merged frames.

    Args:
        weight: of the single frames' losses when the run begins; 0 for none, which is all that direct synthesis can do.
        until: share of the run at which the weight has fallen to 1e-4 of that; from there on they are left out.
    """

    def __init__(self, weight: float = 100.0, until: float = 0.3) -> None:
        if weight < 0 or not 0 < until <= 1:
            raise UnusableInput(
                "the weight of single frames is 0 or more, and they are left out from a share in (0, 1]"
            )
        self.weight, self.until = weight, until

    def __call__(self, network: nn.Module, batch: Batch, share: float) -> dict[str, Tensor]:
        truth = shown(batch["truth"], batch["white"])
        if share >= self.until or not self.weight:
            return {"total": basic_loss(shown(_merged(network, batch), batch["white"]), truth).mean()}
        singles = _merged(network, batch, apart=True)
        merged = (shares(batch["present"]) * singles).sum(1)
        total = basic_loss(shown(merged, batch["white"]), truth).mean()
        alone = basic_loss(shown(singles, batch["white"][:, None]), truth[:, None])
        alone = (alone * batch["present"]).sum(1).mean()
        weight = self.weight * _FALL ** (share / self.until)
        return {"total": total + weight * alone, "merged": total.detach(), "alone": alone.detach()}

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        output, truth = (shown(x, batch["white"]).clip(0, 1) for x in (_merged(network, batch), batch["truth"]))
        return (-10 * torch.log10((output - truth).square().mean((1, 2, 3)))).mean()


def _merged(network: nn.Module, batch: Batch, **how: bool) -> Tensor:
    merged: Tensor = network(*(batch[key] for key in ("frames", "present", "shot", "read")), **how)
    return merged.float()
