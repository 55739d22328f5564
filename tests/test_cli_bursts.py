"""Bursts as a person uses them: files in, one result per burst out, one line where something does not belong."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import quietlight as ql
from quietlight.cli import app


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def listed(output: str) -> list[dict]:
    """The JSON list among what was printed."""
    return json.loads(output[output.index("[\n") : output.rindex("]") + 1])


@pytest.fixture
def card(shoot, tmp_path) -> Path:
    """A folder with a burst and a single raw."""
    folder = tmp_path / "card"
    for n in range(3):
        shoot(folder / f"IMG_{n}.dng", taken=f"2026:05:01 12:00:01.{n + 1}", moved=(2 * n, 0))
    shoot(folder / "IMG_3.dng", scene=1, taken="2026:05:01 12:00:02")
    return folder


def test_denoise_writes_one_dng_per_burst(card, tmp_path):
    output = run("denoise", card, "--out", tmp_path / "out")
    assert "1 burst of 3 frames found; --burst off takes every file by itself" in output
    assert "IMG_0_clean.dng  (burst of 3 from IMG_0.dng, " in output
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["IMG_0_clean.dng", "IMG_3_clean.dng"]
    clean = ql.read(tmp_path / "out" / "IMG_0_clean.dng")
    assert clean.noise.shot[0] < ql.read(card / "IMG_0.dng").noise.shot[0]
    assert "2 there from before" in run("denoise", card, "--out", tmp_path / "out")


def test_off_writes_one_per_file(card, tmp_path):
    assert "burst" not in run("denoise", card, "--out", tmp_path / "out", "--burst", "off")
    assert len(list((tmp_path / "out").glob("[!.]*"))) == 4


def test_develop_writes_one_photo_per_folder_that_is_one(card, tmp_path):
    (card / "IMG_3.dng").unlink()
    run("develop", card, "--out", tmp_path / "out", "--burst", "on", "--report", tmp_path / "why")
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["card.jpg"]
    assert (tmp_path / "why" / "card.jpg.report.png").is_file()


def test_a_burst_of_photos_is_denoised_and_not_developed(shoot, tmp_path):
    paths = [shoot(tmp_path / f"P{n}.jpg", taken=f"2026:05:01 12:00:01.{n + 1}", moved=(n, 2)) for n in range(2)]
    run("denoise", *paths, "--out", tmp_path / "out", "--report", tmp_path / "why")
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["P0_clean.jpg"]
    assert (tmp_path / "why" / "P0_clean.jpg.report.png").is_file()
    assert "developed already" in run("develop", *paths, "--out", tmp_path / "out", code=1)
    output = run("denoise", *paths, "--out", tmp_path / "local", "--local", code=1)
    assert "P0.jpg: --local and --remove are for single photos: add --burst off" in output


def test_json_names_the_frames(card, tmp_path):
    entries = listed(run("denoise", card, "--out", tmp_path / "out", "--json"))
    assert [len(entry["frames"]) for entry in entries] == [3, 0]
    entries = listed(run("analyze", card, "--json"))
    assert [(Path(e["file"]).name, len(e["frames"])) for e in entries] == [("IMG_0.dng", 3), ("IMG_3.dng", 0)]
    assert "IMG_0.dng (burst of 3)" in run("analyze", card)


@pytest.mark.parametrize("verb", [["denoise"], ["develop"], ["analyze"]])
def test_a_stranger_is_refused_by_name(card, tmp_path, shoot, verb):
    shoot(card / "IMG_4.dng", camera="Other Camera")
    out = [] if verb == ["analyze"] else ["--out", tmp_path / "out"]
    output = run(*verb, card, *out, "--burst", "on", code=1)
    told = [line for line in output.splitlines() if "IMG_4.dng" in line]
    assert told == [
        f"quietlight: {card / 'IMG_4.dng'}: does not belong to the burst that IMG_0.dng begins: "
        "taken by Other Camera, not by Test Camera"
    ]
    assert "Traceback" not in output
    assert not list((tmp_path / "out").glob("[!.]*"))


def test_bursts_without_headers(tmp_path):
    """Raws that are described: numbered, and of one scene."""
    rng = np.random.default_rng(0)
    scene = rng.integers(100, 900, (20, 30)).repeat(8, axis=0).repeat(8, axis=1)
    folder = tmp_path / "raws"
    folder.mkdir()
    for n in range(2):
        noisy = scene + rng.normal(0, 8, scene.shape)
        (folder / f"shot{n}.raw").write_bytes(np.rint(noisy).astype("<u2").tobytes())
    (folder / "shot2.raw").write_bytes(scene[::-1].astype("<u2").tobytes())
    (tmp_path / "camera.toml").write_text(
        'width = 240\nheight = 160\ncfa = "RGGB"\npacking = "u16le"\nblack = 0\nwhite = 1023\n'
    )
    run("denoise", folder, "--out", tmp_path / "out", "--raw-format", tmp_path / "camera.toml")
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["shot0_clean.dng", "shot2_clean.dng"]


@pytest.mark.parametrize("verb", ["denoise", "develop", "analyze"])
def test_help_teaches_bursts(verb):
    output = run(verb, "--help")
    assert "--burst" in output
    assert "auto finds them" in " ".join(output.replace("│", " ").split())
