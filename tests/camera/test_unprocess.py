"""process undoes unprocess, and the other way round."""

import numpy as np
import pytest

from quietlight.camera.color import srgb_from_camera
from quietlight.camera.develop import Rendering, develop, process
from quietlight.camera.unprocess import XYZ_TO_CAMERA, fixed_camera, random_camera, unprocess, unprocessed_frame
from quietlight.frames import BAYER

CAMERAS = [fixed_camera(name) for name in XYZ_TO_CAMERA] + [random_camera(np.random.default_rng(i)) for i in range(4)]


@pytest.mark.parametrize("camera", CAMERAS)
def test_process_undoes_unprocess(camera: Rendering) -> None:
    """For display values of 0.02 to 0.9 whose camera RGB lies inside the sensor's range."""
    display = np.random.default_rng(0).uniform(0.02, 0.9, (60, 60, 3))
    display = (
        display.mean(axis=2, keepdims=True) * 0.8 + display * 0.2
    )  # Moderate colours, which every sensor can hold.
    np.testing.assert_allclose(process(unprocess(display, camera), camera), display, atol=1e-4)


@pytest.mark.parametrize("camera", CAMERAS)
def test_highlights_clip_together(camera: Rendering) -> None:
    np.testing.assert_allclose(unprocess(np.ones((1, 1, 3)), camera), 1)


@pytest.mark.parametrize("cfa", BAYER)
def test_the_frame_develops_back_to_the_picture(cfa: str) -> None:
    y, x = np.mgrid[:64, :64] / 64
    display = np.stack([0.2 + 0.5 * x, 0.3 + 0.4 * y, 0.6 - 0.3 * x], axis=-1)
    camera = fixed_camera("C")
    frame = unprocessed_frame(display, camera, cfa)
    assert frame.white_balance is not None
    matrix = srgb_from_camera(frame.calibrations, frame.white_balance)
    rendering = Rendering(frame.white_balance, matrix, 2**frame.baseline_exposure, "smoothstep")
    np.testing.assert_allclose(develop(frame, rendering).pixels[4:-4, 4:-4] / 255, display[4:-4, 4:-4], atol=0.01)


def test_same_seed_same_camera() -> None:
    one, other = (random_camera(np.random.default_rng(7)) for _ in range(2))
    assert one.gains == other.gains
    np.testing.assert_array_equal(one.matrix, other.matrix)
