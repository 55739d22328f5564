"""CameraNet as a system: a raw restored in linear XYZ, then finished like a photographer would, by two networks.

Liang et al. 2021. The networks look at the mean of their features over the whole frame; so every stage runs twice over the tiles:
once for that mean, and then with it. Around them stand the guards that the user relies on: the finish can be weakened, and it
cannot make the picture much brighter or darker than the neutral rendering.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quietlight import engine, tiles, zoo
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.develop import Rendering, choose_gains, neutral_rendering
from quietlight.camera.prepare import MODES, prepare
from quietlight.camera.tone import srgb_decode, srgb_encode
from quietlight.frames import Array, Floats, Image, RawFrame, UnusableInput
from quietlight.systems import Result
from quietlight.zoo import Weights

DEFAULT = "cameranet"
TILE = 2048
"""A picture of 12 megapixels has four, in less than 3 GB; larger ones take less time, since the finish sees 740 pixels far."""
_BYTES = 500
"""Of memory that a network takes per pixel; ONNX Runtime, which takes most."""
DRIFT = 1.5
"""EV that the finish may lie above or below the neutral rendering."""
_ROWS = 256
_THIN = 1 << 18
"""Pixels, about, of which mean brightness is taken."""
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_FROM_XYZ = SRGB_FROM_XYZ.astype(np.float32)

Picture = NDArray[np.float32]
Progress = Callable[[float], None]


def cameranet(
    frame: RawFrame,
    *,
    weights: Weights | str = DEFAULT,
    white_balance: str | float = "as-shot",
    exposure: float = 0.0,
    enhance: float = 1.0,
    bits: int = 16,
    progress: Progress | None = None,
) -> Result:
    """Develop a raw whose bad pixels are repaired: RawFrame -> display-referred sRGB Image, upright and cropped.

    Args:
        frame: a raw in colour; its noise is removed on the way.
        weights: of a CameraNet of two stages, or their name in the zoo, or a .safetensors file.
        white_balance, exposure, bits: as for `pipeline.develop`.
        enhance: strength of the finish, in [0, 1]: out = plain + enhance · (finished - plain), where the plain picture is the
            restored one in the exposure of the neutral rendering, with sRGB's curve.
        progress: called with the finished share, from 0 to 1.

    Returns:
        the photo, and a record: the weights, and "drift_ev", by how much the finish was brighter than the neutral rendering before
        it was held to `DRIFT`.

    Raises:
        UnusableInput: no raw in colour, other weights, a value out of its range, or a white balance for weights that find the
            white themselves.
    """
    if not isinstance(frame, RawFrame) or frame.cfa == "MONO":
        raise UnusableInput("cameranet develops raws in colour: take the neutral look for others")
    if not 0 <= enhance <= 1 or bits not in (8, 16):
        raise UnusableInput(f"enhance lies between 0 and 1, and bits are 8 or 16, not {enhance:g} and {bits}")
    net = _net(zoo.read(weights) if isinstance(weights, str) else weights, progress)
    if net.mode != "wb" and white_balance != "as-shot":
        raise UnusableInput(
            f"{net.weights.name}: these weights find the white themselves: leave the white balance as shot"
        )
    frame = replace(frame, white_balance=choose_gains(frame, white_balance))
    neutral = neutral_rendering(frame)
    prepared = prepare(frame, net.mode)
    balanced = prepared if net.mode == "wb" else prepare(frame, "wb")
    aim = _brightness(neutral.to_display(_light(_thin(balanced), neutral)))
    restored = net.run("restore", prepared, 0.0)
    del prepared, balanced
    finished = net.run("enhance", restored, 0.5)
    drift = _ev(_brightness(_thin(finished).clip(0, 1))) - _ev(aim)
    gain = 2.0 ** (exposure + float(np.clip(drift, -DRIFT, DRIFT)) - drift)
    plain = replace(neutral, exposure=neutral.exposure * 2.0**exposure)
    pixels = _mixed(restored, finished, plain, gain, enhance, bits)
    record = {
        "network": net.weights.network, "weights": net.weights.name, "sha256": net.weights.sha256, "prepared": net.mode,
        "enhance": enhance, "white_balance": neutral.gains, "exposure_ev": math.log2(plain.exposure), "drift_ev": drift,
    }  # fmt: skip
    return Result(Image(pixels, metadata=frame.metadata), record)


@dataclass(frozen=True)
class _Net:
    """A network of two stages, how raws are prepared for it, and how many pixels each of its stages sees to every side."""

    weights: Weights
    mode: str
    reach: dict[str, int]
    progress: Progress | None

    def run(self, stage: str, picture: Picture, begun: float) -> Picture:
        """A stage over the whole picture [H, W, 3]: once for the means of its features, and once with them."""
        means: list[Picture] = []
        if self.weights.arguments.get("global_branch") != "none":
            features = self._tiled(f"{stage}_features", stage, picture, (begun, 0.15), shrink=self.weights.multiple)
            means = [features.mean((0, 1), dtype=np.float64).astype(np.float32)[None]]
        return self._tiled(stage, stage, picture, (begun + 0.15, 0.35), *means)

    def _tiled(
        self, method: str, stage: str, picture: Picture, part: tuple[float, float], *given: Picture, shrink: int = 1
    ) -> Picture:
        """What a stage's method makes of a picture; `part` is where in the whole run it begins, and its share of that."""

        def run(tile: Array) -> Array:
            batch = np.ascontiguousarray(np.moveaxis(tile, 2, 0)[None])
            return np.moveaxis(engine.run(self.weights, batch, *given, method=method)[0], 0, 2)

        def tell(done: float) -> None:
            if self.progress is not None:
                self.progress(part[0] + part[1] * done)

        made = tiles.apply(
            run,
            picture,
            tile=tiles.side(TILE, _BYTES),
            margin=self.reach[stage],
            border=0,
            multiple=self.weights.multiple,
            shrink=shrink,
            progress=tell,
        )
        return np.asarray(made, np.float32)


def _net(weights: Weights, progress: Progress | None) -> _Net:
    """Raises UnusableInput for weights that are not those of two stages, or that do not say how raws are prepared for them."""
    try:
        reach = json.loads(weights.metadata["reach"])
        known = (
            {"restore", "enhance"} <= reach.keys()
            and weights.network == "cameranet"
            and weights.arguments.get("part", "both") == "both"
        )
    except (KeyError, ValueError, AttributeError):
        known = False
    if not known:
        raise UnusableInput(f"{weights.name}: these are not weights of both stages of a CameraNet")
    return _Net(weights, mode_of(weights), reach, progress)


def mode_of(weights: Weights) -> str:
    """How raws are prepared for a network that learnt from frames. Raises UnusableInput for one that did not."""
    try:
        data = json.loads(weights.metadata["recipe"])["data"]
        mode = data["arguments"].get("prep", "wb")
        if str(data["name"]).startswith("isp") and mode in MODES:
            return str(mode)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise UnusableInput(f"{weights.name}: these weights do not say how raws are prepared for them")


def _light(xyz: Picture, rendering: Rendering) -> Picture:
    """XYZ -> linear sRGB in the exposure of a rendering."""
    return np.asarray(xyz @ (_FROM_XYZ.T * np.float32(rendering.exposure)))


def _thin(picture: Array) -> Array:
    step = max(1, math.isqrt(picture.shape[0] * picture.shape[1] // _THIN))
    return picture[::step, ::step]


def _brightness(display: Floats) -> float:
    """The mean luma of a picture as displayed."""
    return float((display @ _LUMA).mean(dtype=np.float64))


def _ev(brightness: float) -> float:
    """A displayed brightness as light, in powers of two."""
    return math.log2(max(float(srgb_decode(np.array(brightness))), 1e-4))


def _mixed(restored: Picture, finished: Picture, plain: Rendering, gain: float, enhance: float, bits: int) -> Array:
    """The finish, its light times `gain`, mixed with the restored picture in the exposure of `plain` and sRGB's curve."""
    pixels = np.empty(finished.shape, f"uint{bits}")
    for top in range(0, len(pixels), _ROWS):
        rows = slice(top, top + _ROWS)
        picture = finished[rows].clip(0, 1)
        if gain != 1:
            picture = srgb_encode(np.minimum(srgb_decode(picture) * gain, 1))
        if enhance < 1:
            shown = srgb_encode(_light(restored[rows], plain).clip(0, 1))
            picture = shown + enhance * (picture - shown)
        pixels[rows] = np.rint(picture.clip(0, 1) * np.iinfo(pixels.dtype).max)
    return pixels
