"""The benchmarks of raws: fixed cameras and noise, true profiles, and scores of raws and of what people see of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from quietlight import zoo
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.evaluate import BENCHMARKS, others
from quietlight.evaluate.page import page
from quietlight.evaluate.peers import peer
from quietlight.evaluate.run import evaluate
from quietlight.evaluate.sample import UNTOUCHED, Benchmark, Sample
from quietlight.evaluate.table import as_text
from quietlight.frames import Image, NoiseProfile, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.networks.fan import FAN
from quietlight.noise.sensor import upi_read
from quietlight.registry import resolve

TINY = {"widths": [4, 6, 8], "encoder": [1, 1], "middle": 1, "decoder": [1, 1]}


def benchmark(name: str) -> Benchmark:
    made: Benchmark = resolve(BENCHMARKS, name, "benchmark")()
    return made


def samples(name: str, part: str, data: Path) -> list[Sample]:
    return [make() for p in benchmark(name).parts if p.name == part for make in p.samples(data)]


def put(folder: Path, name: str, shot: tuple[float, float] = (1e-5, 2e-2)) -> Path:
    """A tiny network under a name of ours."""
    torch.manual_seed(0)
    network = FAN(**TINY)
    facts = {
        "multiple": str(network.multiple),
        "recipe": json.dumps({"data": {"name": "raws", "arguments": {"shot": shot}}}),
        "steps": "3",
        "device": "cpu",
    }
    zoo.save(folder / f"{name}.safetensors", "fan", TINY, network.state_dict(), facts)
    return folder / f"{name}.safetensors"


@pytest.mark.parametrize("name", ["raw-kodak", "raw-fan-ablation"])
def test_every_part_is_drawn_alike_and_scores_a_perfect_result_best(name, data):
    for part in benchmark(name).parts:
        makers = part.samples(data)[:2]
        for make in makers:
            one, again = make(), make()
            np.testing.assert_array_equal(one.input.mosaic, again.input.mosaic)
            perfect = benchmark(name).score(replace(one.input, mosaic=one.truth), one)
            untouched = benchmark(name).score(one.input, one)
            assert perfect["psnr"] == perfect["seen psnr"] == UNTOUCHED
            assert (perfect["ssim"], perfect["gradient error"]) == (pytest.approx(1), 0)
            assert untouched["gain"] == 0
            assert untouched["gradient error"] > 0
            assert untouched["psnr"] < perfect["psnr"]


def test_the_draws_are_the_documented_ones(data):
    files = sorted((data / "kodak24").iterdir())
    for number, shot in enumerate((1e-4, 1e-3, 4e-3, 1.2e-2)):
        for i, sample in enumerate(samples("raw-kodak", f"shot-{shot:g}", data)):
            clean = unprocessed_frame(read_photo(files[i]).pixels / np.float32(255), fixed_camera("ABCD"[i]))
            rng, read = np.random.default_rng([20210302, number, i]), upi_read(shot)
            noise = np.sqrt(shot * clean.mosaic + read) * rng.standard_normal(clean.mosaic.shape).astype(np.float32)
            np.testing.assert_allclose(sample.truth, clean.mosaic, atol=1e-6)
            np.testing.assert_allclose(sample.input.mosaic, clean.mosaic + noise, atol=1e-5)
            assert sample.input.noise == NoiseProfile((shot,), (read,))
            assert sample.input.white_balance == fixed_camera("ABCD"[i]).gains


def test_noise_that_is_told_wrongly_is_the_same_noise(data):
    [right, twice, half] = (
        samples("raw-fan-ablation", f"shot-0.001{suffix}", data)[0].input
        for suffix in ("", "-told-twice", "-told-half")
    )
    np.testing.assert_array_equal(right.mosaic, twice.mosaic)
    np.testing.assert_array_equal(right.mosaic, half.mosaic)
    assert twice.noise == right.noise.overstated(2)
    assert half.noise == right.noise.overstated(0.5)


def test_networks_stand_in_the_table_with_their_costs_and_those_not_trained_say_so(data, tmp_path, monkeypatch):
    for name, shot in (("fan", (1e-5, 2e-2)), ("fan-r2-1", (1e-5, 4e-4)), ("fan-r2-2", (4e-4, 2e-2))):
        put(tmp_path, name, shot)
    monkeypatch.setattr(zoo, "FOLDERS", (tmp_path,))
    digests = {f.stem: hashlib.sha256(f.read_bytes()).hexdigest() for f in tmp_path.glob("*.safetensors")}
    (tmp_path / zoo.HASHES).write_text(json.dumps(digests))
    systems = ["noisy", "classical", "fan", "fan-r2", "fan-r4"]
    report = evaluate("raw-kodak", data, systems=systems, parts=["shot-0.004"], limit=2)
    rows = {row.system: row for row in report.tables[0].rows}
    assert rows["fan-r4"].absent == "not trained"
    assert rows["fan-r2"].parameters == 2 * rows["fan"].parameters
    assert rows["fan-r2"].gmac == rows["fan"].gmac > 0
    assert (rows["fan"].steps, rows["fan"].device) == ("3", "cpu")
    assert "least gain" in rows["fan"].extras
    assert "SEEN PSNR" in as_text(report.tables[0])
    assert all(m.crop for m in report.measurements if m.sample == report.measurements[0].sample)
    assert "fan-r2" in page(report)


def test_a_file_is_a_row_of_its_own(data, tmp_path):
    file = put(tmp_path, "mine")
    assert peer(str(file), "raws").name == "mine.safetensors"
    report = evaluate("raw-kodak", data, systems=[f"fan={file}"], parts=["shot-0.001"], limit=1)
    assert report.tables[0].rows[0].system == "fan=mine.safetensors"


def test_systems_for_photos_and_results_of_other_sizes_are_refused(data):
    with pytest.raises(UnusableInput, match="unknown system 'noisebreaker'"):
        evaluate("raw-kodak", data, systems=["noisebreaker"])
    sample = samples("raw-kodak", "shot-0.001", data)[0]
    with pytest.raises(UnusableInput, match="systems that make raws"):
        benchmark("raw-kodak").score(Image(np.zeros((8, 8, 3), np.uint8)), sample)
    with pytest.raises(UnusableInput, match="the result of"):
        benchmark("raw-kodak").score(replace(sample.input, mosaic=sample.truth[:-2]), sample)


def test_bm3d_sees_values_of_unit_range_and_is_told_their_noise(data, monkeypatch):
    """With a stand-in that blurs."""
    ratios = []

    def blur(plane, sigma):
        assert (plane.min(), plane.max()) == (0, 1)
        curvature = np.diff(plane, 2, axis=1)[:, ::3] / 6**0.5
        ratios.append(np.median(np.abs(curvature)) / 0.6745 / sigma)
        padded = np.pad(plane, 1, mode="reflect")
        return sum(padded[i : i + plane.shape[0], j : j + plane.shape[1]] for i in range(3) for j in range(3)) / 9

    monkeypatch.setattr(others, "find_spec", lambda module: object())
    monkeypatch.setattr(others, "import_module", lambda name: SimpleNamespace(bm3d=blur))
    sample = samples("raw-kodak", "shot-0.012", data)[0]
    assert benchmark("raw-kodak").score(peer("bm3d", "raws").run(sample), sample)["gain"] > 1
    assert 0.7 < np.mean(ratios) < 1.5
