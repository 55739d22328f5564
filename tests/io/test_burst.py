"""Files become a burst, or it is said in one line which of them does not belong to it."""

import pytest

import quietlight as ql
from quietlight import machine
from quietlight.frames import UnusableInput
from quietlight.io import RawFormat
from quietlight.io.burst import MOST_FRAMES, check_burst, payloads

SIZE = {"size": (40, 52)}


def test_a_list_and_a_folder_are_a_burst(shoot, tmp_path):
    paths = [shoot(tmp_path / f"{n}.dng", **SIZE) for n in range(3)]
    (tmp_path / "notes.txt").write_text("x")
    for burst in (ql.read(paths), ql.read(tmp_path)):
        assert isinstance(burst, ql.Burst)
        assert [frame.mosaic.shape for frame in burst.frames] == 3 * [(40, 52)]
        assert not burst.reference


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("b.dng", {"camera": "Other Camera"}, "taken by Other Camera, not by Test Camera"),
        ("b.dng", {"size": (40, 54)}, "its size is 40x54, not 40x52"),
        ("b.dng", {"cfa": "BGGR"}, "its pixels are BGGR, not RGGB"),
        ("b.dng", {"cfa": "MONO"}, "its pixels are MONO, not RGGB"),
        ("b.dng", {"exposure": 1 / 250}, "its exposure is 1/250 s, not 1/60 s"),
        ("b.dng", {"exposure": 2.5}, "its exposure is 2.5 s, not 1/60 s"),
        ("b.dng", {"iso": 1600}, "its ISO is 1600, not 800"),
        ("b.jpg", {}, "one is a raw, the other a photo: name the raws or the photos alone"),
    ],
)
def test_a_stranger_is_named_before_any_pixel_is_read(shoot, tmp_path, monkeypatch, name, arguments, words):
    first = shoot(tmp_path / "a.dng", **SIZE)
    other = shoot(tmp_path / name, **SIZE | arguments)
    monkeypatch.setattr("quietlight.io.read_file", None)
    with pytest.raises(UnusableInput) as refused:
        ql.read([first, other])
    assert str(refused.value) == f"{other}: does not belong to the burst that a.dng begins: {words}"


def test_small_or_unknown_differences_of_exposure_are_none(shoot, tmp_path):
    given = ({}, {"exposure": 1 / 61}, {"iso": 820}, {"exposure": None}, {"iso": None})
    assert len(ql.read([shoot(tmp_path / f"{n}.dng", **SIZE, **what) for n, what in enumerate(given)]).frames) == 5


def test_photos_of_two_sizes_are_refused(shoot, tmp_path):
    paths = [shoot(tmp_path / "a.jpg", size=(40, 52)), shoot(tmp_path / "b.jpg", size=(52, 40))]
    with pytest.raises(UnusableInput, match=r"b.jpg.*its size is 52x40, not 40x52"):
        ql.read(paths)


def test_planes_in_safetensors_are_checked_when_they_are_read(shoot, tmp_path):
    for name, size in (("a", (40, 52)), ("b", (40, 54))):
        ql.write(ql.read(shoot(tmp_path / f"{name}.dng", size=size)), tmp_path / f"{name}.safetensors")
    with pytest.raises(UnusableInput, match=r"b.safetensors.*its size is 40x54"):
        ql.read([tmp_path / "a.safetensors", tmp_path / "b.safetensors"])


def test_a_burst_has_frames_but_not_too_many(shoot, tmp_path):
    path = shoot(tmp_path / "a.dng", **SIZE)
    for count in (0, MOST_FRAMES + 1):
        with pytest.raises(UnusableInput, match=f"1 to {MOST_FRAMES} frames, not {count}"):
            ql.read([path] * count)


def test_memory_is_asked_for_before_it_is_taken(tmp_path, monkeypatch):
    paths = [tmp_path / f"{n}.raw" for n in range(2)]
    for path in paths:
        path.write_bytes(b"x")
    known = RawFormat(width=10_000, height=10_000, cfa="RGGB", packing="u16le", black=(0,), white=1023)
    monkeypatch.setattr(machine, "free_memory", lambda: 1 << 30)
    with pytest.raises(
        UnusableInput, match=r"0.raw: a burst of 2 such frames takes about 2.6 GiB of memory, and 1.0 are free"
    ):
        check_burst(paths, known)
    for free in (1 << 40, None):
        monkeypatch.setattr(machine, "free_memory", lambda free=free: free)
        check_burst(paths, known)


@pytest.fixture
def hdrplus(shoot, tmp_path):
    """A burst as the HDR+ data set has it, the last frame exposed longer, with files that are no frames."""
    folder = tmp_path / "bursts" / "0006_20160722_115157_431"
    for n in range(4):
        shoot(folder / f"payload_N{n:03}.dng", exposure=1 / 8 if n == 3 else 1 / 30, **SIZE)
        shoot(folder / f"lens_shading_map_N{n:03}.tiff", size=(13, 17))
    for name in ("rgb2rgb.txt", "timing.txt"):
        (folder / name).write_text("1 0 0")
    return folder


def test_the_data_set_of_hdrplus_is_known_by_its_names(hdrplus):
    burst = ql.read(hdrplus)
    assert len(burst.frames) == 3
    assert {round(1 / frame.exposure_time) for frame in burst.frames} == {30}
    assert not burst.reference


@pytest.mark.parametrize("where", ["reference_frame.txt", "../../results_20171023/{}/reference_frame.txt"])
def test_its_reference_is_theirs(hdrplus, where):
    told = hdrplus / where.format(hdrplus.name)
    old = hdrplus / f"../../results_20161014/{hdrplus.name}/reference_frame.txt"
    for file, index in ((old, "0"), (told, "2\n")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(index)
    assert ql.read(hdrplus).reference == 2


@pytest.mark.parametrize("text", ["", "x", "17", "-1"])
def test_a_reference_that_is_none_counts_as_none(hdrplus, text):
    (hdrplus / "reference_frame.txt").write_text(text)
    assert not ql.read(hdrplus).reference


def test_the_reference_is_counted_among_those_that_are_left(hdrplus):
    (hdrplus / "reference_frame.txt").write_text("2")
    frames = [hdrplus / f"payload_N{n:03}.dng" for n in (3, 2, 1)]
    assert payloads(frames) == ((frames[2], frames[1]), 1)
