"""The story of a photo that was denoised in steps: all of it is told, in words and pictures, for every kind of photo."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from typer.testing import CliRunner

from quietlight.analysis import words
from quietlight.analysis.judgement import Judgement
from quietlight.cli import app
from quietlight.frames import Image, UnusableInput
from quietlight.noise import NOISES
from quietlight.noise.classes import TABLES
from quietlight.registry import resolve
from quietlight.report.pictures import most_telling
from quietlight.report.sheet import report_files, write_report
from quietlight.report.story import story_of
from quietlight.report.story_page import page
from quietlight.report.story_sheet import sheet
from quietlight.systems import Result

CLASSES = TABLES["table1"]
FOUND = [("bernoulli", 0.0913, 0.97), ("gaussian 15-35", 23.1, 0.61), ("gaussian 0-15", 4.5, 0.5)]
KINDS = [np.uint8, np.uint16, np.float32]


def judged(name: str, level: float = 0.0, certainty: float = 0.9) -> dict[str, Any]:
    """What a classifier says that is so sure of one class and not of any other."""
    others = (1 - certainty) / (len(CLASSES) - 1)
    probabilities = tuple(certainty if c.name == name else others for c in CLASSES)
    return Judgement(CLASSES, probabilities, tuple(level if c.name == name else 1.0 for c in CLASSES)).to_dict()


def photo(shape: tuple[int, ...], kind: Any = np.uint8, seed: int = 0) -> Image:
    full = 1.0 if kind == np.float32 else np.iinfo(kind).max
    return Image((np.random.default_rng(seed).random(shape) * full).astype(kind))


def told(before: Image, kept: tuple[bool, ...] = (True, True), **ending: Any) -> Result:
    """A made-up result: every kept step gives another picture."""
    picture, steps, stages = before, [], []
    for number, (is_kept, (name, level, certainty)) in enumerate(zip(kept, FOUND, strict=False), 1):
        picture = photo(before.pixels.shape, before.pixels.dtype.type, number) if is_kept else picture
        done = {"denoiser": f"net-{number}", "removed": {"deviation": 10.5 + number, "changed": 0.42}, "seconds": 1.25}
        steps.append({**judged(name, level, certainty), **done, "kept": is_kept})
        stages.append(picture)
    record = {"steps": steps, "left": judged("clean"), "stopped": "clean", "fallback": False, **ending}
    return Result(picture, record, tuple(stages))


class Balance(HTMLParser):
    """Fails where a tag is closed that was not the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in {"meta", "img", "input"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (1, 1, 3), (1, 700, 3), (300, 520, 1), (300, 200, 3)])
def test_every_photo_has_a_story(shape: tuple[int, ...], kind: Any) -> None:
    before = photo(shape, kind)
    story = story_of(before, told(before))
    text = page(story, "one.png")
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert not re.search(r'https?:|src="(?!data:)|<script|<link|@import|url\(', text)
    drawn = sheet(story)
    assert drawn.width == 1200
    assert drawn.height > 2 * story.zoom * story.place[2]


@pytest.mark.parametrize("kept", [(), (True,), (False,), (True, True, True), (True, True, False)])
def test_the_page_tells_everything(kept: tuple[bool, ...]) -> None:
    before = photo((300, 300, 1))
    result = told(before, kept)
    text = page(story_of(before, result), "one.png")
    for step in result.record["steps"]:
        facts = (
            words.measured(step), step["class"], step["denoiser"], words.percent(step["certainty"]),
            f"{step['removed']['deviation']:.3g}", words.percent(step["removed"]["changed"]), words.seconds(step["seconds"]),
        )  # fmt: skip
        for fact in facts:
            assert fact in text
    widths = [float(width) for width in re.findall(r'class="fill" style="width:([\d.]+)%"', text)]
    looks = [*result.record["steps"], result.record["left"]]
    assert widths == pytest.approx([100 * p for look in looks for p in look["probabilities"].values()], abs=0.01)
    assert text.count('class="track chosen"') == len(looks)
    # The crops: before, after and removed of what was kept, one of what was not; and the slider's two, or one without a change.
    crops = sum(3 if k else 1 for k in kept)
    assert text.count("data:image/png") == crops + (2 if any(kept) else 1)
    assert text.count("<svg") == sum(kept)
    assert text.count('type="range"') == (2 if any(kept) else 0)


def test_what_was_removed_is_the_difference() -> None:
    before = Image(np.full((40, 40, 1), 100, np.uint8))
    after = Image(np.full((40, 40, 1), 90, np.uint8))
    result = told(before, (True,))
    story = story_of(before, replace(result, frame=after, stages=(after,)))
    (step,) = story.steps
    assert set(step.removed.ravel()) == {128 + 4 * 10}
    shown = re.findall(r'src="data:image/png;base64,([^"]+)"', page(story, "x"))[-1]
    with PillowImage.open(io.BytesIO(base64.b64decode(shown))) as picture:
        assert picture.getextrema() == (168, 168)
    bins = np.linspace(-step.histogram.reach, step.histogram.reach, len(step.histogram.counts))
    assert bins[step.histogram.counts.argmax()] == pytest.approx(10, abs=bins[1] - bins[0])
    assert step.histogram.counts.sum() == pytest.approx(1)


def test_crops_hold_detail_and_flatness() -> None:
    pixels = np.full((256, 768, 1), 128, np.uint8)  # flat, half lively, all lively
    lively = np.random.default_rng(0).integers(0, 256, (256, 384, 1), dtype=np.uint8)
    pixels[:, 384:] = lively
    assert most_telling(pixels, 256) == (0, 256)
    assert most_telling(pixels[:20, :30], 256) == (0, 0)


def test_names_are_escaped() -> None:
    before = photo((16, 16, 3))
    result = told(before)
    step = {**result.record["steps"][0], "denoiser": "<b>&", "class": "<i>", "probabilities": {"<i>": 1.0}}
    text = page(story_of(before, Result(before, {**result.record, "steps": [step]}, result.stages[:1])), "<u>.png")
    assert not re.search(r"<b>&|<i>(?!</i>)|<u>", text)
    assert "&lt;u&gt;.png" in text


def test_sentences() -> None:
    before = photo((8, 8, 1))
    assert words.sentence(told(before).record) == (
        "Found 2 noises: 9% lost pixels, then gaussian noise of sigma about 23. Clean after 2 steps in 2.5 s."
    )
    assert words.sentence(told(before, ()).record) == "Clean: no noise was found. That is 90% sure."
    again = words.sentence(told(before, (True, True, True)).record)
    assert "Found 2 noises" in again
    assert "then more gaussian noise of sigma about 4.5" in again


@pytest.mark.parametrize("stopped", ["clean", "limit", "no gain", "unsure"])
@pytest.mark.parametrize("kept", [(), (True,), (False,), (True, False, False)])
@pytest.mark.parametrize("fallback", [True, False])
def test_every_ending_has_a_sentence(stopped: str, kept: tuple[bool, ...], fallback: bool) -> None:
    left = judged("clean" if stopped == "clean" else "uniform 10", 10, 0.4)
    said = words.sentence(told(photo((8, 8, 1)), kept, stopped=stopped, left=left, fallback=fallback).record)
    assert said[0].isupper()
    assert said.endswith(".")
    assert ("clean" in said.lower()) == (stopped == "clean")
    assert ("uniform noise of about ±10 (40% sure)" in said) == (stopped != "clean")
    assert ("denoiser for all" in said) == fallback
    assert ("taken back" in said) == (False in kept)


@pytest.mark.parametrize("nature", NOISES)
def test_every_nature_can_be_spoken_of(nature: str) -> None:
    unit = resolve(NOISES, nature, "noise").unit
    said = words.noise({"nature": nature, "level": 0.12, "unit": unit})
    assert "0.12" in said or "12%" in said
    assert nature in said or "lost pixels" in said
    assert "{" not in said


def test_the_files(tmp_path: Path) -> None:
    before = photo((20, 30, 3))
    result = told(before)
    files = report_files(tmp_path, "one.png", overwrite=False)
    write_report(files, before, result)
    assert {file.name for file in tmp_path.iterdir()} == {f"one.png.report.{kind}" for kind in ("html", "png", "json")}
    assert json.loads(files.record.read_text()).items() >= result.record.items()
    assert "one.png" in files.page.read_text(encoding="utf-8")
    with PillowImage.open(files.picture) as picture:
        assert picture.format == "PNG"
        assert picture.width == 1200
    for file in files:
        others = [other for other in files if other != file]
        kept = [other.read_bytes() for other in others]
        for other in others:
            other.unlink()
        with pytest.raises(UnusableInput, match="exists already"):
            report_files(tmp_path, "one.png", overwrite=False)
        for other, content in zip(others, kept, strict=True):
            other.write_bytes(content)
    # A later result without steps leaves nothing of the earlier one.
    write_report(report_files(tmp_path, "one.png", overwrite=True), before, Result(before, {}))
    assert "lost pixels" not in files.page.read_text(encoding="utf-8")
    assert "steps" not in json.loads(files.record.read_text())


def test_a_stage_for_every_step() -> None:
    before = photo((8, 8, 1))
    with pytest.raises(ValueError, match="shorter"):
        story_of(before, replace(told(before), stages=()))


def test_analyze_reports(tmp_path: Path) -> None:
    PillowImage.fromarray(photo((64, 64, 3)).pixels).save(tmp_path / "photo.png")
    arguments = ["analyze", str(tmp_path), "--report", str(tmp_path / "report")]
    for extra, code in (([], 0), ([], 1), (["--overwrite"], 0)):  # its own pictures are no inputs of the later runs
        result = CliRunner().invoke(app, [*arguments, *extra])
        assert result.exit_code == code, result.output
        assert ("exists already" in result.output) == (code == 1)
    assert {"photo.png.report.png", "photo.png.report.json"} <= {f.name for f in (tmp_path / "report").iterdir()}
    assert CliRunner().invoke(app, [*arguments, "--calibrate", "--out", str(tmp_path / "c.json")]).exit_code == 2
