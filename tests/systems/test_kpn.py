"""KPN as a system: every size and pattern, without seams, with its guards, and with the noise that it declares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quietlight.camera.bayer import crop, pack
from quietlight.frames import BAYER, Burst, Image, NoiseProfile, UnusableInput
from quietlight.systems import kpn_seen as module
from quietlight.systems.kpn import kpn
from quietlight.systems.merge import hdrplus, mean

SHIFTS = [(0, 0), (2, -1), (-3, 2)]
GRAY = {"channels": 1, "data": {"name": "bursts", "arguments": {}}}


@pytest.mark.parametrize("cfa", [*BAYER, "MONO"])
def test_every_size_and_pattern_keeps_its_shape(cfa, made, kpn_weights):
    net = kpn_weights(**GRAY) if cfa == "MONO" else kpn_weights()
    burst, _ = made(SHIFTS, 1, "MONO", (64, 64))
    for height, width in ((2, 2), (5, 30), (51, 38)):
        frames = [
            replace(f, mosaic=f.mosaic[:height, :width], cfa=cfa, iso=100 + i) for i, f in enumerate(burst.frames)
        ]
        result = kpn(Burst(tuple(frames), reference=1), weights=net)
        assert result.frame.mosaic.shape == (height, width)
        assert result.frame.mosaic.dtype == np.float32
        assert (result.frame.cfa, result.frame.iso, result.record["reference"]) == (cfa, 101, 1)
        assert len(result.record["displacement"]) == len(result.record["misfit"]) == 2


@pytest.mark.parametrize("cfa", [*BAYER, "MONO"])
@pytest.mark.parametrize("aligned", [True, False])
def test_kernels_that_take_the_middle_give_the_mean_of_the_frames(cfa, aligned, made, kpn_weights):
    net = kpn_weights(plain=True, **(GRAY if cfa == "MONO" else {}))
    burst, _ = made(SHIFTS, 1, cfa)
    result = kpn(burst, weights=net, aligned=aligned)
    expected = mean(burst, aligned=aligned, subpixel=False).mosaic
    inner = np.s_[
        32:-32, 32:-32
    ]  # a pattern that is brought to RGGB has its tiles elsewhere, which matters at the borders
    same = np.isclose(result.frame.mosaic[inner], expected[inner], atol=2e-3)
    assert np.mean(same) > (0.9 if cfa in ("GRBG", "GBRG", "BGGR") and aligned else 0.999)
    assert result.record["effective_frames"] == pytest.approx(3, rel=1e-3)
    assert result.frame.noise.shot[0] == pytest.approx(burst.frames[0].noise.shot[0] / 3, rel=1e-3)


ANY_LENGTH = {"name": "raw-bursts", "arguments": {"fewest": 2}}


@pytest.mark.parametrize("data", [None, ANY_LENGTH])
@pytest.mark.parametrize("separable", [True, False])
def test_fewer_frames_than_it_takes_are_merged_as_they_are(separable, data, made, kpn_weights):
    burst, _ = made(SHIFTS[:2], 1)
    net = kpn_weights(plain=True, frames=4, separable=separable, data=data)
    result = kpn(burst, weights=net)
    kept = result.frame.mosaic == burst.frames[0].mosaic  # clipped highlights
    expected = np.where(kept, burst.frames[0].mosaic, mean(burst, subpixel=False).mosaic)
    np.testing.assert_allclose(result.frame.mosaic, expected, atol=2e-3)
    assert np.mean(kept) < 0.05
    assert result.record["effective_frames"] == pytest.approx(2, rel=1e-3)
    one = kpn(replace(burst, frames=burst.frames[:1]), weights=net)
    np.testing.assert_allclose(one.frame.mosaic, burst.frames[0].mosaic, atol=1e-5)
    assert (one.record["used"], one.record["effective_frames"]) == ([0], pytest.approx(1))


def test_fewer_frames_take_turns_where_a_network_learnt_from_full_bursts_alone(made, kpn_weights):
    burst, _ = made(SHIFTS[:2], 1)
    twice = replace(burst, frames=burst.frames * 2)
    full, any_length = (kpn_weights(frames=4, name=f"kpn-{i}", data=data) for i, data in enumerate((None, ANY_LENGTH)))
    of_two, of_four = (kpn(b, weights=full, aligned=False).frame.mosaic for b in (burst, twice))
    np.testing.assert_allclose(of_two, of_four, atol=1e-6)
    assert np.abs(kpn(burst, weights=any_length, aligned=False).frame.mosaic - of_two).mean() > 1e-3


def test_of_more_frames_those_that_fit_best_are_used(made, kpn_weights):
    def paint(index, plane):
        if index in (1, 3):
            plane[20:70, 20:90] = 0.1

    burst, _ = made([(0, 0)] * 5, 1, paint=paint)
    result = kpn(replace(burst, reference=4), weights=kpn_weights())
    assert result.record["used"] == [4, 0, 2]
    assert result.record["left_out"] == []
    assert result.record["frames"] == 5


def test_a_frame_that_failed_is_left_out(made, kpn_weights):
    burst, _ = made([(0, 0)] * 3, 1)
    failed = replace(burst.frames[1], mosaic=np.zeros_like(burst.frames[1].mosaic))
    two = kpn(replace(burst, frames=(burst.frames[0], burst.frames[2])), weights=kpn_weights())
    result = kpn(replace(burst, frames=(burst.frames[0], failed, burst.frames[2])), weights=kpn_weights())
    assert (result.record["used"], result.record["left_out"]) == ([0, 2], [1])
    np.testing.assert_array_equal(result.frame.mosaic, two.frame.mosaic)
    alone = kpn(replace(burst, frames=(burst.frames[0], failed)), weights=kpn_weights())
    assert alone.record["used"] == [0]


def test_frames_that_are_noisier_than_was_said_are_not_left_out(made, kpn_weights):
    burst, _ = made([(0, 0)] * 3, 8)
    frames = tuple(replace(frame, noise=NoiseProfile((1e-5,), (1e-9,))) for frame in burst.frames)
    result = kpn(replace(burst, frames=frames), weights=kpn_weights())
    assert min(result.record["misfit"]) > 0.9
    assert result.record["used"] == [0, 1, 2]


def test_another_pattern_is_the_same_picture_seen_from_another_pixel(made, kpn_weights):
    burst, _ = made([(0, 0)] * 3, 1, size=(120, 124))
    net = kpn_weights()
    whole = kpn(burst, weights=net, aligned=False).frame.mosaic
    for top, left in ((0, 1), (1, 0), (1, 1)):
        parts = tuple(crop(frame, top, left, 238, 246) for frame in burst.frames)
        assert parts[0].cfa != "RGGB"
        clean = kpn(Burst(parts, 0), weights=net, aligned=False).frame.mosaic
        inner = slice(100, 140), slice(100, 140)
        # But for the means, which each part keeps as its own.
        difference = clean[inner] - whole[top:, left:][inner]
        for plane in pack(difference, parts[0].cfa):
            assert np.ptp(plane) < 1e-3 < np.ptp(clean[inner])


def test_tiles_leave_no_seams(made, kpn_weights, monkeypatch):
    burst, _ = made(SHIFTS, 1)
    shares: list[float] = []
    whole = kpn(burst, weights=kpn_weights()).frame.mosaic
    monkeypatch.setattr(module, "TILE", 32)
    tiled = kpn(burst, weights=kpn_weights(), progress=shares.append).frame.mosaic
    np.testing.assert_allclose(tiled, whole, atol=1e-4)
    assert len(shares) > 6
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG", "MONO"])
def test_means_are_kept_and_clipped_highlights_untouched(cfa, made, kpn_weights):
    burst, _ = made([(0, 0)] * 3, 1, cfa)
    for frame in burst.frames:
        frame.mosaic[20:50, 30:70] = 1.02
    net = kpn_weights(**GRAY) if cfa == "MONO" else kpn_weights()
    first, clean = burst.frames[0].mosaic, kpn(burst, weights=net).frame.mosaic
    assert np.array_equal(clean[22:48, 32:68], first[22:48, 32:68])
    assert not np.array_equal(clean, first)
    planes = (first[None], clean[None]) if cfa == "MONO" else (pack(first, cfa), pack(clean, cfa))
    for before, after in zip(*planes, strict=True):
        assert after.mean(dtype=np.float64) == pytest.approx(before.mean(dtype=np.float64), abs=1e-6)


def test_below_the_trained_noise_the_change_fades_out(made, kpn_weights):
    burst, _ = made([(0, 0)] * 3, 1)
    net = kpn_weights(plain=True, data={"name": "raw-bursts", "arguments": {"shot": [1e-4, 1e-2]}})
    found = []
    for shot in (2e-4, 5e-5, 2e-5):
        frames = tuple(replace(frame, noise=NoiseProfile((shot,), (1e-9,))) for frame in burst.frames)
        result = kpn(replace(burst, frames=frames), weights=net)
        found.append((result.record["share"], result.record["effective_frames"]))
        assert np.array_equal(result.frame.mosaic, frames[0].mosaic) == (found[-1][0] == 0)
    assert found[0] == (1, pytest.approx(3, rel=1e-3))
    assert found[2] == (0, 1)
    share = found[1][0]
    # Of the reference 1 - share more than its part of the mean.
    assert 1 / found[1][1] == pytest.approx((1 - share * 2 / 3) ** 2 + 2 * (share / 3) ** 2, rel=1e-3)


def test_above_the_trained_noise_the_frames_are_dimmed_into_the_range(made, kpn_weights, monkeypatch):
    told = []
    run = module.engine.run

    def spy(weights, frames, present, shot, read, method):
        told.append((float(shot.max()), float(frames.max())))
        return run(weights, frames, present, shot, read, method=method)

    burst, _ = made([(0, 0)] * 3, 8)
    net = kpn_weights(plain=True, data={"name": "raw-bursts", "arguments": {"shot": [1e-4, 1e-2]}})
    expected = mean(burst, aligned=False).mosaic
    monkeypatch.setattr(module.engine, "run", spy)
    clean = kpn(burst, weights=net, aligned=False).frame.mosaic
    assert max(shot for shot, _ in told) < 1.1e-2
    assert max(brightest for _, brightest in told) < 0.6 * max(frame.mosaic.max() for frame in burst.frames)
    kept = (burst.frames[0].mosaic < 1) & (clean != burst.frames[0].mosaic)
    assert np.median(np.abs(clean - expected)[kept]) < 0.02


def test_networks_without_kernels_tell_no_noise(made, kpn_weights):
    burst, _ = made([(0, 0)] * 3, 1)
    result = kpn(burst, weights=kpn_weights(direct=True))
    assert result.frame.noise is None
    assert result.record["effective_frames"] is None


def test_raws_of_three_planes_go_through_hdrplus(made):
    burst, _ = made(SHIFTS, 1, "MONO", (40, 48))
    frames = tuple(replace(f, mosaic=np.stack([f.mosaic] * 3, axis=2), cfa="RGB") for f in burst.frames)
    result = kpn(Burst(frames, 0))
    np.testing.assert_array_equal(result.frame.mosaic, hdrplus(Burst(frames, 0)).frame.mosaic)
    assert result.record["merged_by"] == "hdrplus"


def test_what_cannot_be_merged_is_refused(made, kpn_weights):
    burst, _ = made([(0, 0)] * 2, size=(16, 16))
    for other in (burst.frames[0], Burst((Image(np.zeros((8, 8, 3), np.uint8)),))):
        with pytest.raises(UnusableInput, match="kpn merges bursts of raws"):
            kpn(other)
    with pytest.raises(UnusableInput, match="told the noise"):
        kpn(Burst(tuple(replace(frame, noise=None) for frame in burst.frames)))
    for weights in ("unet-gray", "fan"):
        with pytest.raises(UnusableInput, match=f"{weights}: these are not weights of a merger of bursts"):
            kpn(burst, weights=weights)
    with pytest.raises(UnusableInput, match="kpn-some: these weights are for gray frames, not for RGGB: give kpn"):
        kpn(burst, weights=kpn_weights(**GRAY))
