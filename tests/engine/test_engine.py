"""An engine computes what the network computes."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from quietlight import engine, zoo
from quietlight.engine import ENGINES, choice, torch_engine
from quietlight.engine.graphs import FOLDER, file_of
from quietlight.engine.inputs import counts_of, methods_of
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.registry import build

TOOL = Path(__file__).parents[2] / "tools" / "graphs.py"
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


@pytest.fixture
def made(tmp_path):
    """A maker of weights of a miniature network."""

    def make(name):
        torch.manual_seed(0)
        network = build(NETWORKS, name, "network", ARGUMENTS[name])
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        path = tmp_path / "some.safetensors"
        zoo.save(path, name, ARGUMENTS[name], network.state_dict(), {"multiple": str(network.multiple)})
        return zoo.read(str(path))

    return make


def exact(weights, method, inputs):
    """What torch computes of it in float32, without any engine."""
    network = build(NETWORKS, weights.network, "network", weights.arguments).eval()
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
    with torch.no_grad():
        return getattr(network, method)(*map(torch.from_numpy, inputs)).numpy()


@pytest.mark.parametrize(("name", "method"), [*((name, "forward") for name in NETWORKS), ("kpn", "kernels")])
def test_torch_runs_every_network(name, method, made):
    weights = made(name)
    rng = np.random.default_rng(0)
    inputs = [rng.random(shape, np.float32) for shape in SHAPES.get(name, [(2, 1, 16, 24)])]
    output = engine.run(weights, *inputs, engine="torch", method=method)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, exact(weights, method, inputs), atol=1e-4, rtol=1e-4)


def test_an_engine_runs_a_method_with_what_it_takes(made):
    weights = made("cameranet")
    picture, mean = np.random.default_rng(0).random((1, 3, 16, 24), np.float32), np.ones((1, 8), np.float32)
    outputs = [engine.run(weights, picture, *given, engine="torch", method="restore") for given in ([], [mean])]
    for output, given in zip(outputs, ([], [mean]), strict=True):
        np.testing.assert_allclose(output, exact(weights, "restore", [picture, *given]), atol=2e-3)
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01


SHIPPED = [name for name in zoo.names() if zoo.in_wheel(name)]


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_engine_runs_all_that_systems_ask_of_our_networks(name, kind, monkeypatch):
    """Without torch's help: by graphs that ship, at sizes and batches other than those that were traced."""
    if kind not in engine.installed():
        pytest.skip(f"{kind} is not installed")
    monkeypatch.setattr(choice, "measured", dict)
    monkeypatch.setattr("quietlight.engine.graphs.find_spec", lambda name: None)
    weights = zoo.read(name)
    module = torch_engine.module_of(weights)
    side = 16 * module.multiple if weights.network == "noise-classifier" else module.multiple
    with torch.no_grad():
        methods = methods_of(module, weights.arguments, 2 * side, 6 * side, batch=1)
    rng = np.random.default_rng(0)
    for method, tensors in methods.items():
        inputs = [rng.random(tensors[0].shape, np.float32), *(tensor.numpy() for tensor in tensors[1:])]
        inputs[0][..., : side // 2, :] = (
            0  # black, and without read noise: what is added against division by zero counts
        )
        if len(inputs) > 2:
            inputs[-1] = np.zeros_like(inputs[-1])
        output = engine.run(weights, *inputs, engine=kind, method=method)
        expected = exact(weights, method, inputs)
        np.testing.assert_allclose(output, expected, atol=2e-4 * max(1, np.abs(expected).max()), err_msg=method)


def test_graphs_are_those_of_our_networks_and_of_those_to_come():
    wanted = set()
    for network, arguments in runpy.run_path(str(TOOL))["networks"]():
        wanted |= {file_of(network, arguments, *asked) for asked in counts_of(network, arguments).items()}
    assert set(FOLDER.glob("*")) == wanted, "run tools/graphs.py"
    assert sum(path.stat().st_size for path in wanted) < 1e6


def test_a_graph_that_is_not_there_is_built_once(made, monkeypatch):
    weights = made("dncnn")
    picture = np.random.default_rng(0).random((3, 1, 20, 24), np.float32)
    name, compute = engine.load(weights, engine="onnxruntime")
    assert name == "onnxruntime"
    np.testing.assert_allclose(compute(picture), exact(weights, "forward", [picture]), atol=1e-4)
    monkeypatch.setattr("quietlight.engine.graphs.find_spec", lambda name: None)
    again = engine.load(weights, engine="onnxruntime")[1]
    np.testing.assert_array_equal(again(picture), compute(picture))


def test_auto_goes_on_where_an_engine_cannot_and_says_why_where_none_can(made, monkeypatch):
    weights = made("unet")
    picture = np.zeros((1, 1, 16, 24), np.float32)
    assert engine.load(weights)[0] == "torch"  # no graph of this one ships, and none is built unasked
    monkeypatch.setattr("quietlight.engine.graphs.find_spec", lambda name: None)
    with pytest.raises(UnusableInput, match=r"some: no graph of this network comes along: take the engine torch"):
        engine.run(weights, picture, engine="onnxruntime")
    monkeypatch.setattr(engine, "installed", lambda: [])
    with pytest.raises(UnusableInput, match=r"no engine.*pip install 'quietlight\[runtime\]'"):
        engine.load(weights)


def test_what_was_asked_for_holds_until_something_else_is(made):
    weights = made("unet")
    try:
        engine.use("torch")
        engine.run(weights, np.zeros((1, 1, 16, 24), np.float32))
        with pytest.raises(UnusableInput, match="unknown engine 'abacus': it is one of auto, openvino, torch"):
            engine.use("abacus")
    finally:
        engine.use("auto")


def test_an_engine_that_is_not_installed_is_refused_with_what_installs_it(made, monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(UnusableInput, match=r"openvino is not installed: pip install 'quietlight\[fast\]'"):
        engine.run(made("unet"), np.zeros((1, 1, 16, 24), np.float32), engine="openvino")


def test_bf16_is_for_networks_that_were_measured_to_bear_it(made, monkeypatch):
    assert {entry["name"] for entry in choice.measured().values()} == set(SHIPPED) - {"noise-classifier"}, (
        "run tools/engines.py"
    )
    assert set(choice.measured()) == {zoo.read(name).sha256 for name in SHIPPED} - {zoo.read("noise-classifier").sha256}
    weights = made("unet")
    assert not choice.bears_bf16(weights, "torch")
    monkeypatch.setattr(choice, "measured", lambda: {weights.sha256: {"torch": 0.02, "openvino": 0.03}})
    assert choice.bears_bf16(weights, "torch")
    assert not choice.bears_bf16(weights, "openvino")
    monkeypatch.setattr(torch_engine, "_has_bf16", lambda: True)
    picture = np.random.default_rng(0).random((1, 1, 16, 24), np.float32)
    coarse = engine.load(weights, engine="torch")[1](picture)
    difference = np.abs(coarse - exact(weights, "forward", [picture])).max()
    assert 1e-6 < difference < 0.2
