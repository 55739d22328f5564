"""Real cameras' noise: read from a file, drawn in variances."""

import json

import numpy as np
import pytest

from quietlight.frames import UnusableInput
from quietlight.noise.profiles import ELD_CAMERAS, EldCamera, Line, read_eld

PARAMETERS = {
    "Kmin": 0.1,
    "Kmax": 6.0,
    "G_shape": [0.1, -0.1],
    "Profile-1": {
        "G_scale": {"slope": 0.5, "bias": 0.6, "sigma": 0.25},
        "R_scale": {"slope": 0.5, "bias": -0.6, "sigma": 0.3},
    },
}


@pytest.mark.parametrize("name", ELD_CAMERAS)
def test_settings_of_a_camera_lie_in_its_range_and_repeat(name):
    camera = ELD_CAMERAS[name]
    settings = [camera.draw(np.random.default_rng(seed), white=16000) for seed in range(100)]
    assert settings[3] == camera.draw(np.random.default_rng(3), white=16000)
    gains = [16000 * s.shot for s in settings]
    assert camera.gains[0] <= min(gains) < max(gains) <= camera.gains[1]
    assert np.corrcoef(np.log(gains), np.log([s.read for s in settings]))[0, 1] > 0.6
    assert 0 < np.median([s.row / s.read for s in settings]) < 0.1


def test_a_file_gives_the_camera_it_describes(tmp_path):
    path = tmp_path / "camera.json"
    path.write_text(json.dumps(PARAMETERS))
    assert read_eld(path) == EldCamera((0.1, 6.0), Line(0.5, 0.6, 0.25), (-0.1, 0.1), Line(0.5, -0.6, 0.3))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps(PARAMETERS | {"Kmin": -1}),
        json.dumps(PARAMETERS | {"Kmin": 9}),
        json.dumps(PARAMETERS | {"G_shape": []}),
        json.dumps(PARAMETERS | {"Profile-1": {"G_scale": {"slope": 1}}}),
        json.dumps(
            PARAMETERS | {"Profile-1": {k: {"slope": 1, "bias": 0, "sigma": -1} for k in ("G_scale", "R_scale")}}
        ),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, text):
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=r"odd\.json"):
        read_eld(path)
    with pytest.raises(UnusableInput, match="missing"):
        read_eld(tmp_path / "missing.json")
