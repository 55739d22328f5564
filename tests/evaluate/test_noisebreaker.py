"""The rows of gradual denoising: who can run, what is run, what a stored result depends on, and how steps are scored."""

from __future__ import annotations

import hashlib
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from quietlight import zoo
from quietlight.analysis.judgement import Judgement
from quietlight.evaluate import BENCHMARKS, PEERS
from quietlight.evaluate.page import page
from quietlight.evaluate.peers import NOT_TRAINED, peer, removals
from quietlight.evaluate.run import evaluate
from quietlight.evaluate.sample import Sample, photo_score
from quietlight.evaluate.table import Report, Row, Table, as_text, cells
from quietlight.frames import Image, UnusableInput
from quietlight.networks import NETWORKS
from quietlight.noise.classes import TABLES, NoiseClass
from quietlight.registry import build, resolve
from quietlight.systems import Result, noisebreaker
from quietlight.systems.primaries import POOLS, primary

ROWS = [name for name in PEERS if name.startswith("noisebreaker")]
PRIMARIES = ["noisebreaker-additive-gray", "noisebreaker-camera-gray", "noisebreaker-drops-gray", "unet-gray"]
TRAINED = ["noisebreaker", "noisebreaker-p", "noisebreaker-one-crop", "noisebreaker-unchained", "noisebreaker-local"]
"""Rows that need nothing but these and a classifier."""


def put(folder: Path, name: str, seed: int = 0) -> None:
    """Weights in a folder of ours: of a classifier, or of a denoiser."""
    torch.manual_seed(seed)
    kind, arguments = "dncnn", {"depth": 3, "width": 4, "channels": 3 if name.endswith("color") else 1}
    if "classifier" in name:
        kind, arguments = "mobilenet", {"classes": 11, "width": 0.1, "hidden": 8}
    network = build(NETWORKS, kind, "network", arguments)
    facts = {"multiple": str(network.multiple), "recipe": json.dumps({"data": {"arguments": {"table": "table1"}}})}
    zoo.save(folder / f"{name}.safetensors", kind, arguments, network.state_dict(), facts)
    digests = {f.stem: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.glob("*.safetensors")}
    (folder / zoo.HASHES).write_text(json.dumps(digests))


@pytest.fixture
def ours(tmp_path, monkeypatch):
    """The folder of our weights, with small ones."""
    folder = tmp_path / "ours"
    for name in ("noise-classifier", *PRIMARIES):
        put(folder, name)
    monkeypatch.setattr(zoo, "FOLDERS", (folder,))
    return folder


def samples(data, name):
    return [(part, make()) for part in resolve(BENCHMARKS, name, "benchmark")().parts for make in part.samples(data)]


def test_a_row_runs_where_all_of_its_weights_are(ours):
    assert [name for name in ROWS if not peer(name).absent] == [name for name in ROWS if name in TRAINED]
    assert {peer(name).absent for name in ROWS} == {"", NOT_TRAINED}
    used = {name: {weights.name for weights in peer(name).used(1)} for name in TRAINED}
    assert set.union(*used.values()) == {"noise-classifier", *PRIMARIES}
    for missing in sorted(set.union(*used.values())):
        file = ours / f"{missing}.safetensors"
        aside = file.rename(file.with_suffix(".aside"))
        for name in TRAINED:
            assert bool(peer(name).absent) == (missing in used[name])
        aside.rename(file)


def test_stored_results_depend_on_all_weights_that_a_row_uses(ours):
    def fingerprints(channels: int) -> dict[str, str]:
        return {name: peer(name).fingerprint(channels) for name in TRAINED}

    for changed in ("noise-classifier", *PRIMARIES):
        before, used = fingerprints(1), {name: [w.name for w in peer(name).used(1)] for name in TRAINED}
        put(ours, changed, seed=1)
        for name, fingerprint in fingerprints(1).items():
            assert (fingerprint != before[name]) == (changed in used[name])
    gray, color = fingerprints(1), fingerprints(3)
    assert gray == color
    put(ours, "noisebreaker-drops-color")
    assert fingerprints(1) == gray
    assert not set(fingerprints(3).values()) & set(color.values())


def test_a_row_takes_another_classifier(ours, tmp_path):
    put(tmp_path / "other", "noise-classifier", seed=2)
    other = tmp_path / "other" / "noise-classifier.safetensors"
    made = peer(f"noisebreaker={other}")
    assert made.weights.sha256 == hashlib.sha256(other.read_bytes()).hexdigest()
    assert peer(f"noisebreaker-natures={other}").absent == ""
    with pytest.raises(UnusableInput, match="told"):
        peer(f"noisebreaker-p={other}")


@pytest.mark.parametrize("pool", ["default", "untrained-for-chains"])
def test_the_last_noise_is_removed_first_and_no_denoiser_runs_twice(pool):
    def denoisers(natures):
        return [primary(pool, NoiseClass(nature)) for nature in natures]

    for length in range(4):
        for natures in product([*POOLS[pool], "salt-and-pepper"], repeat=length):
            removed = removals(natures, pool)
            assert set(denoisers(removed)) == set(denoisers(natures))
            assert len(set(denoisers(removed))) == len(removed)
            places = [length - 1 - natures[::-1].index(nature) for nature in removed]
            assert places == sorted(places, reverse=True)
    assert removals(("poisson", "gaussian", "bernoulli"), pool) == ["bernoulli", "gaussian"]


@pytest.mark.parametrize(
    ("benchmark", "expected"),
    [
        ("bsd68-mixture", ["bernoulli", "gaussian"]),
        ("bsd68-mixture-sp", ["salt-and-pepper", "gaussian"]),
        ("bsd68-mixture3", ["bernoulli", "gaussian"]),
        ("cbsd68-mixture", ["bernoulli", "gaussian"]),
        ("bsd68-clean", []),
        ("bsd68-single", None),
    ],
)
def test_who_is_told_removes_what_struck(benchmark, expected, ours, data):
    told = peer("noisebreaker-p")
    for part, sample in samples(data, benchmark)[::3]:
        result = told.run(sample)
        natures = [step["nature"] for step in result.record["steps"]]
        assert natures == ([sample.info["nature"]] if expected is None else expected), part.name
        assert "unsure" not in photo_score(result, sample)
    with pytest.raises(UnusableInput, match="know theirs"):
        told.run(Sample("blind", sample.input, sample.truth))


@pytest.mark.parametrize("found", ["gaussian 15-35", "bernoulli", "clean"])
@pytest.mark.parametrize("certainty", [0.2, 0.39, 0.41, 0.9])
def test_unsure_is_where_the_fallback_would_run(found, certainty, ours, data, monkeypatch):
    classes = TABLES["table1"]
    rest = (1 - certainty) / (len(classes) - 1)
    probabilities = tuple(certainty if one.name == found else rest for one in classes)
    look = Judgement(classes, probabilities, tuple(one.high for one in classes))
    monkeypatch.setattr(noisebreaker, "classify", lambda *_: look)
    _, sample = samples(data, "bsd68-mixture")[0]
    result = peer("noisebreaker").run(sample)
    assert not result.record["fallback"]
    fell_back = noisebreaker.noisebreaker(sample.input).record["fallback"]
    # One denoiser serves all other natures, so what is divided among them is not in doubt.
    lost = found == "bernoulli" and certainty < noisebreaker.UNSURE * (1 - rest)  # among the classes of noise
    assert photo_score(result, sample)["unsure"] == fell_back == lost


def steps_of(*natures: str) -> dict[str, object]:
    return {"steps": [{"nature": nature} for nature in natures]}


def test_precision_and_recall_are_those_of_the_repaired_pixels():
    rng = np.random.default_rng(0)
    noisy = rng.integers(1, 200, (16, 20, 1), np.uint8)
    hit, repaired = rng.random((2, *noisy.shape)) < 0.3
    sample = Sample("made", Image(noisy), np.zeros(noisy.shape, np.float32), {"mask": hit})
    smooth = noisy + np.uint8(5)
    for order in (("gaussian", "bernoulli"), ("salt-and-pepper", "gaussian"), ("bernoulli",)):
        stages, pixels = [], noisy
        for nature in order:
            pixels = smooth if nature == "gaussian" else np.where(repaired, pixels + np.uint8(9), pixels)
            stages.append(Image(pixels))
        values = photo_score(Result(stages[-1], steps_of(*order), tuple(stages)), sample)
        assert values["precision"] == pytest.approx((hit & repaired).sum() / repaired.sum())
        assert values["recall"] == pytest.approx((hit & repaired).sum() / hit.sum())
    blurred = photo_score(Result(Image(smooth), steps_of("gaussian"), (Image(smooth),)), sample)
    assert "precision" not in blurred
    assert blurred["recall"] == 0
    spared = Sample("spared", sample.input, sample.truth, {"mask": np.zeros_like(hit)})
    stage = Image(np.where(repaired, noisy + np.uint8(9), noisy))
    values = photo_score(Result(stage, steps_of("bernoulli"), (stage,)), spared)
    assert values["precision"] == 0
    assert "recall" not in values
    for output in (Image(smooth), Result(Image(smooth), {"network": "unet"})):
        assert list(photo_score(output, sample)) == ["psnr", "ssim", "gain"]


def test_the_rows_stand_in_one_table(ours, data, tmp_path):
    systems = ["noisy", *ROWS]
    report = evaluate("bsd68-mixture", data, systems=systems, limit=2, journal=tmp_path / "j.jsonl")
    table = report.tables[0]
    header, *lines = cells(table)
    assert [line[0] for line in lines] == systems
    assert {len(line) for line in lines} == {len(header)}
    told = dict(zip(header, lines[1 + ROWS.index("noisebreaker-p")], strict=True))
    assert (told["RECALL"] != "", told["UNSURE"], told["GMAC/MP"]) == (True, "", "")
    noisy = dict(zip(header, lines[0], strict=True))
    assert (noisy["GAIN"], noisy["least gain"], noisy["RECALL"], noisy["UNSURE"]) == ("+0.00", "+0.00", "", "")
    for row in table.rows[1:]:
        assert (row.absent == "") == (row.system in TRAINED)
        used = peer(row.system).used(1)
        floats = sum(w.tensors[key].size for w in used for key in w.tensors if not key.endswith(BOOKKEEPING))
        assert (row.parameters or 0) == (0 if row.absent else floats)
        assert row.sha256.split() == [w.sha256 for w in used]
    report.write_json(tmp_path / "r.json")
    assert Report.read_json(tmp_path / "r.json").tables == report.tables
    assert all(name in page(report) and name in as_text(table) for name in ROWS)
    assert all(measurement.crop for measurement in report.measurements)
    again = evaluate("bsd68-mixture", data, systems=systems, limit=2, journal=tmp_path / "j.jsonl")
    assert again.tables == report.tables


BOOKKEEPING = ("running_mean", "running_var", "num_batches_tracked")
"""Of batch normalisation: stored, but not trained."""


def test_who_is_told_is_never_the_best():
    rows = [Row(name, "", means={"psnr": value}) for name, value in (("noisebreaker-p", 31.0), ("noisebreaker", 30.0))]
    report = Report("bsd68-mixture", "", "0", 1, (Table("bsd68", 1, 1, None, tuple(rows)),), ())
    assert 'class="best">30.00<' in page(report)
    assert 'class="best">31.00<' not in page(report)
