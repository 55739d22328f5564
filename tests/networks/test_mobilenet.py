"""MobileNetV2 is the published one, so that published weights fit; the classifier on it is NoiseBreaker's."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from quietlight.networks.mobilenet import MobileNetV2

WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
# A few tensors of the published files at width 1.0: torchvision's name, timm's name, shape.
LANDMARKS = [
    ("features.0.0.weight", "conv_stem.weight", (32, 3, 3, 3)),
    ("features.0.1.bias", "bn1.bias", (32,)),
    ("features.1.conv.0.0.weight", "blocks.0.0.conv_dw.weight", (32, 1, 3, 3)),
    ("features.1.conv.1.weight", "blocks.0.0.conv_pw.weight", (16, 32, 1, 1)),
    ("features.1.conv.2.running_var", "blocks.0.0.bn2.running_var", (16,)),
    ("features.2.conv.0.0.weight", "blocks.1.0.conv_pw.weight", (96, 16, 1, 1)),
    ("features.3.conv.1.0.weight", "blocks.1.1.conv_dw.weight", (144, 1, 3, 3)),
    ("features.10.conv.1.1.weight", "blocks.3.3.bn2.weight", (384,)),
    ("features.17.conv.2.weight", "blocks.6.0.conv_pwl.weight", (320, 960, 1, 1)),
    ("features.17.conv.3.running_mean", "blocks.6.0.bn3.running_mean", (320,)),
    ("features.18.0.weight", "conv_head.weight", (1280, 320, 1, 1)),
    ("features.18.1.running_var", "bn2.running_var", (1280,)),
]


def stirred(seed, **arguments):
    """A network whose statistics are not those of a fresh one either, in inference."""
    torch.manual_seed(seed)
    network = MobileNetV2(**arguments)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if "running" in name:
                value.uniform_(0.5, 1.5)
    return network.eval()


def backbone(network):
    return {name: value.clone() for name, value in network.state_dict().items() if name.startswith("features.")}


def as_torchvision(network):
    """The state dict that torchvision publishes: the backbone and a layer of 1000 classes."""
    return backbone(network) | {"classifier.1.weight": torch.rand(1000, 1280), "classifier.1.bias": torch.rand(1000)}


def as_timm(network):
    """The state dict that timm publishes, renamed in the order in which both libraries build their layers."""
    parts = [("conv_dw", "bn1", "conv_pw", "bn2")] + 16 * [("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")]
    places = [f"blocks.{stage}.{block}." for stage, n in enumerate((1, 2, 3, 4, 3, 3, 1)) for block in range(n)]
    names = ["conv_stem", "bn1", *(place + part for place, block in zip(places, parts, strict=True) for part in block)]
    tensors = backbone(network)
    layers = dict.fromkeys(name.rpartition(".")[0] for name in tensors)
    renamed = dict(zip(layers, [*names, "conv_head", "bn2"], strict=True))
    tensors = {f"{renamed[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": v for name, v in tensors.items()}
    return tensors | {"classifier.weight": torch.rand(1000, 1280), "classifier.bias": torch.rand(1000)}


PUBLISHED = {"torchvision": as_torchvision, "timm": as_timm}


def test_the_backbone_has_the_published_size_and_names():
    # 2,223,872 at 1.0, and the totals that timm publishes for two others, which count a layer of 1000 classes.
    for width, count in ((1.0, 2_223_872), (0.5, 1_968_680 - 1_281_000), (1.4, 6_108_776 - 1_793_000)):
        assert sum(p.numel() for p in MobileNetV2(width=width).features.parameters()) == count
    tensors = backbone(MobileNetV2())
    assert len(tensors) == 312
    assert all(tuple(tensors[name].shape) == shape for name, _, shape in LANDMARKS)


def test_it_takes_the_published_effort():
    with torch.device("meta"):
        network, picture = MobileNetV2(), torch.empty(1, 1, 224, 224)
    with FlopCounterMode(display=False) as counter:
        network.eval()(picture)
    assert counter.get_total_flops() / 2 == pytest.approx(300e6, rel=0.01)  # Sandler et al., table 4


@pytest.mark.parametrize("width", WIDTHS)
def test_channels_are_multiples_of_8_and_lose_a_tenth_at_most(width):
    with torch.device("meta"):
        pairs = list(zip(MobileNetV2(width=width).features.modules(), MobileNetV2().features.modules(), strict=True))
    for layer, exact in pairs:
        if isinstance(layer, torch.nn.Conv2d):
            assert layer.out_channels % 8 == 0
            assert layer.out_channels >= 0.9 * width * exact.out_channels
    assert pairs[-3][0].out_channels == (1280 if width <= 1 else 8 * round(160 * width))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (64, 161)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_gives_logits_and_levels_by_all_parameters(height, width, channels):
    torch.manual_seed(0)
    network = MobileNetV2(classes=5, channels=channels, width=0.35, hidden=16)
    # At 32×32 the last map is one pixel, of which batch normalisation needs several.
    output = network(torch.rand(4, channels, height, width))
    assert output.shape == (4, 10)
    output.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_both_heads_read_the_same_features_and_only_their_own_half():
    network, x = stirred(0, classes=3), torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        before = network(x)
        network.levels.bias += 1
        after = network(x)
    torch.testing.assert_close(after - before, torch.tensor([[0.0, 0, 0, 1, 1, 1]] * 2))


def test_gray_is_the_picture_with_three_equal_channels_normalised_as_imagenet():
    gray, color = stirred(0, channels=1), MobileNetV2(channels=3).eval()
    color.load_state_dict(gray.state_dict())
    x = torch.rand(2, 1, 40, 56)
    with torch.no_grad():
        torch.testing.assert_close(gray(x), color(x.expand(-1, 3, -1, -1)))
        seen = []
        color.features.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        color(mean + deviation * torch.ones(1, 3, 32, 32))
    torch.testing.assert_close(seen[0], torch.ones(1, 3, 32, 32))
    assert not {"mean", "deviation"} & set(gray.state_dict())


@pytest.mark.parametrize("library", PUBLISHED)
def test_published_weights_are_adopted_into_the_backbone_alone(library):
    source, target = stirred(1), stirred(2)
    heads = {name: v.clone() for name, v in target.state_dict().items() if not name.startswith("features.")}
    tensors = PUBLISHED[library](source)
    target.adopt({name: v.half() if v.is_floating_point() else v for name, v in tensors.items()})
    x = torch.rand(1, 3, 64, 64)
    source.half().float()
    with torch.no_grad():
        torch.testing.assert_close(target.features(x), source.features(x))
    assert all(torch.equal(target.state_dict()[name], value) for name, value in heads.items())
    # The counters of batches, which some files lack, are not needed.
    target.adopt({name: v for name, v in tensors.items() if not name.endswith("num_batches_tracked")})


def test_timm_tensors_have_the_published_names():
    tensors = as_timm(MobileNetV2())
    assert all(tuple(tensors[name].shape) == shape for _, name, shape in LANDMARKS)


@pytest.mark.parametrize("library", PUBLISHED)
def test_a_backbone_that_does_not_fit_is_refused_by_its_first_tensor_and_nothing_is_taken(library):
    network = MobileNetV2()
    before, good = backbone(network), PUBLISHED[library](stirred(1))
    for landmark in LANDMARKS[::3]:
        name = landmark[library == "timm"]
        with pytest.raises(ValueError, match=rf"{name}( or \S+)? is missing"):
            network.adopt({key: value for key, value in good.items() if key != name})
        with pytest.raises(ValueError, match=rf"{name} has shape \[1, 2\] instead of \["):
            network.adopt(good | {name: torch.zeros(1, 2)})
    extra = {"torchvision": "features.19.conv.2.weight", "timm": "blocks.6.1.conv_pw.weight"}[library]
    with pytest.raises(ValueError, match=f"{extra} is one too many"):
        network.adopt(good | {extra: torch.zeros(1)})
    with pytest.raises(ValueError, match=r"has shape \[32, 3, 3, 3\] instead of \[16, 3, 3, 3\]"):
        MobileNetV2(width=0.5).adopt(good)
    assert all(torch.equal(value, before[name]) for name, value in backbone(network).items())


@pytest.mark.parametrize("wrong", [{"channels": 2}, {"classes": 0}, {"width": 0.0}, {"width": -1.0}, {"hidden": 0}])
def test_shapes_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong.values()))}"):
        MobileNetV2(**wrong)
