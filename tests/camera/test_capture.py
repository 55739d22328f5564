"""What a camera captures of a scene is what `prepare` and `develop` get back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from quietlight.camera.capture import (
    Camera,
    captured,
    captured_frame,
    fixed_camera,
    random_camera,
    restored,
    scene_light,
)
from quietlight.camera.color import SRGB_FROM_XYZ, neutral_to_white, white_to_temperature
from quietlight.camera.prepare import prepare
from quietlight.camera.unprocess import XYZ_TO_CAMERA
from quietlight.frames import BAYER

CAMERAS = [fixed_camera(name) for name in XYZ_TO_CAMERA] + [random_camera(np.random.default_rng(i)) for i in range(6)]


def light(height: int = 40, width: int = 54) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    return scene_light(np.stack([0.3 + 0.4 * x, 0.3 + 0.4 * y, 0.6 - 0.3 * x * y], axis=-1))


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("camera", CAMERAS)
def test_prepared_it_is_the_restored_light(camera: Camera, cfa: str) -> None:
    found = prepare(captured_frame(light(), camera, cfa), "wb")
    np.testing.assert_allclose(found[3:-3, 3:-3], restored(light(), camera)[3:-3, 3:-3], atol=4e-3)


@pytest.mark.parametrize("camera", CAMERAS)
def test_in_the_papers_mode_grays_have_the_colour_of_the_light(camera: Camera) -> None:
    gray = np.full((24, 24, 3), 0.4)
    found = prepare(captured_frame(gray, camera), "xyz")[12, 12]
    white = neutral_to_white((camera.calibration,), 1 / np.asarray(camera.gains))
    np.testing.assert_allclose(found / found[1], white, rtol=1e-4)


def test_random_cameras_see_all_kinds_of_light() -> None:
    cameras = [random_camera(np.random.default_rng(i)) for i in range(80)]
    kelvins = [white_to_temperature(neutral_to_white((c.calibration,), 1 / np.asarray(c.gains))) for c in cameras]
    assert min(kelvins) < 3000
    assert max(kelvins) > 6500
    assert all(0.3 <= c.exposure <= 1.3 for c in cameras)
    assert random_camera(np.random.default_rng(3)).gains == cameras[3].gains


def test_burnt_highlights_are_white_and_dark_ones_keep_their_colour() -> None:
    over = replace(fixed_camera("A"), exposure=2.5)
    white = np.ones((16, 16, 3))
    np.testing.assert_allclose(prepare(captured_frame(white, over)), restored(white, over), atol=1e-4)
    dark = replace(fixed_camera("A"), exposure=0.1)
    np.testing.assert_allclose(captured(white, dark)[0, 0] * dark.gains, 0.1, rtol=1e-6)
    np.testing.assert_allclose(restored(white, dark)[0, 0] @ SRGB_FROM_XYZ.T, 0.1, rtol=1e-6)


@pytest.mark.parametrize("function", [captured, restored])
def test_tensors_give_the_same(function) -> None:
    camera = random_camera(np.random.default_rng(0))
    found = function(torch.from_numpy(light()), camera)
    np.testing.assert_allclose(found.numpy(), function(light(), camera), atol=1e-12)
