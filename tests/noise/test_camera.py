"""Camera noise: as strong as declared, noise and not blur, and what a camera does to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from quietlight.frames import BAYER, UnusableInput
from quietlight.metrics import psnr
from quietlight.noise.camera import MID_GRAY, QUALITIES, SMOOTHINGS, Camera, Capture
from quietlight.noise.sensor import ShotRead


def captures(sigma, channels, count, seed=0, quality=0):
    """Cameras at random whose photos are saved at one quality, and a generator for their noise."""
    rng = np.random.default_rng(seed)
    return [replace(Capture.draw(sigma, channels, rng), quality=quality) for _ in range(count)], rng


def deviation(photo):
    """On the 0-255 scale; the root mean square over the channels."""
    return 255 * np.sqrt(photo.var((0, 1)).mean())


def smooth_photo(size=64):
    y, x = np.mgrid[:size, :size] / size
    return 0.5 + 0.3 * np.sin(5 * np.stack([x + y, x - y, 2 * x], axis=-1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [1.0, 2.0, 5.0, 10.0, 20.0, 25.0])
def test_every_camera_makes_the_declared_sigma_at_mid_gray(sigma, channels):
    gray = np.full((96, 96, channels), MID_GRAY)
    cameras, rng = captures(sigma, channels, 8)
    for camera in cameras:
        assert deviation(camera.take(gray, rng)) == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [3.0, 12.0])
def test_mean_and_variance_are_about_the_declared_ones(sigma, channels):
    """Where nothing clips, over the cameras: the deviation within 7%, the mean within 3 of 255."""
    noise = Camera(sigma)
    for signal in (0.15, 0.3, 0.6, 0.8, 0.9):
        x = np.full((48, 48, channels), signal)
        cameras, rng = captures(sigma, channels, 12)
        photos = [camera.take(x, rng) for camera in cameras]
        declared = 255 * np.sqrt(noise.variance(x)[0, 0, 0])
        assert np.sqrt(np.mean([deviation(p) ** 2 for p in photos])) == pytest.approx(declared, rel=0.07)
        assert abs(np.mean(photos) - noise.mean(x)[0, 0, 0]) < 3 / 255


def test_the_declared_variance_is_that_of_sigma_at_mid_gray_and_fades_towards_white():
    x = np.array([[-0.1, 0.0, MID_GRAY, 0.9, 1.0, 1.2]])
    variance = Camera(7.0).variance(x)
    assert np.all(np.isfinite(variance)) and variance[0, 0] == variance[0, 1]
    assert 255 * np.sqrt(variance[0, 2]) == pytest.approx(7, rel=1e-3)
    assert variance[0, 2] > variance[0, 3] > variance[0, 4] and variance[0, 4] == pytest.approx(0, abs=1e-9)
    tensor = torch.tensor(x, dtype=torch.float64)
    assert torch.equal(Camera(7.0).variance(tensor), torch.from_numpy(variance))


def test_what_is_developed_without_noise_is_the_photo():
    photo = smooth_photo()
    for camera in captures(1.0, 3, 12)[0]:
        assert psnr(camera.develop(camera.expose(photo)), photo) > 38


def test_detail_is_kept_and_the_mean_of_many_photos_is_the_clean_one():
    """Also where neighbours differ as they please, which no mosaic can hold."""
    photo = np.random.default_rng(1).uniform(0.2, 0.8, (40, 40, 3))
    cameras, rng = captures(3.0, 3, 60)
    assert psnr(np.mean([camera.take(photo, rng) for camera in cameras], axis=0), photo) > 45
    silent = replace(cameras[0], noise=ShotRead(0.0, 0.0))
    assert np.array_equal(silent.take(photo, rng), photo)


def test_without_noise_only_the_compression_is_left():
    photo = smooth_photo()
    assert psnr(Camera(0.0).sample(photo, np.random.default_rng(0)), photo) > 34


@pytest.mark.parametrize("channels", [1, 3])
def test_burnt_highlights_are_white_and_have_hardly_any_noise(channels):
    cameras, rng = captures(20.0, channels, 10)
    for camera in cameras:
        photo = camera.take(np.ones((48, 48, channels)), rng)
        assert deviation(photo) < 2 and photo.mean() > 0.995


def test_the_noise_is_coloured_and_spreads_over_neighbours():
    cameras, rng = captures(8.0, 3, 6)
    for camera in cameras:
        noise = camera.take(np.full((96, 96, 3), MID_GRAY), rng) - MID_GRAY
        red_against_luma = noise[..., 0] - noise @ [0.299, 0.587, 0.114]
        assert deviation(red_against_luma[..., None]) > 2
        assert np.corrcoef(red_against_luma[:, 1:].ravel(), red_against_luma[:, :-1].ravel())[0, 1] > 0.4


def test_a_camera_that_smooths_makes_larger_grains_of_the_same_strength():
    rng = np.random.default_rng(0)
    together = []
    for smoothing in SMOOTHINGS:
        drawn = next(c for c in (Capture.draw(6.0, 3, rng) for _ in range(100)) if c.smoothing == smoothing)
        noise = replace(drawn, quality=0).take(np.full((128, 128, 3), MID_GRAY), rng) @ [0.299, 0.587, 0.114] - MID_GRAY
        together.append((noise[:, 1:] * noise[:, :-1]).mean() / (noise**2).mean())
    assert np.all(np.diff(together) > 0) and together[-1] > 0.6


def test_jpeg_damps_noise_and_more_so_at_lower_quality():
    gray = np.full((96, 96, 3), MID_GRAY)
    left = []
    for quality in (75, 85, 98):
        cameras, rng = captures(3.0, 3, 4, quality=quality)
        left.append(np.mean([deviation(camera.take(gray, rng)) for camera in cameras]))
    assert left[0] < left[1] < left[2] < 3.3


def test_cameras_differ_in_all_that_is_drawn():
    rng = np.random.default_rng(0)
    drawn = [Capture.draw(5.0, 3, rng) for _ in range(400)]
    assert {c.cfa for c in drawn} == set(BAYER) and {c.subsampling for c in drawn} == {0, 2}
    qualities = [c.quality for c in drawn if c.quality]
    assert (min(qualities), max(qualities)) == QUALITIES
    assert {c.smoothing for c in drawn} == set(SMOOTHINGS)
    assert 1 - len(qualities) / len(drawn) == pytest.approx(1 / 8, abs=0.05)
    assert len({c.rendering.gains for c in drawn}) == len({c.noise.read for c in drawn}) == len(drawn)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 5), (7, 16), (33, 18)])
def test_any_size_and_layout_of_a_photo_holds_the_same_noise(size):
    noise, x = Camera(12.0), np.random.default_rng(0).random((*size, 3))
    y = noise.sample(x, np.random.default_rng(1))
    assert y.dtype == np.float64 and y.shape == x.shape and y.min() >= 0 and y.max() <= 1
    gray = noise.sample(x[..., 0], np.random.default_rng(1))
    assert np.array_equal(gray, noise.sample(x[..., :1], np.random.default_rng(1))[..., 0]) and gray.shape == size
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, 2, 0)))
    seed = int(torch.randint(2**63 - 1, (1,), generator=torch.Generator().manual_seed(4)))
    for batch, at in ((tensor, ...), (tensor[None], 0), (tensor.expand(1, 2, 3, *size), (0, 0))):
        t = noise.sample(batch, torch.Generator().manual_seed(4))
        assert t.dtype == torch.float64 and t.shape == batch.shape
        same = noise.sample(x, np.random.default_rng(seed))
        assert np.array_equal(np.moveaxis(t[at].numpy(), 0, 2), same)
    t = noise.sample(tensor[0], torch.Generator().manual_seed(4))
    assert np.array_equal(t.numpy(), noise.sample(x[..., 0], np.random.default_rng(seed)))


def test_every_photo_of_a_batch_has_its_own_camera():
    x = torch.full((3, 1, 20, 20), 0.5)
    y = Camera(5.0).sample(x, torch.Generator().manual_seed(0))
    assert not torch.equal(y[0], y[1]) and not torch.equal(y[1], y[2])


@pytest.mark.parametrize("shape", [(8,), (8, 8, 2), (8, 8, 4), (2, 8, 8, 3), (0, 8, 3), (1, 65501)])
def test_what_is_no_photo_is_refused(shape):
    with pytest.raises(UnusableInput, match="camera noise is for photos"):
        Camera(5.0).sample(np.zeros(shape), np.random.default_rng(0))
    if len(shape) == 3:
        with pytest.raises(UnusableInput, match="camera noise is for photos"):
            Camera(5.0).sample(torch.zeros(shape[2], *shape[:2]), torch.Generator())
