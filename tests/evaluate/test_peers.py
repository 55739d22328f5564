"""Other people's methods, where they are installed, lower the noise that they are made for."""

from __future__ import annotations

import numpy as np
import pytest

from quietlight.evaluate import others
from quietlight.evaluate.peers import peer
from quietlight.evaluate.sample import Sample, photo_score
from quietlight.frames import Image, RawFrame, UnusableInput

INSTALLED = {"median-nlm": "cv2", "wavelet": "skimage", "bm3d": "bm3d"}


def sample(channels: int, eight_bit: bool) -> Sample:
    y, x = np.mgrid[:64, :64] / 12
    truth = np.repeat((0.5 + 0.4 * np.sin(x) * np.cos(y))[..., None], channels, axis=2).astype(np.float32)
    noisy = truth + np.random.default_rng(0).normal(0, 25 / 255, truth.shape).astype(np.float32)
    pixels = np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8) if eight_bit else noisy
    return Sample("made", Image(pixels), truth, {"sigma": 25.0})


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("eight_bit", [True, False])
def test_peers_lower_the_noise(name, channels, eight_bit):
    pytest.importorskip(INSTALLED[name])
    made = sample(channels, eight_bit)
    before, after = (photo_score(peer(n).run(made), made) for n in ("noisy", name))
    assert after["psnr"] > before["psnr"] + 4


@pytest.mark.parametrize("name", INSTALLED)
def test_peers_that_are_not_installed_say_what_is_needed(name, monkeypatch):
    monkeypatch.setattr(others, "find_spec", lambda module: None)
    assert peer(name).absent.startswith("needs ")


def test_the_oracle_knows_the_sigma():
    made = sample(1, True)
    assert photo_score(peer("classical-oracle").run(made), made)["psnr"] > 30
    with pytest.raises(UnusableInput, match="oracle"):
        peer("classical-oracle").run(Sample("blind", made.input, made.truth))


def test_photo_peers_refuse_raws():
    raw = Sample("raw", RawFrame(np.zeros((8, 8), np.float32), "RGGB"), np.zeros((8, 8), np.float32))
    with pytest.raises(UnusableInput, match="photos"):
        peer("wavelet").run(raw)
