"""The noise of a raw or a photo, measured from itself, against noise of known strength on made scenes."""

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quietlight.analysis.calibrate import Calibration, Entry
from quietlight.analysis.estimate import analyze_photo, analyze_raw, estimate_photo, estimate_raw
from quietlight.frames import Image, NoiseProfile, RawFrame, UnusableInput
from quietlight.metrics import psnr
from quietlight.noise.nature import eight_bit
from quietlight.noise.natures import Bernoulli, Gaussian, SaltAndPepper
from quietlight.noise.sensor import ShotRead, upi_read
from quietlight.systems.classical import classical

HEIGHT, WIDTH = 256, 384


def flat(height=HEIGHT, width=WIDTH):
    return np.broadcast_to(np.linspace(0.03, 0.6, width), (height, width))


def scene(height=HEIGHT, width=WIDTH):
    """Patches of many signals, half of them with texture as strong as their signal, softened as a lens would."""
    rng = np.random.default_rng(11)
    blocks = np.kron(rng.uniform(0.02, 0.7, (height // 32, width // 32)), np.ones((32, 32)))
    texture = np.kron(rng.uniform(0, 0.5, (height // 32, width // 32)).round(), np.ones((32, 32)))
    x = blocks * (1 + texture * rng.uniform(-1, 1, (height, width)))
    return sum(np.roll(x, (i, j), (0, 1)) for i in (0, 1, 2) for j in (0, 1, 2)) / 9


def raw(light, shot, read, cfa="RGGB", seed=0):
    noisy = ShotRead(shot, read).sample(light, np.random.default_rng(seed)).astype(np.float32)
    return RawFrame(noisy, cfa)


@pytest.mark.parametrize(
    ("light", "shot", "cfa"),
    [
        *((light, shot, "RGGB") for light in (flat, scene) for shot in (3e-4, 4e-3, 2e-2)),
        *((scene, 1e-3, cfa) for cfa in ("GRBG", "GBRG", "BGGR", "MONO")),
    ],
)
def test_deviation_of_a_raw_is_right_whatever_its_pattern_and_texture(light, shot, cfa):
    truth = math.sqrt(0.18 * shot + upi_read(shot))
    estimate = estimate_raw(raw(light(), shot, upi_read(shot), cfa))
    assert estimate.source == "frame"
    assert estimate.deviation == pytest.approx(truth, rel=0.04 if light is flat else 0.15)


def test_shot_and_read_are_told_apart_over_a_range_of_signals():
    profile = estimate_raw(raw(flat(384, 512), 2e-3, 4e-4)).profile
    assert profile.shot[0] == pytest.approx(2e-3, rel=0.2) and profile.read[0] == pytest.approx(4e-4, rel=0.2)


def test_points_lie_on_the_line_they_were_fitted_by():
    estimate = estimate_raw(raw(flat(), 2e-3, 4e-4))
    for signal, variance, patches in estimate.points:
        assert variance == pytest.approx(float(estimate.profile.variance(signal)), rel=0.2) and patches > 0


def test_clipping_and_saturation_do_not_lower_the_estimate():
    light = np.broadcast_to(np.linspace(-0.1, 1.3, WIDTH), (HEIGHT, WIDTH))
    noisy = np.clip(raw(np.maximum(light, 0), 4e-3, 2e-4).mosaic, 0, 1)
    deviation = estimate_raw(RawFrame(noisy, "RGGB")).deviation
    assert deviation == pytest.approx(math.sqrt(0.18 * 4e-3 + 2e-4), rel=0.06)


def test_odd_sizes_and_three_plane_raws_are_measured_too():
    assert estimate_raw(raw(flat(255, 381), 4e-3, 2e-5)).deviation == pytest.approx(math.sqrt(7.4e-4), rel=0.04)
    planes = np.stack([raw(flat(), 4e-3, 2e-5, seed=s).mosaic for s in range(3)], axis=2)
    assert estimate_raw(RawFrame(planes, "RGB")).deviation == pytest.approx(math.sqrt(7.4e-4), rel=0.04)


@pytest.mark.parametrize("shot", [0.0, 1e-5])
def test_low_noise_is_called_low_and_given_no_number(shot):
    report = analyze_raw(raw(scene(), shot, 0.0))
    assert report.profile is None and report.deviation is None and not report.findings and "below" in report.verdict


@pytest.mark.parametrize(
    "mosaic", [np.zeros((2, 2)), np.full((64, 64), 1.0), np.zeros((300, 400)), np.full((8, 900), 0.3)]
)
def test_frames_with_nothing_to_measure_are_unknown(mosaic):
    report = analyze_raw(RawFrame(mosaic.astype(np.float32), "RGGB"))
    assert report.profile is None and "unknown" in report.verdict


def test_the_files_profile_comes_first_then_the_calibration():
    own, measured = NoiseProfile((1e-3,), (1e-6,)), NoiseProfile((2e-3,), (1e-6,))
    calibration = Calibration((Entry("", 100, measured),))
    frame = raw(flat(), 4e-3, 2e-5)
    with_own = RawFrame(frame.mosaic, "RGGB", noise=own)
    assert (estimate_raw(with_own, calibration).profile, estimate_raw(with_own).source) == (own, "DNG NoiseProfile")
    assert estimate_raw(frame, calibration).profile == measured
    report = analyze_raw(frame, calibration)
    assert report.source == "calibration" and json.loads(report.to_json())["deviation"] == pytest.approx(
        0.019, rel=0.01
    )


def test_a_calibration_of_another_camera_is_refused():
    calibration = Calibration((Entry("Other One", 100, NoiseProfile((1e-3,), (1e-6,))),))
    frame = RawFrame(np.zeros((8, 8), np.float32), "RGGB", camera="This One")
    with pytest.raises(UnusableInput, match=r"Other One.*This One"):
        estimate_raw(frame, calibration)


def photo(x, sigma, seed=0):
    return eight_bit(Gaussian(sigma).sample(x, np.random.default_rng(seed)))


@pytest.mark.parametrize(
    ("sigma", "dtype"), [(5.0, "uint8"), (25.0, "uint8"), (50.0, "uint8"), (25.0, "uint16"), (25.0, "float32")]
)
def test_sigma_of_a_photo_is_right_whatever_its_type(sigma, dtype):
    noisy = photo(0.15 + scene(), sigma)
    pixels = noisy.astype(np.float32) if dtype == "float32" else np.round(noisy * np.iinfo(dtype).max).astype(dtype)
    assert estimate_photo(Image(pixels[..., None])) == pytest.approx(sigma, rel=0.1)


def test_clipping_does_not_lower_sigma():
    x = np.broadcast_to(np.linspace(0, 1, WIDTH), (HEIGHT, WIDTH))
    pixels = np.round(255 * photo(x, 75.0)).astype(np.uint8)
    assert estimate_photo(Image(pixels[..., None])) == pytest.approx(75, rel=0.1)


def test_clean_photos_are_called_clean():
    pixels = np.round(255 * np.stack([0.15 + scene()] * 3, axis=2)).astype(np.uint8)
    report = analyze_photo(Image(pixels))
    assert report.findings == () and "clean" in report.verdict


@pytest.mark.parametrize(("noise", "name"), [(Bernoulli(0.1), "bernoulli"), (SaltAndPepper(0.1), "salt-and-pepper")])
def test_lost_pixels_are_counted_beside_gaussian_noise(noise, name):
    rng = np.random.default_rng(2)
    x = np.stack([0.2 + scene(384, 512)] * 3, axis=2)
    y = eight_bit(noise.sample(Gaussian(20.0).sample(x, rng), rng))
    levels = {f.nature: f.level for f in analyze_photo(Image(np.round(255 * y).astype(np.uint8))).findings}
    assert set(levels) == {"gaussian", name}
    assert levels[name] == pytest.approx(0.1, rel=0.15) and levels["gaussian"] == pytest.approx(20, rel=0.15)


def test_strong_noise_among_many_lost_pixels_is_still_measured():
    rng = np.random.default_rng(2)
    x = np.stack([0.4 + scene() / 3] * 3, axis=2)
    y = eight_bit(Bernoulli(0.2).sample(Gaussian(50.0).sample(x, rng), rng))
    assert estimate_photo(Image(np.round(255 * y).astype(np.uint8))) == pytest.approx(50, rel=0.2)


def test_a_photo_of_a_few_pixels_is_too_small():
    assert "too small" in analyze_photo(Image(np.zeros((3, 5, 3), np.uint8))).verdict


def drawings():
    """Pictures without any noise that are no photos, uint8 [H, W, C]."""
    rng = np.random.default_rng(5)
    rows, columns = np.indices((96, 144))
    letters = np.kron(rng.random((12, 24)) < 0.3, np.ones((8, 6)))
    soft = sum(np.roll(letters, (i, j), (0, 1)) for i in (0, 1) for j in (0, 1)) / 4
    stars = np.full((96, 144), 12)
    stars[rng.integers(0, 96, 40), rng.integers(0, 144, 40)] = 255
    tones = {
        "halves": np.where(rows < 48, 255, 0),
        "column": np.where(columns < 100, 20, 200),
        "checker": (rows + columns) % 2 * 255,
        "black dots": np.where((rows % 8 == 0) & (columns % 8 == 0), 0, 255),
        "white dots": np.where((rows % 5 == 0) & (columns % 7 == 0), 255, 90),
        "even noise": (rng.random((96, 144)) < 0.5) * 255,
        "rare noise": (rng.random((96, 144)) < 0.05) * 255,
        "dither": (rng.random((96, 144)) < columns / 144) * 255,
        "four tones": np.floor(columns / 48 + rng.random((96, 144))) * 85,
        "gradient": columns * 255 // 143,
        "diagonal": (rows + columns) * 255 // 238,
        "black": np.zeros((96, 144)),
        "gray": np.full((96, 144), 119),
        "white": np.full((96, 144), 255),
        "text": 255 * (1 - letters),
        "soft text": 255 * (1 - soft),
        "gray text": 240 - 200 * soft,
        "blocks": np.kron(rng.integers(0, 256, (6, 9)), np.ones((16, 16))),
        "stars": stars,
    }
    pictures = {name: np.stack([x] * 3, axis=2).astype(np.uint8) for name, x in tones.items()}
    pictures["blue text"] = np.stack([255 * (1 - soft), 255 * (1 - soft), np.full((96, 144), 255)], axis=2).astype(
        np.uint8
    )
    pictures["one channel"] = pictures["text"][..., :1]
    return pictures


@pytest.mark.parametrize("name", sorted(drawings()))
def test_drawings_have_no_noise_and_stay_as_they_are(name):
    image = Image(drawings()[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = analyze_photo(image)
        sigma = estimate_photo(image)
        result = classical(image)
    assert not report.findings and ("unknown" in report.verdict or "clean" in report.verdict)
    assert math.isnan(sigma) or sigma < 1.5
    assert result.record["filled"] == 0
    assert np.array_equal(result.frame.pixels, image.pixels) or psnr(result.frame.pixels / 255, image.pixels / 255) > 48


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 3]), st.integers(0, 255), st.integers(0, 255),
    st.sampled_from(["noise", "halves", "dots", "ramp"]), st.sampled_from([np.uint8, np.uint16, np.float32]),
)  # fmt: skip
def test_two_tones_of_any_kind_are_measured_without_a_crash_or_a_warning(
    height, width, channels, low, high, kind, dtype
):
    rows, columns = np.indices((height, width))
    chosen = {
        "noise": np.random.default_rng(low).random((height, width)),
        "halves": 2 * rows // height,
        "dots": (rows % 4 == 0) & (columns % 4 == 0),
        "ramp": columns / width,
    }[kind]
    scale = 1 / 255 if dtype is np.float32 else np.iinfo(dtype).max // 255
    mixed = low + (high - low) * (chosen if kind == "ramp" else np.round(chosen))
    image = Image(np.stack([np.rint(mixed) * scale] * channels, axis=2).astype(dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sigma = estimate_photo(image)
        analyze_photo(image)
        out = classical(image).frame.pixels
    assert math.isnan(sigma) or 0 <= sigma < 256
    assert out.shape == image.pixels.shape and out.dtype == dtype and np.isfinite(out).all()


@pytest.mark.parametrize(
    "name", ["halves", "checker", "black dots", "even noise", "gradient", "black", "gray", "soft text"]
)
def test_drawings_as_raws_raise_nothing(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = analyze_raw(RawFrame((drawings()[name][..., 0] / 255).astype(np.float32), "RGGB"))
    assert report.kind == "raw"


def test_certainty_is_a_chance_and_only_of_what_the_frame_shows():
    weak, strong = (analyze_raw(raw(scene(), shot, 2e-5)).findings[0].certainty for shot in (5e-4, 4e-3))
    assert 0 < weak < strong < 1
    stated = RawFrame(raw(flat(), 4e-3, 2e-5).mosaic, "RGGB", noise=NoiseProfile((4e-3,), (2e-5,)))
    assert analyze_raw(stated).findings[0].certainty is None
