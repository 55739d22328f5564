"""Bursts are found in all that cameras write, and what is no burst is left alone."""

from pathlib import Path

import numpy as np
import pytest

from quietlight.io import grouping
from quietlight.io.grouping import group

MINUTE = "2026:05:01 12:00:"


@pytest.fixture
def shots(shoot, tmp_path):
    """A maker of a folder of numbered files: of each, what `shoot` takes; and the names of those that come together."""

    def make(*given, suffix=".dng", prefix="IMG_"):
        paths = [shoot(tmp_path / f"{prefix}{n:04}{suffix}", **arguments) for n, arguments in enumerate(given)]
        return [[int(path.stem[-4:]) for path in burst] for burst in group(paths)]

    return make


def at(second, scene=0, **arguments):
    moved = tuple(2 * np.random.default_rng(int(1000 * second)).integers(-5, 6, 2))
    return {"taken": f"{MINUTE}{second:05.2f}".removesuffix(".00"), "scene": scene, "moved": moved, **arguments}


def untimed(scene=0, **arguments):
    return {"taken": None, "scene": scene, **arguments}


@pytest.mark.parametrize("suffix", [".dng", ".jpg"])
def test_two_bursts_and_a_single_between(shots, suffix):
    found = shots(*[at(t) for t in (1, 1.4, 1.8)], at(2.5, 1), *[at(t, 2) for t in (3, 4, 5)], suffix=suffix)
    assert found == [[0, 1, 2], [3], [4, 5, 6]]


def test_whole_seconds_will_do_where_a_camera_knows_no_better(shots):
    assert shots(at(1), at(1), at(2), at(3), at(8)) == [[0, 1, 2, 3], [4]]


def test_different_scenes_within_a_second_are_different(shots):
    assert shots(*[at(1 + t / 5, scene=t) for t in range(4)]) == [[0], [1], [2], [3]]


def test_the_burst_shows_the_scene_of_its_first_file(shots):
    drift = [at(1 + n / 5, moved=(0, 12 * n - 32)) for n in range(6)]
    # A fifth of 224 pixels from the first is the most, however little there is from one to the next.
    assert shots(*drift) == [[0, 1, 2, 3], [4, 5]]


@pytest.mark.parametrize("times", [(1, 1.3, 1.6), (1, 1, 1)])
def test_an_exposure_bracket_is_no_burst(shots, times):
    bracket = [at(t, gain=gain, exposure=gain / 60) for t, gain in zip(times, (0.5, 1, 2), strict=True)]
    assert shots(*bracket) == [[0], [1], [2]]
    assert shots(*(at(t, iso=iso) for t, iso in zip(times, (400, 800, 1600), strict=True))) == [[0], [1], [2]]


def test_a_bracket_taken_twice_is_no_burst_either(shots):
    assert shots(*[at(1 + n / 4, gain=g, exposure=g / 60) for n, g in enumerate((0.5, 1, 2, 0.5, 1, 2))]) == [
        [n] for n in range(6)
    ]


def test_long_exposures_take_their_time(shots):
    assert shots(at(1, exposure=4), at(6, exposure=4)) == [[0, 1]]
    assert shots(at(1), at(6)) == [[0], [1]]


@pytest.mark.parametrize("what", [{"camera": "Other Camera"}, {"size": (160, 226)}, {"cfa": "BGGR"}])
def test_another_camera_size_or_pattern_is_another_burst(shots, what):
    found = shots(at(1), at(1.2), at(1.4, **what), at(1.6, **what))
    assert found == [[0, 1], [2, 3]]


def test_two_cameras_at_one_time_have_a_burst_each(shots):
    given = [at(1 + n / 10, camera=("One Camera", "Other Camera")[n % 2]) for n in range(6)]
    assert shots(*given) == [[0, 2, 4], [1, 3, 5]]


def test_without_times_raws_go_by_number_likeness_and_level(shots):
    dark = {"gain": 0.7, "exposure": None}
    same = {"exposure": None, "moved": (2, 4)}
    assert shots(untimed(**same), untimed(exposure=None), untimed(1, exposure=None), untimed(1, **dark)) == [
        [0, 1],
        [2],
        [3],
    ]
    assert shots(untimed(), untimed(moved=(2, 2)), untimed(2)) == [[0, 1], [2]]


def test_without_times_a_number_left_out_ends_the_burst(shoot, tmp_path):
    paths = [
        shoot(tmp_path / name, taken=None, moved=(n, 2))
        for n, name in enumerate(("a9.dng", "a10.dng", "a12.dng", "b13.dng"))
    ]
    assert [len(burst) for burst in group(paths)] == [2, 1, 1]
    assert group(paths[::-1]) == [(paths[3],), (paths[2],), (paths[0], paths[1])]


def test_photos_without_times_may_be_anything(shots):
    """Scans, rendered pictures, single pictures of a film."""
    assert shots(untimed(), untimed(moved=(2, 2)), suffix=".png") == [[0], [1]]


def test_pictures_of_a_film_are_no_burst(shoot, tmp_path, monkeypatch):
    monkeypatch.setattr("quietlight.io.header._FILM", (50708,))
    assert len(group([shoot(tmp_path / f"{n}.dng", **at(1 + n / 24)) for n in range(3)])) == 3


def test_one_shot_saved_twice_is_no_burst(shoot, tmp_path):
    first = shoot(tmp_path / "IMG_1.dng", **at(1.25))
    edited = shoot(tmp_path / "IMG_1_clean.dng", **at(1))
    exported = shoot(tmp_path / "other.dng", **at(1.25))
    copied = tmp_path / "IMG_2.dng"
    copied.write_bytes(shoot(tmp_path / "IMG_3.dng", **at(2)).read_bytes())
    paths = [first, edited, exported, copied, tmp_path / "IMG_3.dng"]
    assert sorted(map(len, group([first, edited]))) == sorted(map(len, group([first, exported]))) == [1, 1]
    assert len(group([copied, tmp_path / "IMG_3.dng"])) == 2
    assert {path for burst in group(paths) for path in burst} == set(paths)


def test_folders_are_apart(shoot, tmp_path):
    paths = [shoot(tmp_path / folder / "1.dng", **at(1 + n / 5)) for n, folder in enumerate("ab")]
    assert len(group(paths)) == 2


def test_raws_and_the_photos_beside_them_are_a_burst_each(shoot, tmp_path):
    paths = [shoot(tmp_path / f"IMG_{n}{suffix}", **at(1 + n / 5)) for n in range(2) for suffix in (".dng", ".jpg")]
    assert group(paths) == [(paths[0], paths[2]), (paths[1], paths[3])]


def test_large_raws_are_compared_by_their_previews(shots, monkeypatch):
    monkeypatch.setattr("quietlight.io.thumbnail.read_raw", None)
    large = {"size": (400, 600)}
    assert shots(at(1, **large), at(1.2, **large), at(1.4, 1, **large)) == [[0, 1], [2]]


def test_what_cannot_be_read_is_alone_and_stops_nothing(shoot, tmp_path):
    good = [shoot(tmp_path / f"{n}.dng", **at(1 + n / 5)) for n in range(2)]
    bad = [tmp_path / "broken.dng", tmp_path / "cut.dng", tmp_path / "missing.dng", tmp_path / "text.txt"]
    bad[0].write_bytes(b"II*\0garbage")
    bad[1].write_bytes(good[0].read_bytes()[:-2000])
    bad[3].write_text("text")
    assert group([*bad, *good]) == [*((path,) for path in bad), tuple(good)]


def test_long_series_are_cut_at_the_most_frames(shots, monkeypatch):
    monkeypatch.setattr(grouping, "MOST_FRAMES", 3)
    assert shots(*[at(1 + n / 10) for n in range(5)]) == [[0, 1, 2], [3, 4]]


def test_progress_goes_from_nothing_to_all(shoot, tmp_path):
    paths = [shoot(tmp_path / f"{n}.dng", **at(1 + n)) for n in range(3)] + [Path("missing.dng")]
    told: list[float] = []
    group(paths, progress=told.append)
    assert told == sorted(told)
    assert len(set(told)) == 4 + 3
    assert told[-1] == pytest.approx(1)
    assert group([]) == []
