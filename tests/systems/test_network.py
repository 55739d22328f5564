"""A network as a system: any size, type and colour, without seams, and it says which weights it used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from quietlight import zoo
from quietlight.frames import Image, Metadata, UnusableInput
from quietlight.networks import NETWORKS
from quietlight.registry import build
from quietlight.systems.network import network
from quietlight.zoo import Weights

SMALL = {
    "unet": {"width": 8, "encoder": [2, 2], "middle": 3, "decoder": [1, 2]},
    "dncnn": {"depth": 20, "width": 8},
}


def weights(folder: Path, name: str, channels: int = 1, **arguments: object) -> Weights:
    """A network of random weights that sees as far as the real one."""
    torch.manual_seed(0)
    arguments = {"channels": channels, **SMALL[name], **arguments}
    module = build(NETWORKS, name, "network", arguments)
    state = {k: torch.ones_like(v) if ".scale" in k else v for k, v in module.state_dict().items()}
    path = folder / f"{name}-{channels}.safetensors"
    zoo.save(path, name, arguments, state, {"multiple": str(module.multiple)})
    return zoo.read(str(path))


def picture(height: int, width: int, channels: int, dtype: str) -> Image:
    values = np.random.default_rng(0).random((height, width, channels))
    if dtype == "float32":
        return Image(values.astype(np.float32))
    return Image((values * np.iinfo(dtype).max).astype(dtype))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_keeps_its_shape_and_type(name, dtype, channels, tmp_path):
    net = weights(tmp_path, name)
    for height, width in ((1, 1), (5, 30), (33, 18)):
        out = network(picture(height, width, channels, dtype), net).frame
        assert out.pixels.shape == (height, width, channels)
        assert out.pixels.dtype == dtype
        assert out.pixels.max() <= (1 if dtype == "float32" else np.iinfo(dtype).max)


@pytest.mark.parametrize("name", SMALL)
def test_tiles_leave_no_seams(name, tmp_path):
    net, image = weights(tmp_path, name), picture(150, 130, 1, "float32")
    shares: list[float] = []
    whole = network(image, net).frame.pixels
    tiled = network(image, net, tile=64, progress=shares.append).frame.pixels
    np.testing.assert_allclose(tiled, whole, atol=1e-4)
    assert len(shares) == 9
    assert shares[-1] == 1
    assert np.abs(whole - image.pixels).max() > 1e-2  # else this test could not fail


def test_the_networks_own_output_comes_through(tmp_path):
    """Far from the border, where the margin does not matter, the system is the network."""
    net, image = weights(tmp_path, "dncnn"), picture(64, 64, 1, "float32")
    module = build(NETWORKS, net.network, "network", net.arguments).eval()
    module.load_state_dict({k: torch.from_numpy(v) for k, v in net.tensors.items()})
    with torch.no_grad():
        direct = module(torch.from_numpy(image.pixels[..., 0])[None, None]).clip(0, 1).numpy()[0, 0]
    ours = network(image, net).frame.pixels[..., 0]
    np.testing.assert_allclose(ours[24:40, 24:40], direct[24:40, 24:40], atol=1e-5)


def test_gray_networks_take_colours_one_by_one(tmp_path):
    net, image = weights(tmp_path, "unet"), picture(24, 40, 3, "uint16")
    each = [network(Image(image.pixels[..., c : c + 1]), net).frame.pixels for c in range(3)]
    np.testing.assert_allclose(network(image, net, opponent=False).frame.pixels, np.concatenate(each, axis=2), atol=1)


def test_of_a_colour_photo_gray_networks_take_the_mean_and_two_differences(tmp_path, monkeypatch):
    net, image = weights(tmp_path, "unet"), picture(24, 40, 3, "float32")
    seen = []

    def keep(_, batch):
        seen.append(batch)
        return batch

    monkeypatch.setattr("quietlight.systems.network.engine.run", keep)
    np.testing.assert_allclose(network(image, net).frame.pixels, image.pixels, atol=1e-5)  # there and back
    [planes] = seen
    red, green, blue = np.moveaxis(image.pixels, 2, 0)
    np.testing.assert_allclose(planes[0, 0], (red + green + blue) / 3, atol=1e-5)
    np.testing.assert_allclose(planes[1, 0], 0.5 + (red - blue) / 2**0.5, atol=1e-5)
    np.testing.assert_allclose(planes[2, 0], 0.5 + (red - 2 * green + blue) / 6**0.5, atol=1e-5)


def test_color_networks_see_all_channels(tmp_path):
    net, image = weights(tmp_path, "unet", 3), picture(24, 40, 3, "float32")
    changed = image.pixels.copy()
    changed[..., 2] = 0.5
    red = [network(Image(p), net).frame.pixels[..., 0] for p in (image.pixels, changed)]
    assert np.abs(red[0] - red[1]).max() > 1e-4


def test_everything_but_the_pixels_stays_and_the_weights_are_named(tmp_path):
    net = weights(tmp_path, "dncnn")
    alpha = np.full((9, 9), 7, np.uint8)
    image = Image(picture(9, 9, 1, "uint8").pixels, alpha, False, b"profile", Metadata(b"exif"))
    result = network(image, str(tmp_path / "dncnn-1.safetensors"))
    assert result.frame.alpha is alpha
    assert (result.frame.profile, result.frame.metadata) == (b"profile", Metadata(b"exif"))
    assert result.record == {"network": "dncnn", "weights": "dncnn-1", "sha256": net.sha256}


def test_networks_that_do_not_fit_are_refused(tmp_path):
    gray = picture(9, 9, 1, "uint8")
    with pytest.raises(UnusableInput, match="for colour photos"):
        network(gray, weights(tmp_path, "unet", 3))
    with pytest.raises(UnusableInput, match="noise map"):
        network(gray, weights(tmp_path, "unet", maps=1))
    with pytest.raises(UnusableInput, match="no weights"):
        network(gray, "nobody")
