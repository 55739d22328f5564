"""The preview is what the whole would be there: the same noise removed, by the same amounts, in the same light."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quietlight as ql
from quietlight.batch import Job
from quietlight.camera.develop import develop
from quietlight.web import look as module
from quietlight.web.look import after, before, look, look_at, removes_noise, view
from quietlight.web.window import GRID, Window
from quietlight.web.wishes import Wishes


def seen(path: Path, *frames: Path):
    return look(Job(path, frames=frames), lambda share: None)


@pytest.mark.parametrize("wishes", [Wishes(".png"), Wishes(".png", 0.4, 0.8), Wishes(".png", 0.0, 0.0)])
def test_a_photo_that_is_seen_whole_is_what_will_be_written(noisy_photo, wishes):
    study, part = seen(noisy_photo)
    photo = ql.read(noisy_photo)
    assert part.window == Window(0, 0, 150, 200)
    np.testing.assert_array_equal(before(study, part, wishes), photo.pixels)
    clean = ql.denoise(photo, strength=wishes.strength, chroma=wishes.chroma)
    np.testing.assert_array_equal(after(study, part, wishes), clean.pixels)


def test_a_part_of_a_photo_is_that_part_of_the_whole(noisy_photo, monkeypatch):
    monkeypatch.setattr(module, "MOST", (40, 60))
    study, part = seen(noisy_photo)
    whole = ql.denoise(ql.read(noisy_photo)).pixels
    moved = look_at(Job(noisy_photo), study, (0.9, 0.2), lambda share: None)
    assert moved.window != part.window
    for one in (part, moved):
        assert (one.window.height, one.window.width) == (40, 60)
        difference = after(study, one, Wishes(".png")).astype(int) - whole[one.window.slices]
        assert np.abs(difference).mean() < 0.3


@pytest.mark.parametrize("exposure", [0.0, -1.5, 1.0])
def test_a_part_of_a_raw_is_that_part_of_the_whole(raw, monkeypatch, exposure):
    monkeypatch.setattr(module, "MOST", (50, 60))
    study, part = seen(raw)
    assert study.size == (210, 148)
    assert study.metering is not None
    wishes = Wishes(".dng", exposure=exposure)
    noisy = ql.read(raw)
    rendering = study.metering.rendering(exposure)
    for frame, shown in ((noisy, before), (ql.denoise(noisy), after)):
        whole = develop(frame, rendering).pixels[part.window.slices]
        assert np.abs(shown(study, part, wishes).astype(int) - whole).mean() < 1


def test_a_raw_whose_noise_nobody_sees_is_shown_as_it_will_be_developed(raw):
    frame = ql.read(raw)
    low = replace(frame, noise=ql.NoiseProfile((1e-6,), (1e-8,)))
    quiet = raw.with_name("quiet.dng")
    ql.write(low, quiet)
    study, part = seen(quiet)
    assert not removes_noise(study, Wishes(".jpg"))
    assert removes_noise(study, Wishes(".dng"))
    np.testing.assert_array_equal(after(study, part, Wishes(".jpg")), before(study, part, Wishes(".jpg")))


def test_a_burst_is_shown_merged_onto_its_reference(shoot, tmp_path):
    shots = [shoot(tmp_path / f"shot{i}.dng", moved=(2 * i, -i)) for i in range(3)]
    study, part = seen(shots[0], *shots)
    assert study.frames == 3
    frames = [ql.read(shot) for shot in shots]
    reference = develop(frames[study.reference], study.metering.rendering()).pixels
    noisy, clean = (shown(study, part, Wishes(".jpg")) for shown in (before, after))
    assert np.abs(noisy.astype(int) - reference[part.window.slices]).mean() < 1
    whole = develop(ql.denoise(ql.Burst(tuple(frames), study.reference)), study.metering.rendering()).pixels
    assert np.abs(clean.astype(int) - whole[part.window.slices]).mean() < 1.5
    assert np.abs(clean.astype(int) - noisy).mean() > 2


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (40, 3, 3)])
def test_the_smallest_pictures_are_looked_at(tmp_path, shape):
    path = tmp_path / "tiny.png"
    ql.write(ql.Image(np.full(shape, 99, np.uint8)), path)
    study, part = seen(path)
    assert after(study, part, Wishes(".png")).shape == shape
    assert study.thumbnail.startswith("data:image/jpeg")


def test_a_view_needs_no_more_than_the_window_and_its_margin(raw):
    study, _ = seen(raw)
    piece = view(ql.read(raw), study, Window(100, 60, 8, 8)).before
    assert piece.mosaic.shape[0] <= 8 + 2 * module.MARGIN + GRID
