"""The statistics tell noises apart and are always numbers; the classifier trains all but the denoiser that it looks through."""

import numpy as np
import pytest
import torch

from quietlight.networks.noise_classifier import NoiseClassifier
from quietlight.networks.noise_statistics import COUNT, FLATTEST, statistics
from quietlight.networks.unet import UNet
from quietlight.noise import NOISES
from quietlight.noise.nature import eight_bit
from quietlight.registry import resolve

SMALL = {"backbone": 0.1, "hidden": 16, "width": 4, "encoder": [1, 1], "middle": 1, "decoder": [1, 1]}
SHAPE = {"classes": 5, **SMALL}
# Where a statistic lies: see the parts in `statistics`.
ENDS = {"black": 0, "black among gray": 2, "white": 4, "white among gray": 6}
FLAT = {f"{name} {share}": 8 + 6 * i + j
        for i, share in enumerate(FLATTEST)
        for j, name in enumerate(("deviation", "limit", "absolute", "third", "fourth", "sixth"))}  # fmt: skip
STRENGTHS = slice(56, 64)  # of the residual at eight tones from black to white, in logarithms
CORRELATIONS = {"right": 80, "down": 81}
GRID = slice(90, 92)
RATES, FINEST_TONES, BY_LAW = slice(92, 98), slice(98, 106), (slice(106, 109), slice(109, 112))


def scene(size=256):
    """[1, 1, size, size], 8-bit: steps of all tones, so that most surroundings are flat."""
    tones = torch.linspace(0.1, 0.9, 8)[None, None, :, None]
    steps = torch.nn.functional.interpolate(tones.expand(1, 1, 8, 8), (size, size))
    return eight_bit(steps + 0.02 * torch.sin(torch.arange(size) / 25.0))


def of(name, level, clean=None, **options):
    """Statistics [COUNT] of a noise where the denoiser is perfect."""
    clean = scene() if clean is None else clean
    nature = resolve(NOISES, name, "noise")
    noisy = eight_bit(nature.at(level).sample(clean, torch.Generator().manual_seed(0)))
    return statistics(noisy, clean)[0]


@pytest.mark.parametrize("size", [(16, 16), (32, 32), (33, 47), (224, 224)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_pictures_have_finite_statistics(size, value):
    picture = torch.full((2, 1, *size), value)
    picture[1, 0, 3, 3] = 1 - value  # but for one pixel
    for clean in (picture, torch.full_like(picture, 0.5), picture - 0.1, 1.2 - picture, picture.mean() + 0 * picture):
        found = statistics(picture, clean)
        assert found.shape == (2, COUNT)
        assert found.isfinite().all()
        assert found.abs().max() < 30


def test_statistics_of_a_picture_do_not_know_who_else_is_in_the_batch():
    torch.manual_seed(0)
    clean = torch.rand(3, 1, 40, 48)
    noisy = eight_bit(clean + 0.1 * torch.randn_like(clean))
    whole = statistics(noisy, clean)
    for i in range(3):
        torch.testing.assert_close(statistics(noisy[i : i + 1], clean[i : i + 1])[0], whole[i], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("level", [3, 10, 30])
def test_the_strength_is_measured_where_the_picture_is_flat(level):
    tones = scene() * 0.2 + 0.4
    measured = of("gaussian", level, tones)[[FLAT[f"deviation {share}"] for share in FLATTEST]].exp() * 255
    torch.testing.assert_close(measured, torch.full((4,), (level**2 + 1 / 12) ** 0.5), rtol=0.06, atol=0)


@pytest.mark.parametrize("strength", [6.0, 12.0, 28.0])
def test_uniform_noise_is_told_from_gaussian_by_its_shape(strength):
    tones = scene() * 0.2 + 0.4  # nothing is clipped
    for share in FLATTEST[1:]:
        fourth, sixth = FLAT[f"fourth {share}"], FLAT[f"sixth {share}"]
        gaussian, uniform = of("gaussian", strength, tones), of("uniform", strength * 3**0.5, tones)
        assert gaussian[fourth].exp() - 0.1 == pytest.approx(3, rel=0.12)
        assert uniform[fourth].exp() - 0.1 == pytest.approx(1.8, rel=0.05)
        assert gaussian[sixth] - uniform[sixth] > 1
        assert gaussian[FLAT[f"absolute {share}"]] == pytest.approx((2 / np.pi) ** 0.5, rel=0.03)


@pytest.mark.parametrize(("name", "level", "slope"), [("gaussian", 10, 0), ("speckle", 40, 1), ("poisson", 255, 0.5)])
def test_noises_are_told_apart_by_how_they_follow_the_brightness(name, level, slope):
    strengths = of(name, level)[STRENGTHS]
    tones = torch.linspace(0, 1, 8)[1:-1].log()
    line = np.polyfit(tones, strengths[1:-1], 1)
    assert line[0] == pytest.approx(slope, abs=0.15)


def test_lost_pixels_show_among_gray_ones():
    for nature, black, white in (("bernoulli", 0.1, 1e-5), ("salt-and-pepper", 0.05, 0.05)):
        found = of(nature, 0.1)
        assert found[ENDS["black among gray"]].exp() == pytest.approx(black, rel=0.2)
        assert found[ENDS["white among gray"]].exp() == pytest.approx(white, rel=0.2)
    clipped = of("speckle", 55)
    assert clipped[ENDS["white"]].exp() > 0.01
    # Lost pixels are no part of what is measured beneath them.
    drops = of("bernoulli", 0.1)
    assert drops[FLAT["deviation 0.5"]] < of("gaussian", 2)[FLAT["deviation 0.5"]]


@pytest.mark.parametrize("reach", range(3))
@pytest.mark.parametrize(("nature", "black", "white"), [("bernoulli", 0.1, 0), ("salt-and-pepper", 0.05, 0.05)])
def test_the_rate_of_lost_pixels_is_measured(nature, black, white, reach):
    rates = of(nature, 0.1)[RATES] / 5
    assert rates[reach] == pytest.approx(black, abs=0.01)
    assert rates[3 + reach] == pytest.approx(white, abs=0.01)
    assert of("gaussian", 10)[RATES].abs().max() < 0.02


@pytest.mark.parametrize(("nature", "law"), [("gaussian", 0), ("poisson", 1), ("speckle", 2)])
def test_the_strength_of_a_noise_is_measured_under_its_own_law(nature, law):
    at_white = 1 / 255**0.5 if nature == "poisson" else 25 / 255
    level = 255 if nature == "poisson" else 25
    for laws in BY_LAW:  # of the residual, and of the finest detail, for which no denoiser is needed
        assert of(nature, level)[laws][law].exp() == pytest.approx(at_white, rel=0.06)
    finest = of(nature, level, scene())[FINEST_TONES]
    assert np.polyfit(torch.linspace(0, 1, 8)[1:-1].log(), finest[1:-1], 1)[0] == pytest.approx(law / 2, abs=0.15)


def test_noise_that_hangs_together_and_blocks_of_jpeg_show():
    white = of("gaussian", 10)
    assert white[[*CORRELATIONS.values()]].abs().max() < 0.05
    clean = scene() * 0.2 + 0.4
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)) * 0.05
    smooth = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(noise, (1, 1, 0, 0), "reflect"), (1, 3), 1)
    found = statistics(clean + smooth, clean)[0]
    assert found[CORRELATIONS["right"]] == pytest.approx(2 / 3, abs=0.1)
    assert found[CORRELATIONS["down"]].abs() < 0.05
    blocks = (noise.reshape(1, 1, 32, 8, 32, 8).mean((3, 5), keepdim=True) * 8).expand(1, 1, 32, 8, 32, 8)
    assert statistics(clean + blocks.reshape_as(clean), clean)[0][GRID].min() > white[GRID].max() + 0.5


@pytest.mark.parametrize("backbone", [0, 0.1])
@pytest.mark.parametrize("size", [(32, 32), (64, 40)])
def test_all_but_the_denoiser_is_trained(size, backbone):
    torch.manual_seed(0)
    network = NoiseClassifier(**{**SHAPE, "backbone": backbone}).train()
    with torch.no_grad():
        for parameter in network.denoiser.parameters():
            parameter.normal_(std=0.1)
    before = {key: value.clone() for key, value in network.denoiser.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=0.1)
    output = network(torch.rand(6, 1, *size))
    assert output.shape == (6, 10)
    assert output.isfinite().all()
    output.square().sum().backward()
    optimiser.step()
    for name, parameter in network.named_parameters():
        if name.startswith("denoiser."):
            assert not parameter.requires_grad and parameter.grad is None
        else:
            assert parameter.grad.abs().max() > 0, name
    assert all(torch.equal(value, before[key]) for key, value in network.denoiser.state_dict().items())


def test_statistics_are_judged_as_their_picture_is():
    torch.manual_seed(0)
    network = NoiseClassifier(**{**SHAPE, "backbone": 0}).eval()
    x = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(statistics(x, network.denoiser(x))), network(x))


def test_it_looks_at_what_the_denoiser_takes_away_and_each_picture_for_itself():
    torch.manual_seed(0)
    network = NoiseClassifier(**SHAPE).eval()
    x = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        whole = network(x)
        torch.testing.assert_close(network(x[1:2]), whole[1:2], atol=1e-4, rtol=1e-3)
        network.denoiser.head.bias += 0.05
        assert (network(x) - whole).abs().max() > 1e-4
        before = network(x)
        network.levels.bias += 1
        torch.testing.assert_close(network(x) - before, torch.tensor([[0.0] * 5 + [1.0] * 5] * 3))
    assert network.multiple == network.denoiser.multiple == 8


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_pictures_are_judged(value):
    network = NoiseClassifier(**SHAPE).eval()
    with torch.no_grad():
        assert network(torch.full((1, 1, 32, 32), value)).isfinite().all()


def test_it_adopts_the_denoiser_that_it_is_built_with_and_no_other():
    torch.manual_seed(0)
    unet = {key: SMALL[key] for key in ("width", "encoder", "middle", "decoder")}
    source, network = UNet(1, **unet), NoiseClassifier(**SHAPE).eval()
    others = {key: v.clone() for key, v in network.state_dict().items() if not key.startswith("denoiser.")}
    network.adopt(source.state_dict())
    x = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(network.denoiser(x), source(x))
    assert all(torch.equal(network.state_dict()[key], value) for key, value in others.items())
    assert not any(p.requires_grad for p in network.denoiser.parameters())
    wider, color = UNet(1, **{**unet, "width": 8}), UNet(3, **unet)
    for tensors in (wider.state_dict(), color.state_dict(), {}, network.state_dict(), {"stem.weight": x}):
        with pytest.raises(ValueError, match="not weights of the denoiser"):
            network.adopt(tensors)


@pytest.mark.parametrize("wrong", [{"classes": 0}, {"hidden": 0}, {"layers": 0}, {"backbone": -1.0}, {"encoder": [1]}])
def test_shapes_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"above 0|as many scales"):
        NoiseClassifier(**{**SHAPE, **wrong})
