"""Photos -> statistics of crops with one class of noise each: what a classifier without a backbone learns from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quietlight import zoo
from quietlight.data.classes import ClassedPhotos
from quietlight.engine.torch_engine import module_of
from quietlight.frames import UnusableInput
from quietlight.networks.noise_statistics import COUNT, statistics


class NoiseStatistics:
    """Statistics of a pool of crops of `ClassedPhotos`, seen again and again, each time in another order.

    Computing them takes far longer than learning from them, so each is computed when it is first drawn, and kept.

    Args:
        source, table, patch, cleaned_by, held_out, device, validation: as for `ClassedPhotos`.
        denoiser: weights of the denoiser that the classifier looks through, a name or a file.
        pool: how many crops there are.

    Raises UnusableInput for arguments that make no sense, and where there are no photos of that size.
    """

    def __init__(
        self,
        source: str,
        table: str,
        denoiser: str,
        pool: int,
        patch: int = 224,
        cleaned_by: str = "",
        held_out: str = "",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        if pool < 1:
            raise UnusableInput(f"a pool has at least 1 crop, not {pool}")
        self.photos = ClassedPhotos(source, table, patch, cleaned_by, held_out, device=device, validation=validation)
        self.denoiser = module_of(zoo.read(denoiser)).to(device)
        self.pool, self.seed = pool, -1
        # One buffer each: thousands of small tensors among the large ones of the computation would tear the memory to pieces.
        self.kept = {
            "input": torch.zeros(pool, COUNT, device=device),
            "truth": torch.zeros(pool, dtype=torch.int64, device=device),
            "level": torch.zeros(pool, device=device),
        }
        self.known = np.zeros(pool, bool)

    def batch(self, seed: int, indices: Sequence[int]) -> dict[str, Tensor]:
        """The samples of these indices: "input", float32 [B, COUNT], and "truth" and "level" as `ClassedPhotos` gives them."""
        if seed != self.seed:
            self.seed, self.known[:] = seed, False
        places = [int(_order(seed, index // self.pool, self.pool)[index % self.pool]) for index in indices]
        for place in places:
            if not self.known[place]:
                self._compute(place)
        return {key: values[places] for key, values in self.kept.items()}

    @torch.no_grad()
    def _compute(self, place: int) -> None:
        sample = self.photos.batch(self.seed, [place])
        noisy = sample["input"].contiguous(memory_format=torch.channels_last)
        for key, value in {**sample, "input": statistics(noisy, self.denoiser(noisy))}.items():
            self.kept[key][place] = value[0]
        self.known[place] = True


@lru_cache(maxsize=4)
def _order(seed: int, round_: int, pool: int) -> NDArray[np.int_]:
    """The order of the pool in a round."""
    return np.random.default_rng([seed, round_]).permutation(pool)
