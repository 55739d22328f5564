"""Classifiers are scored by what they say of the class, its level and their own certainty."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from quietlight.analysis.judgement import Judgement
from quietlight.evaluate import CLASSIFIERS
from quietlight.evaluate.confusion import (
    CLASSES,
    PAPER,
    calibration_error,
    class_score,
    class_summary,
    confusion,
    error_cells,
    matrix_cells,
)
from quietlight.evaluate.peers import NOT_TRAINED
from quietlight.evaluate.run import evaluate
from quietlight.evaluate.sample import Sample, photo_score
from quietlight.evaluate.table import Report, as_markdown, as_text, cells
from quietlight.frames import Image, UnusableInput
from quietlight.noise.classes import TABLES, NoiseClass

BENCHMARK = "noisebreaker-classes"
NAMES = [one.name for one in CLASSES]
TOOL = Path(__file__).parents[2] / "tools" / "benchmark_tables.py"
PICTURE = np.zeros((8, 8, 1), np.float32)


def sample(truth: str, level: float = 0.0) -> Sample:
    return Sample(truth, Image(PICTURE), PICTURE, {"class": NAMES.index(truth), "level": level})


def judgement(classes: tuple[NoiseClass, ...], name: str, certainty: float = 1.0, level: float = 0.0) -> Judgement:
    """Of the class of that name, the rest of the probability spread over the others."""
    rest = (1 - certainty) / (len(classes) - 1)
    probabilities = tuple(certainty if one.name == name else rest for one in classes)
    assert name in [one.name for one in classes]
    return Judgement(classes, probabilities, (level,) * len(classes))


def scored(truth: str, found: str, table: str = "table1-camera", **more: float) -> dict[str, float]:
    return class_score(judgement(TABLES[table], found, **more), sample(truth))


def knowing(one: Sample) -> Judgement:
    return judgement(CLASSES, NAMES[one.info["class"]], level=one.info["level"])


def guessing(table: str):
    def judge(one: Sample) -> Judgement:
        rng = np.random.default_rng(list(one.name.encode()))
        probabilities = rng.dirichlet(np.full(len(TABLES[table]), 0.3))
        return Judgement(TABLES[table], tuple(probabilities), tuple(rng.uniform(0, 50, len(TABLES[table]))))

    return judge


def test_who_knows_everything_is_right_everywhere(data, enter):
    enter("knowing", knowing)
    for table in evaluate(BENCHMARK, data, systems=["knowing"], limit=33).tables:
        row = table.rows[0]
        assert row.means["accuracy"] == row.means["type accuracy"] == 1
        assert {value for name, value in row.means.items() if "error" in name} == {0}
        assert row.confusion is not None
        assert row.confusion.errors == {}
        for index, counts in enumerate(row.confusion.counts):
            assert sum(counts) == (3 if table.part == "table1" else 33)
            assert all(row.confusion.is_right(index, column) for column, count in enumerate(counts) if count)


@pytest.mark.parametrize("table", TABLES)
def test_the_row_agrees_with_its_matrix(table, data, enter):
    enter("guessing", guessing(table))
    report = evaluate(BENCHMARK, data, systems=["guessing"], parts=["table1"], limit=110)
    row = report.tables[0].rows[0]
    matrix = row.confusion
    assert matrix.truths == NAMES[:11]
    assert [sum(counts) for counts in matrix.counts] == [10] * 11
    right = sum(matrix.counts[r][c] for r in range(11) for c in range(len(matrix.found)) if matrix.is_right(r, c))
    by_type = table == "natures"
    assert row.means["type accuracy" if by_type else "accuracy"] == pytest.approx(right / 110)
    assert ("accuracy" in row.means) != by_type
    assert len(matrix.found) == (6 if by_type else 12 if "camera" in table else 11)
    assert row.means["type accuracy"] >= row.means.get("accuracy", 0)
    assert bool(matrix.errors) != by_type


def test_ranges_within_a_class_count_as_it():
    fine = TABLES["fine-bernoulli"]
    for name in ("bernoulli 0-0.05", "bernoulli 0.05-0.2"):
        values = class_score(judgement(fine, name, certainty=0.9), sample("bernoulli", 0.1))
        assert values["accuracy"] == 1
        assert values["certainty"] == pytest.approx(0.9 + 0.1 / (len(fine) - 1))
    assert scored("poisson", "bernoulli 0-0.05", "fine-bernoulli")["accuracy"] == 0


def test_wider_classes_are_scored_by_type():
    values = scored("gaussian 35-55", "gaussian 0-55", "natures", certainty=0.7)
    assert "accuracy" not in values
    assert (values["type accuracy"], values["certainty"]) == (1, 0.7)
    assert scored("gaussian 35-55", "speckle 0-55", "natures")["type accuracy"] == 0
    assert "accuracy" not in scored("clean", "clean", "natures")  # the whole classifier is, not single answers


def test_unknown_noise_is_wrong():
    banding = (NoiseClass("banding", 1, 2), *TABLES["table1"])
    values = class_score(judgement(banding, "banding 1-2"), sample("clean"))
    assert values["accuracy"] == values["type accuracy"] == 0
    assert confusion([values]).found[-1] == "other"
    assert scored("camera", "gaussian 0-15", "table1")["accuracy"] == 0


def test_levels_count_where_the_noise_was_recognised():
    right = class_score(judgement(CLASSES, "gaussian 15-35", level=21.0), sample("gaussian 15-35", 20.0))
    wrong = class_score(judgement(CLASSES, "gaussian 15-35", level=21.0), sample("gaussian 0-15", 14.0))
    drops = class_score(judgement(CLASSES, "bernoulli", level=0.12), sample("bernoulli", 0.1))
    speckle = class_score(judgement(CLASSES, "speckle 0-15", level=3.0), sample("speckle 0-15", 10.0))
    clean = class_score(judgement(CLASSES, "clean", level=9.0), sample("clean"))
    means = class_summary([right, wrong, drops, speckle, clean])["means"]
    assert means["sigma error"] == pytest.approx(1)
    assert means["p error"] == pytest.approx(0.02)
    assert "sigma error" not in class_summary([wrong, clean])["means"]


@pytest.mark.parametrize(
    ("truth", "found", "kind"),
    [
        ("speckle 0-15", "clean", 0),
        ("uniform 10", "gaussian 0-15", 0),
        ("clean", "speckle 0-15", 1),
        ("gaussian 15-35", "gaussian 35-55", 2),
        ("uniform 50", "uniform 10", 2),
        ("gaussian 15-35", "clean", 3),
        ("clean", "bernoulli", 3),
        ("poisson", "speckle 15-35", 3),
    ],
)
def test_kinds_of_errors(truth, found, kind):
    answers = [scored(truth, found), scored("bernoulli", "poisson"), scored("poisson", "poisson")]
    shares = confusion(answers).errors
    assert list(shares) == list(PAPER)
    assert sum(shares.values()) == pytest.approx(1) == pytest.approx(sum(PAPER.values()))
    assert list(shares.values())[kind] == (1 if kind == 3 else 0.5)


def test_calibration_is_the_gap_between_certainty_and_accuracy():
    rng = np.random.default_rng(0)
    certainty = rng.uniform(0.1, 1, 20_000)
    honest = rng.random(certainty.size) < certainty
    assert calibration_error(certainty, honest.astype(float)) < 0.015
    boasting = rng.random(certainty.size) < certainty - 0.1
    assert calibration_error(certainty, boasting.astype(float)) == pytest.approx(0.1, abs=0.015)
    assert calibration_error(np.ones(4), np.array([1.0, 1.0, 0.0, 0.0])) == 0.5


def test_each_kind_of_system_has_its_benchmarks(data):
    with pytest.raises(UnusableInput, match="noise-classifier"):
        evaluate(BENCHMARK, data, systems=["noisy"])
    with pytest.raises(UnusableInput, match="noisy"):
        evaluate("bsd68-mixture", data, systems=["noise-classifier"])
    with pytest.raises(UnusableInput, match="classifiers"):
        class_score(Image(PICTURE), sample("clean"))
    with pytest.raises(UnusableInput, match="photos"):
        photo_score(judgement(CLASSES, "clean"), sample("clean"))


def test_weights_are_run_by_classify(data, weights, monkeypatch):
    """Whoever was not trained says so; who was is asked through `analysis.classify`."""
    asked = []

    def classify(image, found):
        asked.append((image.pixels.shape[2], found.sha256))
        return judgement(TABLES["table1"], "clean", certainty=0.5)

    monkeypatch.setitem(sys.modules, "quietlight.analysis.classify", SimpleNamespace(classify=classify))
    monkeypatch.setattr("quietlight.zoo.names", list)
    systems = [*CLASSIFIERS, *(f"{name}={weights}" for name in CLASSIFIERS), str(weights)]
    rows = evaluate(BENCHMARK, data, systems=systems, parts=["table1"], limit=11).tables[0].rows
    count = len(CLASSIFIERS)
    assert [row.absent for row in rows] == [NOT_TRAINED] * count + [""] * (count + 1)
    assert asked == [(1, rows[-1].sha256)] * (11 * (count + 1))
    for row in rows[count:]:
        assert row.means["accuracy"] == pytest.approx(1 / 11)
        assert row.means["calibration error"] == pytest.approx(0.5 - 1 / 11)


@pytest.fixture
def report(data, enter):
    for name, table in (("six", "natures"), ("<all>", "table1-camera")):
        enter(name, guessing(table))
    return evaluate(BENCHMARK, data, systems=["six", "<all>", "mobilenet"], limit=66)


def test_everything_is_said_in_every_form(report, tmp_path):
    assert [t.part for t in report.tables] == ["table1", "salt-and-pepper", "camera"]
    report.write_json(tmp_path / "r.json")
    back = Report.read_json(tmp_path / "r.json")
    assert back.tables == report.tables
    assert [m.values for m in back.measurements] == [m.values for m in report.measurements]
    out = tmp_path / "benchmarks.md"
    subprocess.run([sys.executable, TOOL, tmp_path / "r.json", "--out", out], check=True)
    for table in report.tables:
        assert as_markdown(table) in out.read_text()
        header = cells(table)[0]
        assert header[1:3] == ["ACCURACY", "TYPE ACCURACY"]
        for row in table.rows:
            for line in matrix_cells(row.confusion) if row.confusion else ():
                assert "  ".join(line).split() in [shown.split() for shown in as_text(table).splitlines()]
                assert f"| {' | '.join(line)} |" in as_markdown(table)
    shares = error_cells({row.system: row.confusion for row in report.tables[0].rows if row.confusion})
    assert [line[0] for line in shares[1:-1]] == ["<all>"]
    assert shares[-1][1:] == ["29%", "14%", "26%", "31%"]
    assert "31%" in as_text(report.tables[0])
    assert "31%" not in as_text(report.tables[1])  # of one class there is nothing to compare with the paper


def test_scores_that_a_row_lacks_leave_a_gap(report):
    header, six, every, absent = cells(report.tables[0])
    assert (six[0], six[1]) == ("six", "")
    assert every[1] == f"{report.tables[0].rows[1].means['accuracy']:.3f}"
    assert absent[1] == NOT_TRAINED
    assert {len(line) for line in (header, six, every, absent)} == {len(header)}
