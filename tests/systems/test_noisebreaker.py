"""Gradual denoising ends, does nothing twice, leaves the clean alone, and tells all that it did, whatever a classifier says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quietlight import zoo
from quietlight.analysis import words
from quietlight.analysis.judgement import Judgement
from quietlight.frames import Image, Metadata, RawFrame, UnusableInput
from quietlight.networks.noise_classifier import NoiseClassifier
from quietlight.networks.unet import UNet
from quietlight.noise.classes import TABLES
from quietlight.systems import Result
from quietlight.systems.noisebreaker import examine, noisebreaker, repeat
from quietlight.systems.primaries import BLIND, DROPS, LEAST, LIMIT, POOLS

CLASSES = TABLES["table1"]
NOISY = [c for c in CLASSES if c.nature]
SHIFT = 4 / 255
"""What the tiny denoisers subtract."""
TYPES = ["uint8", "uint16", "float32"]
SIZES = [(1, 1), (5, 7), (33, 18)]
STOPS = {"clean", "limit", "no gain", "unsure"}
TOLD = {"class", "nature", "level", "unit", "certainty", "probabilities", "denoiser", "removed", "seconds", "kept"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny weights under all names that a chain may ask for."""
    folder = tmp_path_factory.mktemp("zoo")
    arguments: dict[str, Any] = {"width": 4, "encoder": [1], "middle": 1, "decoder": [1]}
    network = UNet(1, **arguments)
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.constant_(network.head.bias, SHIFT)
    tiny = folder / "tiny.safetensors"
    zoo.save(tiny, "unet", arguments, network.state_dict(), {"multiple": str(network.multiple)})
    for name in {BLIND, *chain.from_iterable(pool.values() for pool in POOLS.values())}:
        (folder / f"{name}-gray.safetensors").write_bytes(tiny.read_bytes())
    torch.manual_seed(0)
    judge = NoiseClassifier(backbone=0, hidden=8, **arguments)
    facts = {"multiple": str(judge.multiple), "recipe": json.dumps({"data": {"arguments": {"table": "table1"}}})}
    arguments = {"backbone": 0, "hidden": 8, **arguments}
    zoo.save(folder / "noise-classifier.safetensors", "noise-classifier", arguments, judge.state_dict(), facts)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    hashes = {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.safetensors")}
    (folder / zoo.HASHES).write_text(json.dumps(hashes))


@pytest.fixture(autouse=True)
def ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "FOLDERS", (folder,))
    # A picture of a few pixels has not the tones of a photo.
    monkeypatch.setattr("quietlight.systems.noisebreaker.is_drawn", lambda _: False)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """A function (*judgements) -> what was looked at: the classifier says these in turn, and the last one forever."""
    return lambda *looks: scripted(monkeypatch, looks)


def scripted(monkeypatch: pytest.MonkeyPatch, looks: Any) -> list[Any]:
    seen: list[Any] = []

    def classify(photos: Any, *_: Any) -> Judgement:
        seen.append(photos)
        return looks[min(len(seen), len(looks)) - 1]  # type: ignore[no-any-return]

    monkeypatch.setattr("quietlight.systems.noisebreaker.classify", classify)
    return seen


def says(monkeypatch: pytest.MonkeyPatch, estimate: Callable[[Image], Any]) -> None:
    """Every denoiser gives these pixels."""
    made = lambda photo, *_, progress=None, **__: Result(replace(photo, pixels=estimate(photo)), {})  # noqa: E731
    monkeypatch.setattr("quietlight.systems.primaries.network", made)


def said(name: str, level: float | None = None, certainty: float = 0.9) -> Judgement:
    """So sure of one class, and of clean for the rest."""
    shares = {"clean": 1.0 - certainty}
    shares[name] = shares.get(name, 0.0) + certainty
    levels = tuple(c.high if level is None else level for c in CLASSES)
    return Judgement(CLASSES, tuple(shares.get(c.name, 0.0) for c in CLASSES), levels)


CLEAN = said("clean", 0.0)
NOWHERE = Judgement(CLASSES, (1 / len(CLASSES),) * len(CLASSES), tuple(c.high for c in CLASSES))
"""A classifier that cannot decide."""


def photo(height: int, width: int, channels: int = 1, dtype: str = "uint8") -> Image:
    full = 1 if dtype == "float32" else np.iinfo(dtype).max
    values = np.random.default_rng(0).uniform(0.1, 0.9, (height, width, channels)) * full
    alpha = np.full((height, width), full, dtype)
    return Image(values.astype(dtype), alpha, profile=b"profile", metadata=Metadata(b"exif", b"xmp"))


def checked(before: Image, result: Result, shares: list[float]) -> None:
    """What holds of every run in which a classifier decides."""
    record, steps, stages = result.record, result.record["steps"], result.stages
    assert json.loads(json.dumps(record)) == record
    assert {"steps", "left", "stopped", "fallback"} <= set(record)
    assert record["stopped"] in STOPS
    assert len(stages) == len(steps) <= LIMIT
    assert len({step["denoiser"] for step in steps}) == len(steps)
    assert result.frame is (stages[-1] if stages else before)
    for step, (one, other) in zip(steps, pairwise((before, *stages)), strict=True):
        assert set(step) >= TOLD
        assert step["kept"] == (not np.array_equal(one.pixels, other.pixels))
        assert 0 <= step["removed"]["changed"] <= 1
        assert step["removed"]["changed"] > 0 or not step["kept"]
        assert step["seconds"] >= 0
        assert sum(step["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert not record["fallback"] or any(step["denoiser"].startswith(BLIND) for step in steps)
    assert record["unsure"] or not record["fallback"]
    left = record["left"]
    is_clean = not left["nature"] or left["level"] < LEAST.get(left["nature"], 0)
    assert (record["stopped"] == "clean") == is_clean
    assert words.sentence(record)
    after = result.frame
    assert isinstance(after, Image)
    assert (after.pixels.dtype, after.pixels.shape) == (before.pixels.dtype, before.pixels.shape)
    assert after.alpha is before.alpha
    assert (after.profile, after.metadata, after.linear) == (before.profile, before.metadata, before.linear)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert shares[0] >= 0


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_a_clean_photo_comes_back_as_it_is(size: Any, channels: int, dtype: str, script: Any) -> None:
    before, shares = photo(*size, channels, dtype), []
    for look in (CLEAN, said("clean", 0.0, 0.1), said("gaussian 0-15", 0.5 * LEAST["gaussian"])):
        seen = script(look)
        result = noisebreaker(before, progress=shares.append)
        assert result.frame is before
        assert result.record == {
            "steps": [],
            "stopped": "clean",
            "fallback": False,
            "classifier": "noise-classifier",
            "unsure": False,
            "left": look.to_dict(),
        }
        assert len(seen) == 1
    checked(before, result, shares)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_only_pixels_change(size: Any, channels: int, dtype: str, script: Any) -> None:
    before, shares = photo(*size, channels, dtype), []
    kept = before.pixels.copy()
    script(said("speckle 15-35"), CLEAN)
    result = noisebreaker(before, progress=shares.append)
    checked(before, result, shares)
    np.testing.assert_array_equal(before.pixels, kept)
    full = 1 if dtype == "float32" else np.iinfo(dtype).max
    removed = kept - result.frame.pixels.astype(float)
    # The tiny denoisers darken every plane that they are shown, and of a colour photo the first is the mean of the colours.
    np.testing.assert_allclose(removed.mean(), SHIFT * full, rtol=0.01)
    [step] = result.record["steps"]
    assert step["removed"]["deviation"] == pytest.approx(255 / full * np.sqrt(np.mean(removed**2)), rel=1e-3)
    assert (step["class"], step["nature"], step["level"]) == ("speckle 15-35", "speckle", 35)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_a_classifier_that_learnt_nothing_does_no_harm(size: Any, channels: int) -> None:
    before, shares = photo(*size, channels), []
    for fallback in (True, False):
        checked(before, noisebreaker(before, fallback=fallback, progress=shares.append), shares)
        shares.clear()
    record = examine(before)
    assert json.loads(json.dumps(record)) == record
    assert words.sentence(record)


@st.composite
def looks(draw: st.DrawFn) -> Judgement:
    """Whatever a classifier may say: many are of few classes, and of some not at all."""
    some = st.sampled_from([0.0, 0.0, 0.01, 0.1, 1.0])
    parts = draw(st.lists(some, min_size=len(CLASSES), max_size=len(CLASSES)).filter(any))
    levels = tuple(draw(st.sampled_from([c.low, c.high])) for c in CLASSES)
    return Judgement(CLASSES, tuple(p / sum(parts) for p in parts), levels)


@settings(max_examples=150, deadline=None)
@given(st.lists(looks(), min_size=1, max_size=8), st.sampled_from(sorted(POOLS)), st.booleans(), st.integers(0, 15))
def test_whatever_a_classifier_says_it_ends_and_nothing_runs_twice(
    script: list[Judgement], pool: str, fallback: bool, useless: int
) -> None:
    before, calls = photo(6, 8), iter(range(99))
    before.pixels[1, 1:3] = 0

    def estimate(one: Image) -> Any:
        """Another gray by every denoiser, but for those that do nothing."""
        number = next(calls)
        return one.pixels if useless >> number & 1 else np.full_like(one.pixels, 120 + number)

    with pytest.MonkeyPatch.context() as patch:
        seen = scripted(patch, script)
        says(patch, estimate)
        shares: list[float] = []
        result = noisebreaker(before, pool=pool, fallback=fallback, progress=shares.append)
    checked(before, result, shares)
    assert result.record["fallback"] <= fallback
    assert fallback or result.record["stopped"] != "unsure"
    assert len(seen) <= len(result.stages) + 1


def test_no_more_steps_than_the_limit(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(99))
    says(monkeypatch, lambda one: np.full_like(one.pixels, next(calls)))
    additive = [c for c in NOISY if c.nature not in DROPS]
    seen = script(*(said(c.name) for c in additive))
    result = noisebreaker(photo(6, 8), pool="dncnn")
    assert [step["class"] for step in result.record["steps"]] == [c.name for c in additive[:LIMIT]]
    assert result.record["stopped"] == "limit"
    assert result.record["left"]["class"] == additive[LIMIT].name
    assert len(seen) == LIMIT + 1


def test_a_class_that_was_removed_already_is_not_removed_again(script: Any) -> None:
    script(said("gaussian 15-35"), said("speckle 0-15"))  # one primary serves both
    result = noisebreaker(photo(9, 9))
    assert [step["class"] for step in result.record["steps"]] == ["gaussian 15-35"]
    assert result.record["stopped"] == "no gain"
    assert result.record["left"]["class"] == "speckle 0-15"


@pytest.mark.parametrize("name", ["gaussian 15-35", "bernoulli"])
def test_a_step_that_changes_nothing_is_not_kept(name: str, script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, lambda one: one.pixels.copy())
    script(said(name, 0.1 if name == "bernoulli" else 20))
    before = photo(9, 9)
    result = noisebreaker(before)
    assert result.frame is before
    assert [step["kept"] for step in result.record["steps"]] == [False]
    assert result.record["stopped"] == "no gain"


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_only_lost_pixels_change_where_pixels_were_lost(
    channels: int, dtype: str, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, full = np.random.default_rng(1), 1 if dtype == "float32" else np.iinfo(dtype).max
    clean = (rng.uniform(0.3, 0.7, (40, 50, channels)) * full).astype(dtype)
    noisy = np.clip(clean + rng.normal(0, 0.02 * full, clean.shape), 0.01 * full, 0.99 * full).astype(dtype)
    lost = rng.random((40, 50, 1)) < 0.1
    noisy = np.where(lost, rng.choice([0, full], (40, 50, 1)), noisy).astype(dtype)
    says(monkeypatch, lambda _: clean.copy())
    before, shares = Image(noisy), []
    script(said("bernoulli"), said("gaussian 0-15"), CLEAN)
    result = noisebreaker(before, progress=shares.append)
    checked(before, result, shares)
    np.testing.assert_array_equal(result.stages[0].pixels, np.where(lost, clean, noisy))
    np.testing.assert_array_equal(result.stages[1].pixels, clean)
    drops, gaussian = result.record["steps"]
    assert drops["removed"]["changed"] == pytest.approx(lost.mean(), abs=1e-6)
    assert gaussian["removed"]["deviation"] == pytest.approx(0.02 * 255, rel=0.1)


def test_where_no_class_fits_the_denoiser_for_all_runs_once_or_none(script: Any) -> None:
    for looks, stopped in (((NOWHERE, CLEAN), "clean"), ((NOWHERE,), "unsure")):
        script(*looks)
        result = noisebreaker(photo(9, 9), pool="dncnn")
        assert [step["denoiser"] for step in result.record["steps"]] == [f"{BLIND}-gray"]
        assert (result.record["fallback"], result.record["stopped"]) == (True, stopped)
    script(NOWHERE, CLEAN)
    result = noisebreaker(photo(9, 9), fallback=False)
    assert [step["class"] for step in result.record["steps"]] == [CLASSES[0].name]
    assert result.record["fallback"] is False
    # Lost pixels and all else, by one network: not the lost pixels alone.
    drops = replace(NOWHERE, probabilities=tuple(0.3 if c.nature in DROPS else 0.07 for c in CLASSES))
    script(drops, CLEAN)
    [step] = noisebreaker(photo(9, 9)).record["steps"]
    assert (step["denoiser"], step["removed"]["changed"]) == (f"{BLIND}-gray", 1)


@pytest.mark.parametrize(
    "truth", [[], ["gaussian"], ["bernoulli", "poisson"], ["salt-and-pepper", "speckle", "gaussian"]]
)
def test_a_chain_that_knows_the_noises_removes_these(
    truth: list[str], script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(said("clean"))  # is noted, and decides nothing
    before, shares = Image(np.random.default_rng(0).integers(100, 120, (20, 20, 1), np.uint8)), []
    before.pixels[::7] = 0
    calls = iter(range(99))
    says(monkeypatch, lambda one: np.full_like(one.pixels, 128 + next(calls)))
    result = noisebreaker(before, truth=truth, progress=shares.append)
    assert [step["nature"] for step in result.record["steps"]] == truth
    assert result.record["stopped"] == "told"
    assert words.sentence(result.record).startswith("Removed as asked: ")
    assert json.loads(json.dumps(result.record)) == result.record
    assert shares[-1] == 1
    assert len(result.stages) == len(truth)
    assert result.frame is (result.stages[-1] if truth else before)
    if truth and truth[0] in DROPS:
        np.testing.assert_array_equal(result.stages[0].pixels == 128, before.pixels == 0)


@pytest.mark.parametrize(("share", "level", "removed"), [(0.5, 3.0, True), (0.2, 3.0, False), (0.5, 0.5, False)])
def test_camera_noise_is_removed_where_it_is_nearly_as_probable_as_none(
    share: float, level: float, removed: bool, script: Any
) -> None:
    classes = TABLES["table1-camera"]
    chances = {"clean": 1 - share - 0.05, "camera": share - 0.05}
    rest = 0.1 / (len(classes) - 2)
    levels = tuple(level if c.nature == "camera" else 0.0 for c in classes)
    first = Judgement(classes, tuple(chances.get(c.name, rest) for c in classes), levels)
    script(first, CLEAN)
    record = noisebreaker(photo(20, 20)).record
    assert first.found.nature == ""
    assert [step["nature"] for step in record["steps"]] == (["camera"] if removed else [])
    assert (record["stopped"], record["fallback"]) == ("clean", False)


def test_a_step_that_brings_nothing_ends_the_chain(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, lambda one: one.pixels)
    looks = replace(NOWHERE, probabilities=tuple(0.5 if c.name in ("gaussian 15-35",) else 0.05 for c in CLASSES))
    seen = script(looks)
    record = noisebreaker(photo(20, 20), fallback=False).record
    assert [step["kept"] for step in record["steps"]] == [False]
    assert record["stopped"] == "no gain"
    assert len(seen) == 1


def test_photos_with_colours_get_the_network_for_colours_where_there_is_one(
    script: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in folder.glob("*.safetensors"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    arguments: dict[str, Any] = {"channels": 3, "width": 4, "encoder": [1], "middle": 1, "decoder": [1]}
    network = UNet(**arguments)
    path = tmp_path / f"{POOLS['default']['gaussian']}-color.safetensors"
    zoo.save(path, "unet", arguments, network.state_dict(), {"multiple": str(network.multiple)})
    commit(tmp_path)
    monkeypatch.setattr(zoo, "FOLDERS", (tmp_path,))
    for channels, mode in ((3, "color"), (1, "gray")):
        script(said("gaussian 15-35"), CLEAN)
        [step] = noisebreaker(photo(9, 9, channels)).record["steps"]
        assert step["denoiser"].endswith(mode)


def test_a_photo_is_examined_by_parts_that_share_one_decision(script: Any) -> None:
    before = photo(700, 300)
    seen = script(said("gaussian 15-35"), CLEAN)
    record = examine(before)
    assert [step["class"] for step in record["steps"]] == ["gaussian 15-35"]
    assert record["stopped"] == "clean"
    assert all(part.pixels.shape == (256, 256, 1) for part in seen[0])
    assert len(seen[0]) == len(seen[1]) > 1
    assert all((a.pixels != b.pixels).all() for a, b in zip(seen[0], seen[1], strict=True))


def test_what_cannot_be_is_refused(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(said("gaussian 15-35"))
    with pytest.raises(UnusableInput, match="denoises photos"):
        noisebreaker(RawFrame(np.zeros((4, 4), np.float32), "MONO"))
    with pytest.raises(UnusableInput, match="unknown pool 'all': it is one of default"):
        noisebreaker(photo(4, 4), pool="all")
    with pytest.raises(UnusableInput, match=r"no denoiser for .*rain.* in the pool default"):
        noisebreaker(photo(4, 4), truth=["rain"])
    monkeypatch.setattr(zoo, "FOLDERS", (tmp_path,))
    with pytest.raises(UnusableInput, match="no weights 'noise-classifier'"):
        noisebreaker(photo(4, 4))
    with pytest.raises(UnusableInput, match="no weights 'noise-classifier'"):
        noisebreaker(photo(4, 4), truth=["gaussian"])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "looks",
    [
        (said("gaussian 15-35"), CLEAN),
        (said("bernoulli"), CLEAN),
        (NOWHERE, CLEAN),
        (said("uniform 50"), NOWHERE, CLEAN),
    ],
)
def test_what_was_done_can_be_repeated(
    channels: int, looks: tuple[Judgement, ...], script: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every denoiser changes all pixels a little, and those that are lost much."""
    before = photo(33, 18, channels)
    before.pixels[::7, ::5] = 0
    says(monkeypatch, lambda image: np.where(image.pixels == 0, 120, image.pixels - 3).astype(np.uint8))
    script(*looks)
    result = noisebreaker(before)
    assert any(step["kept"] for step in result.record["steps"])
    np.testing.assert_array_equal(repeat(before, result.record).pixels, result.frame.pixels)
    assert repeat(before, {"steps": [step | {"kept": False} for step in result.record["steps"]]}) is before
