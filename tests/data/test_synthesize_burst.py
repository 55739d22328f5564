"""From photos to bursts of raws with the true frame, as a person makes them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from synthesizing import files, manifest, synthesize

from quietlight.camera.bayer import pack
from quietlight.camera.unprocess import fixed_camera, mosaic, unprocess
from quietlight.data.burst_folder import BurstFolder
from quietlight.frames import Burst, NoiseProfile, RawFrame
from quietlight.io import read, write

STILL = ("--near", 0, "--far-frames", 0, "--rotation", 0, "--moving", 0, "--jitter", 0)
QUIET = ("--noise", "upi=1e-9")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """photos/ with long waves: 0.png, sub/1.png of odd size, 16 bits and gray, and whom to credit for the first."""
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:180, :220]
    waves = [0.5 + 0.2 * np.sin(x / 17 + y / 31 + c) + 0.2 * np.cos(y / 15 - x / 37) for c in range(3)]
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    PillowImage.fromarray(np.uint8(255 * np.stack(waves, -1))).save("photos/0.png")
    PillowImage.fromarray((65535 * waves[0][:161, :171]).astype(np.uint16)).save("photos/sub/1.png")
    (tmp_path / "photos" / "ATTRIBUTION.tsv").write_text("file\tauthor\tlicence\n0.png\tEve\tCC BY 4.0\n")
    return tmp_path


def run(*arguments, verb="burst", code=0):
    return "".join(synthesize(verb, *arguments, code=code))


@pytest.mark.parametrize("suffix", ["dng", "safetensors"])
@pytest.mark.parametrize("kind", ["upi=1e-3..1e-2", "physics", "profile"])
def test_photos_become_bursts_with_the_noise_that_they_tell(photos, kind, suffix):
    entry = {"camera": "My One", "iso": 100, "shot": [2e-3, 1e-3, 3e-3], "read": [4e-6] * 3, "row": 1e-6}
    Path("mine.json").write_text(json.dumps({"format": "quietlight noise profile 1", "entries": [entry]}))
    noise = ("--profile", "mine.json") if kind == "profile" else ("--noise", kind)
    options = ("--frames", 3, "--cfa", "GBRG", "--format", suffix, "--licence", "CC0")
    assert "2 done" in run("photos", *STILL, *noise, *options, "--out", "out")
    ending = "" if suffix == "dng" else ".safetensors"
    bursts = manifest()["bursts"]
    assert [(e["name"], e["licence"], e["credit"]) for e in bursts] == [
        (f"0{ending}", "CC BY 4.0", {"author": "Eve"}),
        (f"sub/1{ending}", "CC0", {}),
    ]
    assert [(e["height"], e["width"]) for e in bursts] == [(90, 110), (80, 84)]
    assert not Path("out/moving").exists()
    for entry in bursts:
        noisy = read(f"out/noisy/{entry['name']}")
        clean = read(f"out/clean/{entry['name'].removesuffix(ending)}.{suffix}")
        assert isinstance(noisy, Burst) and len(noisy.frames) == 3 and noisy.reference == 0
        assert clean.noise is None and clean.mosaic.shape == (entry["height"], entry["width"])
        truth, residuals = pack(clean.mosaic, "GBRG"), []
        for frame in noisy.frames:
            assert (frame.cfa, frame.iso) == ("GBRG", clean.iso)
            assert frame.noise == NoiseProfile(*(tuple(entry["noise_profile"][key]) for key in ("shot", "read")))
            colors = [frame.noise.variance(plane, color) for plane, color in zip(truth, (0, 1, 1, 2), strict=True)]
            residuals.append((pack(frame.mosaic, "GBRG") - truth) / np.sqrt(colors))
            assert np.square(residuals[-1]).mean() == pytest.approx(1, abs=6 * np.sqrt(3 / truth.size))
        assert abs((residuals[0] * residuals[1]).mean()) < 6 / np.sqrt(truth.size)
    card = Path("out/README.md").read_text("utf-8")
    for words in ("2 bursts of 3 frames", " ".join(map(str, noise)), "| shot |", "1 of: CC0", "1 of: CC BY 4.0"):
        assert words in card


def seen(truth, entry, index):
    """What the manifest tells of frame `index` from the truth [H, W] of RGGB: its planes, and where that is sure, [4, H/2, W/2]."""
    told, thing = entry["frames"][index], entry["object"]
    turn = np.radians(told["rotation"])
    middle = np.array([(side - 1) / 2 for side in truth.shape])[:, None, None]
    planes, known = [], []
    for plane, offset in zip(pack(truth, "RGGB"), ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        offset = np.array(offset)[:, None, None]
        y, x = 2 * np.mgrid[: plane.shape[0], : plane.shape[1]] + offset - middle
        at = np.stack([y * np.cos(turn) - x * np.sin(turn), y * np.sin(turn) + x * np.cos(turn)])
        at += np.array(told["shift"])[:, None, None]
        sure = np.ones(plane.shape, bool)
        if thing:
            ellipse = [np.array(thing[key])[:, None, None] for key in ("middle", "radii", "velocity")]
            moved = at - index * ellipse[2]
            here, before = (np.hypot(*((p - ellipse[0]) / ellipse[1])) for p in (moved, at))
            at = np.where(here < 1, moved, at)
            # Edges are soft, and what the object hides in the truth nobody knows.
            sure = (here < 0.8) | ((here > 1.2) & (before > 1.2))
        place = (at + middle - offset) / 2
        first = np.floor(place).astype(int)
        last = np.array(plane.shape)[:, None, None] - 2
        share = place - first
        rows, columns = np.clip(first, 0, last)
        known.append(sure & ((first >= 0) & (first <= last)).all(0))
        upper, lower = (
            plane[rows + r, columns] * (1 - share[1]) + plane[rows + r, columns + 1] * share[1] for r in (0, 1)
        )
        planes.append(upper * (1 - share[0]) + lower * share[0])
    return told["exposure"] * np.stack(planes), np.stack(known)


@pytest.mark.parametrize("moving", [0, 1])
def test_the_manifest_tells_where_frames_lie_and_what_moves(photos, moving):
    run("photos/0.png", *QUIET, "--far", 8, "--rotation", 2, "--jitter", 0.1, "--moving", moving, "--out", "out")
    (entry,) = manifest()["bursts"]
    assert (entry["object"] is None) != bool(moving)
    assert entry["frames"][0] == {"shift": [0, 0], "rotation": 0, "exposure": 1}
    truth, frames = read("out/clean/0.dng").mosaic, read("out/noisy/0").frames
    for index, frame in enumerate(frames):
        planes = pack(frame.mosaic, "RGGB")
        expected, known = seen(truth, entry, index)
        assert known.mean() > 0.3
        assert np.abs(planes - expected)[known].mean() < 1e-3
        assert index == 0 or np.abs(planes - pack(truth, "RGGB"))[known].mean() > 1e-2


def test_the_truth_is_the_photo_halved_in_linear_light(photos):
    run("photos/0.png", "--camera", "C", "--crop", 24, "--moving", 0, "--far", 9, "--out", "out")
    (entry,) = manifest()["bursts"]
    top, left, height, width = entry["area"]
    assert (height, width) == (48, 48)
    photo = np.asarray(PillowImage.open("photos/0.png"))[top : top + height, left : left + width] / 255
    linear = unprocess(photo, fixed_camera("C")).reshape(24, 2, 24, 2, 3).mean((1, 3))
    assert np.abs(read("out/clean/0.dng").mosaic - mosaic(linear, "RGGB")).max() < 1e-4


def test_crops_lie_anywhere_and_are_of_one_size(photos):
    for seed in range(4):
        run("photos", "--crop", 32, "--frames", 1, "--seed", seed, "--format", "safetensors", "--out", f"out{seed}")
    entries = [entry for seed in range(4) for entry in manifest(f"out{seed}")["bursts"]]
    assert {(entry["height"], entry["width"]) for entry in entries} == {(32, 32)}
    assert len({tuple(entry["area"]) for entry in entries}) > 4
    for entry, sides in zip(entries, [(180, 220), (160, 170)] * 4, strict=True):
        for first, side in zip(entry["area"], sides, strict=False):
            assert 32 <= first <= side - 64 - 32  # the farthest shift away from the borders


def test_of_what_moves_there_is_a_mask(photos):
    options = ("photos/0.png", *QUIET, "--frames", 2)
    run(*options, "--moving", 1, "--out", "out")
    run(*options, "--moving", 0, "--out", "still")
    (entry,) = manifest()["bursts"]
    mask = read("out/moving/0.png").pixels[..., 0]
    y, x = (np.arange(side) - (side - 1) / 2 for side in mask.shape)
    (down, right), radii = entry["object"]["middle"], entry["object"]["radii"]
    outside = np.hypot((y[:, None] - down) / radii[0], (x - right) / radii[1])
    assert (mask[outside < 0.9] == 255).all() and not mask[outside > 1.1].any()
    moving, still = (read(f"{out}/clean/0.dng").mosaic for out in ("out", "still"))
    assert np.abs(moving - still)[mask == 0].max() < 1e-4 < np.abs(moving - still)[mask > 0].mean()
    run(*options, "--moving", 0, "--out", "out", "--overwrite")
    assert files("out", ("README.md",)) == files("still", ("README.md",))


def test_equal_seeds_give_equal_bytes_and_bursts_know_nothing_of_others(photos):
    run("photos", "--out", "all")
    run("photos/0.png", "--out", "one")
    run("photos/0.png", "--seed", 1, "--out", "other")
    everything, one, other = (files(name, ("README.md", "manifest.json")) for name in ("all", "one", "other"))
    assert one.items() <= everything.items()
    assert one["noisy/0/frame_003.dng"] != other["noisy/0/frame_003.dng"]
    run("photos", "--out", "one")
    assert files("one", ("README.md",)) == files("all", ("README.md",))


class Killed(BaseException):
    """Of a run that is ended from outside."""


@pytest.mark.parametrize(("suffix", "count"), [("dng", 7), ("safetensors", 4)])
def test_a_run_that_is_killed_anywhere_goes_on(photos, suffix, count, monkeypatch):
    options = ("photos/0.png", "--moving", 1, "--format", suffix, "--frames", 3)
    run(*options, "--out", "whole")
    whole = files("whole", ("README.md",))
    replace = Path.replace
    for stop in range(count):
        left = iter(range(stop))

        def only_some(beside, target, left=left):
            if next(left, None) is None:
                raise Killed
            return replace(beside, target)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Path, "replace", only_some)
            run(*options, "--out", f"out{stop}")
        assert len(files(f"out{stop}")) == stop
        if stop:  # A manifest comes first, and says whose the folder is.
            assert files(f"out{stop}")["manifest.json"] != whole["manifest.json"]
        run(*options, "--out", f"out{stop}")
        assert files(f"out{stop}", ("README.md",)) == whole


def test_what_is_missing_is_made_again_and_other_settings_are_refused(photos, monkeypatch):
    options = ("photos", "--moving", 1, "--frames", 2, "--out", "out")
    run(*options)
    whole, made, make = files("out"), [], BurstFolder.make
    monkeypatch.setattr(
        BurstFolder, "make", lambda folder, source, name: made.append(name) or make(folder, source, name)
    )
    assert "2 pairs are there already" in run(*options)
    for missing in ("noisy/sub/1/frame_001.dng", "clean/sub/1.dng", "moving/sub/1.png"):
        Path("out", missing).unlink()
        run(*options)
        assert made == ["sub/1"] and files("out") == whole
        made.clear()
    for more, words in (
        (("--seed", 1), "other seed"),
        (("--frames", 3, "--crop", 32), "other frames and crop"),
        (("--rotation", 1), "other motion"),
    ):
        assert words in run(*options, *more, code=1)
    assert "not a manifest of such pairs" in run("photos", "--out", "out", verb="raw", code=1)
    assert files("out") == whole
    run(*options, "--frames", 1, "--overwrite")
    assert sorted(p.name for p in Path("out/noisy/0").iterdir()) == ["frame_000.dng", "reference_frame.txt"]


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["photos", "--noise", "rain"], "upi or physics", 1),
        (["photos", "--iso", "100"], "--iso belongs to --profile", 2),
        (["photos", "--frames", "65"], "1 to 64 frames, not 65", 1),
        (["photos", "--crop", "33"], "an even side of 16 pixels or more, not 33", 1),
        (["photos", "--crop", "0"], "an even side of 16 pixels or more, not 0", 1),
        (["photos", "--near", "-1"], "near is 0 to 1000 pixels, not -1", 1),
        (["photos", "--far", "nan"], "far is 0 to 1000 pixels, not nan", 1),
        (["photos", "--far-frames", "65"], "far_frames is 0 to 64 frames, not 65", 1),
        (["photos", "--rotation", "3"], "rotation is 0 to 2 degrees, not 3", 1),
        (["photos", "--moving", "2"], "moving is 0 to 1 of the bursts, not 2", 1),
        (["photos", "--jitter", "2"], "jitter is 0 to 1 of an exposure, not 2", 1),
        (["photos/0.png", "--crop", "100"], "0.png: of 180x220 pixels is too small for such frames", 1),
        (["photos/0.png", "--far", "50"], "which take 236x236: allow less motion, or a smaller crop", 1),
        (["nowhere"], "no such file", 1),
        (["out/clean"], "lies in the folder of the pairs", 1),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(photos, arguments, words, code):
    said = run(*arguments, "--out", "out", code=code)
    assert words in " ".join(said.replace("│", " ").split())
    assert code == 2 or len(said.strip().splitlines()) == 1
    assert not Path("out").exists()


def test_sources_that_do_not_serve_are_told_apart(photos, monkeypatch):
    monkeypatch.setattr("quietlight.data.burst_folder.MOST_PIXELS", 8 * 80 * 84)
    write(RawFrame(np.full((8, 8), 0.5, np.float32), "RGGB"), Path("raw.dng"))
    said = run("raw.dng", "photos", *STILL, "--out", "out", code=1)
    assert "raw.dng: is a raw" in said
    assert "0.png: 8 frames of 90x110 are more than" in said
    assert [entry["name"] for entry in manifest()["bursts"]] == ["sub/1"]


def test_it_teaches_itself():
    said = run("--help")
    assert "Examples" in said and "frame_000.dng" in said
