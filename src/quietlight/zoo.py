"""network <-> weights file: safetensors whose metadata rebuild the network and carry the recipe.

Weights are read as numpy arrays; a torch module is built of them only by the engine that wants one, or by `train`. Shipped weights
lie in `weights/`; those that stay in the repository, such as teachers and end-to-end peers, in its top-level `zoo-extra/`. Beside
them lies a hash of each, `sha256.json`; every file carries a hash of its own content, too. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from quietlight.frames import UnusableInput

_PACKAGE = Path(__file__).parent
_SHIPPED, _EXTRA = _PACKAGE / "weights", _PACKAGE.parent.parent / "zoo-extra"
FOLDERS = (_SHIPPED, _EXTRA) if _PACKAGE.parent.name == "src" and _EXTRA.is_dir() else (_SHIPPED,)
"""Where our weights lie: those of the wheel first, then, in a checkout, those that are not part of it."""
HASHES = "sha256.json"
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Weights:
    """What a weights file holds.

    Args:
        network, arguments: the entry of NETWORKS and its arguments, which build the network.
        tensors: parameters by name, float32.
        multiple: what both sides of its input are a multiple of.
        metadata: recipe, steps, device and validation, as text.
    """

    name: str
    network: str
    arguments: dict[str, Any]
    tensors: dict[str, NDArray[Any]]
    multiple: int
    metadata: dict[str, str]
    sha256: str


def names() -> list[str]:
    """Our weights: those of the wheel and, in a checkout, those that stay in the repository."""
    return sorted(path.stem for folder in FOLDERS for path in folder.glob("*.safetensors"))


def path_of(name: str) -> Path:
    """The file of our weights, or of a path to others. Raises UnusableInput where there is none, or one too large to read."""
    ours = [folder / f"{name}.safetensors" for folder in FOLDERS]
    path = next(filter(Path.is_file, [Path(name)] if name.endswith(".safetensors") else ours), None)
    if path is None:
        raise UnusableInput(
            f"no weights {name!r}: there are {', '.join(names()) or 'none'}, or give a .safetensors file"
        )
    if path.stat().st_size > MOST_BYTES:
        raise UnusableInput(f"{path}: larger than any weights of ours")
    return path


def in_wheel(name: str) -> bool:
    """Whether weights are part of the wheel. Raises as `path_of`."""
    return path_of(name).parent == FOLDERS[0]


def read(name: str) -> Weights:
    """Our weights, checked against their hash, or those of a file.

    Raises UnusableInput for files that are missing, damaged, altered or not weights of ours.
    """
    path = path_of(name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if path.parent in FOLDERS and hashes().get(path.stem) != digest:
        raise UnusableInput(f"{path}: its content is not the one that was committed: install or check it out again")
    tensors, metadata = read_tensors(name)
    try:
        arguments = dict(json.loads(metadata["arguments"]))
        network, multiple = metadata["network"], int(metadata["multiple"])
    except (KeyError, ValueError, TypeError) as error:
        raise UnusableInput(f"{path}: not a weights file of ours: {error}") from error
    if metadata.get("content", "") not in ("", _content(network, metadata["arguments"], tensors)):
        raise UnusableInput(f"{path}: its content was altered since it was written: take another copy")
    widened = {key: value.astype(np.float32) if value.dtype == np.float16 else value for key, value in tensors.items()}
    return Weights(path.stem, network, arguments, widened, multiple, metadata, digest)


def read_tensors(name: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The tensors and the metadata of any safetensors file, whoever wrote it.

    Raises UnusableInput for files that are missing, too large, damaged, no safetensors, or in a format of numbers that numpy lacks.
    """
    path = path_of(name)
    try:
        with safe_open(path, "np") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, ValueError) as error:
        raise UnusableInput(f"{path}: not a weights file of ours or of others: {error}") from error
    except (AttributeError, TypeError) as error:  # numpy has no such type
        raise UnusableInput(f"{path}: not in float32 or float16: save it in one of them ({error})") from error
    if strange := {
        str(tensor.dtype) for tensor in tensors.values() if tensor.dtype.isbuiltin != 1
    }:  # another package's
        raise UnusableInput(f"{path}: not in float32 or float16: save it in one of them ({', '.join(strange)})")
    return tensors, metadata


def save(
    path: Path, network: str, arguments: Mapping[str, Any], tensors: Mapping[str, Any], metadata: Mapping[str, str]
) -> None:
    """Write weights in half precision, beside and renamed.

    Args:
        tensors: numpy arrays or torch tensors.
        metadata: at least "multiple" (see `Weights`); what else there is to say, as text.

    Raises UnusableInput for values that half precision cannot hold.
    """
    arrays = {key: np.asarray(value.cpu() if hasattr(value, "cpu") else value) for key, value in tensors.items()}
    with np.errstate(over="ignore"):
        halves = {key: value.astype(np.float16) if value.dtype.kind == "f" else value for key, value in arrays.items()}
    if broken := [key for key, value in halves.items() if not np.isfinite(value).all()]:
        raise UnusableInput(f"{path}: {broken[0]} is infinite or too large for half precision, so this is not written")
    text = json.dumps(arguments, sort_keys=True)
    built = {"network": network, "arguments": text, "content": _content(network, text, halves)}
    store(path, halves, {**metadata, **built})


def store(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file beside, then rename it, so that a kill or a full disk never leaves half of one.

    What a killed writer leaves has a fixed name, so that the next one takes its place. Raises UnusableInput where it cannot be
    written.
    """
    beside = path.with_name(f".{path.name}.part")
    data = to_bytes({key: np.asarray(value, order="C") for key, value in tensors.items()}, dict(metadata))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}") from error


def hashes() -> dict[str, str]:
    """Name -> sha256 of our weights, as they were committed."""
    files = (folder / HASHES for folder in FOLDERS)
    return {name: digest for file in files if file.exists() for name, digest in json.loads(file.read_text()).items()}


def _content(network: str, arguments: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    """A hash of what the network computes: its name, arguments and parameters."""
    digest = hashlib.sha256(f"{network} {arguments}".encode())
    for key, value in sorted(tensors.items()):
        digest.update(f"{key} {value.dtype} {value.shape}".encode())
        digest.update(np.asarray(value, order="C").tobytes())
    return digest.hexdigest()
