"""An exported network is the network, of any size, and says what it is; one that would not be is not written."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image
from typer.testing import CliRunner

import quietlight.export
from quietlight import engine, zoo
from quietlight.cli import app
from quietlight.frames import UnusableInput


def export(*arguments):
    return CliRunner().invoke(app, ["export", *(str(a) for a in arguments)])


def test_an_export_is_proven_described_and_runs_elsewhere(tmp_path):
    path = tmp_path / "made" / "fan.onnx"
    result = export("fan", "--onnx", path)
    assert result.exit_code == 0, result.output
    proofs = [line for line in result.output.splitlines() if "off what torch computes" in line]
    assert len({line.split(":")[0] for line in proofs}) == 2
    assert all(float(line.split("at most ")[1].split()[0]) < 1e-4 for line in proofs)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    facts = session.get_modelmeta().custom_metadata_map
    weights = zoo.read("fan")
    assert facts["sha256"] == weights.sha256
    assert (facts["name"], facts["recipe"], facts["licence"]) == ("fan", "fan", "Apache-2.0")
    assert (facts["multiple"], facts["channels"]) == ("8", "4")
    assert json.loads(facts["arguments"]) == weights.arguments
    assert [given.name for given in session.get_inputs()] == ["planes", "shot", "read"]
    planes = np.random.default_rng(0).random((2, 4, 24, 40), np.float32)
    variances = [np.full((2, 4, 1, 1), 1e-3, np.float32)] * 2
    (output,) = session.run(None, dict(zip(["planes", "shot", "read"], [planes, *variances], strict=True)))
    np.testing.assert_allclose(output, engine.run(weights, planes, *variances, engine="torch"), atol=2e-3)
    assert isinstance(export("fan", "--onnx", path).exception, UnusableInput)
    assert export("fan", "--onnx", path, "--overwrite").exit_code == 0


def test_a_model_that_computes_something_else_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "fan.onnx"
    monkeypatch.setattr(quietlight.export, "MOST_OFF", -1)
    result = export("fan", "--onnx", path)
    assert isinstance(result.exception, UnusableInput)
    assert "fan: the exported model is" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Photos where a recipe looks for those to learn from: one is held out."""
    folder = tmp_path / "data" / "train_open"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(3):
        small = Image.fromarray(rng.integers(256, size=(24, 24, 3), dtype=np.uint8))
        small.resize((320, 320), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg")
    monkeypatch.setenv("QUIETLIGHT_DATA", str(folder.parent))
    monkeypatch.setattr(quietlight.export, "_CALIBRATION", 2)
    monkeypatch.setattr(quietlight.export, "_SCORED", 1)


def test_int8_says_what_it_loses_and_is_refused_where_that_is_too_much(photos, tmp_path, monkeypatch):
    path = tmp_path / "kpn.onnx"
    monkeypatch.setattr(quietlight.export, "MOST_LOST", -100.0)
    refused = export("kpn-gray", "--onnx", path, "--int8").exception
    assert isinstance(refused, UnusableInput)
    assert "kpn-gray: int8 loses " in str(refused)
    assert not path.exists()
    monkeypatch.setattr(quietlight.export, "MOST_LOST", 100.0)
    result = export("kpn-gray", "--onnx", path, "--int8")
    assert result.exit_code == 0, result.output
    assert "dB on train_open: " in result.output
    assert path.stat().st_size < 0.4 * 4 * sum(tensor.size for tensor in zoo.read("kpn-gray").tensors.values())
    operations = {node.op_type for node in onnx.load(path).graph.node}
    assert "QuantizeLinear" in operations
    assert "kpn-gray" in [fact.value for fact in onnx.load(path).metadata_props if fact.key == "name"]


def test_int8_is_not_for_depthwise_networks(tmp_path):
    with pytest.raises(UnusableInput, match="fan: int8 is for networks of dense convolutions"):
        quietlight.export.export_int8(zoo.read("fan"), Path(tmp_path / "fan.onnx"))
