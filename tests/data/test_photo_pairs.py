"""A pair follows from the photo, its name and the seed alone, and has the noise that was asked for."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quietlight.data.photo_noise import PHOTO_NOISES, Strike, like_report, parse_noise, strike
from quietlight.data.photo_pairs import PhotoPairs
from quietlight.data.photos import Step
from quietlight.frames import Image, UnusableInput
from quietlight.io import read, write
from quietlight.train.recipe import parse

BERNOULLI = {"nature": "bernoulli", "level": 0.09, "unit": "share of pixels", "kept": True}
GAUSSIAN = {"nature": "gaussian", "level": 23.1, "unit": "sigma, 0-255"}
NOISE = parse_noise("gaussian=5..15,bernoulli=0.05")
# Camera noise declares its variance before JPEG, by a usual camera.
EXACT = [name for name in PHOTO_NOISES if name != "camera"]


@pytest.fixture
def report(tmp_path):
    """A function: any value -> the file that holds it as JSON."""

    def write_json(value):
        path = tmp_path / "report.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write_json


@pytest.fixture
def photo(tmp_path):
    """A function (name, depth, channels) -> a photo around mid-gray."""

    def make(name="a.png", kind=np.uint8, channels=3, size=(24, 20)):
        white = 1 if kind == np.float32 else np.iinfo(kind).max
        pixels = np.random.default_rng(len(name)).uniform(0.4, 0.6, (*size, channels)) * white
        path = tmp_path / "photos" / name
        write(Image(pixels.astype(kind)), path)
        return path

    return make


def made(out, *sources, noise=NOISE, seed=0, **more):
    pairs = PhotoPairs(out, noise, seed, **more)
    names = {f"{source.stem}.png": source for source in sources}
    pairs.resume(set(names))
    with pairs:
        for name, source in names.items():
            if not pairs.is_made(source, name):
                pairs.make(source, name)
    return pairs


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", EXACT)
def test_the_difference_of_a_pair_has_the_declared_mean_and_variance(name, channels):
    rng = np.random.default_rng(3)
    low, high = Strike(name, 1, 1).at(1).levels
    noise = Strike(name, 1, 1).at(low + (high - low) / 4)
    clean = np.full((400, 500, channels), 32768, np.uint16)
    error = (strike(clean, [noise], rng) / 65535.0 - clean / 65535)[..., 0]
    signal = np.array([clean[0, 0, 0] / 65535])
    declared, shift = float(noise.variance(signal)[0]), float((noise.mean(signal) - signal)[0])
    centred = error - error.mean()
    measured = np.mean(centred**2)
    spread = np.sqrt((np.mean(centred**4) - measured**2) / error.size)
    assert abs(error.mean() - shift) < 5 * np.sqrt(declared / error.size)
    assert abs(measured - declared) < 5 * spread + 1e-3 * declared


def test_what_was_removed_first_strikes_last(report):
    removed = [BERNOULLI, {**GAUSSIAN, "kept": False}, GAUSSIAN, {"nature": "", "class": "clean", "level": 0}]
    strikes = like_report(report({"system": "noisebreaker", "steps": removed}), 0.1)
    assert strikes == (Strike("gaussian", 20.79, 25.41), Strike("bernoulli", 0.081, 0.099))
    other = like_report(report([{"kind": "photo", "findings": [GAUSSIAN, BERNOULLI]}]), 0)
    assert other == (Strike("bernoulli", 0.09, 0.09), Strike("gaussian", 23.1, 23.1))
    assert like_report(report({"kind": "photo", "findings": [GAUSSIAN, BERNOULLI]}), 0) == other
    clean = np.full((300, 300, 1), 128, np.uint8)
    lost = []
    for order in (strikes, other):
        noises = [s.at(s.high) for s in order]
        lost.append(np.mean(strike(clean, noises, np.random.default_rng(0)) == 0))
    # Pixels that are lost last are black; noise that comes after lifts half of them.
    assert lost[0] == pytest.approx(0.099, abs=0.005)
    assert lost[1] == pytest.approx(0.045, abs=0.005)


def test_levels_fill_their_range_and_are_written_down(photo, tmp_path):
    sources = [photo(f"{index:03}.png", size=(2, 2)) for index in range(60)]
    pairs = made(tmp_path / "out", *sources, noise=parse_noise("gaussian=10..30,bernoulli=0.05"))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["pairs"] == [pairs.entries[name] for name in sorted(pairs.entries)]
    first, second = zip(*(entry["noises"] for entry in manifest["pairs"]), strict=True)
    levels = np.array([noise["level"] for noise in first])
    assert 10 <= levels.min() < 12
    assert 28 < levels.max() <= 30
    assert levels.mean() == pytest.approx(20, abs=4 * 20 / np.sqrt(12 * 60))
    assert {noise["level"] for noise in second} == {0.05}
    assert {noise["nature"] for noise in first} == {"gaussian"}
    assert {entry["seed"] for entry in manifest["pairs"]} == {manifest["seed"]} == {0}


def test_a_pair_knows_nothing_of_the_others(photo, tmp_path):
    a, b, c = (photo(name) for name in ("a.png", "b.png", "c.png"))
    made(tmp_path / "all", a, b, c)
    made(tmp_path / "one", b)
    made(tmp_path / "other", b, seed=1)
    everything, alone, other = (files(tmp_path / folder) for folder in ("all", "one", "other"))
    assert everything["noisy/b.png"] == alone["noisy/b.png"] != other["noisy/b.png"]
    assert everything["clean/b.png"] == other["clean/b.png"]
    clean, noisy = (read(tmp_path / "all" / part / "a.png").pixels.astype(float) for part in ("clean", "noisy"))
    residuals = noisy - clean, read(tmp_path / "all" / "noisy" / "b.png").pixels - clean
    assert abs(np.corrcoef(*(r.reshape(-1) for r in residuals))[0, 1]) < 0.3
    made(tmp_path / "one", a, b, c)  # photos added
    assert files(tmp_path / "one") == everything


def test_an_interrupted_run_goes_on(photo, tmp_path, monkeypatch):
    sources = [photo(f"{name}.png") for name in "abcd"]
    made(tmp_path / "whole", *sources)
    out, make = tmp_path / "out", PhotoPairs.make

    def stopped(pairs, source, name):
        if source == sources[2]:
            raise KeyboardInterrupt
        return make(pairs, source, name)

    monkeypatch.setattr(PhotoPairs, "make", stopped)
    with pytest.raises(KeyboardInterrupt):
        made(out, *sources)
    monkeypatch.setattr(PhotoPairs, "make", make)
    before = {path: path.stat().st_mtime_ns for path in (out / "noisy").iterdir()}
    assert len(before) == len(json.loads((out / "manifest.json").read_text())["pairs"]) == 2
    (out / "clean" / "a.png").unlink()  # half a pair is none
    made(out, *sources)
    assert files(out) == files(tmp_path / "whole")
    assert (out / "noisy" / "b.png").stat().st_mtime_ns == before[out / "noisy" / "b.png"]
    assert (out / "noisy" / "a.png").stat().st_mtime_ns > before[out / "noisy" / "a.png"]


def test_pairs_that_a_killed_run_did_not_enter_are_made_again(photo, tmp_path):
    sources = [photo(f"{name}.png") for name in "ab"]
    made(tmp_path / "out", *sources)
    whole, path = files(tmp_path / "out"), tmp_path / "out" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "pairs": []}))
    made(tmp_path / "out", *sources)
    assert files(tmp_path / "out") == whole


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_depth_and_gray_stay_and_clean_is_the_photo(photo, tmp_path, kind, channels):
    source = photo("a.tif", kind, channels)
    pairs = made(tmp_path / "out", source)
    photo_itself = read(source).pixels
    clean, noisy = (read(tmp_path / "out" / part / "a.png").pixels for part in ("clean", "noisy"))
    depth = np.uint8 if kind == np.uint8 else np.uint16
    assert clean.dtype == noisy.dtype == depth
    assert clean.shape == noisy.shape == (24, 20, channels)
    expected = np.rint(photo_itself * 65535) if kind == np.float32 else photo_itself
    np.testing.assert_array_equal(clean, expected)
    assert depth == np.uint8 or (noisy % 257).any()  # not 8 bits spread out
    facts = {"channels": channels, "bits": 8 * depth().itemsize}
    assert facts.items() <= pairs.entries["a.png"].items()
    assert tomllib.loads(pairs.recipe())["data"]["eight_bit"] == (depth == np.uint8)


def test_alpha_is_dropped(tmp_path):
    pixels = np.full((4, 5, 3), 99, np.uint8)
    write(Image(pixels, alpha=pixels[..., 0]), tmp_path / "a.png")
    made(tmp_path / "out", tmp_path / "a.png")
    assert all(read(tmp_path / "out" / part / "a.png").alpha is None for part in ("clean", "noisy"))


@pytest.mark.parametrize("name", PHOTO_NOISES)
def test_the_recipe_is_one_that_training_reads(photo, tmp_path, name):
    low, high = Strike(name, 1, 1).at(1).levels
    noise = (Strike(name, (low + high) / 2, high), Strike("gaussian", 25, 25))
    pairs = made(tmp_path / "out", photo(channels=1), noise=noise, like="my.json", photos='some "photos"')
    text = (tmp_path / "out" / "recipe-data.toml").read_text()
    assert text == pairs.recipe()
    rest = {"name": "n", "network": {"name": "unet"}, "objective": {"name": "pixel"}, "steps": 1}
    data = parse({**rest, **tomllib.loads(text)}, "recipe").data
    assert data.name == "photos"
    assert data.arguments["source"] == 'some "photos"'
    assert (data.arguments["channels"], data.arguments["eight_bit"]) == (1, True)
    for step, wanted in zip((Step.of(entry) for entry in data.arguments["noise"]), noise, strict=True):
        assert isinstance(wanted.at(wanted.low), step.nature)
        assert (step.low, step.high) == pytest.approx((wanted.low, wanted.high), rel=1e-8)


def test_the_card_says_what_it_is(photo, tmp_path):
    made(tmp_path / "out", photo("a.png"), photo("b.png"), command="quietlight …", like="my.json")
    card = (tmp_path / "out" / "README.md").read_text()
    for words in ("2 pairs", "`my.json`", "quietlight …", "| gaussian | 5 to 15 | sigma, 0-255 |", "licence"):
        assert words in card


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("nonsense", "no JSON"),
        ("[" * 100_000, "no JSON"),
        (3, "not a report"),
        ([{"findings": [GAUSSIAN]}] * 2, "holds 2 reports"),
        ({"file": "a.png", "error": "…"}, "lists no noises"),
        ({"steps": "gaussian"}, "lists no noises"),
        ({"findings": [], "kind": "photo"}, "no noise was found"),
        ({"steps": [{**GAUSSIAN, "kept": False}]}, "no noise was found"),
        ({"kind": "raw", "findings": [{"nature": "shot-read", "level": 0.01}]}, "report of a raw"),
        ({"noise_from": "frame", "shot": [1e-3]}, "report of a raw"),
        ({"steps": [{"nature": "row", "level": 0.01}]}, "row is noise of raws"),
        ({"steps": [{"nature": "smell", "level": 1}]}, "unknown noise 'smell'"),
        ({"steps": [{"nature": [1], "level": 1}]}, "a noise has a nature"),
        ({"steps": [{"nature": "gaussian"}]}, "not None"),
        ({"steps": [{**GAUSSIAN, "level": float("nan")}]}, "a finite number"),
        ({"steps": [{**GAUSSIAN, "level": float("inf")}]}, "a finite number"),
        ({"steps": [{**GAUSSIAN, "level": 10**400}]}, "a finite number"),
        ({"steps": [{**GAUSSIAN, "level": "25"}]}, "a finite number"),
        ({"steps": [{**GAUSSIAN, "level": True}]}, "a finite number"),
        ({"steps": [{**GAUSSIAN, "level": -5}]}, "cannot have sigma"),
        ({"steps": [{**BERNOULLI, "level": 0.95}]}, "at most 1"),
    ],
)
def test_what_is_no_report_of_a_noisy_photo_is_refused(report, content, words):
    path = report(content)
    with pytest.raises(UnusableInput, match=words) as refusal:
        like_report(path, 0.1)
    assert str(refusal.value).startswith(f"{path}: ")
    assert len(str(refusal.value).splitlines()) == 1


def test_a_missing_report_is_refused(tmp_path):
    with pytest.raises(UnusableInput, match=r"none\.json: cannot be read"):
        like_report(tmp_path / "none.json", 0.1)


@settings(max_examples=60)
@given(
    st.text(max_size=30) | st.from_regex(r"(gaussian|poisson|row)=[-0-9.e]{0,6}(\.\.[0-9naif]{0,4})?", fullmatch=True)
)
def test_any_text_is_noise_or_refused(text):
    try:
        strikes = parse_noise(text)
    except UnusableInput:
        return
    assert strikes
    assert all(0 <= s.low <= s.high for s in strikes)


@pytest.mark.parametrize("text", ["", "gaussian", "gaussian=", "gaussian=3..1", "gaussian=1..2..3", "gaussian=5,"])
def test_what_names_no_noise_is_refused(text):
    with pytest.raises(UnusableInput, match=r"gaussian=10\.\.30|is empty"):
        parse_noise(text)


def test_a_folder_holds_pairs_of_one_noise(photo, tmp_path):
    a, b = photo("a.png"), photo("b.png")
    out = tmp_path / "out"
    made(out, a, b)
    before = files(out)
    for what, change in (("seed", 1), ("noise", parse_noise("gaussian=5")), ("suffix", ".tif")):
        other = {"suffix": "format"}.get(what, what)
        with pytest.raises(UnusableInput, match=f"other {other}: choose another"):
            made(out, a, b, **{what: change})
    with pytest.raises(UnusableInput, match=r"b\.png has other seed, and would stay"):
        made(out, a, seed=1, overwrite=True)
    assert files(out) == before
    made(out, a, b, seed=1, overwrite=True)
    made(tmp_path / "fresh", a, b, seed=1)
    assert files(out) == files(tmp_path / "fresh") != before


def test_what_is_of_others_is_not_replaced(photo, tmp_path):
    source = photo("a.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "README.md").write_text("mine")
    with pytest.raises(UnusableInput, match=r"README\.md: exists"):
        made(out, source)
    for foreign in (
        "{}",
        "[]",
        '{"pairs": 3}',
        '{"pairs": [{"name": "a.png"}], "noise": [], "seed": 0, "format": "png"}',
    ):
        (out / "manifest.json").write_text(foreign)
        with pytest.raises(UnusableInput, match="not a manifest of such pairs"):
            made(out, source, overwrite=True)
    assert (out / "README.md").read_text() == "mine"
    assert not (out / "noisy").exists()


def test_a_name_is_that_of_one_photo(photo, tmp_path):
    jpg, png = photo("a.jpg"), photo("a.png")
    made(tmp_path / "out", jpg)
    with pytest.raises(UnusableInput, match=r"a\.png is made of a\.jpg"):
        made(tmp_path / "out", png)


def test_what_is_no_photo_leaves_nothing(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(UnusableInput, match=r"a\.png"):
        made(tmp_path / "out", Path(tmp_path / "a.png"))
    assert not (tmp_path / "out").exists()
