"""Laws of the repairs: hot pixels, dark pattern, banding."""

from dataclasses import replace

import numpy as np
import pytest

from quietlight.camera import bayer, defects
from quietlight.frames import BAYER, NoiseProfile, RawFrame, UnusableInput

KINDS = (*BAYER, "MONO", "RGB")
PROFILE = NoiseProfile((4e-4,), (4e-6,))


def texture(rng, height, width):
    """A scene through a lens: edges, gratings and clutter, blurred by about a pixel, in [0.02, 0.9]."""
    rows, columns = np.mgrid[:height, :width]
    clutter = np.kron(rng.uniform(0, 1, (height // 4 + 1, width // 4 + 1)), np.ones((4, 4)))[:height, :width]
    grating = np.sin(columns * rows / 300) + np.sin(0.9 * rows)
    picture = clutter * (columns > width / 3) + 0.3 * grating * (rows > height / 2)
    for axis in (0, 1):
        picture = (np.roll(picture, 1, axis) + 2 * picture + np.roll(picture, -1, axis)) / 4
    return 0.02 + 0.88 * (picture - picture.min()) / np.ptp(picture)


def noisy_frame(rng, cfa="RGGB", size=(400, 501), known=True):
    clean = texture(rng, *size)
    if cfa == "RGB":
        clean = clean[..., None] * np.array([0.5, 1, 0.6])
    noisy = clean + rng.normal(size=clean.shape) * np.sqrt(PROFILE.variance(clean))
    return RawFrame(noisy.astype(np.float32), cfa, noise=PROFILE if known else None)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("cfa", KINDS)
def test_good_pixels_of_a_noisy_textured_frame_stay(cfa, known):
    frame = noisy_frame(np.random.default_rng(9), cfa, known=known)
    repaired, mask = defects.repair_hot_pixels(frame)
    assert mask.sum() <= 1e-5 * mask.size
    assert np.array_equal(repaired.mosaic[~mask], frame.mosaic[~mask])


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("cfa", KINDS)
def test_strong_hot_and_dead_pixels_are_found(cfa, known):
    rng = np.random.default_rng(10)
    frame = noisy_frame(rng, cfa, known=known)
    # A quarter of the contrast: the texture that a bad pixel of 0.4 still stands out of.
    frame = replace(frame, mosaic=0.4 + 0.25 * frame.mosaic)
    kind = rng.choice([-1, 0, 1], frame.mosaic.shape, p=[5e-4, 0.999, 5e-4])
    mosaic = np.where(kind == 1, frame.mosaic + 0.4, np.where(kind == -1, 0, frame.mosaic)).astype(np.float32)
    repaired, mask = defects.repair_hot_pixels(replace(frame, mosaic=mosaic))
    assert (mask & (kind != 0)).sum() >= 0.95 * (kind != 0).sum()
    assert (mask & (kind == 0)).sum() <= 1e-5 * mask.size
    assert np.abs(repaired.mosaic - frame.mosaic)[mask].mean() < 0.03


@pytest.mark.parametrize("shot", [1e-5, 1e-3, 2e-2])
def test_noise_alone_is_no_hot_pixel(shot):
    rng = np.random.default_rng(11)
    clean = np.tile(np.linspace(0, 0.5, 1000), (1000, 1))
    noisy = rng.poisson(clean / shot) * shot + rng.normal(size=clean.shape) * 1e-3
    for noise in (NoiseProfile((shot,), (1e-6,)), None):
        _, mask = defects.repair_hot_pixels(RawFrame(noisy.astype(np.float32), "GRBG", noise=noise))
        assert mask.sum() <= 1e-5 * mask.size


@pytest.mark.parametrize("cfa", KINDS)
def test_stars_stay(cfa):
    rng = np.random.default_rng(12)
    rows, columns = np.mgrid[-4:5, -4:5]
    mosaic = np.full((360, 360), 0.02)
    for top in range(0, 360, 18):
        for left in range(0, 360, 18):
            r, c = rng.uniform(-0.5, 0.5, 2)
            star = rng.uniform(0.1, 2) * np.exp(-((rows - r) ** 2 + (columns - c) ** 2) / (2 * 0.65**2))
            mosaic[top + 4 : top + 13, left + 4 : left + 13] += star
    mosaic += rng.normal(size=mosaic.shape) * np.sqrt(PROFILE.variance(mosaic))
    if cfa == "RGB":
        mosaic = np.repeat(mosaic[..., None], 3, axis=2)
    _, mask = defects.repair_hot_pixels(RawFrame(mosaic.astype(np.float32), cfa, noise=PROFILE))
    assert mask.sum() <= 4  # of 400


@pytest.mark.parametrize("cfa", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 3), (1, 50), (5, 4), (131, 259)])
def test_every_size_keeps_its_shape_and_flat_pictures_stay(cfa, size):
    shape = (*size, 3) if cfa == "RGB" else size
    frame = RawFrame(np.full(shape, 0.25, np.float32), cfa)
    for result in (defects.repair_hot_pixels(frame)[0], defects.remove_banding(frame)):
        assert np.array_equal(result.mosaic, frame.mosaic)
    assert defects.subtract_dark(frame, frame).mosaic == pytest.approx(np.zeros(shape), abs=1e-6)


def test_a_hot_pixel_in_the_corner_or_at_a_strip_border_is_repaired():
    mosaic = np.random.default_rng(13).normal(0.2, 0.002, (600, 300)).astype(np.float32)
    places = [(0, 0), (599, 299), (0, 150), (256, 7), (255, 200), (128, 100)]
    for place in places:
        mosaic[place] = 0.9
    repaired, mask = defects.repair_hot_pixels(RawFrame(mosaic, "BGGR"))
    assert {(int(r), int(c)) for r, c in np.argwhere(mask)} == set(places)
    assert repaired.mosaic.max() < 0.22


def dark_frame(rng, pattern, **known):
    return RawFrame((pattern + rng.normal(0, 0.002, pattern.shape)).astype(np.float32), "RGGB", **known)


def fixed_pattern(rng, shape=(256, 320)):
    """(hot pixels, glow in a corner and column offsets)."""
    hot = np.where(rng.random(shape) < 2e-3, rng.uniform(0.1, 0.5, shape), 0)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return hot, 0.02 * np.exp(-(rows + columns) / 150) + rng.normal(0, 0.002, shape[1])


def test_a_dark_takes_away_the_fixed_pattern_without_adding_its_noise():
    rng = np.random.default_rng(14)
    hot, smooth = fixed_pattern(rng)
    frame = dark_frame(rng, hot + smooth + 0.3, noise=NoiseProfile((1e-3,), (4e-6,)))
    result = defects.subtract_dark(frame, dark_frame(rng, hot + smooth))
    rest = result.mosaic - 0.3
    assert np.abs(rest[hot > 0]).max() < 0.03
    assert rest[hot == 0].std() < 1.1 * 0.002
    assert abs(rest.mean()) < 1e-3
    assert np.abs(rest[:128:2, :160:2].mean()) < 5e-4
    assert frame.noise.read[0] < result.noise.read[0] < 1.1 * frame.noise.read[0]
    assert result.noise.shot == frame.noise.shot


def test_a_mean_of_many_darks_takes_away_the_fine_pattern_too():
    rng = np.random.default_rng(15)
    fine = rng.normal(0, 0.004, (256, 320))
    master = bayer.average(tuple(dark_frame(rng, fine, noise=NoiseProfile((0.0,), (4e-6,))) for _ in range(16)))
    frame = dark_frame(rng, fine, noise=NoiseProfile((0.0,), (4e-6,)))
    result = defects.subtract_dark(frame, master)
    assert result.mosaic.std() < 1.15 * 0.002
    assert result.mosaic.var() == pytest.approx(result.noise.read[0], rel=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cfa": "BGGR"}, "BGGR"),
        ({"mosaic": np.zeros((4, 8), np.float32)}, "8x4"),
        ({"exposure_time": 2.0}, "2 s"),
        ({"iso": 800}, "ISO 800"),
    ],
)
def test_a_dark_of_other_settings_is_refused(change, words):
    frame = RawFrame(np.zeros((8, 8), np.float32), "RGGB", exposure_time=1.0, iso=100)
    with pytest.raises(UnusableInput, match=words):
        defects.subtract_dark(frame, replace(frame, **change))


@pytest.mark.parametrize("cfa", KINDS)
@pytest.mark.parametrize("known", [True, False])
def test_banding_goes(cfa, known):
    rng = np.random.default_rng(16)
    shape = (400, 600, 3) if cfa == "RGB" else (400, 600)
    ramp = np.linspace(0.1, 0.12, 400).reshape(-1, 1, *(1,) * (len(shape) - 2))
    sigma = 0.004
    clean = ramp + rng.normal(0, sigma, shape)
    bands = rng.normal(0, 0.001, 400).reshape(ramp.shape)
    profile = NoiseProfile((0.0,), (sigma**2,)) if known else None
    result = defects.remove_banding(RawFrame((clean + bands).astype(np.float32), cfa, noise=profile))
    rows = tuple(range(1, len(shape)))
    left = (result.mosaic - ramp).mean(axis=rows).std()
    assert left < 0.4 * bands.std()
    assert np.ptp(result.mosaic - clean - bands, axis=1).max() < 1e-5


@pytest.mark.parametrize("cfa", KINDS)
@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_a_picture_without_banding_keeps_its_rows(cfa, scale):
    """Horizontal edges, a fence of bars, clutter: no row moves by more than the noise of a pixel of median brightness."""
    rng = np.random.default_rng(18)
    picture = np.kron(rng.uniform(0, 0.5, (101, 150)), np.ones((4, 4)))[:401]
    picture[100:] += 0.2
    picture[200:203] += 0.05
    picture[300:340:8] -= 0.02
    if cfa == "RGB":
        picture = np.repeat(picture[..., None], 3, axis=2)
    sigma = np.sqrt(PROFILE.variance(picture)) * scale
    frame = RawFrame((picture + rng.normal(size=picture.shape) * sigma).astype(np.float32), cfa, noise=PROFILE)
    moved = np.abs(defects.remove_banding(frame).mosaic - frame.mosaic)
    assert moved.max() <= 1.1 * np.sqrt(PROFILE.variance(float(np.median(picture))))


@pytest.mark.parametrize("cfa", KINDS)
def test_noise_without_banding_hardly_moves_a_row(cfa):
    rng = np.random.default_rng(19)
    for _ in range(3):
        slope = np.linspace(0.1, 0.4, 400)[:, None, None] + np.linspace(0, 0.1, 600)[:, None]
        noisy = slope + rng.normal(0, 0.01, (400, 600, 3))
        frame = RawFrame((noisy if cfa == "RGB" else noisy[..., 0]).astype(np.float32), cfa)
        assert np.abs(defects.remove_banding(frame).mosaic - frame.mosaic).max() < 0.05 * 0.01
