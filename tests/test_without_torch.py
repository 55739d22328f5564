"""Everything but training and measuring works where torch is not installed, by the graphs that come along."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quietlight.batch.places import JOURNAL

RECIPE = Path(__file__).parents[1] / "recipes" / "unet-gray.toml"
WITHOUT = """
import json, sys

for name in ("torch", "onnx", "onnxscript", "openvino"):
    sys.modules[name] = None  # as if they were not installed
from quietlight.cli import main

for arguments in json.loads(sys.argv[1]):
    sys.argv = ["quietlight", *arguments]
    try:
        main()
    except SystemExit as end:
        print(arguments[0], end.code or 0, flush=True)
"""


def run(*commands):
    commands = json.dumps([[str(a) for a in command] for command in commands])
    return subprocess.run([sys.executable, "-c", WITHOUT, commands], capture_output=True, text=True, check=True)


@pytest.fixture
def files(tmp_path, shoot):
    return {
        "photo": shoot(tmp_path / "photo.png", size=(128, 160)),
        "raw": shoot(tmp_path / "raw.dng", scene=1),
        "burst": [shoot(tmp_path / f"burst-{i}.dng", scene=2, moved=(i, 2 * i)) for i in range(3)],
        "gray": [shoot(tmp_path / f"gray-{i}.dng", scene=3, moved=(i, 0), cfa="MONO") for i in range(2)],
    }


def test_photos_raws_and_bursts_are_analysed_denoised_and_developed(files, tmp_path):
    out = tmp_path / "out"
    result = run(
        ["analyze", files["photo"], files["raw"]],
        ["denoise", files["photo"], files["raw"], "--out", out, "--engine", "onnxruntime"],
        ["denoise", *files["burst"], "--out", out, "--burst", "on"],
        ["denoise", *files["gray"], "--out", out, "--burst", "on"],
        ["develop", files["raw"], "--out", out],
    )
    assert result.stdout.splitlines()[-1] == "develop 0", result.stderr
    assert [line for line in result.stdout.splitlines() if line.endswith(" 1")] == [], result.stderr
    names = {"photo_clean.png", "raw_clean.dng", "burst-0_clean.dng", "gray-0_clean.dng", "raw.jpg", JOURNAL}
    assert {path.name for path in out.iterdir()} == names


def test_what_needs_torch_says_so_in_one_line(files, tmp_path):
    result = run(
        ["train", RECIPE, "--out", tmp_path],
        ["denoise", files["raw"], "--out", tmp_path / "out", "--engine", "torch"],
        ["export", "fan", "--onnx", tmp_path / "fan.onnx"],
    )
    assert [line for line in result.stdout.splitlines() if line.endswith(" 1")] == ["train 1", "denoise 1", "export 1"]
    assert "Traceback" not in result.stderr
    assert result.stderr.count("pip install 'quietlight[train]'") == 3
