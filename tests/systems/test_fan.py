"""FAN as a system: every size and pattern, without seams, and with its guards."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from quietlight import zoo
from quietlight.camera.bayer import crop, pack
from quietlight.frames import BAYER, Image, NoiseProfile, RawFrame, UnusableInput
from quietlight.networks import NETWORKS
from quietlight.noise.sensor import upi_read
from quietlight.registry import build
from quietlight.systems import fan as module
from quietlight.systems.fan import fan

ARGUMENTS = {"widths": [8, 12, 16], "encoder": [1, 1], "middle": 1, "decoder": [1, 1]}


def weights(folder: Path, name: str = "net", shot: tuple[float, float] = (1e-5, 2e-2), seed: int = 0) -> zoo.Weights:
    """A network of random weights, whose recipe says what noise it learnt from."""
    torch.manual_seed(seed)
    network = build(NETWORKS, "fan", "network", ARGUMENTS)
    state = {k: torch.ones_like(v) if ".scale" in k else v for k, v in network.state_dict().items()}
    state["head.bias"] = state["head.bias"] + 0.01 * (seed + 1)
    recipe = json.dumps({"data": {"name": "raws", "arguments": {"shot": shot}}})
    path = folder / f"{name}.safetensors"
    zoo.save(path, "fan", ARGUMENTS, state, {"multiple": str(network.multiple), "recipe": recipe})
    return zoo.read(str(path))


def raw(height: int = 60, width: int = 76, cfa: str = "RGGB", shot: float = 1e-3) -> RawFrame:
    mosaic = np.random.default_rng(0).normal(0.2, 0.1, (height, width)).astype(np.float32)
    return RawFrame(mosaic, cfa, noise=NoiseProfile((shot,), (upi_read(shot),)))


@pytest.mark.parametrize("cfa", BAYER)
def test_every_size_and_pattern_keeps_its_shape(cfa, tmp_path):
    net = weights(tmp_path)
    for height, width in ((2, 2), (5, 30), (33, 18)):
        result = fan(raw(height, width, cfa), weights=net)
        assert result.frame.mosaic.shape == (height, width)
        assert result.frame.mosaic.dtype == np.float32
        assert result.frame.cfa == cfa
        assert result.record["weights"] == {"net": 1.0}


def test_another_pattern_is_the_same_picture_seen_from_another_pixel(tmp_path):
    net, frame = weights(tmp_path), raw(240, 248)
    whole = fan(frame, weights=net).frame.mosaic
    for top, left in ((0, 1), (1, 0), (1, 1)):
        part = crop(frame, top, left, 238, 246)
        assert part.cfa != "RGGB"
        clean = fan(part, weights=net).frame.mosaic
        inner = slice(100, 140), slice(100, 140)
        # But for the means, which each part keeps as its own.
        difference = clean[inner] - whole[top:, left:][inner]
        for plane in pack(difference, part.cfa):
            assert np.ptp(plane) < 1e-3 < np.ptp(clean[inner])


def test_tiles_leave_no_seams(tmp_path, monkeypatch):
    net, frame = weights(tmp_path), raw(300, 260)
    shares: list[float] = []
    whole = fan(frame, weights=net).frame.mosaic
    monkeypatch.setattr(module, "TILE", 64)
    tiled = fan(frame, weights=net, progress=shares.append).frame.mosaic
    np.testing.assert_allclose(tiled, whole, atol=1e-4)
    assert len(shares) > 4
    assert shares[-1] == 1


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG"])
def test_means_are_kept_and_clipped_highlights_untouched(cfa, tmp_path):
    frame = raw(80, 96, cfa)
    frame.mosaic[20:50, 30:70] = 1.02
    clean = fan(frame, weights=weights(tmp_path)).frame.mosaic
    assert np.array_equal(clean[22:48, 32:68], frame.mosaic[22:48, 32:68])
    assert not np.array_equal(clean, frame.mosaic)
    for before, after in zip(pack(frame.mosaic, cfa), pack(clean, cfa), strict=True):
        assert after.mean(dtype=np.float64) == pytest.approx(before.mean(dtype=np.float64), abs=1e-6)


def test_below_the_trained_noise_the_change_fades_out(tmp_path):
    net = weights(tmp_path, shot=(1e-4, 1e-2))
    shares = []
    for shot in (2e-4, 1e-4, 5e-5, 3e-5, 2e-5):
        frame = raw(shot=shot)
        result = fan(frame, weights=net)
        shares.append(result.record["share"])
        assert np.array_equal(result.frame.mosaic, frame.mosaic) == (shares[-1] == 0)
    assert shares[:2] == [1, 1]
    assert shares[-1] == 0
    assert shares[1] > shares[2] > shares[3] > 0
    assert fan(raw(shot=2e-5), weights=net).frame.noise == raw(shot=2e-5).noise


def test_above_the_trained_noise_the_frame_is_dimmed_into_the_range(tmp_path):
    net = weights(tmp_path, shot=(1e-4, 1e-2))
    told = []
    run = module.engine.run

    def spy(weights, planes, shot, read):
        told.append(float(shot.max()))
        return run(weights, planes, shot, read)

    frame = raw(shot=4e-2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.engine, "run", spy)
        clean = fan(frame, weights=net).frame.mosaic
    assert max(told) < 1.1e-2
    assert abs(float(clean.mean()) - float(frame.mosaic.mean())) < 1e-5


def test_the_strength_does_not_jump_at_the_border_of_two_subranges(tmp_path):
    nets = [weights(tmp_path, f"r{i}", s, seed=i) for i, s in enumerate([(1e-5, 1e-3), (1e-3, 2e-2)])]
    whole = [fan(raw(shot=s), weights=[nets[i]]).frame.mosaic for i, s in ((0, 5e-4), (1, 2e-3))]
    for reference, shot in zip(whole, (5e-4, 2e-3), strict=True):  # far from the border one serves alone
        assert np.array_equal(fan(raw(shot=shot), weights=nets).frame.mosaic, reference)
    shots = np.geomspace(5e-4, 2e-3, 60)
    results = [fan(raw(shot=float(s)), weights=nets[::-1]) for s in shots]
    parts = [result.record["weights"].get("r1", 0.0) for result in results]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0, 1)
    steps = [np.abs(b.frame.mosaic - a.frame.mosaic).max() for a, b in pairwise(results)]
    assert max(steps) < 0.15 * np.abs(results[-1].frame.mosaic - results[0].frame.mosaic).max()


def test_what_is_no_bayer_mosaic_goes_through_the_classical_denoiser():
    noise = NoiseProfile((1e-3,), (1e-6,))
    for cfa, shape in (("RGB", (32, 32, 3)), ("MONO", (32, 32))):
        frame = RawFrame(np.random.default_rng(0).random(shape, np.float32), cfa, noise=noise)
        assert fan(frame).record["noise"] == "Poisson-Gaussian"


def test_what_cannot_be_denoised_is_refused(tmp_path):
    with pytest.raises(UnusableInput, match="fan is for raws"):
        fan(Image(np.zeros((8, 8, 3), np.uint8)))
    with pytest.raises(UnusableInput, match="must be told the noise"):
        fan(replace(raw(), noise=None))
    with pytest.raises(UnusableInput, match="unet-gray: these are not weights of a raw denoiser"):
        fan(raw(), weights="unet-gray")
    net = weights(tmp_path)
    for recipe in ("", "[]", "{}", '{"data": {"name": "raws", "arguments": {"shot": [-1, 2]}}}'):
        with pytest.raises(UnusableInput, match="net: these are not weights of a raw denoiser"):
            fan(raw(), weights=replace(net, metadata={"recipe": recipe}))
