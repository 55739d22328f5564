"""Which files become one job, what its result is called, and that nothing of it is ever replaced."""

from pathlib import Path

import pytest
from doing import Copy

from quietlight.batch import Folder, Job, as_bursts, find_inputs, read_job, run, target_of
from quietlight.batch.denoise import Denoise
from quietlight.frames import Burst, RawFrame, UnusableInput
from quietlight.io import PHOTO_SUFFIXES, RAW_SUFFIXES

KNOWN = PHOTO_SUFFIXES | RAW_SUFFIXES


@pytest.fixture
def card(shoot, tmp_path):
    """A folder with a burst, a single raw, and a burst of photos in a folder below."""
    folder = tmp_path / "card"
    for n in range(3):
        shoot(folder / f"IMG_{n}.dng", taken=f"2026:05:01 12:00:01.{n + 1}", moved=(n, 2 * n))
    shoot(folder / "IMG_3.dng", scene=1, taken="2026:05:01 12:00:02")
    for n in range(2):
        shoot(folder / "deep" / f"P{n}.jpg", scene=2, taken=f"2026:05:01 12:00:01.{n + 1}", moved=(n, n))
    return folder


@pytest.fixture
def hdrplus(shoot, tmp_path):
    """Two bursts of the HDR+ data set, the second with its reference."""
    root = tmp_path / "20171106"
    for burst in ("one", "two"):
        for n in range(2):
            shoot(root / "bursts" / burst / f"payload_N{n:03}.dng", size=(40, 52))
            shoot(root / "bursts" / burst / f"lens_shading_map_N{n:03}.tiff", size=(13, 17))
    (root / "bursts" / "two" / "reference_frame.txt").write_text("1")
    return root


def targets(jobs):
    """What the results of bursts and of singles are called, with the numbers of their frames."""
    return {str("out" / target_of(job, "{stem}_clean{suffix}", ".x")): len(job.files) for job in jobs}


def jobs_of(choice, *inputs):
    return as_bursts(find_inputs([str(i) for i in inputs], KNOWN), choice)


def test_auto_finds_bursts_and_calls_them_like_their_first_file(card):
    assert targets(jobs_of("auto", card)) == {
        "out/IMG_0_clean.x": 3,
        "out/IMG_3_clean.x": 1,
        "out/deep/P0_clean.x": 2,
    }
    assert targets(jobs_of("auto", card / "IMG_1.dng", card / "IMG_3.dng", card / "IMG_2.dng")) == {
        "out/IMG_1_clean.x": 2,
        "out/IMG_3_clean.x": 1,
    }


def test_off_takes_every_file_by_itself(card, hdrplus):
    assert set(targets(jobs_of("off", card)).values()) == {1}
    assert len(jobs_of("off", card)) == 6
    assert {job.source.name for job in jobs_of("off", hdrplus)} == {"payload_N000.dng", "payload_N001.dng"}


def test_on_takes_each_folder_and_all_that_is_named(card):
    assert targets(jobs_of("on", card)) == {"out/card_clean.x": 4, "out/deep_clean.x": 2}
    named = [card / "IMG_1.dng", card / "deep" / "P0.jpg"]
    assert targets(jobs_of("on", *named)) == {"out/IMG_1_clean.x": 2}
    assert targets(jobs_of("on", card / "*.dng", card / "deep")) == {"out/IMG_0_clean.x": 4, "out/deep_clean.x": 2}
    assert targets(jobs_of("on", card / "IMG_1.dng")) == {"out/IMG_1_clean.x": 1}


def test_on_in_the_folder_where_one_is(card, monkeypatch):
    monkeypatch.chdir(card / "deep")
    assert targets(jobs_of("on", ".")) == {"out/deep_clean.x": 2}


@pytest.mark.parametrize("choice", ["auto", "on"])
def test_bursts_of_the_data_set_are_called_like_their_folders(hdrplus, choice):
    jobs = jobs_of(choice, hdrplus)
    assert targets(jobs) == {"out/bursts/one_clean.x": 2, "out/bursts/two_clean.x": 2}
    assert [job.reference for job in jobs] == [None, 1]
    assert [job.source.name for job in jobs] == ["payload_N000.dng", "payload_N001.dng"]
    assert targets(jobs_of(choice, hdrplus / "bursts" / "one")) == {"out/one_clean.x": 2}
    assert read_job(jobs[1]).reference == 1


@pytest.mark.parametrize("choice", ["auto", "on", "off"])
def test_inputs_that_lead_nowhere_still_fail(tmp_path, choice):
    (tmp_path / "empty").mkdir()
    jobs = jobs_of(choice, tmp_path / "none.dng", tmp_path / "empty")
    outcomes = run(jobs, Denoise(), Folder(tmp_path / "out"))
    assert [outcome.state for outcome in outcomes] == ["failed", "failed"]


def test_a_missing_frame_of_a_named_burst_is_missed(card):
    (job,) = jobs_of("on", card / "IMG_0.dng", card / "none.dng")
    with pytest.raises(UnusableInput, match=r"none.dng: there is no such file"):
        read_job(job)


def test_a_job_is_read_as_what_it_is(card):
    burst, single, _ = (read_job(job) for job in jobs_of("auto", card))
    assert isinstance(burst, Burst)
    assert isinstance(single, RawFrame)
    told: list[float] = []
    read_job(jobs_of("auto", card)[0], progress=told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("choice", ["auto", "on"])
def test_a_burst_that_we_wrote_keeps_its_reference(tmp_path, shoot, choice):
    for index in range(3):
        shoot(tmp_path / "b" / f"frame_{index:03}.dng", moved=(index, -index))
    (tmp_path / "b" / "reference_frame.txt").write_text("2\n")
    (job,) = jobs_of(choice, tmp_path / "b")
    assert read_job(job).reference == 2
    (tmp_path / "b" / "frame_000.dng").rename(tmp_path / "b" / "frame_003.dng")
    (job,) = jobs_of(choice, tmp_path / "b")
    assert read_job(job).reference is None  # the number is that of another frame now


def test_no_frame_of_a_burst_is_ever_a_target(card):
    outcomes = run(jobs_of("auto", card)[:2], Denoise(template="IMG_2.dng"), Folder(card), overwrite=True)
    assert {outcome.state for outcome in outcomes} == {"failed"}
    assert all("would replace" in outcome.message for outcome in outcomes)


def test_outcomes_name_the_frames(card, tmp_path):
    (card / "IMG_0.xmp").write_text("rating")
    jobs = jobs_of("auto", card)
    outcomes = run(jobs, Copy(suffix=".dng"), Folder(tmp_path / "out"))
    first = outcomes[0].to_dict()
    assert first["source"] == str(card / "IMG_0.dng")
    assert first["frames"] == [str(card / f"IMG_{n}.dng") for n in range(3)]
    assert outcomes[1].to_dict()["frames"] == []
    assert (tmp_path / "out" / "IMG_0.xmp").read_text() == "rating"
    again = run(jobs, Copy(suffix=".dng"), Folder(tmp_path / "out"))
    assert {outcome.state for outcome in again} == {"kept"}


def test_titles() -> None:
    frames = (Path("a.dng"), Path("b.dng"))
    assert Job(Path("a.dng")).title == "a.dng"
    assert Job(frames[0], frames=frames).title == "a.dng (burst of 2)"
    assert Job(frames[1], frames=frames, reference=1, name="scene").title == "scene (burst of 2)"
