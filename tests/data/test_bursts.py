"""Bursts made of photos: they follow from seed and index alone, move as they should, and have the noise that they say they have."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from quietlight.data import DATASETS
from quietlight.data.bursts import FAR, NEAR, shifts
from quietlight.frames import UnusableInput
from quietlight.registry import build

KINDS = {"bursts": (1, 1), "raw-bursts": (4, 2)}
"""Channels, and pixels of the patch per pixel of a frame."""
STILL = {"rotation": 0, "moving": 0, "jitter": 0}
FIXED = {"near": 0, "far_frames": 0}
"""Of hands that do not shift."""


def bursts(kind, source, validation=False, **arguments):
    given = {"device": torch.device("cpu"), "validation": validation}
    return build(DATASETS, kind, "data", {"source": str(source), "patch": 24, **arguments}, **given)


@pytest.fixture
def smooth_photo(tmp_path):
    """A folder of long waves, one to train on; the first is held out."""
    y, x = np.mgrid[:200, :208]
    waves = [0.5 + 0.2 * np.sin(x / 9 + y / 17 + c) + 0.2 * np.cos(y / 8 - x / 21) for c in range(3)]
    folder = tmp_path / "smooth"
    folder.mkdir()
    for name in ("held out", "waves"):
        PillowImage.fromarray(np.uint8(255 * np.stack(waves, -1))).save(folder / f"{name}.jpg", quality=99)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_samples_do_not_know_who_else_is_in_their_batch(make_photos, kind):
    channels, step = KINDS[kind]
    folder = make_photos(3)
    data = bursts(kind, folder, fewest=2)
    whole = data.batch(7, range(6))
    side = 24 // step
    assert whole["frames"].shape == (6, 8, channels, side, side)
    assert whole["truth"].shape == (6, channels, side, side)
    assert whole["shot"].shape == whole["read"].shape == (6, channels, 1, 1)
    assert whole["white"].shape == (6, 1, 1, 1)
    assert all(value.dtype == torch.float32 for value in whole.values())
    for part in ([5, 3], [0], [1, 4]):
        sample = data.batch(7, part)
        assert all(torch.equal(sample[key], whole[key][part]) for key in whole)
    assert not torch.equal(data.batch(8, [0])["truth"], whole["truth"][:1])
    assert bursts(kind, folder, validation=True).batch(0, [0])["truth"].shape == (1, channels, side, side)


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_of_the_reference_is_as_strong_as_it_is_said_to_be(make_photos, kind):
    batch = bursts(kind, make_photos(3), frames=1, patch=48).batch(1, range(32))
    noise = (batch["frames"][:, 0] - batch["truth"]).double()
    share = (noise.square() / (batch["shot"] * batch["truth"] + batch["read"])).mean((1, 2, 3))
    assert share.mean().item() == pytest.approx(1, abs=0.01)
    assert (batch["frames"] < 0).any()  # never clipped
    assert batch["truth"].min() >= 0
    assert (batch["truth"] <= batch["white"] + 1e-6).all()


def test_levels_fill_the_papers_ranges_evenly_in_their_logarithms(make_photos):
    batch = bursts("bursts", make_photos(2), frames=1, patch=8).batch(3, range(300))
    logs = [batch[key][:, 0, 0, 0].log10() for key in ("white", "shot", "read")]
    for values, low, high in zip(logs, (-1, -4, -6), (0, -2, -3), strict=True):
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() <= high
        assert values.mean().item() == pytest.approx((low + high) / 2, abs=0.05 * (high - low))
    assert abs(np.corrcoef(logs[1], logs[2])[0, 1]) < 0.15


def test_frames_are_near_or_far_and_the_reference_stays():
    rng = np.random.default_rng(0)
    drawn = np.stack([shifts(8, rng) for _ in range(3000)])
    assert not drawn[:, 0].any()
    far = (np.abs(drawn[:, 1:]) > NEAR).any(2)
    assert far.sum(1).mean() == pytest.approx(1.5 * 7 / 8, abs=0.12)
    assert FAR - 0.1 < np.abs(drawn).max() <= FAR


def without_noise(kind, source, hands=None, **arguments):
    data = bursts(kind, source, white=[1, 1], **arguments)
    if hands is not None:
        data.hands = replace(data.hands, **hands)
    data._noisy = lambda clean, noise, rng: clean
    return data.batch(0, range(6))


@pytest.mark.parametrize("near", [1, NEAR])
@pytest.mark.parametrize(("kind", "arguments"), [("bursts", {}), ("raw-bursts", STILL)])
def test_a_near_frame_is_the_reference_seen_from_nearby(smooth_photo, kind, arguments, near):
    batch = without_noise(kind, smooth_photo, patch=48, near=near, far_frames=0, **arguments)
    frames, side = batch["frames"], batch["frames"].shape[-1]
    reach, inner = 2 * near, slice(NEAR + 1, side - NEAR - 1)
    # Half pixels, by the mean of two neighbours.
    half = torch.nn.functional.interpolate(frames[:, 0], scale_factor=2, mode="bilinear", align_corners=False)
    found = []
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            seen = half.roll((-dy, -dx), (2, 3))
            seen = torch.nn.functional.avg_pool2d(seen, 2)
            error = (frames - seen[:, None])[..., inner, inner].abs().mean((2, 3, 4))
            found.append(error)
    assert torch.stack(found).amin(0).max() < 0.015
    assert (frames[:, 1:] - frames[:, :1]).abs().mean() > 0.01 * near
    torch.testing.assert_close(frames[:, 0], batch["truth"])


def test_absent_frames_come_last_and_are_zero(make_photos):
    folder = make_photos(2)
    batch = bursts("bursts", folder, fewest=2, patch=8).batch(0, range(60))
    counts = batch["present"].sum(1)
    assert set(counts.tolist()) == set(range(2, 9))
    assert torch.equal(batch["present"], batch["present"].sort(1, descending=True).values)
    assert torch.equal(batch["frames"].abs().amax((2, 3, 4)) > 0, batch["present"] > 0)
    assert (bursts("bursts", folder, patch=8).batch(0, range(8))["present"] == 1).all()


def test_only_what_the_mask_covers_moves_on_its_own(smooth_photo):
    still, moved = (
        without_noise("raw-bursts", smooth_photo, FIXED, patch=48, **STILL | {"moving": moving}) for moving in (0, 1)
    )
    assert not still["moving"].any()
    assert torch.equal(still["frames"][:, 3], still["frames"][:, 0])
    mask = moved["moving"]
    assert mask.shape == (6, 1, 24, 24)
    assert 0 <= mask.min() < mask.max() <= 1
    assert 0.02 < mask.mean() < 0.5
    outside = (mask == 0).expand_as(moved["truth"])
    torch.testing.assert_close(moved["truth"][outside], still["truth"][outside])
    changed = (moved["frames"][:, 7] - moved["frames"][:, 0]).abs().amax(1, keepdim=True)
    assert changed[mask == 1].mean() > 10 * changed[:, :, 0, 0].mean()


def test_exposures_differ_but_for_the_reference(smooth_photo):
    one, other = (
        without_noise("raw-bursts", smooth_photo, patch=16, **STILL | {"jitter": jitter}) for jitter in (0, 0.1)
    )
    ratio = (other["frames"].mean((2, 3, 4)) / one["frames"].mean((2, 3, 4))).log()
    torch.testing.assert_close(ratio[:, 0], torch.zeros(6))
    assert ratio[:, 1:].std().item() == pytest.approx(0.1, rel=0.3)


def test_turning_moves_the_corners_and_not_the_middle(smooth_photo):
    frames = without_noise("raw-bursts", smooth_photo, FIXED, patch=48, **STILL | {"rotation": 2})["frames"]
    change = (frames[:, 1:] - frames[:, :1]).abs().mean((0, 1, 2))
    middle, corners = change[11:13, 11:13].mean(), change[[0, 0, -1, -1], [0, -1, 0, -1]].mean()
    assert 0 < 3 * middle < corners < 0.1


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("bursts", {"fewest": 9}, "fewest is at most frames"),
        ("bursts", {"frames": 0}, "fewest is at most frames"),
        ("bursts", {"white": [0, 1]}, "white a range"),
        ("bursts", {"patch": 128}, "as large as a crop of 320"),
        ("raw-bursts", {"patch": 25}, "patch is even"),
        ("raw-bursts", {"rotation": 3}, "rotation is 0 to 2"),
        ("raw-bursts", {"moving": 2}, "moving is 0 to 1"),
        ("raw-bursts", {"shot": [1]}, "shot is a range"),
    ],
)
def test_what_makes_no_sense_is_refused(make_photos, kind, arguments, words):
    with pytest.raises(UnusableInput, match=words):
        bursts(kind, make_photos(2), **arguments)
