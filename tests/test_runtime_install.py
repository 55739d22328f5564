"""`pip install quietlight[runtime]` into an empty environment, from a wheel: no torch, under 350 MB, and it works."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from quietlight.batch.places import JOURNAL

ROOT = Path(__file__).parents[1]
MOST_BYTES = 350e6
pytestmark = pytest.mark.skipif(
    "QUIETLIGHT_TEST_INSTALL" not in os.environ, reason="takes packages from the network: make test-runtime"
)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **options).stdout


def test_an_install_without_torch_is_small_and_works(tmp_path, shoot):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "empty", with_pip=False)
    python = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(*pip, "--python", python, "install", f"{wheel}[runtime]")
    size = sum(path.lstat().st_size for path in (tmp_path / "empty").rglob("*") if path.is_file())
    print(f"{size / 1e6:.0f} MB installed, the wheel {wheel.stat().st_size / 1e6:.1f} MB")
    assert size < MOST_BYTES
    assert "torch" not in run(*pip, "--python", python, "list")
    photo, raw = shoot(tmp_path / "photo.png", size=(128, 160)), shoot(tmp_path / "raw.dng", scene=1)
    burst = [shoot(tmp_path / f"burst-{i}.dng", scene=2, moved=(i, 0)) for i in range(3)]
    alone = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "QUIETLIGHT"))}
    alone["QUIETLIGHT_CACHE"] = str(tmp_path / "cache")

    def quietlight(*arguments):
        return run(python, "-m", "quietlight", *arguments, cwd=tmp_path, env=alone)

    assert "photo.png" in quietlight("analyze", photo, raw)
    quietlight("denoise", photo, raw, "--out", "clean")
    quietlight("denoise", *burst, "--out", "clean", "--burst", "on")
    quietlight("develop", raw, "--out", "photos")
    made = {path.name for folder in ("clean", "photos") for path in (tmp_path / folder).iterdir()}
    assert made == {"photo_clean.png", "raw_clean.dng", "burst-0_clean.dng", "raw.jpg", JOURNAL}
