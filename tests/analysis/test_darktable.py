"""An installed darktable's noise profiles are read where they lie, and a broken file is none."""

import json

import numpy as np
import pytest

from quietlight.analysis import darktable
from quietlight.analysis.darktable import installed_profile
from quietlight.analysis.estimate import estimate_raw
from quietlight.frames import NoiseProfile, RawFrame

PROFILES = [
    {"name": "D300 iso 200", "iso": 200, "a": [4e-6, 2e-6, 3e-6], "b": [1e-8, -1e-8, 2e-8]},
    {"name": "D300 iso 400", "iso": 400, "a": [8e-6, 4e-6, 6e-6], "b": [4e-8, 4e-8, 8e-8]},
    {"name": "D300 iso 6400", "iso": 6400, "a": [9.0, 9.0, 9.0], "b": [9.0, 9.0, 9.0], "skip": True},
]
FILE = {"version": 0, "noiseprofiles": [{"maker": "Nikon", "models": [{"model": "D300", "profiles": PROFILES}]}]}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that puts this content where a darktable would have its profiles."""
    program = tmp_path / "bin" / "darktable"
    program.parent.mkdir()
    program.write_text("")
    target = tmp_path / darktable.FILE
    target.parent.mkdir(parents=True)
    monkeypatch.setattr(darktable.shutil, "which", lambda _: str(program))
    monkeypatch.setattr(darktable, "_PLACES", ())
    monkeypatch.setenv("XDG_DATA_DIRS", "")
    darktable._profiles.cache_clear()
    yield target.write_text
    darktable._profiles.cache_clear()


def test_a_camera_is_found_however_its_maker_is_written_and_isos_between_are_interpolated(install):
    install(json.dumps(FILE))
    for camera in ("Nikon D300", "NIKON CORPORATION NIKON D300"):
        found = installed_profile(camera, 200)
        np.testing.assert_allclose(found.shot + found.read, (4e-6, 2e-6, 3e-6, 1e-8, 0.0, 2e-8))
    between = installed_profile("Nikon D300", 300)
    np.testing.assert_allclose(between.shot, (6e-6, 3e-6, 4.5e-6))


@pytest.mark.parametrize(
    ("camera", "iso"), [("Nikon D3000", 200), ("", 200), ("Nikon D300", None), ("Nikon D300", 6400)]
)
def test_what_was_not_measured_is_not_guessed(camera, iso, install):
    install(json.dumps(FILE))
    assert installed_profile(camera, iso) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"noiseprofiles": [{"maker": 1}]}', '{"noiseprofiles": 3}'])
def test_a_broken_file_is_none(content, install):
    install(content)
    assert installed_profile("Nikon D300", 200) is None


def test_a_raw_without_profile_takes_it_and_says_so(install):
    install(json.dumps(FILE))
    frame = RawFrame(np.full((32, 32), 0.2, np.float32), "RGGB", camera="Nikon D300", iso=400)
    estimate = estimate_raw(frame)
    assert (estimate.source, estimate.profile.shot[1]) == ("darktable", pytest.approx(4e-6))
    own = RawFrame(frame.mosaic, "RGGB", camera="Nikon D300", iso=400, noise=NoiseProfile((1e-3,), (1e-6,)))
    assert estimate_raw(own).source == "DNG NoiseProfile"
