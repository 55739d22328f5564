"""CameraNet as a system: every size and pattern, without seams, and with its guards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import quietlight as ql
from quietlight import zoo
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.develop import neutral_rendering
from quietlight.camera.prepare import prepare
from quietlight.camera.tone import srgb_decode, srgb_encode
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.frames import BAYER, Image, Metadata, RawFrame, UnusableInput
from quietlight.networks.cameranet import CameraNet
from quietlight.systems import cameranet as module
from quietlight.systems.cameranet import DRIFT, cameranet

SIZE = {"width": 4, "rates": [1, 2], "relative": True}
LUMA = np.array([0.2126, 0.7152, 0.0722])


def weights(folder: Path, stir: float = 0.0, brighter: float = 0.0, prep: str = "wb", **arguments) -> zoo.Weights:
    """A network that is the identity, or `stir`red, whose finish is `brighter` by a factor of e to this in coded values."""
    torch.manual_seed(0)
    network = CameraNet(**SIZE | arguments)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(stir * torch.randn(value.shape))
        if network.enhancer is not None:
            network.enhancer.head.bias[:12] += brighter
    recipe = json.dumps({"data": {"name": "isp", "arguments": {"prep": prep}}})
    facts = {"multiple": str(network.multiple), "reach": json.dumps(network.reach), "recipe": recipe}
    path = folder / "cameranet.safetensors"
    zoo.save(path, "cameranet", SIZE | arguments, network.state_dict(), facts)
    return zoo.read(str(path))


def raw(height: int = 60, width: int = 76, cfa: str = "RGGB") -> RawFrame:
    y, x = np.mgrid[:height, :width] / 30
    display = 0.4 + 0.3 * np.stack([np.sin(x), np.sin(y), np.sin(x + y)], axis=-1)
    return unprocessed_frame(display, fixed_camera("A"), cfa)


def light_of(frame: RawFrame) -> np.ndarray:
    return prepare(frame) @ SRGB_FROM_XYZ.T


@pytest.mark.parametrize("cfa", BAYER)
def test_every_size_and_pattern_becomes_a_photo_upright(cfa, tmp_path):
    net = weights(tmp_path, stir=0.05)
    for height, width in ((1, 1), (5, 30), (33, 18)):
        frame = replace(raw(height, width, cfa), orientation=6, metadata=Metadata(exif=b"kept"))
        for bits in (8, 16):
            result = cameranet(frame, weights=net, bits=bits)
            assert result.frame.pixels.shape == (width, height, 3)
            assert result.frame.pixels.dtype == f"uint{bits}"
            assert result.frame.metadata == frame.metadata
    linear = RawFrame(np.random.default_rng(0).random((20, 30, 3), np.float32), "RGB", white_balance=(2.0, 1.0, 1.5))
    assert cameranet(linear, weights=net).frame.pixels.shape == (20, 30, 3)


@pytest.mark.parametrize("arguments", [{}, {"global_branch": "none"}])
def test_tiles_leave_no_seams(arguments, tmp_path, monkeypatch):
    net, frame = weights(tmp_path, stir=0.1, **arguments), raw(150, 170)
    shares: list[float] = []
    whole = cameranet(frame, weights=net).frame.pixels
    monkeypatch.setattr(module, "TILE", 40)
    tiled = cameranet(frame, weights=net, progress=shares.append).frame.pixels
    assert np.abs(tiled.astype(int) - whole).max() <= 0.5e-4 * 65535
    assert np.ptp(whole) > 6000
    assert len(shares) > 30
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_without_its_finish_the_restored_picture_is_shown_plainly(tmp_path):
    frame, net = raw(), weights(tmp_path)
    exposure = neutral_rendering(frame).exposure
    plain = cameranet(frame, weights=net, enhance=0).frame.pixels / 65535
    np.testing.assert_allclose(plain, srgb_encode((light_of(frame) * exposure).clip(0, 1)), atol=2e-3)
    full, half = (cameranet(frame, weights=net, enhance=e).frame.pixels / 65535 for e in (1, 0.5))
    assert np.abs(full - plain).max() > 0.05
    np.testing.assert_allclose(half, (full + plain) / 2, atol=1e-4)


@pytest.mark.parametrize("brighter", [2.0, -2.0])
def test_the_exposure_does_not_run_away(brighter, tmp_path):
    frame = raw()
    result = cameranet(frame, weights=weights(tmp_path, brighter=brighter))
    neutral = ql.develop(frame, denoise="off").pixels / 65535
    before = srgb_decode(np.array((neutral @ LUMA).mean()))
    after = srgb_decode(np.array(((result.frame.pixels / 65535) @ LUMA).mean()))
    assert abs(np.log2(after / before)) < DRIFT + 0.1
    assert abs(result.record["drift_ev"]) > DRIFT + 0.1
    assert np.sign(result.record["drift_ev"]) == np.sign(brighter)


def test_exposure_and_white_balance_are_the_user_s(tmp_path):
    frame, net = raw(), weights(tmp_path)
    shown, darker = (srgb_decode(cameranet(frame, weights=net, exposure=ev).frame.pixels / 65535) for ev in (0, -1))
    np.testing.assert_allclose(darker, shown / 2, atol=1e-3)
    warmer = cameranet(frame, weights=net, white_balance=9000.0).frame.pixels.astype(int)
    usual = cameranet(frame, weights=net, white_balance=5500.0).frame.pixels
    assert (warmer - usual)[..., 0].mean() > (warmer - usual)[..., 2].mean() + 1000


def test_how_raws_are_prepared_is_what_the_network_learnt_from(tmp_path):
    frame, net = raw(), weights(tmp_path, prep="xyz", brighter=0.3)
    result = cameranet(frame, weights=net, enhance=0)
    light = prepare(frame, "xyz") @ SRGB_FROM_XYZ.T * neutral_rendering(frame).exposure
    np.testing.assert_allclose(result.frame.pixels / 65535, srgb_encode(light.clip(0, 1)), atol=2e-3)
    with pytest.raises(UnusableInput, match="find the white themselves"):
        cameranet(frame, weights=net, white_balance="daylight")


def test_a_black_frame_stays_black(tmp_path):
    frame = replace(raw(), mosaic=np.zeros((60, 76), np.float32))
    assert cameranet(frame, weights=weights(tmp_path)).frame.pixels.max() == 0


def test_it_is_a_look_of_develop(tmp_path, monkeypatch):
    folder = tmp_path / "zoo"
    net = weights(tmp_path / "zoo", stir=0.05)
    digest = hashlib.sha256((folder / "cameranet.safetensors").read_bytes()).hexdigest()
    (folder / zoo.HASHES).write_text(json.dumps({"cameranet": digest}))
    monkeypatch.setattr(zoo, "FOLDERS", (folder,))
    frame = replace(raw(), noise=ql.NoiseProfile((1e-2,), (1e-4,)))
    result = ql.develop(frame, look="cameranet", denoise="off", enhance=0.5, record=True)
    np.testing.assert_array_equal(result.frame.pixels, cameranet(frame, weights=net, enhance=0.5).frame.pixels)
    assert result.frame.profile
    assert (result.record["look"], result.record["enhance"]) == ("cameranet", 0.5)
    assert result.record["repaired_pixels"] == 0
    for arguments, words in (({"enhance": 0.5}, "neutral has no finish"), ({"look": "sepia"}, "neutral, cameranet")):
        with pytest.raises(UnusableInput, match=words):
            ql.develop(frame, **arguments)
    with pytest.raises(UnusableInput, match="develop with that look"):
        ql.denoise(frame, system="cameranet")


def test_what_cannot_be_developed_is_refused(tmp_path):
    net = weights(tmp_path)
    for frame in (Image(np.zeros((8, 8, 3), np.uint8)), RawFrame(np.zeros((8, 8), np.float32), "MONO")):
        with pytest.raises(UnusableInput, match="raws in colour"):
            cameranet(frame, weights=net)
    for arguments in ({"enhance": 1.5}, {"bits": 10}):
        with pytest.raises(UnusableInput, match="enhance lies between 0 and 1, and bits are 8 or 16"):
            cameranet(raw(), weights=net, **arguments)
    both, prepared = "cameranet: these are not weights of both stages", "cameranet: .* do not say how raws are prepared"
    for key, value, says in (("recipe", "{}", prepared), ("recipe", "", prepared), ("reach", "740", both)):
        with pytest.raises(UnusableInput, match=says):
            cameranet(raw(), weights=replace(net, metadata=net.metadata | {key: value}))
    for part in (weights(tmp_path, part="enhance"), "unet-color"):
        with pytest.raises(UnusableInput, match="these are not weights of both stages"):
            cameranet(raw(), weights=part)
