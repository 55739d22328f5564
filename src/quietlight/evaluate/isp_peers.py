"""Who is compared in finishing raws: other people's developers, the neutral look, and networks that learnt a whole pipeline."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

from quietlight import engine, tiles
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.prepare import prepare
from quietlight.camera.tone import srgb_encode
from quietlight.evaluate.isp_sample import Finished
from quietlight.evaluate.peers import NOT_TRAINED, Peer, never, peer, raw_of, weights_of_ours
from quietlight.evaluate.sample import Output, Sample
from quietlight.frames import Array, Floats, Image, RawFrame, UnusableInput
from quietlight.io.dng import write_dng
from quietlight.io.photo import read_photo
from quietlight.systems.cameranet import DEFAULT, mode_of
from quietlight.systems.cameranet import cameranet as run_cameranet
from quietlight.systems.fan import fan
from quietlight.systems.neutral import neutral as run_neutral
from quietlight.zoo import Weights

_MOST_SECONDS = 60


def libraw(name: str, _: str) -> Peer:
    """LibRaw by rawpy, on a DNG: as it comes, with the file's white balance; "-linear": without its curve and its brightening."""
    linear = name.endswith("-linear")

    def run(file: Path, frame: RawFrame) -> Image:
        with rawpy.imread(str(file)) as raw:
            if not linear:
                return Image(raw.postprocess(use_camera_wb=True))
            gains = frame.white_balance or (1.0, 1.0, 1.0)
            light = raw.postprocess(gamma=(1, 1), no_auto_bright=True, user_wb=[*gains, gains[1]], output_bps=16)
            return _encoded(light / np.float32(65535))

    about = (
        "LibRaw, linear, with the same multipliers" if linear else "LibRaw as it comes, with the file's white balance"
    )
    return Peer(name, f"{about}, on a DNG that we write", lambda sample: _from_dng(raw_of(sample), run))


def dcraw(name: str, _: str) -> Peer:
    """The program dcraw as it comes, with the file's white balance, where it is installed."""
    program = shutil.which("dcraw")

    def run(file: Path, _frame: RawFrame) -> Image:
        made = subprocess.run([str(program), "-w", "-T", "-c", str(file)], capture_output=True, timeout=_MOST_SECONDS)
        if made.returncode or not made.stdout:
            raise UnusableInput(f"dcraw failed: {made.stderr.decode(errors='replace').strip()}")
        out = file.with_suffix(".tif")
        out.write_bytes(made.stdout)
        return read_photo(out)

    about = "dcraw as it comes, with the file's white balance, on a DNG that we write"
    return Peer(name, about, lambda sample: _from_dng(raw_of(sample), run), absent="" if program else "needs dcraw")


def _from_dng(frame: RawFrame, run: Callable[[Path, RawFrame], Image]) -> Image:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frame.dng"
        write_dng(frame, file)
        return run(file, frame)


def neutral(name: str, _: str) -> Peer:
    """The neutral look, without denoising."""
    return Peer(name, "Quietlight's neutral look, not denoised", lambda sample: run_neutral(raw_of(sample)))


def neutral_linear(name: str, _: str) -> Peer:
    """What the neutral look puts its exposure and curve on."""
    return Peer(name, "the same, linear", lambda sample: _encoded(prepare(raw_of(sample)) @ SRGB_FROM_XYZ.T))


def _encoded(linear: Floats) -> Image:
    return Image(srgb_encode(np.clip(linear, 0, 1)).astype(np.float32))


_RESTORED = "-restored"


def cameranet(name: str, weights: str) -> Peer:
    """CameraNet as `develop` runs it, with its guards; "-restored": without its finish."""
    plain = name.endswith(_RESTORED)
    about = "CameraNet as develop runs it" + (", restored only" if plain else "")
    found = weights_of_ours(weights or DEFAULT, asked=bool(weights))
    if found is None:
        return Peer(name, about, never, absent=NOT_TRAINED)

    def run(sample: Sample) -> Finished:
        frame = raw_of(sample)
        result = run_cameranet(frame, weights=found, enhance=0.0 if plain else 1.0)
        return Finished(result.frame, result.record, restored=lambda: _run(found, frame, "restore"))

    return Peer(name, about, run, found)


_NETWORKS: dict[str, str] = {
    "deepisp": "DeepISP in the size that CameraNet's paper states",
    "deepisp-short": "DeepISP with fewer features, as many operations to train as cameranet-short",
    "deepisp-short-a": "the same, camera A alone, without the step to XYZ",
    "cameranet-xyz": "CameraNet on raws that are prepared as in its paper",
    "cameranet-short": "CameraNet in three short steps",
    "cameranet-short-one-stage": "one U-Net of the same size",
    "cameranet-short-direct": "without steps 1 and 2",
    "cameranet-short-apart": "without step 3",
    "srgan-can-short": "SRGAN with 10 layers and CAN24 in three short steps",
    "srgan-can-short-one-stage": "the same in one",
    "cameranet-short-a": "cameranet-short that learnt from camera A alone",
    "cameranet-short-a-xyz": "the same, raws prepared as in the paper",
    "cameranet-short-a-rgb": "the same, without the step to XYZ",
}
"""Weights -> what they are; "-2" behind them for a second seed."""


def network(name: str, weights: str) -> Peer:
    """A network as it was trained: whole frames, no guards around it."""
    about = _NETWORKS.get(name.removesuffix("-2"), "a network that finishes raws")
    found = weights_of_ours(weights or name, asked=bool(weights))
    if found is None:
        return Peer(name, about, never, absent=NOT_TRAINED)
    mode_of(found)  # refuses others before anything is computed

    def run(sample: Sample) -> Output:
        frame = raw_of(sample)
        photo = Image(_run(found, frame, "forward").clip(0, 1))
        if found.arguments.get("part", "both") != "both" or found.network == "deepisp":
            return photo
        return Finished(photo, {}, restored=lambda: _run(found, frame, "restore"))

    return Peer(name, about, run, found)


def _run(weights: Weights, frame: RawFrame, method: str) -> NDArray[np.float32]:
    """What a network makes of a whole frame at once, [H, W, 3]: a display picture, or XYZ."""
    xyz = prepare(frame, mode_of(weights))

    def run(picture: Array) -> Array:
        batch = np.ascontiguousarray(np.moveaxis(picture, 2, 0)[None])
        return np.moveaxis(engine.run(weights, batch, method=method)[0], 0, 2)

    return np.asarray(tiles.apply(run, xyz, tile=max(xyz.shape), multiple=weights.multiple), np.float32)


_DENOISER = "fan-plus"


def after_fan(name: str, weights: str) -> Peer:
    """FAN, told the noise, and then another look, whose name stands behind its own."""
    inner = name.removeprefix(f"{_DENOISER}-")
    look = peer(f"{inner}={weights}" if weights else inner, "looks")
    denoiser = weights_of_ours(_DENOISER, asked=False)
    about = f"FAN, then {look.about.replace(', not denoised', '')}"
    if look.absent or denoiser is None:
        return Peer(name, about, never, absent=look.absent or NOT_TRAINED)

    def run(sample: Sample) -> Output:
        return look.run(replace(sample, input=fan(raw_of(sample), weights=denoiser).frame))

    if look.weights is None:
        return Peer(name, about, run, denoiser)
    return Peer(name, about, run, pool={1: (denoiser, look.weights)})
