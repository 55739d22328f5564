"""What the training of raw denoisers minimises: a loss in the raw domain, and a teacher's features on top of it.

Young et al., "Feature-Align Network and Knowledge Distillation for Efficient Denoising", 2021: "a new perceptual Feature Loss
calculated in the RAW domain to preserve high frequency image content". Only the abstract was available: the rest is our reading.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from quietlight import zoo
from quietlight.engine.torch_engine import module_of
from quietlight.frames import UnusableInput

Batch = dict[str, Tensor]

_OFFSET = 0.02
"""Raw value around which the root leaves its linear part: black has sqrt(1.02 / 0.02), seven times the weight of white, no more."""
_QUIET = 1e-5
"""Shot variance that the teacher is told of for pictures without noise: the least that it learnt from."""


class Raw:
    """The logarithm of Charbonnier's loss, sqrt(d² + 1e-8), of each sample; scored by the PSNR in dB of the planes.

    Errors differ a hundredfold between the weakest noise and the strongest, and by the logarithm all levels count alike, as they do
    in a mean of PSNRs.

    Args:
        domain: where differences are taken: "linear", or "root": sqrt(max(x, 0) + 0.02), about as a developed picture shows them.
    """

    def __init__(self, domain: str = "root") -> None:
        if domain not in ("linear", "root"):
            raise UnusableInput(f"the domain of a raw loss is linear or root, not {domain!r}")
        self.domain = domain

    def __call__(self, network: nn.Module, batch: Batch, _share: float) -> dict[str, Tensor]:
        output = network(batch["input"], batch["shot"], batch["read"]).float()
        return {"total": self._pixel_loss(output, batch)}

    def _pixel_loss(self, output: Tensor, batch: Batch) -> Tensor:
        difference = output - batch["truth"]
        if self.domain == "root":
            # The root of the truth alone bends: of a negative output it would have no slope.
            difference = difference / (2 * torch.sqrt(batch["truth"].clip(min=0) + _OFFSET))
        return torch.sqrt(difference.square() + 1e-8).mean((1, 2, 3)).log().mean()

    def score(self, network: nn.Module, batch: Batch) -> Tensor:
        output = network(batch["input"], batch["shot"], batch["read"]).float()
        return (-10 * torch.log10((output - batch["truth"]).square().mean((1, 2, 3)))).mean()


class FeatureMatching(Raw):
    """`Raw`, and how far a frozen teacher's features of the output are from those of the clean raw.

    The teacher's encoder sees the output and the clean planes, both as raws of hardly any noise; of each scale the mean absolute
    difference counts, relative to the mean of the clean one's.

    Args:
        teacher: weights of a raw network with `raw_features`, a name or a file; frozen. Read when they are first needed, so that
            a teacher may still be trained while its student learns the pixels.
        weight: of the features beside the logarithm of the pixels' loss.
        after: share of the run from which features count, at several times the time of a step; before, pixels alone.
        against: what the features are matched with: "clean", or "teacher", the teacher's own output.
        domain: as for `Raw`.
    """

    def __init__(
        self, teacher: str, weight: float = 0.5, after: float = 0.8, against: str = "clean", domain: str = "root"
    ) -> None:
        super().__init__(domain)
        if against not in ("clean", "teacher"):
            raise UnusableInput(f"features are matched against clean or teacher, not {against!r}")
        self.teacher, self.weight, self.after, self.against = teacher, weight, after, against

    def __call__(self, network: nn.Module, batch: Batch, share: float) -> dict[str, Tensor]:
        output = network(batch["input"], batch["shot"], batch["read"]).float()
        pixels = self._pixel_loss(output, batch)
        if share < self.after:
            return {"total": pixels}
        features = self._feature_loss(output, batch)
        return {
            "total": pixels + self.weight * features,
            "pixels": pixels.detach(),
            "features": features.detach(),
        }

    @cache  # noqa: B019  # an objective lives as long as its run
    def _loaded(self, device: torch.device) -> nn.Module:
        return module_of(zoo.read(self.teacher)).to(device).requires_grad_(False)

    def _feature_loss(self, output: Tensor, batch: Batch) -> Tensor:
        teacher = self._loaded(output.device)
        quiet = torch.full_like(batch["shot"], _QUIET), torch.zeros_like(batch["read"])
        with torch.no_grad():
            aim = batch["truth"]
            if self.against == "teacher":
                aim = teacher(batch["input"], batch["shot"], batch["read"]).float()
            wanted = teacher.raw_features(aim, *quiet)  # type: ignore[operator]
        found = teacher.raw_features(output, *quiet)  # type: ignore[operator]
        pairs = zip(found, wanted, strict=True)
        return torch.stack([(f.float() - w.float()).abs().mean() / w.float().abs().mean() for f, w in pairs]).mean()
