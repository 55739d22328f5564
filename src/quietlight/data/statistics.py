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
from quietlight.networks.noise_statistics import statistics

Known = dict[str, Tensor]


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
        self.pool = pool
        self.known: dict[tuple[int, int], Known] = {}

    def batch(self, seed: int, indices: Sequence[int]) -> Known:
        """The samples of these indices: "input", float32 [B, COUNT], and "truth" and "level" as `ClassedPhotos` gives them."""
        places = [(seed, int(_order(seed, index // self.pool, self.pool)[index % self.pool])) for index in indices]
        for place in dict.fromkeys(places):
            if place not in self.known:
                self.known[place] = self._computed(*place)
        samples = [self.known[place] for place in places]
        return {key: torch.cat([sample[key] for sample in samples]) for key in samples[0]}

    @torch.no_grad()
    def _computed(self, seed: int, index: int) -> Known:
        sample = self.photos.batch(seed, [index])
        noisy = sample["input"].contiguous(memory_format=torch.channels_last)
        return {**sample, "input": statistics(noisy, self.denoiser(noisy))}


@lru_cache(maxsize=4)
def _order(seed: int, round_: int, pool: int) -> NDArray[np.int_]:
    """The order of the pool in a round."""
    return np.random.default_rng([seed, round_]).permutation(pool)
