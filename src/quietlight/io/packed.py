"""RawFrame <-> safetensors: the planes as they are, float32 and unclipped, for programs that learn from them.

One tensor, `planes`: R, Gr, Gb, B of a Bayer mosaic [4, H/2, W/2], black 0, white 1, not white-balanced. The file's metadata have
one entry, `frame`: JSON of what else a RawFrame says, under the names of its fields. EXIF, XMP and lens-shading maps are not kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from quietlight.camera.bayer import pack, unpack
from quietlight.frames import BAYER, ColorCalibration, NoiseProfile, RawFrame, UnusableInput
from quietlight.io.files import written_beside
from quietlight.io.limits import check_size

_FIELDS = ("cfa", "white_balance", "exposure_time", "iso", "baseline_exposure", "orientation", "crop", "camera")


def write_packed(frame: RawFrame, path: Path) -> None:
    """Write a Bayer frame of even size, beside and renamed. Equal frames give equal bytes.

    Raises UnusableInput for other frames.
    """
    if frame.cfa not in BAYER:
        raise UnusableInput(f"{path}: only Bayer raws have four planes, not {frame.cfa}: write a .dng")
    said = {name: getattr(frame, name) for name in _FIELDS}
    said["noise"] = None if frame.noise is None else asdict(frame.noise)
    said["calibrations"] = [
        {
            "illuminant": c.illuminant,
            "color": np.asarray(c.color).tolist(),
            "forward": None if c.forward is None else np.asarray(c.forward).tolist(),
        }
        for c in frame.calibrations
    ]
    # One entry, since safetensors writes several in no fixed order.
    data = save({"planes": np.ascontiguousarray(pack(frame.mosaic, frame.cfa))}, {"frame": json.dumps(said)})
    with written_beside(path) as beside:
        beside.write_bytes(data)


def read_packed(path: Path, area: tuple[int, int, int, int] | None = None) -> RawFrame:
    """The frame that `write_packed` wrote, or (top, left, height, width) of it, all even.

    Raises UnusableInput for any other file.
    """
    try:
        with safe_open(path, "np") as file:
            stored, said = file.get_slice("planes"), json.loads((file.metadata() or {})["frame"])
            kind, shape = stored.get_dtype(), stored.get_shape()
            if kind != "F32" or len(shape) != 3 or shape[0] != 4 or said["cfa"] not in BAYER:
                raise ValueError(f"{kind} {shape} are not float32 planes of a Bayer mosaic")
            check_size(path, 2 * shape[1], 2 * shape[2], path.stat().st_size)
            top, left, height, width = (side // 2 for side in area or (0, 0, 2 * shape[1], 2 * shape[2]))
            planes = stored[:, top : top + height, left : left + width]
        return RawFrame(mosaic=unpack(planes, said["cfa"]), **_fields(said))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UnusableInput(f"{path}: not packed planes as quietlight writes them: {error}") from error


def _fields(said: dict[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples and arrays of a frame."""
    fields = {name: tuple(value) if isinstance(value := said[name], list) else value for name in _FIELDS}
    noise = said["noise"]
    fields["noise"] = None if noise is None else NoiseProfile(tuple(noise["shot"]), tuple(noise["read"]))
    fields["calibrations"] = tuple(
        ColorCalibration(
            c["illuminant"], np.array(c["color"]), None if c["forward"] is None else np.array(c["forward"])
        )
        for c in said["calibrations"]
    )
    return fields
