"""How many copies of a picture are made on the way from file to file, so that 100 megapixels fit where they should.

Counted in numpy's and Python's memory, as what a larger picture takes beyond a smaller one; what networks take depends on the tile
alone, so that a stand-in computes here.
"""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import quietlight as ql
from quietlight import engine, tiles
from quietlight.analysis import estimate
from quietlight.io.photo import write_photo
from quietlight.systems import primaries, regions
from quietlight.systems.network import network
from quietlight.zoo import Weights

NOISE = ql.NoiseProfile((1e-3,), (1e-6,))
WEIGHTS = Weights("some", "unet", {"channels": 3}, {}, 8, {}, "0" * 64)
SMALL, LARGE = (768, 512), (1792, 512)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """And a network that gives back nearly what it gets."""
    monkeypatch.setattr(tiles, "side", lambda most, bytes_per_pixel: 256)
    monkeypatch.setattr(primaries, "_TELLING", 1e4)
    monkeypatch.setattr(engine, "run", lambda weights, first, *more, **how: first * np.float32(0.99))


def raw(size: tuple[int, int], cfa: str = "BGGR", **fields: Any) -> ql.RawFrame:
    """With bad pixels."""
    mosaic = 0.3 + 0.02 * np.random.default_rng(0).standard_normal(size, np.float32)
    mosaic[::100, ::100] = 1
    return ql.RawFrame(mosaic, cfa, **{"noise": NOISE, "white_balance": (2.0, 1.0, 1.6), **fields})


def photo(size: tuple[int, int], dtype: type = np.uint16) -> ql.Image:
    return ql.Image(np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (*size, 3), dtype))


def growth(make: Callable[[tuple[int, int]], Any], work: Callable[[Any], Any]) -> float:
    """Bytes that are held at once for every byte of a picture more, its own not counted."""
    taken, sizes = [], []
    for size in (SMALL, SMALL, LARGE):  # the first time, what is read once is read
        frame = make(size)
        tracemalloc.start()
        work(frame)
        taken.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append((frame.mosaic if isinstance(frame, ql.RawFrame) else frame.pixels).nbytes)
    return (taken[2] - taken[1]) / (sizes[2] - sizes[1])


@pytest.mark.parametrize(("cfa", "options"), [("RGGB", {"strength": 0.5}), ("BGGR", {"banding": True})])
def test_denoising_a_raw_takes_its_result_and_little_more(cfa, options):
    """The frame may be changed: neither repaired nor moved to another phase is it copied. Bad pixels are marked by a byte each."""
    assert growth(lambda size: raw(size, cfa), lambda frame: ql.denoise(frame, frugal=True, **options)) < 1.4


def test_a_frame_is_only_changed_where_that_is_allowed():
    frame, before = raw(SMALL), raw(SMALL).mosaic
    careful = ql.denoise(frame)
    np.testing.assert_array_equal(frame.mosaic, before)
    spared = ql.denoise(frame, frugal=True)
    np.testing.assert_array_equal(spared.mosaic, careful.mosaic)
    assert not np.array_equal(frame.mosaic, before)
    locked = raw(SMALL)
    locked.mosaic.flags.writeable = False
    np.testing.assert_array_equal(ql.denoise(locked, frugal=True).mosaic, careful.mosaic)


@pytest.mark.parametrize("orientation", [1, 6])
def test_developing_takes_the_photo_and_little_more(orientation):
    """Six bytes for each of four, cut and turned or not."""

    def make(size: tuple[int, int]) -> ql.RawFrame:
        return raw(size, orientation=orientation, crop=(2, 4, size[0] - 10, 500), baseline_exposure=0.0)

    assert growth(make, lambda frame: ql.develop(frame, denoise="off", frugal=True, bits=16)) < 1.5 + 0.5


@pytest.mark.parametrize("cfa", ["RGGB", "MONO"])
def test_noise_is_measured_on_views_of_the_mosaic(cfa):
    frame = raw(SMALL, cfa)
    assert all(np.shares_memory(plane, frame.mosaic) for plane in estimate._planes(frame))


def test_a_photo_takes_its_result_and_little_more():
    assert growth(photo, lambda image: network(image, WEIGHTS)) < 1.2
    # And which values were lost, a byte for two.
    assert growth(photo, lambda image: primaries.replace_lost(image, WEIGHTS, lambda _: None)) < 1.8


def test_regions_take_their_result_and_little_more():
    def blend(image: ql.Image) -> ql.Image:
        grid = regions._Grid(*(np.array_split(np.arange(n), n // 64) for n in image.pixels.shape[:2]))
        return regions._blended(image, image, grid.mask(grid.cells()[::3], hard=False))

    assert growth(photo, blend) < 1.5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_writing_a_png_makes_no_copies(tmp_path, dtype):
    assert growth(lambda size: photo(size, dtype), lambda image: write_photo(image, tmp_path / "a.png")) < 1.4


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_deep_photos_are_not_made_wider_on_their_way_to_8_bits(tmp_path, suffix):
    assert growth(photo, lambda image: write_photo(image, tmp_path / f"a{suffix}")) < 2.2
