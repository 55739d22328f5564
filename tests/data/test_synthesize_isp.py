"""`quietlight synthesize isp`: what it writes of photos, that it goes on, experts as commands, and what training reads of it."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from typer.testing import CliRunner

from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.finish import finish
from quietlight.camera.prepare import MODES, prepare
from quietlight.cli import app
from quietlight.data import DATASETS, isp, isp_frames
from quietlight.data.truth import read_truth, write_truth
from quietlight.frames import UnusableInput
from quietlight.io import read
from quietlight.registry import build

NAMES = [f"0{i}.safetensors" for i in range(3)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    y, x = np.mgrid[:70, :101] / 40
    for index in range(3):
        pixels = [0.5 + 0.3 * np.sin((1 + k) * x + (index + 1) * y) for k in range(3)]
        PillowImage.fromarray(np.uint8(255 * np.stack(pixels, axis=-1))).save(folder / f"0{index}.png")
    (folder / "LICENSE").write_text("CC0-1.0\n")
    return folder


def synthesize(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["synthesize", "isp", *map(str, arguments)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join((result.output + str(result.exception or "")).split())


@pytest.fixture(scope="module")
def made(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "frames"
    synthesize(photos, "--seed", 3, "--noise", "upi=1e-4..1e-3", "--out", out)
    return out


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def data(source, validation=False, **arguments):
    given = {"device": torch.device("cpu"), "validation": validation}
    return build(DATASETS, "isp-folder", "data", {"source": str(source), **arguments}, **given)


def test_frames_truths_and_what_is_told_of_them(made):
    told = manifest(made)
    assert (told["layout"], told["expert"], told["seed"]) == ("photos", "set", 3)
    assert [entry["name"] for entry in told["frames"]] == NAMES
    for entry in told["frames"]:
        frame = read(made / "input" / entry["name"])
        restored, enhanced = read_truth(made / "truth" / entry["name"])
        assert restored.shape == enhanced.shape == (70, 100, 3)
        assert (entry["height"], entry["width"], entry["part"], entry["licence"]) == (70, 100, "training", "CC0-1.0")
        assert (entry["seed"], entry["enhanced_by"]) == (3, "finish")
        inner = np.s_[3:-3, 3:-3]
        error = prepare(frame, "wb")[inner] - restored[inner]
        assert np.abs(error).mean() < 0.05  # noise
        assert np.abs(error.mean(axis=(0, 1))).max() < 0.01  # no cast
        shown = finish((restored @ SRGB_FROM_XYZ.T).astype(np.float32), tuple(entry["gain"]))
        assert np.abs(np.rint(255 * shown) - enhanced).max() <= 2
    card = (made / "README.md").read_text()
    assert "3 frames" in card and "CC0-1.0" in card and "quietlight synthesize isp" in card


def test_the_same_seed_gives_the_same_bytes_and_a_stopped_run_goes_on(made, photos, tmp_path):
    arguments = (photos, "--seed", 3, "--noise", "upi=1e-4..1e-3", "--out", tmp_path / "again")
    synthesize(*arguments)
    (tmp_path / "again" / "truth" / NAMES[1]).unlink()
    kept = (tmp_path / "again" / "input" / NAMES[0]).stat().st_mtime_ns
    assert "2 pairs are there already" in synthesize(*arguments)
    assert (tmp_path / "again" / "input" / NAMES[0]).stat().st_mtime_ns == kept
    for part in ("input", "truth"):
        for name in NAMES:
            assert (tmp_path / "again" / part / name).read_bytes() == (made / part / name).read_bytes()
    assert "have other noise and seed" in synthesize(photos, "--seed", 4, "--out", tmp_path / "again", code=1)


def test_an_expert_is_a_command_that_the_manifest_names(photos, tmp_path):
    script = tmp_path / "negative.py"
    script.write_text(
        "import sys, tifffile\npixels = tifffile.imread(sys.argv[1])\n"
        "tifffile.imwrite(sys.argv[2], 65535 - pixels, photometric='rgb')\n"
    )
    expert = f"{sys.executable} {script} {{input}} {{output}}"
    synthesize(photos, "--expert", expert, "--out", tmp_path / "frames")
    told = manifest(tmp_path / "frames")
    assert told["expert_command"]["command"] == expert
    assert len(told["expert_command"]["sha256"]) == 64
    assert {(e["enhanced_by"], e["gain"]) for e in told["frames"]} == {("command", None)}
    restored, enhanced = read_truth(tmp_path / "frames" / "truth" / NAMES[0])
    linear = np.clip(restored @ SRGB_FROM_XYZ.T, 0, 1)
    assert np.abs(255 * (1 - linear) - enhanced).max() < 1


@pytest.mark.parametrize(
    ("expert", "says"),
    [
        ("python {input}", "has {input} and {output}"),
        ("no-such-program {input} {output}", "there is no program no-such-program"),
        (f"{sys.executable} -c 'import sys; sys.exit(3)' {{input}} {{output}}", r"failed \(3\)"),
        (f"{sys.executable} -c 'pass' {{input}} {{output}}", "wrote nothing"),
    ],
)
def test_experts_that_fail_are_named(photos, tmp_path, expert, says):
    said = synthesize(photos, "--expert", expert, "--out", tmp_path / "frames", code=1)
    assert re.search(says, said)


def test_a_public_set_has_its_own_enhanced_picture_unless_the_finish_is_asked_for(tmp_path):
    y, x = np.mgrid[:64, :64] / 20
    light = 0.4 + 0.2 * np.sin(3 * x + np.cos(2 * y))
    for part, name in (("train", "1"), ("train", "2"), ("test", "1")):
        for folder, suffix, pixels in (
            ("huawei_raw", "png", np.uint16(light * 1020)),
            ("canon", "jpg", np.uint8(np.repeat(200 * light[..., None], 3, axis=2))),
        ):
            path = tmp_path / "zrr" / part / folder / f"{name}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            PillowImage.fromarray(pixels).save(path)
    (tmp_path / "zrr" / "train" / "canon" / "2.jpg").unlink()
    said = synthesize(tmp_path / "zrr", "--layout", "zrr", "--out", tmp_path / "frames", code=1)
    assert "canon/2.jpg: there is no such file" in said
    entries = manifest(tmp_path / "frames")["frames"]
    assert [(e["name"], e["part"], e["enhanced_by"]) for e in entries] == [
        ("test/1.safetensors", "test", "set"),
        ("train/1.safetensors", "training", "set"),
    ]
    assert "research only" in entries[0]["licence"]
    out = tmp_path / "finished"
    synthesize(tmp_path / "zrr", "--layout", "zrr", "--expert", "finish", "--out", out, code=1)
    assert {e["enhanced_by"] for e in manifest(out)["frames"]} == {"finish"}
    with pytest.raises(UnusableInput, match="no frames for training"):
        data(tmp_path / "frames", patch=66)
    assert data(tmp_path / "frames", validation=True, patch=32).names == ["train/1.safetensors"]


def test_options_and_folders_that_make_no_sense(photos, tmp_path):
    assert "--seed belongs to photos" in synthesize(photos, "--layout", "sid", "--seed", 1, "--out", tmp_path, code=2)
    assert "there is no such folder" in synthesize(photos / "no", "--out", tmp_path, code=1)
    assert "no Sony_train_list.txt" in synthesize(photos, "--layout", "sid", "--out", tmp_path / "a", code=1)


@pytest.mark.parametrize("prep", MODES)
def test_training_reads_crops_as_the_whole_frame_is_prepared(made, prep):
    whole = {name: prepare(read(made / "input" / name), prep) for name in NAMES[1:]}
    one = data(made, patch=16, prep=prep)
    assert one.names == NAMES[1:]  # the first of 16 is for validation
    batch = one.batch(5, range(8))
    for index in range(8):
        view = one.views.view(5, index, np.random.default_rng([5, index]))
        name = one.names[view.picture]
        layers = (whole[name], *read_truth(made / "truth" / name))
        for key, layer in zip(("input", "restored", "enhanced"), layers, strict=True):
            expected = view.of(torch.from_numpy(np.ascontiguousarray(layer))).float() / (
                255 if key == "enhanced" else 1
            )
            inner = (..., slice(4, -4), slice(4, -4))  # edges are mirrored by the demosaic
            torch.testing.assert_close(batch[key][index][inner], expected[inner], atol=2e-5, rtol=0)
    other = data(made, patch=16, prep=prep).batch(5, [6])
    assert all(torch.equal(other[key], batch[key][[6]]) for key in batch)


def test_whole_frames_are_reduced_and_kept_while_there_is_room(made, monkeypatch):
    monkeypatch.setattr(isp_frames, "LONGEST", 50)
    monkeypatch.setattr(isp_frames, "KEPT", 60_000)
    one = data(made, whole=True)
    batch = one.batch(0, range(12))
    assert batch["input"].shape[2:] == (32, 32)
    assert len(one.kept) == 1  # 35 x 50 pixels of 27 bytes: the second does not fit
    name = one.names[next(iter(one.kept))]
    restored = read_truth(made / "truth" / name)[0].reshape(35, 2, 50, 2, 3).mean((1, 3))
    np.testing.assert_allclose(one._reduced(next(iter(one.kept)))[1].numpy(), restored, atol=1e-5)
    assert isp.LONGEST == 768


def test_folders_that_are_none_are_refused(made, tmp_path, photos):
    with pytest.raises(UnusableInput, match="manifest"):
        data(photos, patch=16)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text('{"frames": [{"name": "a"}]}')
    with pytest.raises(UnusableInput, match="not a manifest of frames"):
        data(broken, patch=16)
    with pytest.raises(UnusableInput, match="not the truths of a frame"):
        read_truth(made / "input" / NAMES[0])
    write_truth(tmp_path / "t.safetensors", np.full((4, 6, 3), 0.5, np.float32), np.zeros((4, 6, 3), np.uint8))
    restored, _ = read_truth(tmp_path / "t.safetensors", (2, 2, 2, 4))
    np.testing.assert_array_equal(restored, np.full((2, 4, 3), 0.5, np.float32))
    with pytest.raises(UnusableInput, match="patch is even"):
        data(made, patch=15)
