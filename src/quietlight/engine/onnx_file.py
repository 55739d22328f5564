"""Weights -> an ONNX model, without the onnx package: protocol buffers that are read one after the other become one message.

So a graph without weights becomes a model when another message, of nothing but its initializers, is put behind it
(https://protobuf.dev/programming-guides/encoding/#last-one-wins; field numbers by onnx.proto).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLOAT = 1
_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_GRAPH_INITIALIZER = 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_ENTRY_KEY, _ENTRY_VALUE = 1, 2


def filled(graph: bytes, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> bytes:
    """A serialised ONNX model with the float tensors for its initializers, and with metadata.

    >>> filled(b"", {"a": np.ones(1, np.float32)}).hex(" ")
    '3a 0f 2a 0d 08 01 10 01 42 01 61 4a 04 00 00 80 3f'
    """
    initializers = (_block(_GRAPH_INITIALIZER, _tensor(k, v)) for k, v in tensors.items() if v.dtype.kind == "f")
    entries = (
        _block(_MODEL_METADATA, _block(_ENTRY_KEY, key.encode()) + _block(_ENTRY_VALUE, value.encode()))
        for key, value in (metadata or {}).items()
    )
    return b"".join([graph, _block(_MODEL_GRAPH, b"".join(initializers)), *entries])


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    dims = b"".join(_number(_TENSOR_DIMS, side) for side in values.shape)
    raw = np.ascontiguousarray(values, "<f4").tobytes()
    return dims + _number(_TENSOR_TYPE, _FLOAT) + _block(_TENSOR_NAME, name.encode()) + _block(_TENSOR_RAW, raw)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _block(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have their highest bit set."""
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
