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
    "dncnn": {"depth": 4, "width": 8},
    "mobilenet": {"width": 0.35, "hidden": 16},
    "noise-classifier": {"backbone": 0.1, "hidden": 16, "width": 4, "encoder": [1], "middle": 1, "decoder": [1]},
    "unet": {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]},
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kind", ENGINES)
def test_an_engine_computes_what_the_network_computes(name, kind, tmp_path):
    torch.manual_seed(0)
    network = build(NETWORKS, name, "network", ARGUMENTS[name])
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    path = tmp_path / "some.safetensors"
    zoo.save(path, name, ARGUMENTS[name], network.state_dict(), {"multiple": str(network.multiple)})
    weights = zoo.read(str(path))
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
    x = np.random.default_rng(0).random((2, 1, 16, 24), np.float32)
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(x)).numpy()
    output = engine.run(weights, x, engine=kind)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, expected, atol=1e-4, rtol=1e-4)


def test_an_unknown_engine_is_refused(tmp_path):
    path = tmp_path / "some.safetensors"
    network = build(NETWORKS, "dncnn", "network", ARGUMENTS["dncnn"])
    zoo.save(path, "dncnn", ARGUMENTS["dncnn"], network.state_dict(), {"multiple": "1"})
    with pytest.raises(UnusableInput, match="unknown engine 'abacus': it is one of torch"):
        engine.run(zoo.read(str(path)), np.zeros((1, 1, 8, 8), np.float32), engine="abacus")
