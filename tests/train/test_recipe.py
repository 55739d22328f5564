"""A recipe is small, is data, and refuses what it does not know."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from quietlight.frames import UnusableInput
from quietlight.train.recipe import Optimiser, differences, from_json, load, parse

FOLDER = Path(__file__).parents[2] / "recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_are_small_named_as_their_file_and_listed(path):
    assert len(path.read_text().splitlines()) <= 30
    recipe = load(path)
    assert recipe.name == path.stem
    assert recipe.about
    assert f"`{path.stem}`" in (FOLDER / "README.md").read_text()


def test_a_recipe_travels_as_json_without_the_folders_of_a_machine():
    recipe = load(RECIPES[0], ["data.source=/home/me/photos", "data.held_out=packs/validation.pack"])
    travelled = from_json(recipe.to_json())
    assert travelled.data.arguments["source"] == "photos"
    assert travelled.data.arguments["held_out"] == "validation.pack"
    assert replace(travelled, data=recipe.data) == recipe
    assert differences(travelled, recipe) == []
    other = replace(recipe, seed=1, about="", optimiser=replace(recipe.optimiser, decay=1.0))
    assert differences(other, recipe) == ["optimiser.decay", "seed"]
    with pytest.raises(UnusableInput, match="not a recipe"):
        from_json("[]")


def test_overrides_are_toml_or_text():
    changes = ["data.source=/some/where", "optimiser.rate=0.5", 'start="a.safetensors"', "optimiser.milestones=[0.5]"]
    recipe = load(RECIPES[0], changes)
    assert recipe.data.arguments["source"] == "/some/where"
    assert (recipe.optimiser.rate, recipe.optimiser.milestones) == (0.5, (0.5,))
    with pytest.raises(UnusableInput, match="not a change of a recipe"):
        load(RECIPES[0], ["steps"])


@pytest.mark.parametrize(
    ("text", "names"),
    [("", ()), ("a.safetensors", ("a.safetensors",)), ('["a", "runs/b.safetensors"]', ("a", "runs/b.safetensors"))],
)
def test_a_training_starts_from_nothing_from_one_or_from_several(text, names):
    recipe = load(RECIPES[0], [f"start={text}"])
    assert recipe.start == names
    assert from_json(recipe.to_json()).start == tuple(Path(name).name for name in names)
    old = recipe.to_json().replace('"start": []', '"start": ""')  # as weights of before have it
    assert text or from_json(old) == recipe


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("stepz=3", "unknown key stepz; known are name, network"),
        ("optimiser.lr=3", "unknown key optimiser.lr; known are optimiser.name, optimiser.rate"),
        ("optimiser=3", "optimiser is a table"),
        ("steps=0", "steps is at least 1"),
        ("steps=1.5", "steps is of type int"),
        ("start=3", "start is a text or a list of texts"),
        ('start=["a", 3]', "start is a text or a list of texts"),
        ("steps=true", "steps is of type int"),
        ("batch=-1", "batch is at least 1"),
        ("accumulate=0", "accumulate is at least 1"),
        ("validate=0", "validate is at least 1"),
        ("seed=-1", "seed is at least 0"),
        ("average=1.0", "average is"),
        ("precision=fp16", "precision is one of auto, float32, bf16"),
        ("name=../weights", "without folders"),
        ("network=unet", "network is a table with a name"),
        ("optimiser.name=sgd", "optimiser.name is one of adam, adamw"),
        ("optimiser.schedule=linear", "optimiser.schedule is one of cosine, step, constant"),
        ("optimiser.rate=nan", "optimiser.rate is above 0"),
        ("optimiser.betas=[0.9]", "a list of 2 numbers"),
        ("optimiser.betas=[true, false]", "a list of numbers"),
        ("optimiser.warmup=1", "optimiser.warmup is a fraction"),
    ],
)
def test_nonsense_is_refused_in_one_line_that_names_the_file(change, words):
    with pytest.raises(UnusableInput, match=words) as caught:
        load(RECIPES[0], [change])
    assert str(RECIPES[0]) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_keys_and_files_are_refused(tmp_path):
    table = tomllib.loads(RECIPES[0].read_text())
    del table["steps"]
    with pytest.raises(UnusableInput, match="the key steps is missing"):
        parse(table, "here")
    with pytest.raises(UnusableInput, match="cannot be read"):
        load(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("name =")
    with pytest.raises(UnusableInput, match="not a recipe in TOML"):
        load(tmp_path / "broken.toml")


def test_schedules_keep_their_shape_whatever_the_length():
    cosine = Optimiser(rate=2.0, warmup=0.1, floor=0.5)
    assert [cosine.rate_at(share) for share in (0.05, 0.1, 0.55, 1.0)] == pytest.approx([1.0, 2.0, 1.5, 1.0])
    step = Optimiser(rate=2.0, warmup=0.0, schedule="step", milestones=(0.25, 0.5), factor=0.5)
    assert [step.rate_at(share) for share in (0.2, 0.25, 0.5, 1.0)] == [2.0, 1.0, 0.5, 0.5]
    constant = Optimiser(rate=2.0, warmup=0.5, schedule="constant")
    assert [constant.rate_at(share) for share in (0.25, 0.5, 1.0)] == [1.0, 2.0, 2.0]
