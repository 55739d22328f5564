"""The noise that is drawn lies where its distribution says, and has the profile that it declares."""

import json

import numpy as np
import pytest

from quietlight.analysis.calibrate import Calibration, Entry
from quietlight.camera.bayer import PLANE_COLORS, pack
from quietlight.data.raw_noise import CalibratedNoise, PhysicsNoise, UpiNoise, parse_range, parse_raw_noise
from quietlight.frames import NoiseProfile, RawFrame, UnusableInput
from quietlight.noise.profiles import ELD_CAMERAS

CALIBRATION = Calibration((
    Entry("A", 100, NoiseProfile((1e-4, 2e-4, 3e-4), (1e-6, 2e-6, 3e-6)), 4e-7),
    Entry("A", 400, NoiseProfile((4e-4, 8e-4, 12e-4), (16e-6, 32e-6, 48e-6)), 64e-7),
))  # fmt: skip
NOISES = {
    "upi": UpiNoise(),
    **{name: parse_raw_noise(f"physics={name}") for name in ELD_CAMERAS},
    "profile": CalibratedNoise.of(CALIBRATION),
}


@pytest.mark.parametrize("name", NOISES)
def test_the_noise_of_an_exposure_is_that_of_its_profile(name):
    exposure = NOISES[name].draw(np.random.default_rng(5))
    for level in (0.0, 0.3):
        clean = RawFrame(np.full((700, 600), level, np.float32), "GBRG")
        noisy = exposure.noisy(clean, np.random.default_rng(1))
        assert noisy.mosaic.dtype == np.float32
        assert noisy.noise == exposure.profile()
        for color, plane in zip(PLANE_COLORS, pack(noisy.mosaic, noisy.cfa), strict=True):
            declared = float(noisy.noise.variance(level, color))
            # Rows share a part of the noise, so that there are fewer independent samples of it.
            assert np.var(plane) == pytest.approx(declared, rel=0.04)
            assert plane.mean() == pytest.approx(level, abs=0.1 * np.sqrt(declared))


@pytest.mark.parametrize("name", NOISES)
def test_parameters_are_json_and_follow_from_the_generator(name):
    draws = [NOISES[name].draw(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    for value in (draws[0].parameters(), NOISES[name].settings()):
        assert json.loads(json.dumps(value)) == value
    assert NOISES[name].words()


def test_upi_fills_its_range_about_its_line():
    shots, reads = zip(
        *((e.shot[0], e.read[0]) for e in (d.profile() for d in draws(UpiNoise(1e-3, 1e-2), 400))), strict=True
    )
    logs = np.log10(shots)
    assert -3 <= logs.min() < -2.98
    assert -2.02 < logs.max() <= -2
    assert logs.mean() == pytest.approx(-2.5, abs=0.06)
    assert np.std(np.log(reads) - 2.18 * np.log(shots) - 1.20) == pytest.approx(0.26, rel=0.15)


def draws(noise, count):
    rng = np.random.default_rng(3)
    return [noise.draw(rng) for _ in range(count)]


def test_physics_takes_all_cameras_where_none_is_named():
    assert {d.camera for d in draws(parse_raw_noise("physics"), 40)} == set(ELD_CAMERAS)
    (one,) = draws(parse_raw_noise("physics=nikon-d850"), 1)
    assert one.camera == "nikon-d850"
    assert one.colors[0].row > 0


def test_a_calibration_is_read_at_every_iso():
    (measured,) = draws(CalibratedNoise.of(CALIBRATION, (400, 400)), 1)
    assert np.allclose(measured.profile().shot, CALIBRATION.entries[1].noise.shot)
    assert np.allclose(measured.profile().read, CALIBRATION.entries[1].noise.read)
    (between,) = draws(CalibratedNoise.of(CALIBRATION, (200, 200)), 1)
    assert between.row == pytest.approx(16e-7)
    assert np.allclose(between.profile().read, (4e-6, 8e-6, 12e-6))
    isos = [d.iso for d in draws(CalibratedNoise.of(CALIBRATION), 200)]
    assert 100 <= min(isos) < 110 and 380 < max(isos) <= 400
    (only,) = draws(CalibratedNoise.of(Calibration((Entry("B", None, NoiseProfile((1e-3,), (1e-6,))),))), 1)
    assert (only.camera, only.iso, only.profile().shot) == ("B", None, (1e-3,) * 3)


def test_rows_share_their_noise():
    (exposure,) = draws(CalibratedNoise.of(CALIBRATION, (400, 400)), 1)
    noisy = exposure.noisy(RawFrame(np.zeros((400, 2000), np.float32), "RGGB"), np.random.default_rng(0))
    assert noisy.iso == 400
    assert np.var(noisy.mosaic.mean(axis=1)) == pytest.approx(64e-7, rel=0.25)


@pytest.mark.parametrize(
    "text", ["", "rain", "upi=", "upi=0..1e-3", "upi=2e-3..1e-3", "upi=x", "physics=", "physics=leica", "row=1"]
)
def test_what_names_no_noise_is_refused(text):
    with pytest.raises(UnusableInput) as refusal:
        parse_raw_noise(text)
    assert len(str(refusal.value).splitlines()) == 1


def test_a_file_of_eld_is_a_camera(tmp_path):
    line = {"slope": 0.5, "bias": 0.1, "sigma": 0.1}
    path = tmp_path / "mine.json"
    profile = {"Kmin": 0.5, "Kmax": 2, "G_shape": [0.1, -0.1], "Profile-1": {"G_scale": line, "R_scale": line}}
    path.write_text(json.dumps(profile))
    noise = parse_raw_noise(f"physics={path}")
    assert isinstance(noise, PhysicsNoise)
    assert [d.camera for d in draws(noise, 1)] == ["mine"]


def test_calibrations_that_do_not_serve_are_refused():
    other = Entry("B", 100, NoiseProfile((1e-3,), (1e-6,)))
    with pytest.raises(UnusableInput, match="several cameras"):
        CalibratedNoise.of(Calibration((*CALIBRATION.entries, other)))
    with pytest.raises(UnusableInput, match="no shot noise"):
        CalibratedNoise.of(Calibration((Entry("B", 100, NoiseProfile((0.0,), (1e-6,))),)))
    with pytest.raises(UnusableInput, match="range of ISO"):
        CalibratedNoise.of(CALIBRATION, (400, 100))


def test_a_range_is_one_number_or_two():
    assert parse_range("1e-4..2e-3") == (1e-4, 2e-3)
    with pytest.raises(UnusableInput, match=r"LOW\.\.HIGH"):
        parse_range("1..2..3")
