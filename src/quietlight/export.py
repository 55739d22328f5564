"""network -> ONNX file, of any size, with what must be known of it, proven to compute what torch computes; also in int8."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quietlight import __version__
from quietlight.engine.graphs import model_of
from quietlight.engine.onnx_file import filled
from quietlight.frames import UnusableInput
from quietlight.io.files import written_beside
from quietlight.zoo import Weights

LICENCE = "Apache-2.0"
MOST_OFF = 1e-4
"""Largest difference from torch, of values about 1, of a model that computes the same."""
MOST_LOST = 0.1
"""dB that int8 may lose."""
PROOFS = ((5, 7), (9, 4))
"""Height and width of the proofs, in multiples of 32 pixels; graphs are traced at other sizes."""
_CALIBRATION, _SCORED = 24, 10
DENSE = ("kpn", "cameranet", "raw-unet", "dncnn", "srgan-can", "deepisp")
"""Networks of dense convolutions, where int8 is faster than bf16; others are bound by memory."""
_STAGES = {"cameranet": 2, "srgan-can": 2}
"""Networks that are several in a row, of equally many convolutions."""
_ENDS = 4
"""Convolutions at either end of each that stay in float: of 8 bits, those lose most (kpn-gray 0.33 dB, cameranet 4.6)."""
Arrays = Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class Proof:
    """The shapes of some inputs, and how far apart torch and the exported model are on them, at most."""

    shapes: tuple[tuple[int, ...], ...]
    difference: float


@dataclass(frozen=True)
class Int8:
    """What int8 does to the score on `pictures`: `before` and `after`, in dB, and the size of the file in bytes."""

    pictures: str
    before: float
    after: float
    size: int

    @property
    def lost(self) -> float:
        """In dB; negative where int8 scores better."""
        return self.before - self.after


def export(weights: Weights, path: Path) -> list[Proof]:
    """Write the network as an ONNX model of float32, and prove at two sizes that it computes what torch does.

    The batch, height and width of its input are free, the latter in multiples of what its metadata says.

    Raises:
        UnusableInput: a network that cannot be exported, or a model that computes something else, which is not written.
        ModuleNotFoundError: torch or onnxruntime is missing.
    """
    model = filled(model_of(weights, "forward", _inputs(weights), build=True), {}, described(weights))
    proofs = list(_proven(weights, model))
    off = max(proof.difference for proof in proofs)
    if off > MOST_OFF:
        raise UnusableInput(f"{weights.name}: the exported model is {off:.2g} off what torch computes: not written")
    _write(path, model)
    return proofs


def export_int8(weights: Weights, path: Path) -> Int8:
    """Write the network as an ONNX model whose convolutions are of 8 bits, calibrated on the photos that it learnt from.

    Raises:
        UnusableInput: a network on which int8 is no faster, or that loses `MOST_LOST` or more by it: nothing is written.
        ModuleNotFoundError: torch, onnx or onnxruntime is missing.
    """
    from quietlight.engine import onnxruntime_engine
    from quietlight.evaluate import by_recipe

    if weights.network not in DENSE:
        raise UnusableInput(
            f"{weights.name}: int8 is for networks of dense convolutions ({', '.join(DENSE)}); on depthwise ones it is no faster "
            "than bf16"
        )
    model = filled(model_of(weights, "forward", _inputs(weights), build=True), {}, described(weights))
    seen = by_recipe.inputs_seen(weights, by_recipe.learnt_from(weights, _CALIBRATION))
    smaller = _quantised(model, seen, _STAGES.get(weights.network, 1))
    pictures, batches = by_recipe.held_out(weights, _SCORED)
    before, after = (by_recipe.score(weights, onnxruntime_engine.runner(each), batches) for each in (model, smaller))
    result = Int8(pictures, before, after, len(smaller))
    if not result.lost < MOST_LOST:
        raise UnusableInput(
            f"{weights.name}: int8 loses {result.lost:.3f} dB on {pictures} ({before:.3f} to {after:.3f} dB), and {MOST_LOST:g} dB "
            "is the most: not written"
        )
    _write(path, smaller)
    return result


def described(weights: Weights) -> dict[str, str]:
    """What is recorded in a model."""
    recipe = json.loads(weights.metadata.get("recipe", "{}"))
    return {
        "name": weights.name,
        "sha256": weights.sha256,
        "licence": LICENCE,
        "recipe": recipe.get("name", ""),
        "about": recipe.get("about", ""),
        "network": weights.network,
        "arguments": json.dumps(weights.arguments, sort_keys=True),
        "multiple": str(weights.multiple),
        "channels": str(_channels(weights)),
        "producer": f"quietlight {__version__}",
    }


def _channels(weights: Weights) -> int:
    """Of a picture that it takes."""
    fixed = {"fan": 4, "raw-unet": 4, "cameranet": 3, "srgan-can": 3, "deepisp": 3}
    return fixed.get(weights.network) or int(weights.arguments.get("channels", 1))


def _inputs(weights: Weights) -> int:
    return {"fan": 3, "raw-unet": 3, "kpn": 4}.get(weights.network, 1)


def _proven(weights: Weights, model: bytes) -> Iterator[Proof]:
    from quietlight.engine import onnxruntime_engine, torch_engine
    from quietlight.engine.inputs import random_inputs

    exact, compute = torch_engine.runner(weights, "forward", bf16=False), onnxruntime_engine.runner(model)
    for height, width in PROOFS:
        arrays = random_inputs(weights, 32 * height, 32 * width)
        expected = exact(*arrays)
        difference = np.abs(compute(*arrays) - expected).max() / max(1.0, float(np.abs(expected).max()))
        yield Proof(tuple(array.shape for array in arrays), float(difference))


def _quantised(model: bytes, seen: Sequence[Arrays], stages: int) -> bytes:
    """The model with convolutions of 8 bits, by the ranges that values have on some inputs; see `_ENDS`."""
    import onnx
    from onnxruntime import quantization

    from quietlight.engine.trace import quiet

    graph = onnx.load_from_string(model).graph
    names = [given.name for given in graph.input]
    layers = np.array_split([node.name for node in graph.node if node.op_type == "Conv"], stages)
    feeds = iter([dict(zip(names, arrays, strict=True)) for arrays in seen])

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> Any:
            return next(feeds, None)

    with tempfile.TemporaryDirectory() as folder, quiet("root"):
        source, target = Path(folder, "source.onnx"), Path(folder, "target.onnx")
        source.write_bytes(model)
        quantization.quantize_static(
            source,
            target,
            Reader(),
            nodes_to_exclude=[str(name) for stage in layers for name in (*stage[:_ENDS], *stage[-_ENDS:])],
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return target.read_bytes()


def _write(path: Path, model: bytes) -> None:
    with written_beside(path) as beside:
        beside.write_bytes(model)
