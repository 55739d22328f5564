"""Tables hold what one would compute by hand; interrupted runs go on; who cannot run says why."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from quietlight.evaluate import BENCHMARKS, BURST_PEERS, CLASSIFIERS, LOOK_PEERS, OPERATORS, PEERS, RAW_PEERS, run
from quietlight.evaluate.peers import NOT_TRAINED, names, peer
from quietlight.evaluate.run import evaluate
from quietlight.evaluate.sample import Kind
from quietlight.evaluate.table import PERCENTILES, Report, as_markdown, as_text, cells
from quietlight.frames import UnusableInput
from quietlight.metrics import psnr, ssim
from quietlight.registry import resolve
from quietlight.systems import OF_BURSTS, SYSTEMS, impulses
from quietlight.systems.classical import classical


def test_every_peer_and_system_is_a_row():
    assert set(PEERS) | set(SYSTEMS) == set(names()) | {"fan", "cameranet", *OF_BURSTS}
    assert list(CLASSIFIERS) == names("classes")
    assert list(RAW_PEERS) == names("raws")
    assert list(BURST_PEERS) == names("bursts")
    assert list(LOOK_PEERS) == names("looks")
    assert list(OPERATORS) == names("operators")
    for kind in get_args(Kind):
        for name in names(kind):
            assert peer(name, kind).name == name
            assert peer(name, kind).about


def test_the_table_equals_a_direct_computation(data):
    report = evaluate("bsd68-mixture", data, systems=["noisy", "classical"])
    part = resolve(BENCHMARKS, "bsd68-mixture", "benchmark")().parts[0]
    pairs = [make() for make in part.samples(data)]
    outputs = {
        "noisy": [s.input.pixels / 255 for s in pairs],
        "classical": [classical(s.input).frame.pixels / 255 for s in pairs],
    }
    table = report.tables[0]
    assert (table.samples, table.available, table.verified) == (3, 3, False)
    for row in table.rows:
        values = [psnr(o, s.truth) for o, s in zip(outputs[row.system], pairs, strict=True)]
        assert row.means["psnr"] == pytest.approx(np.mean(values), abs=1e-4)
        assert row.percentiles["psnr"] == pytest.approx(np.percentile(values, PERCENTILES), abs=1e-4)
        similar = [ssim(o, s.truth) for o, s in zip(outputs[row.system], pairs, strict=True)]
        assert row.means["ssim"] == pytest.approx(np.mean(similar), abs=1e-4)
        gains = [v - psnr(s.input.pixels / 255, s.truth) for v, s in zip(values, pairs, strict=True)]
        assert row.means["gain"] == pytest.approx(np.mean(gains), abs=1e-4)
        assert row.extras["least gain"] == pytest.approx(min(gains), abs=1e-4)
        assert row.extras["width"] == pytest.approx(np.percentile(values, 90) - np.percentile(values, 10), abs=1e-4)
        assert row.seconds is not None


def test_of_clean_pictures_the_share_that_is_left_as_it_is(data, counted):
    """A system that changes every picture but the first, by one value of 255."""
    counted.change = lambda pixels: pixels + np.uint8(counted.names[-1] != "0.png")
    noisy, changing = evaluate("bsd68-clean", data, systems=["noisy", "counted"]).tables[0].rows
    assert noisy.means == {"psnr": 100, "ssim": pytest.approx(1), "same": 1}
    assert noisy.extras == {}
    assert changing.means["same"] == pytest.approx(1 / 3)
    assert changing.extras["least psnr"] == pytest.approx(20 * np.log10(255), abs=1e-3)


def test_a_killed_run_goes_on(data, tmp_path, counted):
    journal = tmp_path / "j.jsonl"

    def interrupted() -> None:
        if len(counted.names) == 2:
            raise KeyboardInterrupt

    counted.before = interrupted
    with pytest.raises(KeyboardInterrupt):
        evaluate("bsd68-mixture", data, systems=["noisy", "counted"], journal=journal)
    with journal.open("a") as file:
        file.write('{"key": ["cut sho')
    counted.before = lambda: None
    report = evaluate("bsd68-mixture", data, systems=["noisy", "counted"], journal=journal)
    assert counted.names == ["0.png", "1.png", "2.png"]
    again = evaluate("bsd68-mixture", data, systems=["noisy", "counted"], journal=journal)
    assert len(counted.names) == 3
    assert again.tables == report.tables
    assert again.tables[0].rows[0].means == again.tables[0].rows[1].means


def test_other_weights_and_inputs_and_scores_are_measured_again(data, tmp_path, counted, weights, monkeypatch):
    journal = tmp_path / "j.jsonl"
    retrained = tmp_path / weights.name
    for content in (weights.read_bytes(), weights.read_bytes(), weights.read_bytes().replace(b'"7"', b'"8"')):
        retrained.write_bytes(content)
        evaluate("awgn", data, systems=[f"counted={retrained}"], parts=["bsd68-25"], limit=1, journal=journal)
    assert len(counted.names) == 2
    evaluate("awgn", data, systems=[f"counted={retrained}"], parts=["set12-25"], limit=1, journal=journal)
    assert len(counted.names) == 3
    monkeypatch.setattr(run, "REVISION", f"{run.REVISION}.1")
    evaluate("awgn", data, systems=[f"counted={retrained}"], parts=["set12-25"], limit=1, journal=journal)
    assert len(counted.names) == 4


def test_parts_and_limit(data):
    report = evaluate("awgn", data, systems=["noisy"], parts=["set12", "kodak24-50"], limit=2)
    assert [t.part for t in report.tables] == ["set12-15", "set12-25", "set12-50", "kodak24-50"]
    assert {t.samples for t in report.tables} == {2}
    assert [t.rows[0].means["psnr"] for t in report.tables] == pytest.approx([24.6, 20.2, 14.1, 14.1], abs=0.3)
    with pytest.raises(UnusableInput, match="bsd68-15"):
        evaluate("awgn", data, parts=["nowhere"])


def test_networks_of_a_file_bring_their_costs_and_history(data, weights):
    systems = [f"unet-gray={weights}", str(weights)]
    gray = evaluate("bsd68-mixture", data, systems=systems, limit=1).tables[0].rows
    assert [row.system for row in gray] == ["unet-gray=tiny.safetensors", "tiny.safetensors"]
    assert gray[0].means == gray[1].means
    # 3x3 convolutions 1 -> 4 -> 4 -> 1, the middle one without a bias but with batch normalisation.
    assert gray[0].parameters == (9 * 4 + 4) + (9 * 16 + 8) + (9 * 4 + 1)
    assert gray[0].gmac == pytest.approx(9 * (4 + 16 + 4) / 1e3)
    assert (gray[0].steps, gray[0].device, len(gray[0].sha256)) == ("7", "cpu", 64)
    color = evaluate("cbsd68-mixture", data, systems=systems[:1], limit=1).tables[0].rows
    assert color[0].gmac == pytest.approx(3 * gray[0].gmac)


def test_the_chain_fills_what_it_finds_and_the_oracle_what_was_hit(data, weights):
    """The network of these weights changes nothing, so that only the filling is left."""
    systems = [f"chain={weights}", f"chain-oracle={weights}", f"unet-gray={weights}", "noisy"]
    chain, oracle, plain, noisy = evaluate("bsd68-mixture", data, systems=systems).tables[0].rows
    part = resolve(BENCHMARKS, "bsd68-mixture", "benchmark")().parts[0]
    for row, find in ((chain, lambda s: impulses.detect(s.input.pixels)), (oracle, lambda s: s.info["mask"])):
        pairs = [make() for make in part.samples(data)]
        filled = [impulses.fill(s.input.pixels, find(s)) / 255 for s in pairs]
        expected = np.mean([psnr(f, s.truth) for f, s in zip(filled, pairs, strict=True)])
        assert row.means["psnr"] == pytest.approx(expected, abs=1e-4)
        assert expected > plain.means["psnr"] + 2
    assert plain.means == noisy.means


def test_who_cannot_run_says_so(data, monkeypatch):
    monkeypatch.setitem(PEERS, "never", PEERS["e2e-dncnn"])
    rows = evaluate("bsd68-mixture", data, systems=["noisy", "never"], limit=1).tables[0].rows
    assert [row.absent for row in rows] == ["", NOT_TRAINED]
    assert rows[0].means
    with pytest.raises(UnusableInput, match="oracle"):
        evaluate("polyu", data, systems=["chain-oracle", "classical-oracle"], limit=1)
    with pytest.raises(UnusableInput, match="no weights"):
        evaluate("polyu", data, systems=["chain=nothing"], limit=1)
    with pytest.raises(UnusableInput, match="classical"):
        evaluate("polyu", data, systems=["clasical"])
    with pytest.raises(UnusableInput, match="once"):
        evaluate("polyu", data, systems=["noisy", "noisy"])


def test_without_names_everybody_who_can_is_compared(data):
    table = evaluate("polyu", data, limit=1).tables[0]
    rows = {row.system: row for row in table.rows}
    assert rows["noisy"].means["psnr"] == 100
    assert rows["classical"].means
    assert "classical-oracle" not in rows  # nobody knows the sigma of a real camera's noise
    shown = as_text(table).splitlines()
    assert len(shown) == len(rows) + 1
    for row in table.rows:
        assert any(row.system in line and row.absent in line for line in shown)
    assert as_markdown(table).count("\n") == len(rows) + 1
    assert {len(line) for line in cells(table)} == {len(cells(table)[0])}


def test_missing_data_is_said_before_anything_is_computed(tmp_path, counted):
    with pytest.raises(UnusableInput, match="kodak24"):
        evaluate("awgn", tmp_path, systems=["counted"], parts=["kodak24"])
    assert counted.names == []


def test_reports_come_back_from_their_file(data, tmp_path: Path):
    report = evaluate("bsd68-mixture", data, systems=["noisy", "e2e-dncnn"])
    report.write_json(tmp_path / "r.json")
    back = Report.read_json(tmp_path / "r.json")
    assert back.tables == report.tables
    assert [m.values for m in back.measurements] == [m.values for m in report.measurements]
    for text in ("", "[]", '{"tables": [3]}', "not json"):
        (tmp_path / "r.json").write_text(text)
        with pytest.raises(UnusableInput, match="no report"):
            Report.read_json(tmp_path / "r.json")
