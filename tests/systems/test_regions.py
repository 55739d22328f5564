"""Each part of a photo gets the denoiser that its own noise asks for, and no seam shows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from quietlight.analysis import words
from quietlight.analysis.judgement import Judgement
from quietlight.frames import Image
from quietlight.noise.classes import TABLES
from quietlight.systems import noisebreaker, regions
from quietlight.systems.primaries import LIMIT

CLASSES = TABLES["table1"]


def said(name):
    shares = tuple(1.0 if c.name == name else 0.0 for c in CLASSES)
    return Judgement(CLASSES, shares, tuple(c.high for c in CLASSES))


@pytest.fixture
def denoisers(monkeypatch):
    """Denoisers that give mid-gray, and a classifier that finds gaussian noise in the dark and lost pixels in the light."""

    def classify(photo, _):
        mean = photo.pixels.mean()
        return said("clean" if abs(mean - 128) < 6 else "gaussian 15-35" if mean < 128 else "bernoulli")

    def flat(photo, *_, **__):
        return replace(photo, pixels=np.full_like(photo.pixels, 128))

    monkeypatch.setattr(regions, "classify", classify)
    monkeypatch.setattr(regions, "denoise", flat)
    monkeypatch.setattr(regions, "replace_lost", flat)
    monkeypatch.setattr(regions, "weights_of", lambda name, _: SimpleNamespace(name=f"{name}-gray"))
    monkeypatch.setattr(regions.zoo, "read", lambda name: SimpleNamespace(name=name))


def test_both_halves_get_their_own(denoisers):
    pixels = np.full((130, 260, 1), 60, np.uint8)
    pixels[:, 130:] = 200
    shares = []
    result = noisebreaker.noisebreaker(Image(pixels), local=True, progress=shares.append)
    natures = {step["nature"]: step["area"] for step in result.record["steps"]}
    assert natures.keys() == {"gaussian", "bernoulli"}
    assert sum(natures.values()) == pytest.approx(1, abs=0.3)  # some cells see both halves
    assert len(result.stages) == len(result.record["steps"]) <= LIMIT
    assert np.abs(result.frame.pixels[:, :90].astype(int) - 128).max() <= 8
    assert np.abs(result.frame.pixels[:, 170:].astype(int) - 128).max() <= 8
    assert shares == sorted(shares) and shares[-1] == 1
    assert words.sentence(result.record)


@pytest.mark.parametrize("size", [(1, 1), (9, 200), (70, 65)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_clean_photo_comes_back_as_it_is(size, dtype, denoisers, monkeypatch):
    monkeypatch.setattr(regions, "classify", lambda *_: said("clean"))
    photo = Image(np.random.default_rng(0).random((*size, 3)).astype(np.float32).astype(dtype))
    result = regions.by_region(photo, "default", "noise-classifier", True, lambda _: None)
    assert result.frame is photo
    assert result.record["stopped"] == "clean"
    assert result.record["classifier"] == "noise-classifier"


def test_masks_of_all_cells_cover_every_pixel_once_and_change_slowly():
    grid = regions._Grid(*(np.array_split(np.arange(n), n // regions.CELL) for n in (150, 200)))
    masks = [grid.mask([cell], hard=False)(0, 150) for cell in grid.cells()]
    np.testing.assert_allclose(sum(masks), 1, atol=1e-5)
    assert max(np.abs(np.diff(mask, axis=1)).max() for mask in masks) < 1.5 / regions.FEATHER
    assert set(np.unique(grid.mask([(0, 1)], hard=True)(0, 150))) == {0, 1}
