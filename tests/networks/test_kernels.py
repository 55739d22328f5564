"""Filtering every pixel by kernels of its own: what a slow and plain way gives, without its memory."""

import pytest
import torch
from torch.nn import functional

from quietlight.networks.kernels import filtered, mass, shares, taps_of, weights_of

SHAPES = [(1, 1, 1, 7, 5), (2, 3, 4, 6, 9)]


def problem(shape, size, separable):
    generator = torch.Generator().manual_seed(0)
    batch, count, _, height, width = shape
    taps = (batch, count, taps_of(size, separable), height, width)
    return torch.randn(shape, generator=generator).double(), torch.randn(taps, generator=generator).double()


def dense(taps, size):
    if taps.shape[-3] == size**2:
        return taps
    rows, columns = taps[..., :size, :, :], taps[..., size:, :, :]
    return (rows.unsqueeze(-3) * columns.unsqueeze(-4)).flatten(-4, -3)


def slowly(frames, taps, size):
    """The sum over an unfolded copy of the frames."""
    patches = functional.unfold(frames.flatten(0, 1), size, padding=size // 2)
    patches = patches.unflatten(1, (frames.shape[2], size**2)).unflatten(-1, frames.shape[-2:])
    return (patches * dense(taps, size).flatten(0, 1).unsqueeze(1)).sum(2).view_as(frames)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_gives_what_unfolding_gives_with_the_same_gradients(shape, size, separable):
    leaves = [x.requires_grad_() for x in problem(shape, size, separable)]
    found, expected = (way(*leaves, size) for way in (filtered, slowly))
    torch.testing.assert_close(found, expected)
    weights = torch.rand_like(found)
    gradients = [torch.autograd.grad((y * weights).sum(), leaves) for y in (found, expected)]
    torch.testing.assert_close(*gradients)
    with torch.inference_mode():
        torch.testing.assert_close(filtered(*leaves, size), expected)


@pytest.mark.parametrize("separable", [False, True])
def test_nothing_is_kept_for_the_gradient_but_frames_and_kernels(separable):
    frames, taps = problem((1, 2, 4, 32, 32), 5, separable)
    kept = {}

    def keep(x):
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        filtered(frames, taps.requires_grad_(), 5)
    lines = 5 if separable else 0
    padded = 36 * 36 / 32**2
    assert sum(kept.values()) <= taps.nbytes + (padded + lines) * frames.nbytes


def test_a_single_weight_moves_the_frame():
    frames, taps = problem((1, 1, 1, 8, 8), 5, False)
    taps = torch.zeros_like(taps)
    taps[:, :, 0 * 5 + 3] = 1  # the value two rows above and one column to the right
    moved = filtered(frames, taps, 5)
    assert torch.equal(moved[..., 2:, :-1], frames[..., :-2, 1:])
    assert not moved[..., :2, :].any()  # beyond the border is nothing
    assert not moved[..., -1].any()


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_weights_are_those_that_frames_are_filtered_by(size, separable):
    _, taps = problem((1, 2, 1, 4, 3), size, separable)
    weights = weights_of(taps, size)
    assert weights.shape == (1, 2, size, size, 4, 3)
    torch.testing.assert_close(weights.flatten(2, 3), dense(taps, size))


@pytest.mark.parametrize("separable", [False, True])
def test_the_mass_is_what_a_frame_of_ones_becomes(separable):
    frames, taps = problem((1, 2, 1, 12, 12), 3, separable)
    ones = filtered(torch.ones_like(frames), taps, 3)[:, :, 0]
    torch.testing.assert_close(mass(taps, 3)[..., 1:-1, 1:-1], ones[..., 1:-1, 1:-1])


def test_shares_are_those_of_a_mean_over_the_present():
    assert shares(torch.tensor([[1.0, 0, 1, 0], [1, 0, 0, 0]])).flatten(1).tolist() == [[0.5, 0, 0.5, 0], [1, 0, 0, 0]]


def test_another_number_of_taps_is_refused():
    frames, taps = problem((1, 1, 1, 8, 8), 3, False)
    with pytest.raises(ValueError, match="9 taps are not those of kernels of 5x5"):
        filtered(frames, taps, 5)
