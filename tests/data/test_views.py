"""Views of pictures: all eight orientations occur, every layer is turned alike, and batches of whole frames have one size."""

import numpy as np
import pytest
import torch

from quietlight.data.views import BLOCK, Crops, View, Wholes, stacked
from quietlight.frames import UnusableInput


def picture(height: int, width: int, number: int = 0) -> torch.Tensor:
    """Every pixel knows its place: [H, W, 3] of picture, row and column."""
    y, x = np.mgrid[:height, :width]
    return torch.from_numpy(np.stack([np.full_like(y, number), y, x], axis=-1))


def views(kind: Crops | Wholes, count: int, seed: int = 3) -> list[View]:
    return [kind.view(seed, index, np.random.default_rng([seed, index])) for index in range(count)]


def orientations(seen: torch.Tensor, size: int) -> tuple[int, ...]:
    """Which of the four corners of a square lies where."""
    corners = seen[1:, [0, 0, -1, -1], [0, -1, 0, -1]].T
    return tuple(int(2 * (y > size // 2) + (x > size // 2)) for y, x in corners.tolist())


@pytest.mark.parametrize("whole", [False, True])
def test_all_eight_orientations_occur_about_equally(whole: bool) -> None:
    kind = Wholes([(64, 64)], 32) if whole else Crops([(64, 64)], 64)
    seen = [orientations(view.of(picture(64, 64)), 64) for view in views(kind, 400)]
    counts = {each: seen.count(each) for each in set(seen)}
    assert len(counts) == 8
    assert min(counts.values()) > 25


def test_the_eight_orientations_are_the_turns_and_mirrors_of_a_square() -> None:
    layer = picture(3, 3)
    seen = {
        tuple(View(0, 0, 0, 3, 3, turns, mirrored).of(layer).flatten().tolist())
        for turns in range(4)
        for mirrored in (False, True)
    }
    expected = {
        tuple(np.ascontiguousarray(m).transpose(2, 0, 1).flatten().tolist())
        for k in range(4)
        for m in (np.rot90(layer.numpy(), k), np.rot90(layer.numpy(), k)[:, ::-1])
    }
    assert seen == expected


def test_crops_lie_everywhere_in_every_picture_that_holds_one() -> None:
    sizes = [(40, 60), (20, 90), (33, 32)]
    kind = Crops(sizes, 32)
    seen = views(kind, 500)
    assert {view.picture for view in seen} == {0, 2}
    inside = [view.of(picture(*sizes[view.picture], view.picture)) for view in seen]
    assert all(part.shape == (3, 32, 32) for part in inside)
    rows, columns = ({int(p[axis].min()) for p in inside if p[0, 0, 0] == 0} for axis in (1, 2))
    assert rows == set(range(9))
    assert columns == set(range(29))
    assert all(v.top % 2 == v.left % 2 == 0 for v in views(Crops(sizes, 32, step=2), 100))
    with pytest.raises(UnusableInput, match="as large as a crop of 64"):
        Crops(sizes, 64)


def test_whole_frames_of_a_block_have_one_size_and_all_frames_and_orientations_occur() -> None:
    sizes = [(70, 100), (100, 66), (64, 64), (20, 99)]
    kind = Wholes(sizes, 32)
    drawn = [kind.view(1, index, np.random.default_rng([1, index])) for index in range(0, 60 * BLOCK, 7)]
    shapes: dict[int, set[tuple[int, ...]]] = {}
    for number, view in enumerate(drawn):
        shapes.setdefault(number * 7 // BLOCK, set()).add(tuple(view.of(picture(*sizes[view.picture])).shape))
    assert all(len(found) == 1 for found in shapes.values())
    assert set.union(*shapes.values()) == {(3, 64, 96), (3, 96, 64), (3, 64, 64)}
    assert {view.picture for view in drawn} == {0, 1, 2}
    assert len({(view.picture, view.turns, view.mirrored) for view in drawn}) == 24
    middle = next(view for view in drawn if view.picture == 0)
    assert (middle.top, middle.left, middle.height, middle.width) == (3, 2, 64, 96)
    with pytest.raises(UnusableInput, match="128x128"):
        Wholes(sizes, 128)


def test_two_sizes_in_one_batch_are_refused() -> None:
    with pytest.raises(UnusableInput, match=f"divides {BLOCK}"):
        stacked([torch.zeros(3, 4, 4), torch.zeros(3, 4, 8)])
