"""The benchmarks of whole camera pipelines: fixed frames and truths, looks and networks in one table, strips, and drops."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from quietlight import zoo
from quietlight.camera.capture import captured_frame, fixed_camera, scene_light
from quietlight.camera.finish import finish
from quietlight.camera.prepare import prepare
from quietlight.camera.tone import srgb_decode
from quietlight.evaluate import BENCHMARKS, isp_peers
from quietlight.evaluate.isp_benchmarks import SECOND, VALIDATION
from quietlight.evaluate.isp_sample import Finished, five_pictures, with_drops
from quietlight.evaluate.page import page
from quietlight.evaluate.peers import peer
from quietlight.evaluate.run import evaluate
from quietlight.evaluate.sample import UNTOUCHED, Benchmark, Sample
from quietlight.evaluate.table import as_text
from quietlight.frames import Image, NoiseProfile, UnusableInput
from quietlight.io.photo import read_photo
from quietlight.networks.cameranet import CameraNet
from quietlight.networks.fan import FAN
from quietlight.networks.peers import DeepISP
from quietlight.noise.sensor import upi_read
from quietlight.registry import resolve

NAMES = ("isp-synthetic", "isp-ablation", "isp-cross-camera")
TINY = {"width": 4, "widest": 4, "rates": [1, 2], "relative": True}
TINY_FAN = {"widths": [4, 6, 8], "encoder": [1, 1], "middle": 1, "decoder": [1, 1]}


def benchmark(name: str) -> Benchmark:
    made: Benchmark = resolve(BENCHMARKS, name, "benchmark")()
    return made


def samples(name: str, data: Path, count: int) -> list[Sample]:
    return [make() for make in benchmark(name).parts[0].samples(data)[:count]]


def put(folder: Path, name: str, network: torch.nn.Module, entry: str, arguments: dict, data: dict) -> None:
    facts = {"multiple": str(network.multiple), "recipe": json.dumps({"data": data})}
    facts |= {"reach": json.dumps(network.reach)} if hasattr(network, "reach") else {}
    zoo.save(folder / f"{name}.safetensors", entry, arguments, network.state_dict(), facts)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny networks under names of ours."""
    folder = tmp_path_factory.mktemp("zoo")
    torch.manual_seed(0)
    frames = {"name": "isp", "arguments": {}}
    net = CameraNet(**TINY)
    for head in (net.restorer.head, net.enhancer.head):
        torch.nn.init.normal_(head.weight, std=0.02)
    for name in ("cameranet", "cameranet-short"):
        put(folder, name, net, "cameranet", TINY, frames)
    camera = {"name": "isp", "arguments": {"cameras": "A", "prep": "rgb"}}
    put(folder, "cameranet-short-a-rgb", net, "cameranet", TINY, camera)
    one = {**TINY, "part": "enhance"}
    put(folder, "cameranet-short-one-stage", CameraNet(**one), "cameranet", one, frames)
    small = {"width": 4, "layers": 2, "looks": 2}
    put(folder, "deepisp-short", DeepISP(**small), "deepisp", small, frames)
    put(folder, "fan-plus", FAN(**TINY_FAN), "fan", TINY_FAN, {"name": "raws", "arguments": {"shot": [1e-5, 2e-2]}})
    digests = {f.stem: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.glob("*.safetensors")}
    (folder / zoo.HASHES).write_text(json.dumps(digests))
    return folder


@pytest.fixture
def trained(networks: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zoo, "FOLDERS", (networks,))
    return networks


def test_the_frames_and_truths_are_the_documented_ones(data):
    files = [*sorted((data / "kodak24").iterdir()), sorted((data / "train_open").iterdir())[0]]
    found = samples("isp-synthetic", data, 99)
    assert len(found) == 2 * len(files)
    for i, file in enumerate(files):
        light = scene_light(read_photo(file).pixels[4:36, 12:44] / 255)  # the middle of 40x56 in multiples of 32
        clean = captured_frame(light, fixed_camera("ABC"[i % 3]))
        for number, (name, shot) in enumerate((("day", 4e-4), ("night", 1e-2))):
            sample = found[2 * i + number]
            rng, read = np.random.default_rng([20190819, i % 3, number, i]), upi_read(shot)
            noise = np.sqrt(shot * clean.mosaic + read) * rng.standard_normal(clean.mosaic.shape).astype(np.float32)
            np.testing.assert_allclose(sample.input.mosaic, clean.mosaic + noise, atol=1e-5)
            np.testing.assert_allclose(sample.truth, finish(light), atol=0.6 / 255)
            assert sample.input.noise == NoiseProfile((shot,), (read,))
            assert sample.name.startswith(file.name)
            assert sample.info["column"] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_result_scores_best_in_the_columns_of_its_sample(name, data):
    for sample, again in zip(samples(name, data, 4), samples(name, data, 4), strict=True):
        np.testing.assert_array_equal(sample.input.mosaic, again.input.mosaic)
        column = sample.info["column"]
        perfect = benchmark(name).score(Image(sample.truth), sample)
        assert list(perfect) == [f"{column} {score}" for score in ("psnr", "ssim", "color error")]
        assert perfect[f"{column} psnr"] == UNTOUCHED
        assert perfect[f"{column} color error"] == pytest.approx(0, abs=0.05)
        other = benchmark(name).score(peer("neutral", "looks").run(sample), sample)
        assert other[f"{column} psnr"] < 40
        assert other[f"{column} color error"] > 0.1


def test_of_cross_camera_every_camera_has_the_same_pictures(data):
    found = samples("isp-cross-camera", data, 8)
    assert [s.info["column"] for s in found] == list("ABCDABCD")
    assert all(np.array_equal(found[0].truth, s.truth) for s in found[1:4])
    assert len({s.input.white_balance for s in found[:4]}) == 4


def test_how_much_is_lost_on_other_cameras():
    values = [
        {"A psnr": 30.0, "A color error": 2.0},
        {"A psnr": 28.0, "A color error": 4.0},
        {"B psnr": 25.0, "B color error": 5.0},
        {"C psnr": 27.0, "C color error": 9.0},
    ]
    found = with_drops("A", "BC", values)
    assert found["means"]["A psnr"] == 29
    assert found["extras"] == {"drop": 3, "color drop": 4}
    assert with_drops("A", "BCD", values)["extras"] == {}


def test_looks_and_networks_stand_in_one_table_and_strips_on_its_page(data, trained):
    report = evaluate("isp-synthetic", data, limit=2)
    rows = {row.system: row for row in report.tables[0].rows}
    assert list(rows) == list(benchmark("isp-synthetic").rows)
    assert rows["cameranet-xyz"].absent == rows["deepisp"].absent == "not trained"
    for name in ("libraw", "neutral", "fan-plus-neutral", "deepisp-short", "cameranet", "fan-plus-cameranet"):
        assert {"day psnr", "night psnr", "day color error"} <= rows[name].means.keys()
    assert rows["cameranet"].parameters == sum(p.numel() for p in CameraNet(**TINY).parameters())
    both = rows["fan-plus-cameranet"]
    assert both.parameters == rows["cameranet"].parameters + rows["fan-plus-neutral"].parameters
    assert "NIGHT COLOR ERROR" in as_text(report.tables[0])
    strips = {m.system for m in report.measurements if m.strip}
    assert strips == {"cameranet-short", "cameranet", "fan-plus-cameranet"}
    text = page(report)
    assert text.count('class="strip"') == 2 * len(strips)
    assert text.count("<figcaption>DAY PSNR: box") == text.count("<figcaption>NIGHT PSNR: box") == 1


def test_a_network_runs_as_it_was_trained(data, trained):
    sample = samples("isp-cross-camera", data, 1)[0]
    for name, mode in (("cameranet-short", "wb"), ("cameranet-short-a-rgb", "rgb")):
        weights = zoo.read(name)
        network = CameraNet(**TINY).eval()
        network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.tensors.items()})
        xyz = torch.from_numpy(prepare(sample.input, mode)).permute(2, 0, 1)[None]
        with torch.no_grad():
            restored, finished = (stage[0].permute(1, 2, 0).numpy() for stage in network(xyz, apart=True))
        result = peer(name, "looks").run(sample)
        np.testing.assert_allclose(result.frame.pixels, finished.clip(0, 1), atol=1e-5)
        np.testing.assert_allclose(result.restored(), restored, atol=1e-5)


def test_five_pictures_of_two_stages(data):
    sample = samples("isp-synthetic", data, 1)[0]
    gray = np.full((32, 32, 3), 0.2, np.float32)
    strip = five_pictures(Finished(Image(sample.truth), {}, restored=lambda: gray), sample)
    raw, restored, _, made, truth = (strip[:, i * 366 : i * 366 + 360] for i in range(5))
    np.testing.assert_allclose(made, truth, atol=1 / 255)
    assert np.ptp(restored, axis=(0, 1)).max() < 0.01
    assert raw.std() > 0.05
    assert five_pictures(Image(sample.truth), sample) is None


def test_the_second_seed_is_a_row_of_its_own(data, trained):
    rows = evaluate("isp-ablation", data, limit=1).tables[0].rows
    absent = {row.system: row.absent for row in rows}
    assert [name for name, why in absent.items() if not why] == ["cameranet-short", "cameranet-short-one-stage"]
    assert {name.removesuffix(SECOND) for name in absent} == {name for name in absent if not name.endswith(SECOND)}
    assert all(peer(name, "looks").about == peer(name.removesuffix(SECOND), "looks").about for name in absent)


def test_weights_of_another_kind_are_refused_before_anything_is_computed(data, trained):
    with pytest.raises(UnusableInput, match="do not say how raws are prepared"):
        evaluate("isp-synthetic", data, systems=[f"cameranet-short={trained / 'fan-plus.safetensors'}"])
    with pytest.raises(UnusableInput, match="looks, which make photos of raws"):
        sample = samples("isp-synthetic", data, 1)[0]
        benchmark("isp-synthetic").score(sample.input, sample)
    with pytest.raises(UnusableInput, match="the result of"):
        benchmark("isp-synthetic").score(Image(sample.truth[:-2]), sample)
    file = str(trained / "cameranet-short-one-stage.safetensors")
    assert evaluate("isp-synthetic", data, systems=[file], limit=1).tables[0].rows[0].means


def test_libraw_gets_the_same_light_as_we_do():
    y, x = np.mgrid[:64, :96] / 96
    light = np.stack([0.2 + 0.5 * x, 0.7 - 0.5 * y, 0.3 + 0.4 * y], axis=-1)
    sample = Sample("made", captured_frame(light, fixed_camera("A")), light)
    theirs, ours = (
        srgb_decode(peer(f"{name}-linear", "looks").run(sample).pixels)[4:-4, 4:-4] for name in ("libraw", "neutral")
    )
    seen = light[4:-4, 4:-4]
    np.testing.assert_allclose(ours / ours.mean(), seen / seen.mean(), atol=0.02)
    np.testing.assert_allclose(theirs / theirs.mean(), seen / seen.mean(), atol=0.1)  # it has a matrix for daylight
    shown = peer("libraw", "looks").run(sample).pixels
    assert (shown.dtype, shown.shape) == (np.uint8, sample.truth.shape)


def test_dcraw_is_asked_where_it_is_installed(data, tmp_path, monkeypatch):
    sample = samples("isp-synthetic", data, 1)[0]
    monkeypatch.setattr(isp_peers.shutil, "which", lambda _: None)
    assert peer("dcraw", "looks").absent == "needs dcraw"
    PillowImage.fromarray(np.full((32, 32, 3), 77, np.uint8)).save(tmp_path / "made.tif")
    program = tmp_path / "dcraw"
    program.write_text(f'#!/bin/sh\n[ -s "$4" ] && [ "$1" = -w ] && cat {tmp_path}/made.tif\n')
    program.chmod(0o755)
    monkeypatch.setattr(isp_peers.shutil, "which", lambda _: str(program))
    assert (peer("dcraw", "looks").run(sample).pixels == 77).all()
    program.write_text("#!/bin/sh\necho no such camera >&2\nexit 1\n")
    with pytest.raises(UnusableInput, match="dcraw failed: no such camera"):
        peer("dcraw", "looks").run(sample)


def test_only_validation_photos_are_taken(tmp_path):
    (tmp_path / "train_open").mkdir()
    for i in range(20):
        (tmp_path / "train_open" / f"{i:02}.jpg").touch()
    assert [f.name for f in VALIDATION.files(tmp_path)] == ["00.jpg", "16.jpg"]


def test_pictures_of_another_kind_are_refused(data, tmp_path):
    make = benchmark("isp-cross-camera").parts[0].make
    for pixels, says in (
        (np.zeros((40, 40), np.uint8), "in colour, with 8 bits"),
        (np.zeros((20, 99, 3), np.uint8), "32x32"),
    ):
        PillowImage.fromarray(pixels).save(tmp_path / "a.png")
        with pytest.raises(UnusableInput, match=f"a.png: .*{says}"):
            make(0, [tmp_path / "a.png"])
