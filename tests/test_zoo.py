"""Weights come back as they were saved, or not at all."""

import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from quietlight import zoo
from quietlight.cli.zoo import zoo as command
from quietlight.evaluate.peers import NOT_TRAINED, peer
from quietlight.frames import UnusableInput
from quietlight.networks import NETWORKS
from quietlight.registry import build

ROOT = Path(__file__).parents[1]
ARGUMENTS = {
    "dncnn": {"depth": 4, "width": 8},
    "fan": {"widths": [4, 6], "encoder": [1], "middle": 1, "decoder": [1]},
    "cameranet": {"width": 4, "rates": [1, 1]},
    "srgan-can": {"width": 4},
    "deepisp": {"width": 4, "layers": 2, "looks": 1},
    "kpn": {"frames": 2, "widths": [4, 6, 8]},
    "raw-unet": {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]},
    "mobilenet": {"classes": 2, "width": 0.1, "hidden": 8},
    "noise-classifier": {"classes": 2, "backbone": 0.1, "hidden": 8, "width": 4, "encoder": [1], "decoder": [1]},
    "unet": {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]},
}


@pytest.fixture(params=NETWORKS)
def saved(request, tmp_path):
    """(a network, the file of its weights)."""
    torch.manual_seed(0)
    network = build(NETWORKS, request.param, "network", ARGUMENTS[request.param])
    path = tmp_path / "some.safetensors"
    facts = {"multiple": str(network.multiple), "steps": "7", "recipe": json.dumps({"name": "some"})}
    zoo.save(path, request.param, ARGUMENTS[request.param], network.state_dict(), facts)
    return network, path


@pytest.fixture
def shipped(saved, tmp_path, monkeypatch):
    """The same, as if it came with the package, beside a folder of weights that do not."""
    network, path = saved
    commit(tmp_path)
    monkeypatch.setattr(zoo, "FOLDERS", (tmp_path, tmp_path / "extra"))
    return network, path


def commit(folder):
    files = folder.glob("*.safetensors")
    (folder / zoo.HASHES).write_text(json.dumps({f.stem: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}))


def run(*arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments])


def test_weights_come_back_in_half_precision_and_rebuild_their_network(saved):
    network, path = saved
    weights = zoo.read(str(path))
    assert weights.multiple == network.multiple
    assert weights.metadata["steps"] == "7"
    again = build(NETWORKS, weights.network, "network", weights.arguments)
    again.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
    for key, value in network.state_dict().items():
        assert weights.tensors[key].shape == value.shape
        assert torch.equal(again.state_dict()[key], value.half().float() if value.is_floating_point() else value)
    state = network.state_dict().values()
    assert path.stat().st_size < 2 * sum(value.numel() for value in state) + 200 * len(state) + 2000


def test_altered_bytes_are_refused_wherever_they_are(saved):
    _, path = saved
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    for place in np.linspace(begin, len(data) - 1, 20).astype(int):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(UnusableInput, match=r"some\.safetensors: its content was altered"):
            zoo.read(str(path))
    for damaged in (data[: len(data) // 2], b"", b"\xff" * 100, data.replace(b"multiple", b"multiply")):
        path.write_bytes(damaged)
        with pytest.raises(UnusableInput, match="not a weights file of ours"):
            zoo.read(str(path))


def test_shipped_weights_are_those_that_were_committed(shipped):
    _, path = shipped
    assert zoo.names() == ["some"]
    assert zoo.read("some").sha256 == zoo.hashes()["some"]
    assert run("verify").exit_code == 0
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(UnusableInput, match="not the one that was committed"):
        zoo.read("some")
    assert run("verify").exit_code == 1
    path.unlink()
    result = run("verify")
    assert result.exit_code == 1
    assert "no weights 'some'" in result.output


def test_the_commands_say_what_there_is(shipped, monkeypatch, tmp_path):
    network, path = shipped
    count = f"{sum(v.numel() for v in network.state_dict().values()):,}"
    assert count in run("list").output
    for name in ("some", path):
        output = run("show", name).output
        assert count in output
        assert "7 steps" in output
        assert '"name": "some"' in output
    assert isinstance(run("show", "none").exception, UnusableInput)
    monkeypatch.setattr(zoo, "FOLDERS", (tmp_path / "empty",))
    assert "no weights come" in run("list").output


def test_weights_of_a_checkout_are_found_and_said_not_to_be_in_the_wheel(shipped, tmp_path, monkeypatch):
    _, path = shipped
    assert peer("e2e-unet").absent == NOT_TRAINED
    (tmp_path / "extra").mkdir()
    other = tmp_path / "extra" / "e2e-unet.safetensors"
    other.write_bytes(path.read_bytes())
    with pytest.raises(UnusableInput, match="not the one that was committed"):
        zoo.read("e2e-unet")
    commit(other.parent)
    assert zoo.names() == sorted(zoo.hashes()) == ["e2e-unet", "some"]
    assert zoo.path_of("e2e-unet") == other
    assert peer("e2e-unet").weights.sha256 == zoo.hashes()["e2e-unet"]
    assert [zoo.in_wheel(name) for name in ("some", "e2e-unet", str(other))] == [True, False, False]
    assert [line.split()[:2] for line in run("list").output.splitlines()[1:]] == [["e2e-unet", "no"], ["some", "yes"]]
    assert ["not part of the wheel" in line for line in run("verify").output.splitlines()] == [True, False]
    assert "not part of it" in run("show", "e2e-unet").output
    other.unlink()
    assert run("verify").exit_code == 1


def test_what_cannot_be_written_leaves_what_was_there(saved, tmp_path):
    _, path = saved
    before = path.read_bytes()
    for value in (np.inf, 1e6):
        with pytest.raises(UnusableInput, match="half precision"):
            zoo.save(path, "unet", {}, {"a": np.array([value], np.float32)}, {"multiple": "1"})
    assert path.read_bytes() == before
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableInput, match="cannot be written"):
        zoo.store(tmp_path / "file" / "x.safetensors", {}, {})
    assert not list(tmp_path.glob("**/*.part"))


def test_every_file_of_the_repository_has_a_hash_and_a_card_and_rebuilds_its_network():
    assert zoo.names() == sorted(zoo.hashes()), "run tools/model_cards.py"
    assert len(set(zoo.names())) == len(zoo.names())
    for name in zoo.names():
        weights = zoo.read(name)
        assert weights.sha256 in (ROOT / "models" / f"{name}.md").read_text(), "run tools/model_cards.py"
        again = build(NETWORKS, weights.network, "network", weights.arguments)
        again.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
        assert weights.multiple == again.multiple


def test_the_folders_stay_small_and_the_wheel_has_one_of_them():
    assert zoo.FOLDERS == (ROOT / "src" / "quietlight" / "weights", ROOT / "zoo-extra")
    for folder, most in zip(zoo.FOLDERS, (24e6, 8e6), strict=True):
        assert sum(file.stat().st_size for file in folder.iterdir()) <= most
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["src/quietlight"]}
