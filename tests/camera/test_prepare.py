"""What the networks get: XYZ of the light in front of the camera, whatever the pattern, the size and the way it was held."""

from dataclasses import replace

import numpy as np
import pytest

from quietlight.camera.color import D65, XYZ_FROM_SRGB
from quietlight.camera.demosaic import demosaic
from quietlight.camera.develop import upright
from quietlight.camera.prepare import MODES, preparation, prepare
from quietlight.camera.tone import undo_gamma, undo_smoothstep
from quietlight.camera.unprocess import XYZ_TO_CAMERA, fixed_camera, unprocess, unprocessed_frame
from quietlight.frames import BAYER, ColorCalibration, RawFrame, UnusableInput

CAMERAS = list(XYZ_TO_CAMERA)


def display(height: int = 40, width: int = 54) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    return np.stack([0.3 + 0.4 * x, 0.3 + 0.4 * y, 0.6 - 0.3 * x * y], axis=-1)


@pytest.mark.parametrize("cfa", BAYER)
@pytest.mark.parametrize("camera", CAMERAS)
def test_white_balanced_xyz_is_the_light_of_the_scene(camera: str, cfa: str) -> None:
    rendering = fixed_camera(camera)
    light = undo_gamma(undo_smoothstep(display())) / rendering.exposure
    found = prepare(unprocessed_frame(display(), rendering, cfa), "wb")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[3:-3, 3:-3], (light @ XYZ_FROM_SRGB.T)[3:-3, 3:-3], atol=2e-3)


def test_the_papers_mode_is_the_inverse_mean_matrix_without_white_balance() -> None:
    frame = unprocessed_frame(display(), fixed_camera("A"))
    first = frame.calibrations[0]
    frame = replace(frame, calibrations=(first, ColorCalibration(17, first.color + np.diag([0.2, 0.0, -0.1]))))
    matrix = np.linalg.inv(first.color + np.diag([0.1, 0.0, -0.05]))
    np.testing.assert_allclose(prepare(frame, "xyz"), demosaic(frame.mosaic, "RGGB") @ matrix.T, atol=1e-5)
    with pytest.raises(UnusableInput, match="colour matrix is unknown"):
        prepare(replace(frame, calibrations=()), "xyz")
    with pytest.raises(UnusableInput, match="no inverse"):
        prepare(replace(frame, calibrations=(ColorCalibration(21, np.zeros((3, 3))),)), "xyz")


def test_without_a_step_to_xyz_no_camera_is_known() -> None:
    frame = unprocessed_frame(display(), fixed_camera("A"))
    found = prepare(frame, "rgb")
    np.testing.assert_allclose(found, demosaic(frame.mosaic, "RGGB") @ XYZ_FROM_SRGB.T, atol=1e-5)
    other = fixed_camera("B")
    unknown = replace(frame, calibrations=(ColorCalibration(21, other.matrix),), white_balance=other.gains)
    np.testing.assert_array_equal(prepare(unknown, "rgb"), found)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (7, 2), (67, 9)])
def test_any_size_upright_and_cropped(size: tuple[int, int], mode: str) -> None:
    frame = unprocessed_frame(display(*size), fixed_camera("B"), "GBRG")
    whole = prepare(frame, mode)
    assert whole.shape == (*size, 3)
    top, left = size[0] // 2, size[1] // 3
    turned = replace(frame, crop=(top, left, size[0] - top, size[1] - left), orientation=6)
    np.testing.assert_array_equal(prepare(turned, mode), upright(whole[top:, left:], 6))


def test_noise_goes_below_black_and_burnt_highlights_are_white() -> None:
    frame = unprocessed_frame(display(), fixed_camera("D"))
    assert prepare(replace(frame, mosaic=frame.mosaic - np.float32(0.3))).min() < -0.01
    burnt = replace(frame, mosaic=np.full((16, 16), 1.2, np.float32))
    np.testing.assert_allclose(prepare(burnt), np.broadcast_to(D65, (16, 16, 3)), atol=1e-5)


def test_a_camera_without_anything_gets_an_automatic_balance() -> None:
    frame = unprocessed_frame(display(), fixed_camera("A"))
    bare = RawFrame(frame.mosaic, frame.cfa)
    assert np.isfinite(prepare(bare)).all()
    gray = prepare(RawFrame(np.full((8, 8), 0.25, np.float32), "MONO"))
    np.testing.assert_allclose(gray / 0.25, np.broadcast_to(D65, (8, 8, 3)), rtol=1e-5)
    linear = replace(frame, mosaic=unprocess(display(), fixed_camera("A")).astype(np.float32), cfa="RGB")
    np.testing.assert_allclose(prepare(linear)[3:-3, 3:-3], prepare(frame)[3:-3, 3:-3], atol=2e-3)


def test_unknown_modes_are_refused() -> None:
    with pytest.raises(UnusableInput, match="xyz, wb, rgb"):
        preparation(unprocessed_frame(display(), fixed_camera("A")), "lab")
