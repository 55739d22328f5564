"""Tiled equals untiled, for every size, whatever the function turns a tile into."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quietlight import machine, tiles


def blurred(part: np.ndarray, radius: int = 3) -> np.ndarray:
    """Mean of (2 radius + 1)² values, zeros outside: a border shows."""
    padded = np.pad(part.astype(np.float64), [(radius, radius)] * 2 + [(0, 0)] * (part.ndim - 2))
    for axis in (0, 1):
        padded = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=axis).mean(axis=-1)
    return padded


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 45),
    st.integers(1, 45),
    st.integers(1, 20),
    st.integers(3, 8),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([(), (1,), (3,)]),
)
def test_tiled_equals_untiled(height, width, tile, margin, multiple, channels):
    array = np.random.default_rng(0).random((height, width, *channels))
    whole = blurred(np.pad(array, [(3, 3)] * 2 + [(0, 0)] * len(channels), mode="reflect"))[3:-3, 3:-3]
    pieces = tiles.apply(blurred, array, tile=tile, margin=margin, multiple=multiple)
    np.testing.assert_allclose(pieces, whole, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(1, 40),
    st.integers(1, 5),
    st.integers(0, 8),
    st.integers(0, 16),
    st.sampled_from([1, 2, 4, 8]),
)
def test_a_network_pads_at_the_same_place_however_it_is_tiled(size, tile, depth, spare, border, multiple):
    array, margin = np.random.default_rng(0).random(size), depth + spare

    def network(part):
        """`depth` layers that see one pixel further each, pad with zeros, and have a bias, without which the zeros hide."""
        for _ in range(depth):
            part = np.tanh(2 * blurred(part, 1) + 0.5)
        return part

    reach = min(-(-border // multiple), -(-margin // multiple)) * multiple
    rows, columns = (tiles.mirrored(-reach, -(-n // multiple) * multiple + reach, n) for n in size)
    whole = network(array[np.ix_(rows, columns)])[reach:, reach:][: size[0], : size[1]]
    pieces = tiles.apply(network, array, tile=tile, margin=margin, border=border, multiple=multiple)
    np.testing.assert_allclose(pieces, whole, atol=1e-12)


@pytest.mark.parametrize("border", [None, 0, 2])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 7), (8, 8), (13, 22)])
def test_every_tile_has_sides_of_the_multiple_the_margin_and_its_pattern(size, border):
    rows, columns = np.indices(size)
    seen = []

    def look(part):
        assert part.shape[0] % 4 == part.shape[1] % 4 == 0
        for axis, side in enumerate(size):
            if side > 1:
                even = part[..., axis] % 2 == np.moveaxis(np.indices(part.shape[:2]), 0, -1)[..., axis] % 2
                assert even.all()
        seen.append(part.shape)
        return part[..., 0] * 100 + part[..., 1]

    out = tiles.apply(look, np.stack([rows, columns], axis=-1), tile=6, margin=3, border=border, multiple=4)
    np.testing.assert_array_equal(out, rows * 100 + columns)
    assert max(max(shape) for shape in seen) <= 8 + 2 * 4


def test_type_and_channels_are_the_function_s():
    array = np.arange(35, dtype=np.uint8).reshape(5, 7)

    def three(part):
        assert part.dtype == np.uint8
        return np.stack([part] * 3, axis=-1).astype(np.uint16)

    out = tiles.apply(three, array, tile=2)
    assert out.dtype == np.uint16
    np.testing.assert_array_equal(out, np.repeat(array[..., None], 3, axis=-1))


@pytest.mark.parametrize("size", [(1, 1), (8, 12), (13, 22), (30, 41)])
def test_what_shrinks_is_put_together_the_same(size):
    array = np.random.default_rng(0).random(size)

    def cells(part):
        smooth = blurred(part, 1)
        return smooth.reshape(smooth.shape[0] // 4, 4, smooth.shape[1] // 4, 4).mean(axis=(1, 3))

    whole, tiled = (tiles.apply(cells, array, tile=n, margin=3, border=0, multiple=8, shrink=4) for n in (64, 10))
    assert tiled.shape == tuple(-(-side // 4) for side in size)
    np.testing.assert_allclose(tiled, whole, atol=1e-12)


def test_memory_is_bounded_by_the_tile():
    array = np.zeros((1200, 1200, 3), np.uint8)
    tracemalloc.start()
    tiles.apply(lambda part: (part.astype(np.float64) + 1).astype(np.uint8), array, tile=100, margin=10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < array.nbytes + 4 * 120 * 120 * 3 * 8


def test_progress_rises_to_one():
    shares = []
    tiles.apply(lambda part: part, np.zeros((30, 30)), tile=10, progress=shares.append)
    assert shares == sorted(shares) and len(shares) == 9 and shares[-1] == 1


def test_what_cannot_be_tiled_is_refused():
    with pytest.raises(ValueError, match="cannot be tiled"):
        tiles.apply(lambda part: part, np.zeros((0, 4)))
    with pytest.raises(ValueError, match="turned a tile"):
        tiles.apply(lambda part: part[1:], np.zeros((4, 4)))


@pytest.mark.parametrize("before", [(0, 1), (1, 0), (1, 1), (3, 2)])
@pytest.mark.parametrize("border", [0, None])
def test_what_comes_before_the_picture_is_mirrored(before, border):
    """As if the picture had been padded, and its result cut; without a copy of it."""
    array = np.random.default_rng(0).random((21, 34))
    padded = np.pad(array, [(lead, 0) for lead in before], mode="reflect")
    how = {"tile": 8, "margin": 4, "border": border, "multiple": 4}
    whole = tiles.apply(blurred, padded, **how)[before[0] :, before[1] :]
    np.testing.assert_array_equal(tiles.apply(blurred, array, before=before, **how), whole)


@pytest.mark.parametrize(
    ("free", "side"), [(None, 768), (1 << 40, 768), (100_000_000, 384), (20_000_000, 192), (0, 192)]
)
def test_tiles_are_smaller_where_memory_is_short(monkeypatch, free, side):
    monkeypatch.setattr(machine, "free_memory", lambda: free)
    assert tiles.side(768, 200.0) == side
