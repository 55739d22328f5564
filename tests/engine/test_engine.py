"""An engine computes what the network computes."""

import numpy as np
import pytest
import torch

from quietlight import engine, zoo
from quietlight.engine import ENGINES
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.registry import build

ARGUMENTS = {
    "fan": {"widths": [4, 6, 8]},
    "raw-unet": {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]},
    "cameranet": {"width": 4, "rates": [1, 2]},
    "srgan-can": {"width": 4},
    "deepisp": {"width": 4, "layers": 2, "looks": 1},
    "kpn": {"frames": 3, "widths": [4, 6, 8], "separable": True},
    "dncnn": {"depth": 4, "width": 8},
    "mobilenet": {"width": 0.35, "hidden": 16},
    "noise-classifier": {"backbone": 0.1, "hidden": 16, "width": 4, "encoder": [1], "middle": 1, "decoder": [1]},
    "unet": {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]},
}
NOISE = [(2, 4, 1, 1)] * 2
SHAPES = {
    "fan": [(2, 4, 16, 24), *NOISE],
    "raw-unet": [(2, 4, 16, 24), *NOISE],
    **{name: [(2, 3, 16, 24)] for name in ("cameranet", "srgan-can", "deepisp")},
    "kpn": [(2, 3, 1, 16, 24), (2, 3), (2, 1, 1, 1), (2, 1, 1, 1)],
}
"""Of what networks take that do not take a gray picture alone."""


@pytest.mark.parametrize(("name", "method"), [*((name, "forward") for name in NETWORKS), ("kpn", "kernels")])
@pytest.mark.parametrize("kind", ENGINES)
def test_an_engine_computes_what_the_network_computes(name, method, kind, tmp_path):
    torch.manual_seed(0)
    network = build(NETWORKS, name, "network", ARGUMENTS[name])
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    path = tmp_path / "some.safetensors"
    zoo.save(path, name, ARGUMENTS[name], network.state_dict(), {"multiple": str(network.multiple)})
    weights = zoo.read(str(path))
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
    rng = np.random.default_rng(0)
    inputs = [rng.random(shape, np.float32) for shape in SHAPES.get(name, [(2, 1, 16, 24)])]
    with torch.no_grad():
        expected = getattr(network.eval(), method)(*map(torch.from_numpy, inputs)).numpy()
    output = engine.run(weights, *inputs, engine=kind, method=method)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ENGINES)
def test_an_engine_runs_a_method_with_what_it_takes(kind, tmp_path):
    torch.manual_seed(0)
    network = build(NETWORKS, "cameranet", "network", ARGUMENTS["cameranet"])
    path = tmp_path / "some.safetensors"
    zoo.save(path, "cameranet", ARGUMENTS["cameranet"], network.state_dict(), {"multiple": str(network.multiple)})
    picture, mean = np.random.default_rng(0).random((1, 3, 16, 24), np.float32), np.ones((1, 8), np.float32)
    outputs = [
        engine.run(zoo.read(str(path)), picture, *given, engine=kind, method="restore") for given in ([], [mean])
    ]
    with torch.no_grad():
        expected = [network.restore(torch.from_numpy(picture), *given).numpy() for given in ([], [torch.ones(1, 8)])]
    np.testing.assert_allclose(outputs, expected, atol=2e-3)
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01


def test_an_unknown_engine_is_refused(tmp_path):
    path = tmp_path / "some.safetensors"
    network = build(NETWORKS, "dncnn", "network", ARGUMENTS["dncnn"])
    zoo.save(path, "dncnn", ARGUMENTS["dncnn"], network.state_dict(), {"multiple": "1"})
    with pytest.raises(UnusableInput, match="unknown engine 'abacus': it is one of torch"):
        engine.run(zoo.read(str(path)), np.zeros((1, 1, 8, 8), np.float32), engine="abacus")
