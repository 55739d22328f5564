"""Colour laws of the DNG specification."""

from dataclasses import replace

import numpy as np
import pytest

from quietlight.camera.color import (
    D50,
    D65,
    SRGB_FROM_XYZ,
    adaptation,
    calibration_from_srgb,
    color_matrix,
    kelvin_to_gains,
    neutral_to_white,
    srgb_from_camera,
    temperature_to_white,
    white_to_temperature,
)  # fmt: skip
from quietlight.camera.unprocess import XYZ_TO_CAMERA, fixed_camera
from quietlight.frames import ColorCalibration, UnusableInput

TUNGSTEN = ColorCalibration(17, XYZ_TO_CAMERA["A"])
DAYLIGHT = ColorCalibration(21, XYZ_TO_CAMERA["C"])


@pytest.mark.parametrize("kelvin", [2000, 2850, 4000, 5000, 6500, 9000])
def test_temperature_is_found_again(kelvin: float) -> None:
    assert white_to_temperature(temperature_to_white(kelvin)) == pytest.approx(kelvin, rel=0.012)


def test_adaptation_maps_white_to_white() -> None:
    np.testing.assert_allclose(adaptation(D50, D65) @ D50, D65)


def test_matrices_are_interpolated_in_inverse_temperature_in_either_order() -> None:
    between = 1 / ((1 / 2850 + 1 / 6500) / 2)
    expected = (TUNGSTEN.color + DAYLIGHT.color) / 2
    for pair in [(TUNGSTEN, DAYLIGHT), (DAYLIGHT, TUNGSTEN)]:
        np.testing.assert_allclose(color_matrix(pair, between), expected)
        np.testing.assert_allclose(color_matrix(pair, 2000), TUNGSTEN.color)
        np.testing.assert_allclose(color_matrix(pair, 12000), DAYLIGHT.color)


@pytest.mark.parametrize("kelvin", [3000, 4500, 6000])
def test_the_white_of_a_neutral_is_found(kelvin: float) -> None:
    pair = (TUNGSTEN, DAYLIGHT)
    white = temperature_to_white(kelvin)
    neutral = color_matrix(pair, kelvin) @ white
    np.testing.assert_allclose(neutral_to_white(pair, neutral), white, atol=0.01)
    gains = kelvin_to_gains(pair, kelvin)
    np.testing.assert_allclose(np.multiply(gains, neutral / neutral[1]), 1)


@pytest.mark.parametrize("calibrations", [(), (DAYLIGHT,), (TUNGSTEN, DAYLIGHT)])
def test_neutral_stays_neutral(calibrations: tuple[ColorCalibration, ...]) -> None:
    matrix = srgb_from_camera(calibrations, (2.1, 1.0, 1.6))
    np.testing.assert_allclose(matrix @ np.ones(3), 1)


def test_a_camera_is_found_again_from_its_calibration() -> None:
    camera = fixed_camera("B")
    calibration = calibration_from_srgb(camera.matrix, camera.gains)
    np.testing.assert_allclose(srgb_from_camera((calibration,), camera.gains), camera.matrix, atol=2e-3)


def test_forward_matrices_lead_to_the_same_colors_as_color_matrices() -> None:
    """A ForwardMatrix made from the ColorMatrix by the specification's own route changes nothing."""
    gains = kelvin_to_gains((DAYLIGHT,), 6500)
    camera = np.linalg.inv(DAYLIGHT.color) @ np.diag(1 / np.asarray(gains))
    forward = adaptation(camera.sum(axis=1) / camera.sum(axis=1)[1], D50) @ camera / camera.sum(axis=1)[1]
    with_forward = replace(DAYLIGHT, forward=forward)
    np.testing.assert_allclose(
        srgb_from_camera((with_forward,), gains), srgb_from_camera((DAYLIGHT,), gains), atol=2e-3
    )


def test_srgb_white_is_d65() -> None:
    np.testing.assert_allclose(SRGB_FROM_XYZ @ D65, 1)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UnusableInput, match="colour matrix is unknown"):
        kelvin_to_gains((), 5000)
    with pytest.raises(UnusableInput, match="between 1667 and 25000"):
        temperature_to_white(100)
