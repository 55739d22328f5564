"""Bursts made of one scene."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from quietlight.camera.bayer import unpack
from quietlight.frames import BAYER, Burst, NoiseProfile, RawFrame

GAINS = {
    "none": NoiseProfile((0.0,), (0.0,)),
    1: NoiseProfile((10**-2.6,), (10**-4.4,)),
    8: NoiseProfile((10**-1.5,), (10**-2.2,)),
}
"""The noise that KPN's authors call gain 1 and 8."""
MARGIN = 24


def _scene(height: int, width: int) -> np.ndarray:
    """Structure of every size, [height, width], mostly in [0.1, 0.9]."""
    rng = np.random.default_rng(5)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)) + 1 / height
    picture = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) / frequency**1.3, (height, width))
    return np.asarray(np.clip(0.5 + 0.2 * (picture - picture.mean()) / picture.std(), 0.02, 1))


@pytest.fixture
def made() -> Callable[..., tuple[Burst, np.ndarray]]:
    """A maker of bursts: the frames show one scene, displaced by `shifts` in pixels of a plane; and the clean reference."""

    def make(shifts, gain=1, cfa="RGGB", size=(96, 128), paint=None) -> tuple[Burst, np.ndarray]:
        rng = np.random.default_rng(0)
        profile = GAINS[gain]
        # Twice as fine as a plane, so that halves of a pixel can be made without interpolation.
        fine = _scene(2 * (size[0] + 2 * MARGIN), 2 * (size[1] + 2 * MARGIN))
        frames, truth = [], np.zeros(())
        for index, (down, right) in enumerate(shifts):
            top, left = (int(2 * (MARGIN - s)) for s in (down, right))
            cut = fine[top : top + 2 * size[0], left : left + 2 * size[1]]
            plane = cut.reshape(size[0], 2, size[1], 2).mean(axis=(1, 3))
            if paint is not None:
                paint(index, plane)
            clean = unpack(np.stack([0.5 * plane, plane, plane, 0.7 * plane]), cfa) if cfa in BAYER else plane
            truth = clean if index == 0 else truth
            noisy = clean + np.sqrt(profile.variance(clean)) * rng.standard_normal(clean.shape)
            frames.append(RawFrame(noisy.astype(np.float32), cfa, noise=profile))
        return Burst(tuple(frames), reference=0), truth

    return make
