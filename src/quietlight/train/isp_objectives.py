"""What the three steps of CameraNet's training minimise (Liang et al. 2021, section III-E): differences of light and of pictures.

Batches hold "input", a prepared raw, and "restored", its truth, both linear XYZ with white about 1; and "enhanced", sRGB in [0, 1];
all [B, 3, H, W]. A norm is the mean over all values.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from quietlight.frames import UnusableInput

Batch = dict[str, Tensor]

SEEN = ("restored", "input")


def restoration_loss(restored: Tensor, truth: Tensor, epsilon: float) -> Tensor:
    """Eq. 6: the mean differences of light, and of its logarithm from `epsilon` up, so that shadows count as an eye sees them."""
    logs = restored.clip(min=epsilon).log() - truth.clip(min=epsilon).log()
    return (restored - truth).abs().mean() + logs.abs().mean()


def enhancement_loss(enhanced: Tensor, truth: Tensor) -> Tensor:
    """Eq. 7: the mean difference of the pictures."""
    return (enhanced - truth).abs().mean()


def _decibels(output: Tensor, truth: Tensor) -> Tensor:
    """The mean PSNR of clipped pictures."""
    error = (output.clip(0, 1) - truth.clip(0, 1)).square().mean((1, 2, 3))
    return (-10 * torch.log10(error + 1e-10)).mean()


class Restore:
    """Step 1: Restore-Net alone, by eq. 6. Scored by the mean PSNR in dB of clipped light to the power 1/2.2, as a display has it.

    Args:
        epsilon: light from which logarithms are taken; the paper gives none, its code 1e-3 for HDR+ and 1e-4 for SID.
    """

    def __init__(self, epsilon: float = 1e-3) -> None:
        _check_epsilon(epsilon)
        self.epsilon = epsilon

    def __call__(self, network: nn.Module, batch: Batch, _share: float) -> dict[str, Tensor]:
        return {"total": restoration_loss(network(batch["input"]).float(), batch["restored"], self.epsilon)}

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        output, truth = (
            light.clip(0, 1) ** (1 / 2.2) for light in (network(batch["input"]).float(), batch["restored"])
        )
        return _decibels(output, truth)


class Enhance:
    """Step 2: Enhance-Net alone, by eq. 7. Scored by the mean PSNR in dB of the clipped picture.

    Args:
        sees: "restored", the truth of step 1 (eq. 8), so that both steps can run at once; or "input", for networks of one stage.
    """

    def __init__(self, sees: str = "restored") -> None:
        if sees not in SEEN:
            raise UnusableInput(f"a network that enhances sees restored or input, not {sees!r}")
        self.sees = sees

    def __call__(self, network: nn.Module, batch: Batch, _share: float) -> dict[str, Tensor]:
        return {"total": enhancement_loss(network(batch[self.sees]).float(), batch["enhanced"])}

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        return _decibels(network(batch[self.sees]).float(), batch["enhanced"])


class Joint:
    """Step 3: both nets, one after the other, by eq. 9: λ times the loss of step 1, and 1 - λ times that of the final picture.

    Scored by the mean PSNR in dB of the clipped picture.

    Args:
        restoration: λ. The paper has 0.5 for HDR+, 0.9 for SID, 0.1 for FiveK: more where noise is what matters.
        epsilon: as for `Restore`.
    """

    def __init__(self, restoration: float = 0.5, epsilon: float = 1e-3) -> None:
        _check_epsilon(epsilon)
        if not 0 <= restoration <= 1:
            raise UnusableInput(f"restoration is a share from 0 to 1, not {restoration}")
        self.restoration, self.epsilon = restoration, epsilon

    def __call__(self, network: nn.Module, batch: Batch, _share: float) -> dict[str, Tensor]:
        restored, enhanced = network(batch["input"], apart=True)
        first = restoration_loss(restored.float(), batch["restored"], self.epsilon)
        second = enhancement_loss(enhanced.float(), batch["enhanced"])
        total = self.restoration * first + (1 - self.restoration) * second
        return {"total": total, "restored": first.detach(), "enhanced": second.detach()}

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        return _decibels(network(batch["input"]).float(), batch["enhanced"])


def _check_epsilon(epsilon: float) -> None:
    if not 0 < epsilon < 1:
        raise UnusableInput(f"epsilon is light above black and below white, not {epsilon}")
