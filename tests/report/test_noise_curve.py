"""The noise curve of a raw: what was measured and what was used, and both where they belong in the plot."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import quietlight as ql
from quietlight.frames import NoiseProfile, RawFrame
from quietlight.noise.sensor import ShotRead
from quietlight.report.noise_curve import NoiseCurve, curve_of
from quietlight.report.noise_plot import curve_section, noise_plot

SHOT, READ = 4e-3, 2e-5


def raw(profile: NoiseProfile | None) -> RawFrame:
    y, x = np.mgrid[:256, :256] / 256
    clean = (0.05 + 0.5 * x + 0.1 * np.sin(3 * y)).astype(np.float32)
    noisy = ShotRead(SHOT, READ).sample(clean, np.random.default_rng(0)).astype(np.float32)
    return RawFrame(noisy, "RGGB", white_balance=(1.0, 1.0, 1.0), noise=profile)


@pytest.mark.parametrize("profile", [None, NoiseProfile((SHOT,), (READ,))])
def test_points_lie_on_the_line_of_the_noise_that_is_there(profile: NoiseProfile | None) -> None:
    frame = raw(profile)
    result = ql.denoise(frame, system="classical", record=True)
    curve = curve_of(frame, result.record)
    assert curve.source == ("frame" if profile is None else "DNG NoiseProfile")
    assert ("points" in result.record) == (profile is None)
    assert curve.profile is not None
    signals, variances, _ = np.transpose(curve.points)
    assert len(signals) >= 8
    np.testing.assert_allclose(np.median(variances / (SHOT * signals + READ)), 1, atol=0.1)
    np.testing.assert_allclose(curve.profile.shot[0], SHOT, rtol=0.1)


def test_the_plot_shows_points_and_lines_where_they_belong() -> None:
    points = ((0.1, 2e-4, 500), (0.2, 3e-4, 500), (0.4, 5e-4, 500))
    plot = noise_plot(NoiseCurve(points, NoiseProfile((1e-3,), (1e-4,)), "frame"))
    places = [tuple(map(float, pair)) for pair in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', plot)]
    (start,) = re.findall(r'class="line all" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"', plot)
    left, low, right, high = map(float, start)
    assert len(places) == len(points)
    for across, down in places:  # they lie on the line
        assert down == pytest.approx(low + (high - low) * (across - left) / (right - left), abs=0.3)
    assert [across for across, _ in places] == sorted(across for across, _ in places)
    assert high < places[-1][1] < places[0][1] < low


def test_every_colour_has_its_line() -> None:
    profile = NoiseProfile((1e-3, 2e-3, 3e-3), (0.0, 0.0, 0.0))
    section = curve_section(NoiseCurve((), profile, "calibration"))
    assert re.findall(r'class="line (\w+)"', section) == ["red", "green", "blue"]
    assert "0.002 · signal + 0" in section
    assert "by the calibration" in section


def test_where_nothing_is_known_nothing_is_drawn() -> None:
    assert curve_section(NoiseCurve((), None, "frame")) == ""
    too_low = curve_section(NoiseCurve(((0.1, 1e-7, 500),), None, "frame"))
    assert "too low" in too_low
    assert "line all" not in too_low


def test_a_frame_without_usable_patches_has_no_points() -> None:
    burnt = replace(raw(None), mosaic=np.ones((64, 64), np.float32))
    assert curve_of(burnt, {}).points == ()
