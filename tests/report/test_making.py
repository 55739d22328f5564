"""How a result was made is told: by which weights, from what, how long, by what command."""

from __future__ import annotations

import hashlib
from html import unescape

from quietlight import zoo
from quietlight.report.making import Making, making_section, provenance, weights_in

MAKING = Making(
    command="quietlight denoise 'a b.dng' --out out",
    folder="/home/someone",
    sources=("a b.dng",),
    target="out/<a>.dng",
    seconds={"reading": 0.5, "denoising": 1.5},
)


def test_weights_are_found_wherever_a_record_names_them() -> None:
    record = {
        "system": "fan",
        "classifier": "noise-classifier",
        "steps": [{"denoiser": "unet-gray", "class": "fan"}, {"denoiser": "unet-gray"}],
        "inner": {"weights": {"fan-plus": 0.7, "fan": 0.3}},
    }
    assert weights_in(record) == ["noise-classifier", "unet-gray", "fan-plus", "fan"]
    assert weights_in({"weights": "kpn"}) == ["kpn"]
    assert weights_in({"places": {}, "noise": "low"}) == []


def test_hashes_are_those_of_the_files() -> None:
    told = provenance({"weights": {"fan-plus": 1.0, "not of ours": 0.0}}, MAKING)
    assert told["models"] == {"fan-plus": hashlib.sha256(zoo.path_of("fan-plus").read_bytes()).hexdigest()}


def test_the_section_tells_all_of_it() -> None:
    told = provenance({"weights": {"fan-plus": 1.0}}, MAKING)
    section = making_section(told)
    assert "<a>" not in section
    text = unescape(section)
    facts = [
        MAKING.command,
        MAKING.folder,
        "a b.dng",
        "out/<a>.dng",
        "0.5 s",
        "1.5 s",
        "2 s",
        told["models"]["fan-plus"],
    ]
    for fact in facts:
        assert fact in text


def test_what_nobody_told_is_left_out() -> None:
    section = making_section(provenance({}, Making()))
    assert "make it again" not in section
    assert "sha256" not in section
