"""The benchmarks of bursts: fixed motion and noise, oracles that alone know more than the frames, and scores of what is merged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from quietlight import zoo
from quietlight.camera.unprocess import fixed_camera, mosaic, unprocess
from quietlight.data.bursts import FAR, NEAR, shifts
from quietlight.evaluate import BENCHMARKS
from quietlight.evaluate.burst_benchmarks import GAINS, LEVELS
from quietlight.evaluate.burst_sample import Merged
from quietlight.evaluate.page import page
from quietlight.evaluate.peers import peer
from quietlight.evaluate.run import evaluate
from quietlight.evaluate.sample import UNTOUCHED, Benchmark, Sample, digest, frame_of
from quietlight.evaluate.table import as_text
from quietlight.frames import Burst, Image, NoiseProfile, UnusableInput
from quietlight.networks.kpn import KPN
from quietlight.noise.sensor import upi_read
from quietlight.registry import resolve

NAMES = [name for name in BENCHMARKS if resolve(BENCHMARKS, name, "benchmark")().kind == "bursts"]
GRAY = [f"gain-{gain}" for gain in GAINS]
CUT = 2 * FAR
"""Of a photo, along every side."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A data folder with two pictures in each set, large enough for frames that are far away."""
    folder = tmp_path_factory.mktemp("photos")
    y, x = np.mgrid[:126, :142] / 9
    for name in ("cbsd68", "kodak24"):
        (folder / name).mkdir()
        for i in range(2):
            waves = 0.5 + 0.35 * np.stack([np.sin(x + i), np.sin(y - i), np.sin(x + y)], axis=-1)
            PillowImage.fromarray(np.round(waves * 255).astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def benchmark(name: str) -> Benchmark:
    made: Benchmark = resolve(BENCHMARKS, name, "benchmark")()
    return made


def samples(name: str, part: str, data: Path) -> list[Sample]:
    return [make() for p in benchmark(name).parts if p.name == part for make in p.samples(data)]


def picture(data: Path, index: int) -> np.ndarray:
    """Picture of an index in [0, 1], those of CBSD68 before Kodak's."""
    files = [*sorted((data / "cbsd68").iterdir()), *sorted((data / "kodak24").iterdir())]
    return np.asarray(PillowImage.open(files[index]), np.float64) / 255


def halved(plane: np.ndarray) -> np.ndarray:
    return (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4


@pytest.mark.parametrize("name", NAMES)
def test_every_part_is_drawn_alike_and_scores_a_perfect_result_best(name, photos):
    for part in benchmark(name).parts:
        for make in part.samples(photos)[:2]:
            one, again = make(), make()
            assert digest(one.input) == digest(again.input)
            assert isinstance(one.input, Burst)
            assert one.input.reference == 0
            assert len({(f.cfa, f.noise, f.white_balance) for f in one.input.frames}) == 1
            reference = one.input.frames[0]
            perfect = benchmark(name).score(replace(reference, mosaic=one.truth), one)
            noisy = benchmark(name).score(reference, one)
            assert list(perfect) == list(noisy)
            assert perfect["psnr"] == UNTOUCHED
            assert perfect["ssim"] == pytest.approx(1)
            assert noisy["gain"] == 0
            assert noisy["psnr"] < perfect["psnr"]


@pytest.mark.parametrize("gain", GAINS)
def test_gray_bursts_are_the_documented_ones(gain, photos):
    read, shot = (10**exponent for exponent in GAINS[gain])
    for i, sample in enumerate(samples("kpn-gray", f"gain-{gain}", photos)):
        light = (picture(photos, i) ** 2.2).mean(axis=2)
        moved = np.rint(2 * shifts(8, np.random.default_rng([20171206, 0, i]))).astype(int)
        places = [np.s_[CUT + y : CUT + y + 62, CUT + x : CUT + x + 78] for y, x in moved]
        clean = np.stack([halved(light[place]) for place in places])
        normals = np.random.default_rng([20171206, gain, i]).standard_normal(clean.shape).astype(np.float32)
        np.testing.assert_allclose(sample.truth, clean[0], atol=1e-6)
        for frame, scene, normal in zip(sample.input.frames, clean, normals, strict=True):
            expected = scene + np.sqrt(shot * scene + read**2) * normal
            np.testing.assert_allclose(frame.mosaic, expected, atol=1e-5)
            assert frame.cfa == "MONO"
            assert frame.noise == NoiseProfile((shot,), (read**2,))


def test_bursts_of_fewer_frames_begin_alike_and_near_ones_stay_near(photos):
    whole = samples("kpn-gray", "gain-4", photos)[0]
    for count in (2, 4):
        fewer = samples("kpn-gray", f"gain-4-frames-{count}", photos)[0]
        assert digest(fewer.input) == digest(Burst(whole.input.frames[:count], reference=0))
        assert len(fewer.info["aligned"]) == count
    far, near = (samples("kpn-gray", part, photos) for part in ("gain-8", "gain-8-near"))
    assert digest(far[0].input.frames[0]) == digest(near[0].input.frames[0])
    moved = [shifts(8, np.random.default_rng([20171206, 0, i]), far=NEAR) for i in range(4)]
    assert np.abs(moved).max() <= NEAR


@pytest.mark.parametrize("number", range(len(LEVELS)))
def test_raw_bursts_begin_with_the_halved_photo_as_a_camera_sees_it(number, photos):
    shot = LEVELS[number]
    for i, sample in enumerate(samples("burst-raw", f"shot-{shot:g}", photos)):
        scene = unprocess(picture(photos, 2 + i), fixed_camera("ABCD"[i]))
        middle = mosaic(halved(scene[33:93, 33:109]), "RGGB")
        moving = sample.info["moving"]
        still = np.kron(moving, np.ones((2, 2))) == 0
        assert 0.02 < moving.mean() < 0.9
        assert np.abs(sample.truth - middle)[still].mean() < 1e-3  # the object's rim is counted here where it is faint
        assert np.median(np.abs(sample.truth - middle)[still]) < 1e-6
        assert np.abs(sample.truth - middle)[~still].mean() > 0.01
        normals = np.random.default_rng([20181127, 1 + number, i]).standard_normal((8, *middle.shape))
        first = sample.truth + np.sqrt(shot * sample.truth + upi_read(shot)) * normals[0]
        np.testing.assert_allclose(sample.input.frames[0].mosaic, first, atol=1e-5)
        assert sample.input.frames[0].noise == NoiseProfile((shot,), (upi_read(shot),))
        assert sample.input.frames[0].white_balance == fixed_camera("ABCD"[i]).gains


@pytest.mark.parametrize(("name", "part"), [("kpn-gray", "gain-8"), ("burst-raw", "shot-0.004")])
def test_oracles_alone_see_more_than_the_frames(name, part, photos):
    sample = samples(name, part, photos)[-1]
    blind = replace(sample, truth=np.full_like(sample.truth, np.nan), info={})
    for row in (r for r in benchmark(name).rows if not r.endswith("oracle")):
        one = peer(row, "bursts")
        if not one.absent:
            given, without = (frame_of(one.run(s)).mosaic for s in (sample, blind))
            np.testing.assert_array_equal(given, without)
    oracle = benchmark(name).score(peer("mean-oracle", "bursts").run(sample), sample)
    assert oracle["gain"] > 7  # of eight frames: 9 dB, where nothing is clipped
    with pytest.raises(UnusableInput, match="aligned frames are known"):
        peer("mean-oracle", "bursts").run(blind)


def test_merging_needs_alignment_and_a_frame_that_lies_elsewhere_does_no_harm(photos):
    report = evaluate("kpn-gray", photos, systems=["mean", "mean-aligned", "hdrplus-authors", "hdrplus"], parts=GRAY)
    for table in report.tables:
        gains = {row.system: row.means["gain"] for row in table.rows}
        assert gains["hdrplus"] > max(gains["hdrplus-authors"], 3)
        assert gains["mean-aligned"] > gains["mean"]


@pytest.mark.parametrize(("name", "column"), [("kpn-gray", "SSIM"), ("burst-raw", "MOVING PSNR")])
def test_the_rows_stand_in_a_table_and_on_a_page(name, column, photos):
    report = evaluate(name, photos, parts=[benchmark(name).parts[0].name], limit=1)
    assert [row.system for row in report.tables[0].rows] == list(benchmark(name).rows)
    assert column in as_text(report.tables[0])
    assert all(m.crop for m in report.measurements)
    assert "hdrplus" in page(report)


def test_single_denoisers_get_the_reference_alone_or_what_was_merged(photos):
    sample = samples("burst-raw", "shot-0.004", photos)[0]
    shuffled = replace(sample, input=Burst((sample.input.frames[0], *sample.input.frames[:3]), reference=0))
    for row, same in (("fan-plus", True), ("hdrplus-fan-plus", False)):
        one, other = (peer(row, "bursts").run(s).mosaic for s in (sample, shuffled))
        assert np.array_equal(one, other) is same


def test_non_local_means_lower_the_noise(photos):
    pytest.importorskip("skimage")
    for name, part in (("kpn-gray", "gain-8"), ("burst-raw", "shot-0.012")):
        sample = samples(name, part, photos)[-1]
        assert benchmark(name).score(peer("nlm", "bursts").run(sample), sample)["gain"] > 4


def put(folder: Path, name: str, **arguments) -> Path:
    """A tiny KPN for gray bursts, or of other arguments, under a name."""
    torch.manual_seed(0)
    arguments = {"widths": [4, 4, 4], "separable": True, **arguments}
    network = KPN(**arguments)
    learnt = {"name": "raw-bursts" if network.channels == 4 else "bursts", "arguments": {}}
    facts = {
        "multiple": str(network.multiple),
        "recipe": json.dumps({"data": learnt}),
        "steps": "3",
        "device": "cpu",
    }
    zoo.save(folder / f"{name}.safetensors", "kpn", arguments, network.state_dict(), facts)
    return folder / f"{name}.safetensors"


@pytest.fixture
def untrained(tmp_path, monkeypatch) -> Path:
    """A zoo of networks that never learnt, so that kernels are about box filters; kpn-blind is not there."""
    for name, arguments in {
        "kpn": {"channels": 4},
        "kpn-gray": {},
        "kpn-short": {},
        "kpn-1-frame": {"frames": 1},
        "kpn-direct": {"direct": True},
    }.items():
        put(tmp_path, name, **arguments)
    monkeypatch.setattr(zoo, "FOLDERS", (tmp_path,))
    digests = {f.stem: hashlib.sha256(f.read_bytes()).hexdigest() for f in tmp_path.glob("*.safetensors")}
    (tmp_path / zoo.HASHES).write_text(json.dumps(digests))
    return tmp_path


def test_networks_tell_the_masses_of_their_kernels_and_those_not_trained_say_so(photos, untrained):
    report = evaluate("kpn-ablation", photos, parts=["gain-1"], limit=1)
    rows = {row.system: row for row in report.tables[0].rows}
    assert rows["kpn-blind"].absent == rows["kpn-unannealed"].absent == "not trained"
    assert rows["kpn-short"].parameters == rows["kpn-short-unaligned"].parameters > 0
    assert (rows["kpn-short"].steps, rows["kpn-short"].device) == ("3", "cpu")
    assert rows["kpn-short"].means["reference mass"] == pytest.approx(1 / 8, rel=0.5)
    assert 0 < rows["kpn-short"].means["other mass"] < 1 / 4
    assert rows["kpn-1-frame"].means["reference mass"] == pytest.approx(1, rel=0.5)
    assert rows["kpn-1-frame"].means["other mass"] == 0
    assert "reference mass" not in rows["kpn-direct"].means
    assert "REFERENCE MASS" in as_text(report.tables[0])


def test_of_raws_the_mass_of_the_reference_is_told_where_something_moves(photos, untrained):
    sample = samples("burst-raw", "shot-0.001", photos)[0]
    for name in ("kpn", "kpn-unaligned"):
        scores = benchmark("burst-raw").score(peer(name, "bursts").run(sample), sample)
        assert scores["moving mass"] == pytest.approx(scores["still mass"], rel=0.9)
    masses = np.zeros((8, *sample.info["moving"].shape), np.float32)
    masses[0], masses[1] = np.where(sample.info["moving"], 0.9, 0.3), 0.7
    made = Merged(sample.input.frames[0], {}, masses=lambda: masses)
    expected = {"moving mass": 0.9, "still mass": 0.3, "other mass": 0.1}
    assert (
        benchmark("burst-raw").score(made, sample).items() >= {k: pytest.approx(v) for k, v in expected.items()}.items()
    )


def test_a_weights_file_is_a_row_of_its_own(photos, tmp_path):
    file = put(tmp_path, "mine")
    assert peer(str(file), "bursts").name == "mine.safetensors"
    report = evaluate("kpn-gray", photos, systems=[f"kpn-gray={file}"], parts=["gain-8-near"], limit=1)
    assert report.tables[0].rows[0].system == "kpn-gray=mine.safetensors"


def test_what_is_no_burst_or_of_another_size_is_refused(photos, data):
    sample = samples("kpn-gray", "gain-1", photos)[0]
    single = replace(sample, input=sample.input.frames[0])
    for row in ("mean", "hdrplus"):
        with pytest.raises(UnusableInput, match="takes bursts only"):
            peer(row, "bursts").run(single)
    with pytest.raises(UnusableInput, match="the result of"):
        benchmark("kpn-gray").score(replace(single.input, mosaic=sample.truth[:-2]), sample)
    with pytest.raises(UnusableInput, match="systems that make raws"):
        benchmark("burst-raw").score(
            Image(np.zeros((8, 8, 3), np.uint8)), samples("burst-raw", "shot-0.001", photos)[0]
        )
    with pytest.raises(UnusableInput, match=r"0\.png: the pictures of this benchmark have 118 pixels a side or more"):
        samples("kpn-gray", "gain-1", data)
    with pytest.raises(UnusableInput, match="unknown system 'fan'"):
        evaluate("burst-raw", photos, systems=["fan"])
