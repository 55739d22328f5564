"""What a classifier says of a photo: crops vote, whatever the photo's size, type and colours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quietlight import zoo
from quietlight.analysis.classify import CROP, classes_of, classify
from quietlight.analysis.judgement import Judgement
from quietlight.frames import Image, UnusableInput
from quietlight.networks.noise_classifier import NoiseClassifier
from quietlight.noise.classes import TABLES
from quietlight.train.recipe import load
from quietlight.zoo import Weights

CLASSES = TABLES["table1-camera"]
RECIPE = Path(__file__).parents[2] / "recipes" / "noise-classifier.toml"
SMALL = {
    "classes": len(CLASSES),
    "backbone": 0.1,
    "hidden": 8,
    "width": 4,
    "encoder": [1, 1],
    "middle": 1,
    "decoder": [1, 1],
}
SHAPES = [(1, 1), (5, 7), (64, 40), (300, 231), (230, 460)]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """A tiny classifier that learnt nothing, with the recipe of the real one."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "judge.safetensors"
    network = NoiseClassifier(**SMALL)  # type: ignore[arg-type]
    torch.nn.init.normal_(network.logits.weight, std=20)  # or it would say nearly the same of all photos
    metadata = {"multiple": str(network.multiple), "recipe": load(RECIPE).to_json()}
    zoo.save(path, "noise-classifier", SMALL, network.state_dict(), metadata)
    return zoo.read(str(path))


@pytest.fixture
def asked(judge: Weights, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """A function (answer) -> the batches that are shown; each crop is answered by `answer(crop)`: logits and levels."""

    def fake(answer: Callable[[Any], Any]) -> list[Any]:
        batches: list[Any] = []

        def run(_: Weights, batch: Any) -> Any:
            batches.append(batch)
            return np.float32([answer(crop) for crop in batch])

        monkeypatch.setattr("quietlight.engine.run", run)
        return batches

    return fake


def photo(height: int, width: int, channels: int = 1, seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / 40
    waves = np.stack([100 + 60 * np.sin(rows + c + seed) + 50 * np.cos(columns) for c in range(channels)], axis=-1)
    return Image(np.uint8(np.clip(waves + rng.normal(0, 5 * (1 + seed), waves.shape), 0, 255)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_photo_is_judged(shape: tuple[int, int], channels: int, judge: Weights) -> None:
    for pixels in (photo(*shape, channels).pixels, np.zeros((*shape, channels), np.uint8)):
        said = classify(Image(pixels), judge)
        assert said.classes == CLASSES
        assert sum(said.probabilities) == pytest.approx(1)
        assert min(said.probabilities) >= 0
        assert all(c.low <= level <= c.high for c, level in zip(CLASSES, said.levels, strict=True))
        # The same picture in the other types.
        other = [Image(pixels.astype(np.uint16) * 257), Image(np.float32(pixels / 255))]
        for judged in (classify(image, judge) for image in other):
            np.testing.assert_allclose(judged.probabilities, said.probabilities, rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(judged.levels, said.levels, rtol=1e-3)


@pytest.mark.parametrize("across", [1, 2, 3])
@pytest.mark.parametrize("size", [(224, 224), (223, 300), (447, 448), (671, 672), (230, 765)])
def test_crops_are_cut_out_of_the_photo_spread_and_never_resized(
    size: tuple[int, int], across: int, judge: Weights, asked: Callable[..., list[Any]]
) -> None:
    batches = asked(lambda _: np.zeros(2 * len(CLASSES)))
    rows, columns = (np.arange(n) // 3 for n in size)  # a channel tells the row, and one the column
    pixels = np.stack([*np.broadcast_arrays(rows[:, None], columns[None, :], 7)], axis=-1).astype(np.uint8)
    classify(Image(pixels), judge, across)
    assert all(batch.dtype == np.float32 and len(batch) <= 6 for batch in batches)
    crops = [np.rint(crop[0] * 255).astype(int) for batch in batches for crop in batch]
    found = set()
    for down, right, third in zip(crops[::3], crops[1::3], crops[2::3], strict=True):
        assert (down == down[:, :1]).all() and (right == right[:1]).all() and (third == 7).all()
        tall, wide = (min(CROP, n) for n in size)
        # Beyond a side that is no multiple of what the network wants, a few pixels are mirrored.
        assert 0 <= down.shape[0] - tall < judge.multiple and 0 <= right.shape[1] - wide < judge.multiple
        tops = [t for t in range(size[0] - tall + 1) if np.array_equal(down[:tall, 0], rows[t : t + tall])]
        lefts = [t for t in range(size[1] - wide + 1) if np.array_equal(right[0, :wide], columns[t : t + wide])]
        found.add((tops[0], lefts[0]))
    counts = [min(across, max(n // CROP, 1)) for n in size]
    assert len(found) == len(crops) // 3 == counts[0] * counts[1]
    for axis, (n, count) in enumerate(zip(size, counts, strict=True)):
        starts = sorted({place[axis] for place in found})
        room = n - min(CROP, n)
        expected = [room / 2] if count == 1 else np.linspace(0, room, count)
        np.testing.assert_allclose(starts, expected, atol=3)


def test_the_vote_is_the_mean_and_a_level_counts_as_far_as_its_crop_believes(
    judge: Weights, asked: Callable[..., list[Any]]
) -> None:
    def answer(crop: Any) -> Any:
        dark = crop.mean() < 0.5
        logits, levels = np.full(len(CLASSES), -50.0), np.full(len(CLASSES), 0.9)
        logits[1 if dark else 4] = logits[0] = 0  # half gaussian 0-15; half gaussian or speckle 15-35
        levels[0] = 0.2 if dark else 0.6
        levels[1] = 2.0 if dark else -3.0
        return np.concatenate([logits, levels])

    asked(answer)
    dark, light = (Image(np.full((70, 70, 1), v, np.uint8)) for v in (20, 220))
    said = classify([dark, light, light], judge)
    expected = np.zeros(len(CLASSES))
    expected[[0, 1, 4]] = 1 / 2, 1 / 6, 1 / 3
    np.testing.assert_allclose(said.probabilities, expected, atol=1e-9)
    assert said.found.name == "gaussian 0-15"
    assert said.certainty == pytest.approx(0.5)
    assert said.level == pytest.approx(15 * (0.2 + 0.6 + 0.6) / 3)
    assert said.levels[1] == CLASSES[1].high  # more than the class goes to
    assert said.levels[4] == pytest.approx(0.9 * 35)


def test_photos_that_share_their_noise_vote_together(judge: Weights) -> None:
    one, two = photo(230, 300, seed=1), photo(500, 230, seed=2)
    apart = [np.array(classify(p, judge).probabilities) for p in (one, two)]
    assert np.abs(apart[0] - apart[1]).max() > 1e-3  # else this could not fail
    together = classify([one, two], judge).probabilities
    np.testing.assert_allclose(together, (apart[0] + 2 * apart[1]) / 3, atol=1e-6)


def test_colours_vote_as_three_gray_photos(judge: Weights) -> None:
    color = photo(100, 240, 3, seed=3)
    grays = [Image(color.pixels[..., c : c + 1]) for c in range(3)]
    one, three = classify(color, judge), classify(grays, judge)
    np.testing.assert_allclose(one.probabilities, three.probabilities, atol=1e-6)
    np.testing.assert_allclose(one.levels, three.levels, rtol=1e-4)


@pytest.mark.parametrize("recipe", ["", "[]", "{}", "nonsense", '{"data": {"arguments": {"table": "no such"}}}'])
def test_weights_that_are_of_no_classifier_are_refused(recipe: str, judge: Weights) -> None:
    for metadata in ({"recipe": recipe}, {}):
        with pytest.raises(UnusableInput, match="judge: these weights are not of a classifier"):
            classes_of(replace(judge, metadata=metadata))
    assert classes_of(judge) == CLASSES


def test_weights_that_know_other_classes_than_they_say_are_refused(judge: Weights) -> None:
    said = json.loads(judge.metadata["recipe"])
    for table in ("natures", "table1"):
        said["data"]["arguments"]["table"] = table
        with pytest.raises(UnusableInput, match=f"each of the {len(TABLES[table])} classes"):
            classify(photo(64, 64), replace(judge, metadata={"recipe": json.dumps(said)}))


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    classes = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    some = st.one_of(st.just(0.0), st.floats(1e-6, 1))
    parts = draw(st.lists(some, min_size=len(classes), max_size=len(classes)).filter(any))
    levels = tuple(draw(st.floats(c.low, c.high)) for c in classes)
    return Judgement(classes, tuple(p / sum(parts) for p in parts), levels)


@given(judgements())
def test_a_judgement_is_of_its_most_probable_class_and_fits_into_json(said: Judgement) -> None:
    assert said.certainty == max(said.probabilities) == said.probabilities[said.index]
    told = said.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert (told["class"], told["nature"]) == (said.found.name, said.found.nature)
    assert bool(told["unit"]) == bool(told["nature"])
    assert list(told["probabilities"]) == [c.name for c in said.classes]
    assert said.found.low - 1e-4 <= told["level"] <= said.found.high + 1e-4


@given(judgements(), st.data())
def test_what_is_out_of_the_question_is_never_found(said: Judgement, data: st.DataObject) -> None:
    classes = [c for c in said.classes if c.nature]
    out = data.draw(st.sets(st.sampled_from(classes)))
    left = said.without(out)
    assert left.found not in out
    assert sum(left.probabilities) == pytest.approx(1)
    assert all(p == 0 for c, p in zip(left.classes, left.probabilities, strict=True) if c in out)
    kept = [
        (p, q) for c, p, q in zip(said.classes, said.probabilities, left.probabilities, strict=True) if c not in out
    ]
    if total := sum(p for p, _ in kept):
        np.testing.assert_allclose([q for _, q in kept], [p / total for p, _ in kept])
    else:
        assert left.found.name == "clean"
