"""What code that serves numpy arrays and torch tensors alike needs to know of them, without importing torch."""

from __future__ import annotations

import sys
from typing import Any

Pixels = Any
"""A floating numpy array or torch tensor."""


def namespace(x: Pixels) -> Any:
    """The library of an array, numpy or torch: whoever holds a tensor has loaded torch."""
    return sys.modules[type(x).__module__.partition(".")[0]]


def like(values: Any, x: Pixels) -> Pixels:
    """Numbers as an array of the library, type and device of `x`."""
    library = namespace(x)
    place = {} if library.__name__ == "numpy" else {"device": x.device}
    return library.asarray(values, dtype=x.dtype, **place)


def contiguous(x: Pixels) -> Pixels:
    """The array as it is, or a copy that lies in memory row by row."""
    library = namespace(x)
    return library.ascontiguousarray(x) if library.__name__ == "numpy" else x.contiguous()
