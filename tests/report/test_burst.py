"""The story of a burst: its places, strips and kernels are those of the frames, however they lie, in a sheet and a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import quietlight as ql
from quietlight import zoo
from quietlight.analysis import words
from quietlight.frames import Burst, Image, NoiseProfile, RawFrame
from quietlight.report.burst_page import burst_page
from quietlight.report.burst_pictures import kernel_picture, share_picture
from quietlight.report.burst_sheet import burst_sheet
from quietlight.report.burst_story import SCALES, burst_story
from quietlight.report.sheet import report_files, write_report
from quietlight.systems.kpn import kpn
from quietlight.systems.merge import hdrplus

SIZE = (192, 256)
MOVING = np.s_[60:110, 90:140]


def raws(cfa: str = "RGGB", count: int = 3, **more: object) -> Burst:
    """A scene in which a square jumps about."""
    rng, noise = np.random.default_rng(0), NoiseProfile((1e-3,), (1e-6,))
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    frames = []
    for index in range(count):
        scene = 0.4 + 0.2 * np.sin(x / 30) * np.sin(y / 20)
        scene[MOVING] = 0.1 + 0.8 * (index == 0)
        mosaic = scene + np.sqrt(noise.variance(scene)) * rng.standard_normal(SIZE)
        frames.append(RawFrame(mosaic.astype(np.float32), cfa, white_balance=(1.0, 1.0, 1.0), noise=noise))
    return Burst(tuple(replace(frame, **more) for frame in frames), 0)  # type: ignore[arg-type]


@pytest.fixture
def weights(kpn_weights: Callable[..., zoo.Weights]) -> zoo.Weights:
    return kpn_weights(plain=True)


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG"])
def test_a_burst_merged_by_kpn_is_told_by_its_kernels(cfa: str, weights: zoo.Weights) -> None:
    burst = raws(cfa)
    story = burst_story(burst, kpn(burst, weights=weights), weights)
    assert [place.name for place in story.places] == ["static", "moving"]
    (row, column), limits = story.places[1].at, MOVING
    assert limits[0].start - 16 <= row <= limits[0].stop + 16
    assert limits[1].start - 16 <= column <= limits[1].stop + 16
    for place in story.places:
        assert len(place.strip) == 4
        assert len(place.scaled) == len(SCALES)
        assert {picture.shape for _, picture in place.strip + place.scaled} == {(106, 106, 3)}
        assert place.kernels is not None
        assert place.kernels.map.shape == (106, 106, 3)
        # Of a plain mean every frame has its part, by the middle of its kernels alone.
        assert place.kernels.names == ("frame 1", "frame 2", "frame 3")
        np.testing.assert_allclose(place.kernels.weights + place.kernels.masses, 1 / 3, rtol=1e-3)
        for picture in place.kernels.pictures:
            assert picture[2, 2].max() < 255
            assert (np.delete(picture.reshape(25, 3), 12, axis=0) == 255).all()
    np.testing.assert_array_equal(story.places[0].scaled[2][1], story.places[0].strip[3][1])
    assert [line.about == "the reference" for line in story.frames] == [True, False, False]


def test_crops_are_those_of_the_frames(weights: zoo.Weights) -> None:
    burst = raws()
    story = burst_story(burst, kpn(burst, weights=weights), weights)
    _, reference = story.places[1].strip[0]
    _, mean = story.places[1].strip[1]
    (row, column), side = story.places[1].at, 106
    shown = np.zeros(SIZE, np.bool_)
    shown[MOVING] = True  # the square, bright in the reference alone
    square = shown[row - side // 2 :, column - side // 2 :][:side, :side]
    assert 0.1 < square.mean() < 0.3
    lost = reference.astype(int).min(axis=2) - mean.min(axis=2)
    assert lost[square].mean() > 20 > abs(lost[~square].mean())


@pytest.mark.parametrize("orientation", [1, 6, 3])
def test_pictures_are_upright_and_boxes_where_the_crops_are(orientation: int, weights: zoo.Weights) -> None:
    burst = raws(orientation=orientation, crop=(4, 6, 180, 240))
    result = kpn(burst, weights=weights)
    story = burst_story(burst, result, weights)
    height, width = story.whole.shape[:2]
    assert (height > width) == (orientation == 6)
    top, left, bottom, right = (
        round(edge * side) for edge, side in zip(story.boxes[1], (height, width, height, width), strict=True)
    )
    part = PillowImage.fromarray(story.whole[top:bottom, left:right]).resize((53, 53))
    crop = PillowImage.fromarray(story.places[1].strip[3][1]).resize((53, 53))
    likeness = np.corrcoef(np.ravel(part), np.ravel(crop))[0, 1]
    assert likeness > 0.9


@pytest.mark.parametrize("kind", ["raws", "developed", "photos", "small"])
def test_a_burst_merged_without_a_network_is_told_as_well(kind: str, tmp_path: Path) -> None:
    burst = raws()
    if kind == "photos":
        noise = np.random.default_rng(1).normal(0, 0.03, (3, *SIZE, 3))
        shown = [np.clip(f.mosaic[..., None] + n, 0, 1) * 255 for f, n in zip(burst.frames, noise, strict=True)]
        burst = Burst(tuple(Image(np.rint(pixels).astype(np.uint8)) for pixels in shown), 0)
    elif kind == "small":
        burst = Burst(tuple(replace(f, mosaic=f.mosaic[:38, :50]) for f in burst.frames), 0)
    result = (ql.develop if kind == "developed" else ql.denoise)(burst, record=True)
    files = report_files(tmp_path, "burst", overwrite=False)
    write_report(files, burst, result)
    record = json.loads(files.record.read_text())
    assert record["frames"] == 3
    assert "kernel_mass" not in record
    with PillowImage.open(files.picture) as sheet:
        assert sheet.width == 1200
    assert "HDR+" in files.page.read_text(encoding="utf-8")


def test_a_burst_that_was_not_merged_is_told_by_its_middle(tmp_path: Path) -> None:
    burst = raws(count=2)
    files = report_files(tmp_path, "burst", overwrite=False)
    write_report(files, burst, ql.denoise(burst, system="classical", record=True))
    with PillowImage.open(files.picture) as sheet:
        assert sheet.width == 3 * SIZE[1]
    assert "only the reference frame of 2 was used" in files.page.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Every tag is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.count += tag == "img"
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_sheet_and_page_hold_all_pictures(weights: zoo.Weights) -> None:
    burst = raws()
    failed = replace(burst.frames[1], mosaic=np.zeros(SIZE, np.float32))
    burst = replace(burst, frames=(burst.frames[0], failed, *burst.frames[1:]))
    story = burst_story(burst, kpn(burst, weights=weights), weights)
    assert [line.name for line in story.frames if "left out" in line.about] == ["frame 2"]
    text = burst_page(story, "a<b>")
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert tags.count == 1 + 2 * (4 + 1 + len(SCALES) + 3)
    assert "a&lt;b&gt;" in text
    assert "frame 4" in text
    assert burst_sheet(story).width == 1200


def test_many_frames_fit_on_the_sheet() -> None:
    burst = raws(count=2)
    story = burst_story(burst, hdrplus(burst))
    heights = [burst_sheet(replace(story, frames=story.frames * n)).height for n in (4, 20, 30)]
    assert heights[0] < heights[1] == heights[2]


def test_the_sentence_says_what_was_merged() -> None:
    result = hdrplus(raws())
    assert words.merged(result.record) == "3 frames merged onto frame 1."
    told = {**result.record, "used": [0, 2], "left_out": [1], "effective_frames": 12.3}
    assert words.merged(told) == "2 frames of 3 merged onto frame 1."
    assert words.merged_outcome(told) == (
        "The noise that is left is that of a mean of 12 frames. Left out, since hardly anything in it fits: frame 2."
    )
    assert words.merged_outcome({**told, "effective_frames": None, "left_out": []}) == ""
    assert "was then removed as that of one frame" in words.merged_outcome({**told, "denoised": {}})


def test_nothing_is_white_and_signs_have_their_colours() -> None:
    red, green, blue = kernel_picture(np.array([[0.0, 0.5, -0.5]]), 0.5)[0]
    assert red.tolist() == [255, 255, 255]
    assert green[2] > green[0]  # blue adds
    assert blue[0] > blue[2]  # orange takes away
    assert share_picture(np.array([[2.0]])).tolist() == share_picture(np.array([[1.0]])).tolist()
