"""Every benchmark says the same again and again, and its noise is the noise that it claims."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from quietlight.evaluate import BENCHMARKS
from quietlight.evaluate.benchmarks import CROP, SINGLES
from quietlight.evaluate.confusion import CLASSES
from quietlight.evaluate.sample import UNTOUCHED, Benchmark, Part, Sample, as_floats, digest
from quietlight.frames import Image, UnusableInput
from quietlight.noise import NOISES
from quietlight.registry import resolve

REAL = Path(os.environ.get("QUIETLIGHT_DATA", "data"))
MADE = {name: resolve(BENCHMARKS, name, "benchmark")() for name in BENCHMARKS}
PARTS = [(name, part) for name, made in MADE.items() if made.kind in ("photos", "classes") for part in made.parts]
MANY = 24
"""Samples that are looked at, of parts that have more."""


def benchmark(name: str) -> Benchmark:
    made: Benchmark = resolve(BENCHMARKS, name, "benchmark")()
    return made


def part_of(name: str, part: str = "") -> Part:
    return next(p for p in benchmark(name).parts if part in ("", p.name))


def samples(part: Part, data: Path, limit: int | None = MANY) -> list[Sample]:
    return [make() for make in part.samples(data)[:limit]]


@pytest.mark.parametrize(("name", "part"), PARTS, ids=[f"{n}:{p.name}" for n, p in PARTS])
def test_every_part_of_every_benchmark(name, part, data):
    first, second = samples(part, data), samples(part, data)
    assert [s.name for s in first] == sorted({s.name for s in first})
    for one, again in zip(first, second, strict=True):
        assert isinstance(one.input, Image)
        assert digest(one.input) == digest(again.input)
        assert one.input.pixels.shape == one.truth.shape
        assert one.truth.min() >= 0
        assert one.truth.max() <= 1
        if benchmark(name).kind == "classes":
            continue
        perfect, untouched = (benchmark(name).score(i, one) for i in (Image(one.truth), one.input))
        assert list(perfect) == list(untouched)
        assert perfect["psnr"] == UNTOUCHED
        assert perfect["ssim"] == pytest.approx(1)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_parts_have_different_names_and_an_about(name):
    names = [p.name for p in benchmark(name).parts]
    assert len(set(names)) == len(names)
    assert benchmark(name).about.endswith(".")


@pytest.mark.parametrize(
    ("name", "salt"), [("bsd68-mixture", False), ("bsd68-mixture-sp", True), ("cbsd68-mixture", False)]
)
def test_the_mixture_is_drawn_in_the_published_order(name, salt, data, clean_pixels):
    part = part_of(name)
    for i, (path, sample) in enumerate(zip(part.data[0].files(data), samples(part, data), strict=True)):
        x = clean_pixels(path)
        rng = np.random.default_rng([20200217, i])
        sigma, p = rng.uniform(0, 55), rng.uniform(0, 0.2)
        n = rng.standard_normal(x.shape).astype(np.float32)
        u, v = rng.random(x.shape[:2]), rng.random(x.shape[:2]) < 0.5
        y = x + np.float32(sigma / 255) * n
        y[u < p] = (v if salt else np.zeros_like(v))[u < p][:, None]
        expected = np.round(np.clip(y, 0, 1) * 255) / 255
        np.testing.assert_allclose(as_floats(sample.input), expected, atol=1e-6)
        np.testing.assert_array_equal(sample.info["mask"].any(axis=2), u < p)
        assert (sample.info["sigma"], sample.info["p"]) == (sigma, p)


FIXED = [(name, part) for name, part in PARTS if part.sha256]


@pytest.mark.parametrize(("name", "part"), FIXED, ids=[f"{n}:{p.name}" for n, p in FIXED])
def test_the_fixed_inputs(name, part):
    for data_set in part.data:
        if not (REAL / data_set.folder).is_dir():
            pytest.skip(f"{data_set.folder} is not in the folder that QUIETLIGHT_DATA names")
    found = hashlib.sha256()
    for sample in samples(part, REAL, limit=None):
        found.update(digest(sample.input))
    assert found.hexdigest() == part.sha256


def test_awgn_is_neither_clipped_nor_rounded(data):
    for part in benchmark("awgn").parts:
        sigma = int(part.name.rpartition("-")[2])
        noise = np.concatenate([(as_floats(s.input) - s.truth).ravel() for s in samples(part, data)])
        assert noise.std() * 255 == pytest.approx(sigma, rel=0.05)
        assert abs(noise.mean()) < 4 * sigma / 255 / noise.size**0.5
    assert as_floats(samples(part_of("awgn", "bsd68-50"), data)[0].input).max() > 1


def test_single_classes_draw_their_level_in_their_range(data):
    assert [p.name for p in benchmark("bsd68-single").parts] == list(SINGLES)
    for part in benchmark("bsd68-single").parts:
        one = SINGLES[part.name]
        levels = {s.info["level"] for s in samples(part, data)}
        assert all(one.low <= level <= one.high for level in levels)
        assert len(levels) == (1 if one.low == one.high else 3)
        assert {s.info["nature"] for s in samples(part, data)} == {one.nature}


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    """A data folder with one picture larger than a crop in each set of the classes."""
    folder = tmp_path_factory.mktemp("larger")
    rng = np.random.default_rng(0)
    for number, data_set in enumerate(part_of("noisebreaker-classes").data):
        shape = (CROP + 9, CROP + 3 + number) if "gray" in data_set.folder else (CROP + 2, CROP + 12, 3)
        (folder / data_set.folder).mkdir()
        PillowImage.fromarray(rng.integers(0, 256, shape, np.uint8)).save(folder / data_set.folder / "a.png")
    return folder


def test_crops_are_drawn_in_the_published_order(larger):
    part = part_of("noisebreaker-classes", "table1")
    files = [file for data_set in part.data for file in data_set.files(larger)]
    assert len(part.samples(larger)) == 2200
    seen = set()
    for index, sample in enumerate(samples(part, larger)):
        n, number = divmod(index, 11)
        rng = np.random.default_rng([20200221, number, n])
        picture = rng.integers(3)
        gray = np.asarray(PillowImage.open(files[picture]).convert("L"), np.float32)[..., None] / 255
        top, left = (rng.integers(side - CROP + 1) for side in gray.shape[:2])
        level = rng.uniform(CLASSES[number].low, CLASSES[number].high)
        np.testing.assert_allclose(sample.truth, gray[top : top + CROP, left : left + CROP], atol=1e-6)
        assert sample.truth.shape == (CROP, CROP, 1)
        assert (sample.info["class"], sample.info["level"]) == (number, level)
        if CLASSES[number].nature == "gaussian":
            noise = np.float32(level / 255) * rng.standard_normal(sample.truth.shape).astype(np.float32)
            np.testing.assert_array_equal(sample.input.pixels, np.rint(np.clip(sample.truth + noise, 0, 1) * 255))
        if CLASSES[number].name == "clean":
            np.testing.assert_allclose(as_floats(sample.input), sample.truth, atol=1e-6)
        seen.add((picture, top, left))
    assert len(seen) > MANY / 2


def test_salt_and_pepper_hits_the_pixels_that_bernoulli_drops(larger):
    number = [one.nature for one in CLASSES].index("bernoulli")
    drops = samples(part_of("noisebreaker-classes", "table1"), larger)[number::11]
    for drop, salted in zip(drops, samples(part_of("noisebreaker-classes", "salt-and-pepper"), larger), strict=False):
        np.testing.assert_array_equal(drop.truth, salted.truth)
        assert (salted.info["class"], salted.info["level"]) == (number, drop.info["level"])
        differs = salted.input.pixels != drop.input.pixels
        assert 0 < differs.mean() < drop.info["level"]
        assert set(drop.input.pixels[differs]) == {0}
        assert set(salted.input.pixels[differs]) == {255}


def test_mixture3_begins_with_poisson(data, clean_pixels):
    part = part_of("bsd68-mixture3")
    path = part.data[0].files(data)[0]
    rng = np.random.default_rng([20200219, 0])
    x = (rng.poisson(clean_pixels(path) * np.float32(255)) / 255).astype(np.float32)
    sigma, p = rng.uniform(0, 55), rng.uniform(0, 0.2)
    y = x + np.float32(sigma / 255) * rng.standard_normal(x.shape).astype(np.float32)
    y[rng.random(x.shape) < p] = 0
    found = as_floats(samples(part, data)[0].input)
    np.testing.assert_allclose(found, np.round(np.clip(y, 0, 1) * 255) / 255, atol=1e-6)


def test_spatial_noise_differs_over_the_picture(data):
    for sample in samples(part_of("bsd68-spatial", "halves"), data):
        pixels, middle = sample.input.pixels, sample.truth.shape[1] // 2
        right = pixels[:, middle:] / 255
        lost = right == 0
        assert 0.1 < lost.mean() < 0.2
        np.testing.assert_allclose(right[~lost], sample.truth[:, middle:][~lost], atol=1e-6)
        assert (pixels[:, :middle] / 255 - sample.truth[:, :middle]).std() * 255 == pytest.approx(30, rel=0.15)
    noise = [as_floats(s.input) - s.truth for s in samples(part_of("bsd68-spatial", "scattered"), data)]
    variance = 0.1 * 50**2 / 3 + 0.2 * 35**2 + 0.7 * 10**2
    assert np.concatenate(noise, axis=None).var() * 255**2 == pytest.approx(variance, rel=0.15)


def test_clean_pictures_are_clean(data):
    for sample in samples(part_of("bsd68-clean"), data):
        assert benchmark("bsd68-clean").score(sample.input, sample)["psnr"] == UNTOUCHED


NATURES = {
    "bsd68-mixture": ("gaussian", "bernoulli"),
    "bsd68-mixture-sp": ("gaussian", "salt-and-pepper"),
    "bsd68-mixture3": ("poisson", "gaussian", "bernoulli"),
    "cbsd68-mixture": ("gaussian", "bernoulli"),
    "bsd68-clean": (),
}


@pytest.mark.parametrize("name", [n for n, made in MADE.items() if made.kind == "photos" and n != "awgn"])
def test_samples_know_their_natures(name, data):
    for part in benchmark(name).parts:
        for sample in samples(part, data):
            natures = sample.info["natures"]
            assert set(natures) <= set(NOISES)
            assert natures == NATURES.get(name, natures)
            assert ("mask" in sample.info) == ("mixture" in name)
            if "nature" in sample.info:
                assert natures == (sample.info["nature"],)


def test_real_pairs_belong_together(data):
    for sample in samples(part_of("polyu"), data):
        assert "_real" in sample.name
        np.testing.assert_array_equal(as_floats(sample.input), sample.truth)


def test_missing_data_says_where_it_was_looked_for_and_where_it_comes_from(tmp_path):
    for _, part in PARTS:
        with pytest.raises(UnusableInput) as error:
            part.samples(tmp_path)
        assert str(tmp_path / part.data[0].folder) in str(error.value)
        assert part.data[0].source in str(error.value)
        assert "QUIETLIGHT_DATA" in str(error.value)
