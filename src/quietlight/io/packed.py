"""RawFrame or Burst <-> safetensors: the planes as they are, float32 and unclipped, for programs that learn from them.

One tensor, `planes`: R, Gr, Gb, B of a Bayer mosaic [4, H/2, W/2], of a burst [N, 4, H/2, W/2]; black 0, white 1, not balanced.
The file's metadata have one entry, `frame`: JSON of what else a RawFrame says, under the names of its fields; of a burst it is
`frames`, a list of such. EXIF, XMP and lens-shading maps are not kept. The first frame of a burst is its reference.
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
from quietlight.frames import BAYER, Array, Burst, ColorCalibration, NoiseProfile, RawFrame, UnusableInput
from quietlight.io.burst import MOST_FRAMES, difference
from quietlight.io.files import written_beside
from quietlight.io.limits import check_size

_FIELDS = ("cfa", "white_balance", "exposure_time", "iso", "baseline_exposure", "orientation", "crop", "camera")


def write_packed(frame: RawFrame | Burst, path: Path) -> None:
    """Write a Bayer frame of even size, or a burst of such, beside and renamed. Equal frames give equal bytes.

    Raises UnusableInput for other frames.
    """
    frames = frame.frames if isinstance(frame, Burst) else (frame,)
    planes: list[Array] = []
    said: list[dict[str, Any]] = []
    for one in frames:
        if not isinstance(one, RawFrame) or one.cfa not in BAYER:
            kind = one.cfa if isinstance(one, RawFrame) else "photos"
            raise UnusableInput(f"{path}: only Bayer raws have four planes, not {kind}: write a .dng")
        if (other := difference(frames[0], one)) is not None:
            raise UnusableInput(
                f"{path}: frame {len(planes)} does not belong to the burst that frame 0 begins: {other}"
            )
        planes.append(pack(one.mosaic, one.cfa))
        said.append(_said(one))
    # One entry, since safetensors writes several in no fixed order.
    if isinstance(frame, Burst):
        if (frame.reference or 0) > 0:
            raise UnusableInput(f"{path}: packed, the first frame is the reference: put frame {frame.reference} first")
        data = save({"planes": np.stack(planes)}, {"frames": json.dumps(said)})
    else:
        data = save({"planes": np.ascontiguousarray(planes[0])}, {"frame": json.dumps(said[0])})
    with written_beside(path) as beside:
        beside.write_bytes(data)


def _said(frame: RawFrame) -> dict[str, Any]:
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
    return said


def read_packed(path: Path, area: tuple[int, int, int, int] | None = None) -> RawFrame | Burst:
    """What `write_packed` wrote, or (top, left, height, width) of it, all even. Raises UnusableInput for any other file."""
    try:
        with safe_open(path, "np") as file:
            stored, known = file.get_slice("planes"), file.metadata() or {}
            said = json.loads(known["frames"]) if "frames" in known else [json.loads(known["frame"])]
            kind, shape = stored.get_dtype(), stored.get_shape()
            expected = [len(said), 4] if "frames" in known else [4]
            cfas = {one["cfa"] for one in said}
            if kind != "F32" or shape[:-2] != expected or len(cfas) != 1 or not cfas <= set(BAYER):
                raise ValueError(f"{kind} {shape} are not float32 planes of a Bayer mosaic")
            if len(said) > MOST_FRAMES:
                raise ValueError(f"a burst has at most {MOST_FRAMES} frames, not {len(said)}")
            check_size(path, 2 * shape[-2] * len(said), 2 * shape[-1], path.stat().st_size)
            top, left, height, width = (side // 2 for side in area or (0, 0, 2 * shape[-2], 2 * shape[-1]))
            window = slice(top, top + height), slice(left, left + width)
            planes = stored[(*(slice(None) for _ in expected), *window)]
            planes = planes.reshape(len(said), 4, *planes.shape[-2:])
        frames = tuple(
            RawFrame(mosaic=unpack(of_one, one["cfa"]), **_fields(one))
            for of_one, one in zip(planes, said, strict=True)
        )
        return Burst(frames, reference=0) if "frames" in known else frames[0]
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
