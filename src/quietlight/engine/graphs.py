"""Graphs of our networks, without weights, and the ONNX models that they become: the engines other than torch run these.

Those of the networks that come along lie in `graphs/`, written by `tools/graphs.py`. Others are built once by torch, if it and the
extra `export` are there, and kept in the user's cache.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from quietlight import __version__, networks
from quietlight.engine import cache
from quietlight.engine.choice import Unavailable
from quietlight.engine.onnx_file import filled
from quietlight.zoo import Weights

FOLDER = Path(__file__).parent / "graphs"
BUILDERS = "torch", "onnx", "onnxscript"
"""Packages that building takes."""


def file_of(network: str, arguments: Mapping[str, Any], method: str, count: int) -> Path:
    """Where the graph lies, if it ships, of a method that takes so many inputs."""
    text = json.dumps(arguments, sort_keys=True)
    return FOLDER / f"{network}-{hashlib.sha256(text.encode()).hexdigest()[:8]}-{method}-{count}.onnx.gz"


def model_of(weights: Weights, method: str, count: int, build: bool) -> bytes:
    """A serialised ONNX model of the network with its weights.

    Args:
        build: whether a graph that is not there is built, which takes a while.

    Raises Unavailable where there is none.
    """
    path = file_of(weights.network, weights.arguments, method, count)
    graph = gzip.decompress(path.read_bytes()) if path.is_file() else _built(weights, path.name, method, count, build)
    return filled(graph, weights.tensors)


def _built(weights: Weights, name: str, method: str, count: int, build: bool) -> bytes:
    key = "graph", __version__, _sources(), name
    graph = cache.read(*key)
    if graph is None and build and all(map(find_spec, BUILDERS)):
        from quietlight.engine.trace import graphs_of

        for other, inputs, made in graphs_of(weights.network, weights.arguments):
            cache.write(made, *key[:-1], file_of(weights.network, weights.arguments, other, inputs).name)
            graph = made if (other, inputs) == (method, count) else graph
    if graph is None:
        raise Unavailable(
            f"{weights.name}: no graph of this network comes along: take the engine torch, or have one built by it and the extra "
            "export (pip install 'quietlight[export]')"
        )
    return graph


def _sources() -> str:
    """A hash of the networks' code, which a graph follows from."""
    files = sorted(Path(networks.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
