"""CameraNet: linear XYZ of a raw in, a finished sRGB picture out, by two U-Nets: Restore-Net, then Enhance-Net.

Liang, Cai, Cao and Zhang, "CameraNet: A Two-Stage Framework for Effective Camera ISP Learning", IEEE TIP 2021. Where its text and
the released code differ, we do what yields the text's own count of 26.53 M parameters and 3306.69 GFLOP: 2x2 pixels are folded into
planes (code; the text names no folding), both nets have a global branch (text; the code has one), which scales and shifts (code;
eq. 5 only scales), and none is normalised (code; the text has ABN in Enhance-Net, which on batches of one sees the statistics of
the picture itself). Departures: convolutions pad with zeros, where the code mirrors, which makes a step of training a third
shorter; they begin as He et al. 2015 do; and what `relative` stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from quietlight.networks.stage import Stage

PARTS = ("both", "restore", "enhance")
_FLOOR, _POWER = 1e-4, 1 / 2.2
_KNEE = 0.01
"""Light around which a coded value turns from being proportional to it to being about its root."""
_FARTHEST = 3.0
"""Most that a relative stage amplifies or dims a coded value, as a natural logarithm."""
_SRGB_FROM_XYZ = (
    (3.2404542, -1.5371385, -0.4985314), (-0.9692660, 1.8760108, 0.0415560), (0.0556434, -0.2040259, 1.0572252)
)  # fmt: skip
"""XYZ D65 -> linear sRGB, as in `camera.color`."""


def coded(light: Tensor) -> Tensor:
    """Light x -> x / sqrt(|x| + 0.01): about its root, and without a bend at black, so that noise stays symmetric there."""
    return light / torch.sqrt(light.abs() + _KNEE)


def uncoded(value: Tensor) -> Tensor:
    """The inverse of `coded`."""
    return value * (value.abs() + torch.sqrt(value.square() + 4 * _KNEE)) / 2


class TwoStages(nn.Module):
    """A network that restores in linear XYZ, white about 1, and enhances in sRGB; either stage may be absent.

    Args:
        restorer, enhancer: folded planes [B, C, h, w] -> as many, or twice as many if `relative`, by a last layer named `head`.
            Further arguments of `restore` and `enhance` are handed to them.
        fold: the stages see each square of fold x fold pixels as planes.
        relative: what departs from the paper, for short trainings: a stage sees `coded` light, and gives a logarithmic gain and an
            offset for every value that it saw, both 0 in the beginning. So what is in the picture need not be learnt, and a gain
            for all of it is one number. Else Restore-Net sees light and Enhance-Net its power 1/2.2, from 1e-4 up, and what they
            give is the result.

    H and W are multiples of `multiple`.
    """

    is_camera = True
    channels = 3
    matrix: Tensor

    def __init__(
        self, restorer: nn.Module | None, enhancer: nn.Module | None, fold: int, relative: bool, multiple: int
    ) -> None:
        super().__init__()
        self.restorer, self.enhancer = restorer, enhancer
        self.fold, self.relative, self.multiple = fold, relative, multiple
        for stage in (restorer, enhancer):
            if relative and stage is not None:
                nn.init.zeros_(stage.head.weight)  # type: ignore[union-attr,arg-type]
                nn.init.zeros_(stage.head.bias)  # type: ignore[union-attr,arg-type]
        self.register_buffer("matrix", torch.tensor(_SRGB_FROM_XYZ)[..., None, None], persistent=False)

    def forward(self, x: Tensor, apart: bool = False) -> Any:
        """XYZ [B, 3, H, W] -> sRGB [B, 3, H, W], not clipped; or what the only stage gives.

        With `apart`, which two stages understand, also the restored XYZ: (restored, enhanced). It is asked for here because
        training on many machines takes no other way into a network than this one.
        """
        restored = x if self.restorer is None else self.restore(x)
        if self.enhancer is None:
            return restored
        enhanced = self.enhance(restored)
        return (restored, enhanced) if apart else enhanced

    def restore(self, x: Tensor, *given: Tensor) -> Tensor:
        """XYZ as a raw is prepared -> XYZ, white-balanced and clean."""
        planes = self._restorer_sees(x)
        restored = self._applied(planes, self.restorer(planes, *given))  # type: ignore[misc]
        return uncoded(restored) if self.relative else restored

    def enhance(self, restored: Tensor, *given: Tensor) -> Tensor:
        """Restored XYZ -> sRGB as displayed, not clipped."""
        planes = self._enhancer_sees(restored)
        return self._applied(planes, self.enhancer(planes, *given))  # type: ignore[misc]

    def _restorer_sees(self, x: Tensor) -> Tensor:
        return functional.pixel_unshuffle(coded(x) if self.relative else x, self.fold)

    def _enhancer_sees(self, restored: Tensor) -> Tensor:
        # Not a matrix product, which lower precision would coarsen.
        linear = (self.matrix * restored[:, None]).sum(2)
        seen = coded(linear) if self.relative else linear.clip(min=_FLOOR) ** _POWER
        return functional.pixel_unshuffle(seen, self.fold)

    def _applied(self, planes: Tensor, output: Tensor) -> Tensor:
        if self.relative:
            gain, offset = output.chunk(2, 1)
            output = planes * gain.clip(-_FARTHEST, _FARTHEST).exp() + offset
        return functional.pixel_shuffle(output, self.fold)


class CameraNet(TwoStages):
    """The paper's network in its default arguments: Restore-Net of plain blocks, Enhance-Net of residual and dilated ones.

    Args:
        width, widest: features at the first scale, which double at each further one, and most that one has.
        rates: dilation at each scale of Enhance-Net; both nets have as many scales.
        blocks: at each scale. Two in one stage alone is the paper's one-stage network.
        global_branch, norm: as for `Stage`; `norm` is Enhance-Net's.
        relative: as for `TwoStages`.
        part: "restore" or "enhance" for one stage alone, as steps 1 and 2 of the training make it; their parameters have the names
            they have in "both". Of "enhance" what comes in is restored XYZ, or, for the one-stage network, a prepared raw.

    `reach` says how many pixels "restore" and "enhance" see to every side, when they are given the means of `restore_features` and
    `enhance_features`.

    Raises ValueError for arguments that make no sense.
    """

    def __init__(
        self,
        width: int = 32,
        widest: int = 512,
        rates: Sequence[int] = (1, 2, 2, 4, 8),
        blocks: int = 1,
        global_branch: str = "scale_shift",
        norm: str = "none",
        relative: bool = False,
        part: str = "both",
    ) -> None:
        check_part(part)
        sizes = {
            "width": width,
            "widest": widest,
            "blocks": blocks,
            "global_branch": global_branch,
            "outputs": 24 if relative else 12,
        }
        plain, dilated = [1] * len(rates), list(rates)
        restorer = None if part == "enhance" else Stage(rates=plain, **sizes)  # type: ignore[arg-type]
        enhancer = None if part == "restore" else Stage(rates=dilated, residual=True, norm=norm, **sizes)  # type: ignore[arg-type]
        super().__init__(restorer, enhancer, 2, relative, 2 ** len(rates))
        stages = {"restore": restorer, "enhance": enhancer}
        self.reach = {name: 2 * stage.reach for name, stage in stages.items() if stage is not None}

    def restore_features(self, x: Tensor) -> Tensor:
        """XYZ -> features [B, C, H/multiple, W/multiple]; `restore` of a part can be given their mean over the frame [B, C]."""
        features: Tensor = self.restorer.deepest(self._restorer_sees(x))  # type: ignore[union-attr,operator]
        return features

    def enhance_features(self, restored: Tensor) -> Tensor:
        """The same for `enhance`."""
        features: Tensor = self.enhancer.deepest(self._enhancer_sees(restored))  # type: ignore[union-attr,operator]
        return features


def check_part(part: str) -> None:
    """Raise ValueError where a network has no such part."""
    if part not in PARTS:
        raise ValueError(f"part is one of {', '.join(PARTS)}, not {part!r}")


PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "light": {"width": 16, "widest": 48, "rates": [1, 2, 2, 4, 8], "relative": True},
}
"""Arguments of `CameraNet` by name: the paper's size, and ours, a seventh of its operations, 3.5% of its parameters."""
