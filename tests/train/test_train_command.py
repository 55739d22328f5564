"""`quietlight train` as a person uses it."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from quietlight.cli.train import seconds, train
from quietlight.frames import UnusableInput

RECIPE = Path(__file__).parents[2] / "recipes" / "unet-gray.toml"
app = typer.Typer()
app.command()(train)


def run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_it_trains_in_legs_and_says_where_the_weights_are(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("QUIETLIGHT_DATA", str(photos.parent))
    small = [f"data.source={photos.name}", "data.patch=16", "steps=2", "batch=2", "network.width=4"]
    arguments = [
        RECIPE,
        "--out",
        tmp_path,
        "--device",
        "cpu",
        *(part for change in small for part in ("--set", change)),
    ]
    assert "not finished; go on with --resume" in run(*arguments, "--budget", "0s")
    with pytest.raises(UnusableInput, match="holds a training already"):
        run(*arguments)
    output = run(*arguments, "--resume")
    assert output.strip().endswith(str(tmp_path / "unet-gray.safetensors"))
    assert "unet-gray  2/2  loss" in output


def test_durations():
    assert [seconds(text) for text in ("90s", "9m", "1.5h")] == [90, 540, 5400]
    for text in ("9", "m", "9 m", "-1s", "9d"):
        with pytest.raises(UnusableInput, match="a duration is"):
            seconds(text)


def test_a_bare_machine_with_a_gpu_needs_no_reader_of_raws():
    """Training imports torch, numpy, pillow, safetensors, typer and rich, and nothing else from outside."""
    others = ("rawpy", "tifffile", "pywt", "imagecodecs", "skimage", "scipy", "cv2")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({others!r}))\n"
        "import quietlight.cli.train, quietlight.train.trainer, quietlight.data.photos, quietlight.train.objectives\n"
        "import quietlight.networks.unet, quietlight.networks.dncnn, quietlight.noise.natures\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, quietlight.cli.train, quietlight.cli.zoo, quietlight.cli.synthesize; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
