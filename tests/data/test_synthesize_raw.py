"""From photos to pairs of raws, and from bursts of raws to such pairs, as a person makes them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rawpy
from PIL import Image as PillowImage
from synthesizing import files, manifest, synthesize

from quietlight.camera.bayer import PLANE_COLORS, pack
from quietlight.camera.develop import process
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.data.pair_folder import PairFolder
from quietlight.frames import NoiseProfile, RawFrame
from quietlight.io import read, write
from quietlight.noise.sensor import ShotRead

NOISE = ShotRead(2e-3, 4e-6)
SHIFTS = [(0, 0), (4, -6), (-2, 8), (10, 2)]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """photos/ with 0.jpg, 1.png of odd size, sub/2.png in 16 bits of gray, and whom to credit for the first."""
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:64, :80] / 20
    wave = 128 + 60 * np.sin(x) * np.cos(y)
    color = np.stack([wave, wave, 255 - wave], -1).astype(np.uint8)
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    PillowImage.fromarray(color).save("photos/0.jpg")
    PillowImage.fromarray(color[:63, :77]).save("photos/1.png")
    PillowImage.fromarray((257 * wave).astype(np.uint16)).save("photos/sub/2.png")
    (tmp_path / "photos" / "ATTRIBUTION.tsv").write_text("file\tauthor\tlicence\n0.jpg\tEve\tCC BY 4.0\n")
    return tmp_path


def pair(entry, out="out"):
    return [read(f"{out}/{part}/{entry['name']}") for part in ("noisy", "clean")]


def run(*arguments, code=0):
    return "".join(synthesize("raw", *arguments, code=code))


@pytest.mark.parametrize("suffix", ["dng", "safetensors"])
@pytest.mark.parametrize("noise", ["upi=1e-3..1e-2", "physics"])
def test_photos_become_pairs_of_raws(photos, noise, suffix):
    said = run("photos", "--noise", noise, "--cfa", "GBRG", "--format", suffix, "--licence", "CC0", "--out", "out")
    assert "3 done" in said
    pairs = manifest()["pairs"]
    assert [entry["name"] for entry in pairs] == [f"{name}.{suffix}" for name in ("0", "1", "sub/2")]
    assert [(entry["licence"], entry["credit"]) for entry in pairs] == [
        ("CC BY 4.0", {"author": "Eve"}),
        *[("CC0", {})] * 2,
    ]
    assert [(entry["height"], entry["width"]) for entry in pairs] == [(64, 80), (62, 76), (64, 80)]
    for entry in pairs:
        noisy, clean = pair(entry)
        assert noisy.cfa == clean.cfa == "GBRG"
        assert noisy.mosaic.shape == clean.mosaic.shape == (entry["height"], entry["width"])
        assert noisy.noise == NoiseProfile(*(tuple(entry["noise_profile"][key]) for key in ("shot", "read")))
        assert clean.noise is None
        assert np.allclose(noisy.white_balance, entry["camera"]["white_balance"], rtol=1e-6)
        declared = noisy.noise.variance(pack(clean.mosaic, "GBRG"))
        ratio = (pack(noisy.mosaic, "GBRG") - pack(clean.mosaic, "GBRG")) ** 2 / declared
        assert ratio.mean() == pytest.approx(1, abs=6 * np.sqrt(3 / ratio.size))
    card = Path("out/README.md").read_text("utf-8")
    for words in ("3 pairs", f"--noise {noise}", "| shot |", "2 of: CC0", "1 of: CC BY 4.0"):
        assert words in card


def test_a_clean_raw_develops_into_its_photo(photos):
    run("photos/0.jpg", "--camera", "C", "--out", "out")
    (entry,) = manifest()["pairs"]
    _, clean = pair(entry)
    camera = fixed_camera("C")
    expected = unprocessed_frame(np.asarray(PillowImage.open("photos/0.jpg")) / 255, camera)
    assert np.abs(clean.mosaic - expected.mosaic).max() < 1e-4
    assert np.allclose(entry["camera"]["matrix"], camera.matrix)
    planes = pack(clean.mosaic, clean.cfa)
    color = np.stack([planes[[i for i, c in enumerate(PLANE_COLORS) if c == k]].mean(0) for k in range(3)], -1)
    photo = np.asarray(PillowImage.open("photos/0.jpg").reduce(2)) / 255
    assert np.abs(process(color, camera) - photo)[2:-2, 2:-2].mean() < 0.02
    with rawpy.imread("out/noisy/0.dng") as raw:
        assert raw.raw_image_visible.shape == (64, 80)


def test_equal_seeds_give_equal_bytes_and_pairs_know_nothing_of_others(photos):
    run("photos", "--out", "all")
    run("photos/1.png", "--out", "one")
    run("photos/1.png", "--seed", "1", "--out", "other")
    everything, one, other = (files(photos / name) for name in ("all", "one", "other"))
    for part in ("noisy", "clean"):
        assert everything[f"{part}/1.dng"] == one[f"{part}/1.dng"] != other[f"{part}/1.dng"]
    run("photos", "--out", "one")
    apart = {"README.md"}  # which tells the command
    assert {n: b for n, b in files(photos / "one").items() if n not in apart} == {
        n: b for n, b in everything.items() if n not in apart
    }


def test_an_interrupted_run_goes_on(photos, monkeypatch):
    run("photos", "--out", "out")
    whole = files(photos / "out")
    for name in ("noisy/1.dng", "clean/0.dng"):
        (photos / "out" / name).unlink()
    table = manifest()
    (photos / "out" / "manifest.json").write_text(json.dumps({**table, "pairs": table["pairs"][:2]}))
    make, made = PairFolder.make, []

    def counted(folder, source, name):
        made.append(name)
        return make(folder, source, name)

    monkeypatch.setattr(PairFolder, "make", counted)
    run("photos", "--out", "out")
    assert sorted(made) == ["0.dng", "1.dng", "sub/2.dng"]
    assert files(photos / "out") == whole
    assert "3 pairs are there already" in run("photos", "--out", "out")
    assert "other seed" in run("photos", "--out", "out", "--seed", 1, code=1)
    assert "other camera and cfa" in run("photos", "--out", "out", "--camera", "A", "--cfa", "BGGR", code=1)
    assert files(photos / "out") == whole
    run("photos", "--out", "out", "--seed", 1, "--overwrite")
    assert manifest()["seed"] == 1


def test_the_noise_of_a_calibrated_camera(photos):
    entries = [
        {"camera": "My One", "iso": iso, "shot": [1e-5 * iso], "read": [1e-10 * iso**2], "row": 0.0}
        for iso in (100, 400)
    ]
    (photos / "mine.json").write_text(json.dumps({"format": "quietlight noise profile 1", "entries": entries}))
    run("photos/0.jpg", "--profile", "mine.json", "--iso", 200, "--out", "out")
    (entry,) = manifest()["pairs"]
    noisy, clean = pair(entry)
    assert noisy.iso == clean.iso == entry["noise"]["iso"] == 200
    assert np.allclose(noisy.noise.shot, 2e-3) and np.allclose(noisy.noise.read, 4e-6)
    assert "My One, ISO log-uniform from 200 to 200" in Path("out/README.md").read_text("utf-8")


def test_edits_of_a_photo_are_not_those_of_its_raw(photos):
    (photos / "photos" / "0.jpg.xmp").write_text("edits")
    run("photos/0.jpg", "--out", "out")
    assert sorted(path.name for path in (photos / "out" / "noisy").iterdir()) == ["0.dng"]


def burst(folder, noise=NOISE, shifts=SHIFTS, known=True, **frames):
    """Raws f0.dng, f1.dng, ... of a scene that moves; `frames` are changed as told, by name."""
    rng = np.random.default_rng(4)
    coarse = rng.uniform(0.2, 0.8, (12, 14, 3)).repeat(12, 0).repeat(12, 1)
    scene = unprocessed_frame(coarse + rng.uniform(-0.1, 0.1, coarse.shape), fixed_camera("B"))
    for index, (rows, columns) in enumerate(shifts):
        cut = scene.mosaic[20 - rows : 120 - rows, 20 - columns : 140 - columns]
        cut = frames.get(f"f{index}", lambda cut: cut)(cut)
        profile = NoiseProfile((noise.shot,), (noise.read,)) if known else None
        frame = replace(scene, mosaic=noise.sample(cut, rng), noise=profile, iso=800, camera="A B")
        write(frame, folder / f"f{index}.dng")
    return scene.mosaic[20:120, 20:140]


@pytest.mark.parametrize("known", [True, False])
def test_a_burst_is_aligned_and_averaged(tmp_path, monkeypatch, known):
    monkeypatch.chdir(tmp_path)
    noise = NOISE if known else ShotRead(1e-2, 1e-4)
    truth = burst(tmp_path / "bursts" / "night.1", noise, known=known)
    run("bursts", "--bursts", "--out", "out")
    (entry,) = manifest()["pairs"]
    assert (entry["name"], entry["averaged"], entry["area"]) == ("night.1.dng", 3, [2, 6, 88, 106])
    assert [tuple(frame["shift"]) for frame in entry["frames"]] == SHIFTS[1:]
    noisy, clean = pair(entry)
    truth = truth[2:90, 6:112]
    reference = read("bursts/night.1/f0.dng")
    assert np.abs(noisy.mosaic - reference.mosaic[2:90, 6:112]).max() < 1e-4
    for frame, count in ((noisy, 1), (clean, 3)):
        assert np.mean((frame.mosaic - truth) ** 2) == pytest.approx(noise.variance(truth).mean() / count, rel=0.08)
        if known:
            assert np.allclose(frame.noise.shot, noise.shot / count) and np.allclose(
                frame.noise.read, noise.read / count
            )
    assert noisy.iso == clean.iso == 800
    assert "| night.1.dng | A B | 800 | 4 | 3 |" in Path("out/README.md").read_text("utf-8")
    assert "1 pairs are there already" in run("bursts", "--bursts", "--out", "out")


def test_frames_that_do_not_fit_are_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def moved(cut):
        cut = cut.copy()
        cut[30:60, 30:60] = 0.05
        return cut

    changes = {"f1": lambda cut: 1.2 * cut, "f3": moved, "f4": lambda cut: cut[::-1]}
    burst(tmp_path / "b", shifts=[*SHIFTS, (0, 2), (2, 2), (-2, -2)], **changes)
    run("b", "--bursts", "--out", "out", "--format", "safetensors")
    (entry,) = manifest()["pairs"]
    assert [frame["file"] for frame in entry["frames"] if frame["used"]] == ["f2.dng", "f5.dng", "f6.dng"]
    noisy, clean = pair(entry)
    assert np.allclose(clean.noise.shot, NOISE.shot / 3)
    assert noisy.mosaic.shape == clean.mosaic.shape == (entry["height"], entry["width"])


def test_bursts_that_do_not_serve_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    burst(tmp_path / "b" / "good")
    burst(tmp_path / "b" / "short", shifts=SHIFTS[:2])
    burst(tmp_path / "b" / "shaken", f1=np.flipud, f2=np.flipud)
    burst(tmp_path / "b" / "mixed")
    write(RawFrame(np.full((40, 40), 0.5, np.float32), "RGGB"), tmp_path / "b" / "mixed" / "f9.dng")
    (tmp_path / "b" / "LICENSE").write_text("mine")
    said = run("b", "--bursts", "--out", "out", code=1)
    lines = [line for line in said.splitlines() if line.startswith("quietlight: ")]
    reasons = (
        "short: a burst has 3 to 64 raws, not 2",
        "after the first, 1 show",
        "f9.dng: does not belong to the burst",
    )
    assert [sum(reason in line for line in lines) for reason in reasons] == [1] * len(lines)
    assert [(entry["name"], entry["licence"]) for entry in manifest()["pairs"]] == [("good.dng", "mine")]


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["photos", "--noise", "rain"], "upi or physics", 1),
        (["photos", "--noise", "physics=leica"], "unknown camera 'leica'", 1),
        (["photos", "--profile", "none.json"], "none.json cannot be read", 1),
        (["photos", "--iso", "100"], "--iso belongs to --profile", 2),
        (["photos", "--bursts", "--cfa", "BGGR"], "--cfa belongs to photos", 2),
        (["photos", "--bursts"], "no raws in it", 1),
        (["photos/0.jpg", "--bursts"], "is no folder", 1),
        (["nowhere"], "no such file", 1),
        (["out/clean"], "lies in the folder of the pairs", 1),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(photos, arguments, words, code):
    said = run(*arguments, "--out", "out", code=code)
    assert words in " ".join(said.replace("│", " ").split())
    assert code == 2 or len(said.strip().splitlines()) == 1
    assert not (photos / "out").exists()


def test_raws_and_small_photos_are_no_photos_for_it(photos):
    write(RawFrame(np.full((8, 8), 0.5, np.float32), "RGGB"), photos / "raw.dng")
    PillowImage.new("RGB", (1, 9), (9, 9, 9)).save(photos / "thin.png")
    said = run("raw.dng", "thin.png", "--out", "out", code=1)
    assert "raw.dng: is a raw" in said and "thin.png: is too small" in said


def test_it_teaches_itself():
    assert "Examples" in run("--help")
