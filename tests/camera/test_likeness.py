"""One scene is known again in spite of noise, hands and what moves in it; another one never, however alike."""

import numpy as np
import pytest

from quietlight.camera.likeness import LEAST_LIKENESS, likeness, same_scene

HEIGHT, WIDTH = 160, 240


def scene(seed, height=HEIGHT + 80, width=WIDTH + 80):
    """Structure of every size."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)) + 1 / height
    picture = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) / frequency**1.3, (height, width))
    return 0.4 + 0.15 * (picture - picture.mean()) / picture.std()


def seen(picture, rows=0, columns=0, noise=0.02, seed=0):
    cut = picture[40 - rows : 40 - rows + HEIGHT, 40 - columns : 40 - columns + WIDTH]
    return cut + noise * np.random.default_rng(seed).standard_normal(cut.shape)


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, -2), (-20, 30)])
def test_a_scene_is_known_again_where_it_has_moved(rows, columns):
    picture = scene(1)
    assert likeness(seen(picture), seen(picture, rows, columns, seed=1)) > 0.9


@pytest.mark.parametrize("seed", range(6))
def test_other_scenes_are_others(seed):
    # With the light of one room: brighter above, and darker in the corners.
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = 2 - 0.7 * y - 0.5 * (x**2 + y**2)
    assert likeness(light * seen(scene(seed)), light * seen(scene(seed + 50), seed=1)) < 0.2


def test_what_moves_in_a_tenth_of_the_scene_leaves_it_the_same():
    first, second = seen(scene(1)), seen(scene(1), seed=1)
    second[40:90, 60:140] = seen(scene(2))[40:90, 60:140]
    assert LEAST_LIKENESS < likeness(first, second) < 0.95
    second[:, 60:] = seen(scene(2))[:, 60:]
    assert not same_scene(first, second)


def test_two_pages_of_the_same_lines_are_two_pages():
    def page(seed):
        letters = np.random.default_rng(seed).random((HEIGHT, WIDTH // 3)).repeat(3, axis=1) > 0.5
        return np.where((np.arange(HEIGHT) % 8 < 5)[:, None] & letters, 0.1, 0.9)

    noise = 0.01 * np.random.default_rng(9).standard_normal((HEIGHT, WIDTH))
    assert same_scene(page(1), page(1) + noise)
    assert not same_scene(page(1), page(2))


def test_what_cannot_be_compared_is_not_the_same():
    picture = seen(scene(1))
    rng = np.random.default_rng(2)
    assert likeness(picture, picture[:-1]) == likeness(picture[:20], picture[:20]) == 0
    assert likeness(np.full((HEIGHT, WIDTH), 0.2), np.full((HEIGHT, WIDTH), 0.2)) == 0
    assert likeness(rng.standard_normal((HEIGHT, WIDTH)), rng.standard_normal((HEIGHT, WIDTH))) < 0.1
    assert likeness(seen(scene(1), -40), seen(scene(1), 40, seed=1)) == 0


def test_one_picture_twice_is_no_second_one():
    picture = seen(scene(1))
    assert likeness(picture, picture) == 1
    assert not same_scene(picture, picture)
