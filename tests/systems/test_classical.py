"""The baseline never makes a picture worse, keeps what it has to keep, and works for every type, pattern and size."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from quietlight.frames import BAYER, Image, Metadata, NoiseProfile, RawFrame, UnusableInput
from quietlight.metrics import psnr
from quietlight.registry import resolve
from quietlight.systems import SYSTEMS
from quietlight.systems.classical import classical as denoise


def textured(height: int = 128, width: int = 160, channels: int = 3) -> np.ndarray:
    """Edges, waves, fine texture and small lights in [0.02, 0.95], coloured."""
    rows, columns = np.mgrid[0:height, 0:width]
    base = 0.35 + 0.2 * np.sin(columns / 13) * np.cos(rows / 17) + 0.25 * (columns > rows)
    fine = np.random.default_rng(9).normal(0, 0.02, (height, width)) * (rows > height / 2)
    waves = 0.08 * np.sin(rows * columns / 300)
    picture = (base + fine + waves)[..., None] * np.linspace(1, 0.6, channels)
    picture[::37, ::41] = 0.9
    return np.clip(picture, 0.02, 0.95)


def as_cfa(camera: np.ndarray, cfa: str) -> np.ndarray:
    if cfa == "RGB":
        return camera.astype(np.float32)
    if cfa == "MONO":
        return camera[..., 1].astype(np.float32)
    rows, columns = np.indices(camera.shape[:2])
    colors = np.array(["RGB".index(c) for c in cfa])[2 * (rows % 2) + columns % 2]
    return np.take_along_axis(camera, colors[..., None], axis=2)[..., 0].astype(np.float32)


def noisy_raw(mosaic: np.ndarray, shot: float, read: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    light = np.maximum(mosaic, 0).astype(float)
    photons = rng.poisson(light / shot) * shot if shot else light
    return (photons + rng.normal(0, read**0.5, mosaic.shape)).astype(np.float32)


def noisy_photo(clean: np.ndarray, sigma: float) -> Image:
    noise = np.random.default_rng(1).normal(0, sigma, clean.shape)
    return Image(np.clip(np.rint(clean * 255 + noise), 0, 255).astype(np.uint8))


def test_every_system_resolves():
    for name in SYSTEMS:
        assert callable(resolve(SYSTEMS, name, "system"))


@pytest.mark.parametrize("shot", [1e-5, 1e-4, 1e-3, 4e-3, 2e-2])
@pytest.mark.parametrize("cfa", ["GBRG", "MONO", "RGB"])
def test_raws_are_never_worse(shot, cfa):
    truth = as_cfa(textured(), cfa)
    read = math.exp(2.18 * math.log(shot) + 1.20)
    noisy = noisy_raw(truth, shot, read)
    result = denoise(RawFrame(noisy, cfa, noise=NoiseProfile((shot,), (read,))))
    assert psnr(result.frame.mosaic, truth) >= psnr(noisy, truth)
    if shot >= 4e-3:
        assert psnr(result.frame.mosaic, truth) > psnr(noisy, truth) + 3
    assert result.frame.noise.shot[0] <= shot and result.frame.noise.read[0] <= read


@pytest.mark.parametrize("shot", [1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("cfa", ["GBRG", "MONO", "RGB"])
def test_noise_left_is_what_differs_between_two_exposures(shot, cfa):
    """Half flat, half textured; what the filter smooths away is the same in both and is not noise."""
    truth = as_cfa(textured(160, 192), cfa)
    truth[:80] = 0.3
    read = math.exp(2.18 * math.log(shot) + 1.20)
    frames = [RawFrame(noisy_raw(truth, shot, read, s), cfa, noise=NoiseProfile((shot,), (read,))) for s in (0, 1)]
    results = [denoise(frame) for frame in frames]
    varying = np.var(results[0].frame.mosaic - results[1].frame.mosaic) / np.var(frames[0].mosaic - frames[1].mosaic)
    left = results[0].record["noise_left"]
    assert varying / 1.5 < left < 1.5 * varying and left <= 1
    assert results[0].frame.noise.shot[0] == pytest.approx(left * shot)


def test_noise_left_of_a_large_raw_is_measured_on_parts_of_it(monkeypatch):
    shot, read = 4e-3, 1e-5
    noisy = RawFrame(
        noisy_raw(as_cfa(textured(192, 192), "RGGB"), shot, read), "RGGB", noise=NoiseProfile((shot,), (read,))
    )
    whole = denoise(noisy).record["noise_left"]
    monkeypatch.setattr("quietlight.systems.raw_guards._PROBES", 64)
    assert denoise(noisy).record["noise_left"] == pytest.approx(whole, rel=0.25)


@pytest.mark.parametrize("sigma", [1, 5, 15, 25, 50, 75])
@pytest.mark.parametrize("channels", [1, 3])
def test_photos_are_never_worse(sigma, channels):
    clean = textured(channels=channels)
    image = noisy_photo(clean, sigma)
    out = denoise(image, sigma).frame.pixels / 255
    assert psnr(out, clean) >= psnr(image.pixels / 255, clean)
    if sigma >= 15:
        assert psnr(out, clean) > psnr(image.pixels / 255, clean) + 4


@pytest.mark.parametrize("sigma", [1, 5, 25, 75])
def test_photos_of_unknown_noise_are_never_worse(sigma):
    clean = textured(256, 256)
    image = noisy_photo(clean, sigma)
    assert psnr(denoise(image).frame.pixels / 255, clean) >= psnr(image.pixels / 255, clean)


@pytest.mark.parametrize("shot", [1e-5, 1e-3, 2e-2])
def test_raws_of_unknown_noise_are_never_worse(shot):
    truth = as_cfa(textured(256, 256), "GRBG")
    noisy = noisy_raw(truth, shot, math.exp(2.18 * math.log(shot) + 1.20))
    out = denoise(RawFrame(noisy, "GRBG")).frame
    assert psnr(out.mosaic, truth) >= psnr(noisy, truth)


def test_clean_frames_stay_as_they_are():
    photo = Image((textured() * 255).astype(np.uint8))
    assert denoise(photo, 0.0).frame.pixels is photo.pixels
    raw = RawFrame(as_cfa(textured(), "RGGB"), "RGGB", noise=NoiseProfile((0.0,), (0.0,)))
    assert denoise(raw).frame is raw


@pytest.mark.parametrize("cfa", BAYER)
def test_the_four_patterns_are_one_picture_seen_from_four_pixels(cfa):
    shot, read = 1e-2, 1e-4
    camera = textured(64, 70)
    top, left = divmod(cfa.index("R"), 2)
    sensor = noisy_raw(as_cfa(camera, "RGGB"), shot, read)
    part = sensor[top : top + 60, left : left + 66]
    out = denoise(RawFrame(part, cfa, noise=NoiseProfile((shot,), (read,)))).frame
    assert out.cfa == cfa
    truth = as_cfa(camera, "RGGB")[top : top + 60, left : left + 66]
    assert psnr(out.mosaic, truth) > psnr(part, truth) + 3


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 5), (17, 32), (31, 33)])
@pytest.mark.parametrize("cfa", [*BAYER, "MONO", "RGB"])
def test_every_size_of_raw(size, cfa):
    mosaic = as_cfa(textured(*size), cfa)
    out = denoise(RawFrame(mosaic, cfa, noise=NoiseProfile((1e-3,), (1e-6,)))).frame
    assert out.mosaic.shape == mosaic.shape and out.mosaic.dtype == np.float32
    assert np.isfinite(out.mosaic).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (33, 18)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_type_and_size_of_photo(dtype, size, channels):
    white = 1 if dtype is np.float32 else np.iinfo(dtype).max
    clean = textured(*size, channels) * white
    alpha = np.arange(math.prod(size)).reshape(size).astype(dtype)
    image = Image(clean.astype(dtype), alpha, profile=b"icc", metadata=Metadata(exif=b"exif"))
    out = denoise(image, 10.0).frame
    assert out.pixels.dtype == dtype and out.pixels.shape == image.pixels.shape
    assert out.alpha is alpha and out.profile == b"icc" and out.metadata == image.metadata
    assert out.pixels.min() >= 0 and out.pixels.max() <= white


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_constant_photo_stays_constant(dtype):
    white = 1 if dtype is np.float32 else np.iinfo(dtype).max
    pixels = np.full((40, 50, 3), 0.4 * white).astype(dtype)
    np.testing.assert_allclose(denoise(Image(pixels), 25.0).frame.pixels, pixels, rtol=1e-5)


@pytest.mark.parametrize(("shot", "read"), [(0.0, 1e-4), (1e-2, 0.0), (2e-2, 1e-3)])
@pytest.mark.parametrize("cfa", ["RGGB", "MONO", "RGB"])
def test_mean_brightness_of_every_plane_is_kept(shot, read, cfa):
    noisy = noisy_raw(as_cfa(textured(90, 100), cfa), shot, read)
    out = denoise(RawFrame(noisy, cfa, noise=NoiseProfile((shot,), (read,)))).frame.mosaic
    assert np.isfinite(out).all()
    starts = [(0, 0), (0, 1), (1, 0), (1, 1)] if cfa in BAYER else [(0, 0)]
    step = 2 if cfa in BAYER else 1
    for row, column in starts:
        one, other = (m[row::step, column::step].mean(axis=(0, 1), dtype=np.float64) for m in (noisy, out))
        np.testing.assert_allclose(other, one, rtol=1e-4)


def test_darkness_keeps_its_negative_half():
    noisy = noisy_raw(np.zeros((100, 120), np.float32), 1e-3, 1e-4)
    out = denoise(RawFrame(noisy, "BGGR", noise=NoiseProfile((1e-3,), (1e-4,)))).frame.mosaic
    assert abs(out.mean()) < 1e-3 and out.min() < 0 and out.std() < 0.3 * noisy.std()


def test_clipped_highlights_stay_and_bleed_no_color():
    camera = textured(96, 96) * 0.5
    camera[30:60, 30:60] = [0.7, 1.3, 0.8]
    noisy = np.minimum(noisy_raw(as_cfa(camera, "RGGB"), 2e-3, 1e-5), 1)
    out = denoise(RawFrame(noisy, "RGGB", noise=NoiseProfile((2e-3,), (1e-5,)))).frame.mosaic
    rows, columns = np.indices(noisy.shape)
    area = (rows >= 30) & (rows < 60) & (columns >= 30) & (columns < 60) & ((rows + columns) % 2 == 1)
    np.testing.assert_array_equal(out[area], noisy[area])
    assert out[36:54:2, 36:54:2].mean() == pytest.approx(0.7, abs=0.01)
    assert out[37:54:2, 37:54:2].mean() == pytest.approx(0.8, abs=0.01)


def test_each_color_is_denoised_by_its_own_profile():
    mosaic = noisy_raw(np.full((64, 64), 0.5, np.float32), 0.0, 1e-4)
    out = denoise(RawFrame(mosaic, "RGGB", noise=NoiseProfile((0.0,) * 3, (1e-4, 0.0, 1e-4)))).frame.mosaic
    np.testing.assert_array_equal(out[0::2, 1::2], mosaic[0::2, 1::2])
    assert out[0::2, 0::2].std() < 0.3 * mosaic[0::2, 0::2].std()


def test_tiles_leave_no_seams(monkeypatch):
    raw = RawFrame(noisy_raw(as_cfa(textured(), "GRBG"), 4e-3, 1e-5), "GRBG", noise=NoiseProfile((4e-3,), (1e-5,)))
    photo = noisy_photo(textured(), 25)
    photo = replace(photo, pixels=(photo.pixels / 255).astype(np.float32))
    whole = denoise(raw).frame.mosaic, denoise(photo, 25.0).frame.pixels
    monkeypatch.setattr("quietlight.systems.classical._TILE", 36)
    np.testing.assert_allclose(denoise(raw).frame.mosaic, whole[0], atol=1e-4)
    np.testing.assert_allclose(denoise(photo, 25.0).frame.pixels, whole[1], atol=1e-4)


def test_everything_else_of_a_raw_is_kept():
    frame = RawFrame(
        as_cfa(textured(20, 20), "RGGB"), "RGGB", (2.0, 1.0, 1.5), noise=NoiseProfile((1e-3,), (1e-6,)), iso=800,
        orientation=6, crop=(2, 2, 16, 16), camera="Maker Model", metadata=Metadata(exif=b"exif"),
    )  # fmt: skip
    out = denoise(frame).frame
    assert replace(out, mosaic=frame.mosaic, noise=frame.noise) == frame


@pytest.mark.parametrize("sigma", [0.0, 5.0, 25.0])
@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_dropped_pixels_are_filled_before_the_noise_is_removed(sigma, rate):
    clean = textured(channels=1)
    image = noisy_photo(clean, sigma)
    without = psnr(denoise(image, sigma).frame.pixels / 255, clean)
    hit = np.random.default_rng(3).random(clean.shape) < rate
    result = denoise(replace(image, pixels=np.where(hit, 0, image.pixels).astype(np.uint8)), sigma)
    assert result.record["filled"] == pytest.approx(hit.sum(), rel=0.1)
    floor = {0.0: 28 if rate > 0.1 else 36}.get(sigma, without - (5 if sigma < 10 else 1.5))
    assert psnr(result.frame.pixels / 255, clean) > floor


def test_lines_and_letters_are_not_dropped_pixels():
    pixels = np.full((80, 80, 1), 200, np.uint8)
    pixels[10:70:4, 10:70] = 0
    pixels[40:60, 20:60:3] = 255
    assert denoise(Image(pixels), 0.0).frame.pixels is pixels


def test_white_dots_alone_are_stars():
    clean = noisy_photo(np.full((128, 160, 3), 0.1), 3.0)
    rows, columns = np.random.default_rng(4).integers(0, 128, (2, 120))
    pixels = clean.pixels.copy()
    pixels[rows, columns] = 255
    result = denoise(replace(clean, pixels=pixels))
    assert result.record["filled"] == 0 and result.frame.pixels[rows, columns].min() > 200


def test_progress_ends_at_one():
    shares: list[float] = []
    denoise(noisy_photo(textured(), 25), 25.0, progress=shares.append)
    assert shares[-1] == 1


def test_the_wrong_kind_of_noise_is_refused():
    raw = RawFrame(np.zeros((4, 4), np.float32), "RGGB")
    photo = Image(np.zeros((4, 4, 1), np.uint8))
    for frame, noise in ((raw, 5.0), (photo, NoiseProfile((0.1,), (0.1,))), (photo, -1.0), (photo, math.nan)):
        with pytest.raises(UnusableInput, match="noise of a"):
            denoise(frame, noise)
