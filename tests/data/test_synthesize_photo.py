"""From a noisy photo's report to pairs with such noise, as a person does it."""

import json
import tomllib

import numpy as np
import pytest
from PIL import Image as PillowImage
from synthesizing import synthesize

from quietlight.frames import RawFrame
from quietlight.io import write

COUNT = 4


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Clean photos/, one of them below, a report, and nothing else."""
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:40, :48] / 20
    for index in range(COUNT):
        path = tmp_path / "photos" / ("sub" if index == 3 else "") / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        wave = 128 + 60 * np.sin(x + index) * np.cos(y)
        PillowImage.fromarray(np.stack([wave, wave, 255 - wave], -1).astype(np.uint8)).save(path)
    steps = [{"nature": "bernoulli", "level": 0.09}, {"nature": "gaussian", "level": 20}]
    (tmp_path / "report.json").write_text(json.dumps({"steps": steps}))
    return tmp_path


def run(*arguments, code=0):
    return synthesize("photo", *arguments, code=code)


def test_a_folder_of_photos_becomes_pairs(folder):
    out = folder / "out"
    printed, told = run("photos", "--like", "report.json", "--out", out)
    manifest = json.loads((out / "manifest.json").read_text())
    assert [entry["name"] for entry in manifest["pairs"]] == ["0.png", "1.png", "2.png", "sub/3.png"]
    assert manifest["pairs"][3]["source"] == "sub/3.jpg"
    assert manifest["like"] == "report.json"
    assert [noise["nature"] for noise in manifest["pairs"][0]["noises"]] == ["gaussian", "bernoulli"]
    for entry in manifest["pairs"]:
        pictures = [PillowImage.open(out / part / entry["name"]) for part in ("noisy", "clean")]
        assert {picture.mode for picture in pictures} == {"RGB"}
        noisy, clean = (np.asarray(picture).astype(float) for picture in pictures)
        kept = noisy.any(2)
        sigma, lost = (noise["level"] for noise in entry["noises"])
        assert (noisy - clean)[kept].std() == pytest.approx(sigma, rel=0.1)
        assert 1 - kept.mean() == pytest.approx(lost, abs=0.03)
    assert printed == (out / "recipe-data.toml").read_text()
    assert tomllib.loads(printed)["data"]["source"] == "photos"
    command = "quietlight synthesize photo photos --like report.json --spread 0.1 --seed 0 --format png --out"
    assert command in (out / "README.md").read_text()
    assert f"{COUNT} done" in told


def test_a_second_run_makes_what_is_missing(folder):
    arguments = ("photos", "--noise", "gaussian=10..30", "--out", "out")
    run(*arguments)
    (folder / "out" / "noisy" / "1.png").unlink()
    PillowImage.new("L", (9, 9), 99).save(folder / "photos" / "new.png")
    _, told = run(*arguments)
    assert f"{COUNT - 1} pairs are there already" in told
    assert [path.name for path in (folder / "out" / "noisy").glob("new.png")] == ["new.png"]
    _, told = run(*arguments)
    assert f"{COUNT + 1} pairs are there already" in told
    _, told = run(*arguments, "--overwrite")
    assert f"{COUNT + 1} done" in told


def test_one_bad_file_does_not_stop_the_rest(folder):
    (folder / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    PillowImage.new("L", (9, 9), 99).save(folder / "photos" / "0.png")  # its pair is called as that of 0.jpg
    write(RawFrame(np.full((8, 8), 0.5, np.float32), "RGGB"), folder / "raw.dng")
    printed, told = run("photos", "raw.dng", "missing.jpg", "--noise", "gaussian=10", "--out", "out", code=1)
    lines = [line for line in told.splitlines() if line.startswith("quietlight: ")]
    reasons = ("photos/0.png: its pair would be called as", "photos/broken.jpg: ", "raw.dng: is a raw", "missing.jpg: ")
    assert [sum(reason in line for line in lines) for reason in reasons] == [1] * len(lines)
    assert len(json.loads((folder / "out" / "manifest.json").read_text())["pairs"]) == COUNT
    assert "[data]" in printed


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["photos"], "one of --like", 2),
        (["photos", "--like", "report.json", "--noise", "gaussian=1"], "one of --like", 2),
        (["photos", "--noise", "gaussian=1", "--spread", "0.2"], "--spread belongs", 2),
        (["photos", "--noise", "rain=1"], "unknown noise 'rain'", 1),
        (["photos", "--like", "none.json"], "none.json: cannot be read", 1),
        (["nowhere", "--noise", "gaussian=1"], "no such file", 1),
        (["out/clean", "--noise", "gaussian=1"], "lies in the folder of the pairs", 1),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(folder, arguments, words, code):
    _, told = run(*arguments, "--out", "out", code=code)
    assert words in " ".join(told.replace("│", " ").split())
    assert code == 2 or len(told.strip().splitlines()) == 1
    assert not (folder / "out").exists()


def test_it_teaches_itself():
    assert "Examples" in run("--help")[0]
