"""Frames with their truths on disk -> what a learned camera pipeline is trained on.

Crops are read without the rest of the frame. Whole frames are reduced to a longer side of 768, block by block, and kept from their
first use on as long as there is room.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from quietlight.camera.bayer import pack
from quietlight.camera.prepare import MODES, preparation
from quietlight.data.isp import LONGEST, MULTIPLE, prepared
from quietlight.data.pack import VALIDATION_STEP, located
from quietlight.data.pair_folder import MANIFEST, read_json
from quietlight.data.photos import VALIDATION_PATCH
from quietlight.data.sets.scene import TRAINING, VALIDATION
from quietlight.data.truth import read_truth
from quietlight.data.views import Crops, Size, Wholes, stacked
from quietlight.frames import Array, Floats, RawFrame, UnusableInput
from quietlight.io.packed import read_packed

Area = tuple[int, int, int, int]
Layers = tuple[Tensor, Tensor, Tensor]
"""Input, restored, enhanced: [H, W, 3], the last uint8 where it comes from a file."""
KEPT = 2 << 30
"""Bytes of whole frames that are kept."""


class StoredFrames(ABC):
    """Crops of stored frames, or whole ones.

    Args:
        sizes: of the frames, even.
        patch: side of a crop, even.
        whole: whole frames instead, as `CapturedPhotos` has them.
        prep: a mode of `prepare`.
        device: where batches are made.

    Raises UnusableInput for arguments that make no sense, and where no frame is large enough.
    """

    def __init__(self, sizes: Sequence[Size], patch: int, whole: bool, prep: str, device: torch.device) -> None:
        if patch < 2 or patch % 2 or prep not in MODES:
            raise UnusableInput(f"of the data, patch is even and prep one of {', '.join(MODES)}")
        self.sizes, self.whole, self.prep, self.device = sizes, whole, prep, device
        self.steps = [math.ceil(max(size) / LONGEST) for size in sizes]
        self.views: Crops | Wholes
        if whole:
            reduced = [(h // s, w // s) for (h, w), s in zip(sizes, self.steps, strict=True)]
            self.views = Wholes(reduced, MULTIPLE)
        else:
            self.views = Crops(sizes, patch, step=2)
        self.kept: dict[int, Layers] = {}
        self.room = KEPT

    @abstractmethod
    def _read(self, number: int, area: Area | None) -> tuple[RawFrame, Floats, Array]:
        """A frame or (top, left, height, width) of it, all even: the raw, its restored picture, the enhanced one in uint8."""

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """{"input", "restored", "enhanced"}: float32 [B, 3, H, W], as `CapturedPhotos` has them."""
        samples = [self._sample(seed, index) for index in indices]
        return {key: stacked([sample[key] for sample in samples]) for key in samples[0]}

    def _sample(self, seed: int, index: int) -> dict[str, Tensor]:
        view = self.views.view(seed, index, np.random.default_rng([seed, index]))
        if self.whole:
            shown = [view.of(layer) for layer in self._reduced(view.picture)]
        else:
            layers = self._layers(view.picture, (view.top, view.left, view.height, view.width))
            shown = [view.turned(layer) for layer in layers]
        names = ("input", "restored", "enhanced")
        return {name: _unit(layer.to(self.device)) for name, layer in zip(names, shown, strict=True)}

    def _layers(self, number: int, area: Area | None) -> Layers:
        frame, restored, enhanced = self._read(number, area)
        planes = torch.from_numpy(pack(frame.mosaic, frame.cfa)).to(self.device)
        given = prepared(planes, frame.cfa, preparation(frame, self.prep)).permute(1, 2, 0)
        return given, torch.from_numpy(restored), torch.from_numpy(np.array(enhanced))

    def _reduced(self, number: int) -> Layers:
        """The layers of a whole frame, each block of pixels its mean."""
        if number in self.kept:
            return self.kept[number]
        step, given = self.steps[number], self._layers(number, None)
        first, second, third = (_blocks(_unit(layer), step) for layer in given)
        layers = first, second, (third * 255).round().byte()
        size = sum(layer.numel() * layer.element_size() for layer in layers)
        if size <= self.room:
            self.kept[number], self.room = layers, self.room - size
        return layers


def _unit(layer: Tensor) -> Tensor:
    return layer.float() / 255 if layer.dtype == torch.uint8 else layer.float()


def _blocks(layer: Tensor, step: int) -> Tensor:
    """[H, W, 3] -> [H/step, W/step, 3], means."""
    return functional.avg_pool2d(layer.permute(2, 0, 1), step).permute(1, 2, 0)


class FrameFolder(StoredFrames):
    """Frames that `quietlight synthesize isp` wrote.

    Args:
        source: the folder, looked for in the folder QUIETLIGHT_DATA, too.
        patch, whole, prep, device: as for `StoredFrames`.
        validation: the frames that their set gives to validation, else every 16th; those for tests are never taken.

    Raises UnusableInput for another folder, and as `StoredFrames` does.
    """

    def __init__(
        self,
        source: str,
        patch: int = 256,
        whole: bool = False,
        prep: str = "wb",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        self.folder = located(source)
        path = self.folder / MANIFEST
        manifest = read_json(path, "a manifest of frames")
        try:
            entries = sorted(manifest["frames"], key=lambda entry: entry["name"])
            chosen = _part(entries, validation)
            sizes = [(int(entry["height"]), int(entry["width"])) for entry in chosen]
            self.names = [str(entry["name"]) for entry in chosen]
        except (KeyError, TypeError, ValueError):
            raise UnusableInput(f"{path}: not a manifest of frames, as quietlight synthesize isp writes it") from None
        if not chosen:
            raise UnusableInput(f"{path}: has no frames for {VALIDATION if validation else TRAINING}")
        side = max(patch, VALIDATION_PATCH) if validation else patch
        super().__init__(sizes, min(side, *(min(size) for size in sizes)) if validation else side, whole, prep, device)

    def _read(self, number: int, area: Area | None) -> tuple[RawFrame, Floats, Array]:
        name = self.names[number]
        frame = read_packed(self.folder / "input" / name, area)
        restored, enhanced = read_truth(self.folder / "truth" / name, area)
        if not isinstance(frame, RawFrame) or restored.shape[:2] != frame.mosaic.shape:
            raise UnusableInput(f"{self.folder / 'truth' / name}: differs from its input in size: make it again")
        return frame, restored, enhanced


def _part(entries: Sequence[Mapping[str, Any]], validation: bool) -> list[Mapping[str, Any]]:
    """Of the frames that are not for tests, those for validation or the others."""
    training = [entry for entry in entries if entry["part"] == TRAINING]
    held_out = [entry for entry in entries if entry["part"] == VALIDATION]
    if held_out:
        return held_out if validation else training
    return [entry for number, entry in enumerate(training) if (number % VALIDATION_STEP == 0) == validation]
