"""What CameraNet learns from, made of photos: it follows from seed and index, and its three pictures show the same."""

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from quietlight.camera.capture import captured_frame, fixed_camera, restored, scene_light
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.finish import finish
from quietlight.camera.prepare import MODES, preparation, prepare
from quietlight.data import DATASETS, isp
from quietlight.data.isp import drawn_camera, prepared
from quietlight.frames import UnusableInput
from quietlight.registry import build


@pytest.fixture
def smooth_photos(tmp_path):
    """Photos of different sizes, smooth, each with a white spot."""
    for index, size in enumerate([(200, 208), (208, 200), (200, 200), (230, 260)]):
        rng = np.random.default_rng(index)
        y, x = np.mgrid[: size[0], : size[1]] / 60
        waves = [0.5 + 0.3 * np.sin(rng.uniform(1, 2) * x + rng.uniform(1, 2) * y + k) for k in range(3)]
        pixels = np.stack(waves, axis=-1)
        pixels[90:110, 90:110] = 1
        PillowImage.fromarray(np.uint8(255 * pixels)).save(tmp_path / f"{index}.jpg", quality=95)
    return tmp_path


def data(source, validation=False, **arguments):
    given = {"device": torch.device("cpu"), "validation": validation}
    return build(DATASETS, "isp", "data", {"source": str(source), **arguments}, **given)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("prep", MODES)
def test_samples_do_not_know_who_else_is_in_their_batch(smooth_photos, prep, whole):
    one = data(smooth_photos, patch=32, whole=whole, prep=prep)
    all_of_them = one.batch(7, range(6))
    height, width = all_of_them["input"].shape[2:]
    assert (height, width) in ([(192, 192), (224, 256), (256, 224)] if whole else [(32, 32)])
    assert all(all_of_them[key].shape == (6, 3, height, width) for key in ("input", "restored", "enhanced"))
    other = data(smooth_photos, patch=32, whole=whole, prep=prep)
    for part in ([5, 2], [0], [3]):
        sample = other.batch(7, part)
        assert all(torch.equal(sample[key], all_of_them[key][part]) for key in all_of_them)
    assert not torch.equal(other.batch(8, [0])["input"], all_of_them["input"][:1])
    assert data(smooth_photos, patch=32, whole=whole, validation=True).batch(0, [0])["input"].shape[2] >= 192


def test_the_enhanced_picture_is_the_finish_of_the_whole_restored_one(smooth_photos):
    batch = data(smooth_photos, whole=True, shot=[1e-4, 1e-4]).batch(2, range(8))
    for xyz, enhanced, gain in zip(batch["restored"], batch["enhanced"], batch["gain"], strict=True):
        light = xyz.permute(1, 2, 0).numpy() @ SRGB_FROM_XYZ.T
        found = finish(light, tuple(gain.tolist())).transpose(2, 0, 1)
        # The truth is of the photo before it was cut to multiples, and of highlights that this camera may have lost.
        assert np.abs(found - enhanced.numpy()).mean() < 0.03


def test_without_noise_the_input_in_xyz_is_the_restored_one(smooth_photos):
    batch = data(smooth_photos, patch=64, shot=[1e-9, 1e-9]).batch(2, range(12))
    inner = (..., slice(4, -4), slice(4, -4))
    assert (batch["input"] - batch["restored"])[inner].abs().mean() < 4e-3
    unbalanced = data(smooth_photos, patch=64, shot=[1e-9, 1e-9], prep="xyz").batch(2, range(12))
    assert torch.equal(unbalanced["restored"], batch["restored"])
    assert (unbalanced["input"] - batch["restored"])[inner].abs().mean() > 1e-2


def test_exposures_are_darker_brighter_and_clip(smooth_photos):
    batch = data(smooth_photos, whole=True, shot=[1e-6, 1e-6], cameras="A").batch(5, range(24))
    green = batch["restored"].amax((2, 3))[:, 1] / 0.8
    assert 0.25 < (green < 0.9).float().mean() < 0.75
    assert green.min() < 0.3
    assert (batch["restored"][:, 1] >= 0.999).any()
    assert batch["input"].max() < 1.5
    assert 0 <= batch["enhanced"].min() <= batch["enhanced"].max() <= 1


@pytest.mark.parametrize("mode", MODES)
def test_tensors_are_prepared_as_frames_are(mode):
    y, x = np.mgrid[:40, :54] / 40
    light = scene_light(np.stack([0.2 + 0.5 * x, 0.9 * y + 0.1, np.ones_like(x)], axis=-1).clip(0, 1))
    camera = fixed_camera("B")
    frame = captured_frame(light, camera)
    noisy = frame.mosaic + np.random.default_rng(0).normal(0, 0.02, frame.mosaic.shape).astype(np.float32)
    frame = frame.__class__(noisy, "RGGB", frame.white_balance, frame.calibrations)
    planes = torch.from_numpy(np.stack([noisy[r::2, c::2] for r in (0, 1) for c in (0, 1)]))
    found = prepared(planes, "RGGB", preparation(frame, mode)).permute(1, 2, 0)
    np.testing.assert_allclose(found.numpy(), prepare(frame, mode), atol=2e-6)


def test_large_photos_are_reduced_for_whole_frames_only(smooth_photos, monkeypatch):
    monkeypatch.setattr(isp, "LONGEST", 100)
    assert data(smooth_photos, whole=True).batch(0, [0])["input"].shape[2:] == (96, 96)
    assert data(smooth_photos, patch=200).batch(0, [0])["input"].shape[2:] == (200, 200)


def test_of_named_cameras_each_is_drawn():
    found = {drawn_camera("AD", np.random.default_rng(i)).gains for i in range(20)}
    assert found == {fixed_camera("A").gains, fixed_camera("D").gains}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"patch": 31}, "patch is even"),
        ({"prep": "lab"}, "prep one of xyz, wb, rgb"),
        ({"cameras": "E"}, "letters of ABCD"),
        ({"cameras": ""}, "letters of ABCD"),
        ({"shot": [1e-2, 1e-3]}, "shot is a range"),
        ({"patch": 400}, "as large as a crop of 400"),
    ],
)
def test_what_makes_no_sense_is_refused(smooth_photos, arguments, says):
    with pytest.raises(UnusableInput, match=says):
        data(smooth_photos, **arguments)


def test_the_light_is_that_of_the_camera_module(smooth_photos):
    display = np.arange(256) / 255
    np.testing.assert_allclose(isp._LIGHT, scene_light(display), atol=1e-7)
    camera = fixed_camera("C")
    light = np.repeat(scene_light(display)[:, None, None], 3, axis=2)
    np.testing.assert_allclose(restored(light, camera) @ SRGB_FROM_XYZ.T, light * 0.8, atol=1e-6)
