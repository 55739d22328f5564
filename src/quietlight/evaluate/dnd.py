"""The Darmstadt Noise Dataset (Plötz and Roth 2017): its raw boxes denoised, as files for its authors, who keep the truth.

Relied on: `info.mat` (HDF5) with references to what is known of each picture: info/boundingboxes, 20 of (top, left, bottom, right),
the first row and column being 1, the last ones inside; info/nlf with a and b, variance = a·x + b; info/camera with `pattern`, 2 × 2
of 1 red, 2 green, 3 blue. `images_raw/0001.mat` and so on hold Inoisy, black 0 and white 1. Results are `%04d_%02d.mat` with
Idenoised_crop, float32, of picture and box; the authors' own script bundles them.

Assumed, where public readers disagree: the pattern is stored like every other array there, first index fastest. Readers that took
it as HDF5 shows it saw false colours in developed pictures, which the transposed one mended (aasharma90/UnprocessDenoising_PyTorch,
issue 6); red and blue change places in GRBG and GBRG.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quietlight.camera.bayer import shifted_pattern
from quietlight.evaluate.peers import Peer, peer
from quietlight.evaluate.sample import Sample, frame_of
from quietlight.frames import BAYER, Array, NoiseProfile, RawFrame, UnusableInput
from quietlight.io.files import written_beside
from quietlight.io.limits import library_errors
from quietlight.io.matlab import library, stored_array

FOLDER = "dnd"
SYSTEMS = ("fan-plus", "fan", "classical")
"""The first of these that is trained denoises, where a user names none."""
RECORD = "submission.json"
_MOST_BOXES = 1000


@dataclass(frozen=True)
class Submission:
    """What became of it: files `written` now, and those `kept` from an earlier run of the same `system`."""

    system: str
    written: int
    kept: int


@dataclass(frozen=True)
class _Picture:
    """One picture: its file, the pattern of all of it, its noise, and boxes [n, 4] as the file gives them."""

    file: Path
    cfa: str
    noise: NoiseProfile
    boxes: Array


def submit(
    data: Path,
    out: Path,
    *,
    systems: Sequence[str] = (),
    limit: int | None = None,
    watch: Callable[[int, int, str], None] = lambda *_: None,
) -> Submission:
    """Denoise all boxes into the folder `out`; those that are there already stay.

    Args:
        data: the folder that holds the folder dnd.
        systems: one that `peer` takes for raws; none means the first of SYSTEMS that is trained.
        limit: of the pictures, the first so many.
        watch: told (boxes done, boxes in all, what is worked on).

    Raises:
        UnusableInput: no data set there or not of this layout, more than one system or one that cannot run, a folder that holds
            another system's results.
    """
    chosen, savemat = _system(systems), library("scipy.io").savemat
    pictures = _pictures(data / FOLDER)[:limit]
    missing = [picture.file for picture in pictures if not picture.file.is_file()]
    if missing:
        raise UnusableInput(f"{missing[0]}: is missing ({len(missing)} of {len(pictures)} pictures are)")
    _claim(out, chosen)
    targets = [
        (picture, box, out / f"{picture.file.stem}_{number:02d}.mat")
        for picture in pictures
        for number, box in enumerate(picture.boxes, start=1)
    ]
    kept = 0
    for done, (picture, box, target) in enumerate(targets):
        watch(done, len(targets), f"{chosen.name}  {target.name}")
        if target.exists():
            kept += 1
            continue
        mosaic = _denoised(chosen, _frame(picture, box), target.stem)
        with written_beside(target) as beside:
            savemat(beside, {"Idenoised_crop": mosaic})
    return Submission(chosen.name, len(targets) - kept, kept)


def _system(systems: Sequence[str]) -> Peer:
    if len(systems) > 1:
        raise UnusableInput(f"a submission is of one system: give --systems one of {', '.join(systems)}")
    made = [peer(spec, "raws") for spec in systems or SYSTEMS]
    chosen = next((one for one in made if not one.absent), made[0])
    if chosen.absent:
        raise UnusableInput(f"{chosen.name}: {chosen.absent}")
    return chosen


def _claim(out: Path, chosen: Peer) -> None:
    """Mark the folder as this system's. Raises UnusableInput where it is another's, or another version's."""
    mark = json.dumps({"system": chosen.name, "fingerprint": chosen.fingerprint(1)}) + "\n"
    record = out / RECORD
    if record.exists():
        if record.read_text() != mark:
            raise UnusableInput(f"{out}: holds results of another system or version: give --submission another folder")
        return
    with written_beside(record) as beside:
        beside.write_text(mark)


def _pictures(folder: Path) -> list[_Picture]:
    path = folder / "info.mat"
    if not path.is_file():
        raise UnusableInput(
            f"{path}: is missing: get DND (noise.visinf.tu-darmstadt.de), or let --data or QUIETLIGHT_DATA name the folder that "
            f"holds {FOLDER}"
        )
    h5py = library("h5py")
    with library_errors(path), h5py.File(path, "r") as file:
        info = file["info"]
        return [
            _Picture(
                folder / "images_raw" / f"{index + 1:04d}.mat",
                _pattern(path, _numbers(file[info["camera"][0, index]]["pattern"], (2, 2))),
                _noise(path, *(float(_numbers(file[info["nlf"][0, index]][k], (1, 1))[0, 0]) for k in "ab")),
                _numbers(file[info["boundingboxes"][0, index]], (None, 4)),
            )
            for index in range(info["boundingboxes"].shape[1])
        ]


def _numbers(stored: Any, shape: tuple[int | None, int]) -> Array:
    """A small array with its axes as MATLAB has them. Raises UnusableInput for another shape, before it is read."""
    found = stored.shape[::-1]
    if len(found) != 2 or found[1] != shape[1] or found[0] != (shape[0] or min(found[0], _MOST_BOXES)):
        raise UnusableInput(f"{stored.file.filename}: {stored.name} has the shape {found}, which is not that of DND")
    return np.asarray(stored[()].T)


def _noise(path: Path, a: float, b: float) -> NoiseProfile:
    try:
        return NoiseProfile((a,), (b,))
    except UnusableInput as error:
        raise UnusableInput(f"{path}: {error}") from error


def _pattern(path: Path, numbers: Array) -> str:
    names = {1: "R", 2: "G", 3: "B"}
    cfa = "".join(names.get(int(number), "?") for number in numbers.ravel())
    if cfa not in BAYER:
        raise UnusableInput(f"{path}: {numbers.tolist()} is no Bayer pattern of 1 red, 2 green, 3 blue")
    return cfa


def _frame(picture: _Picture, box: Array) -> RawFrame:
    """The box of a picture; its pattern is that at its corner."""
    stored = stored_array(picture.file, "Inoisy", ("float32", "float64"))
    rows, columns = stored.shape
    top, left, bottom, right = box
    if not (1 <= top <= bottom <= rows and 1 <= left <= right <= columns):  # nor are they, of what is no number
        raise UnusableInput(f"{picture.file}: the box {box.tolist()} leaves the picture of {rows}x{columns}")
    top, left, bottom, right = (int(edge) for edge in box)
    mosaic = stored.part(slice(top - 1, bottom), slice(left - 1, right)).astype(np.float32)
    if not np.isfinite(mosaic).all():
        raise UnusableInput(f"{picture.file}: the box {box.tolist()} holds what is no number: get the picture again")
    return RawFrame(mosaic, shifted_pattern(picture.cfa, top - 1, left - 1), noise=picture.noise)


def _denoised(chosen: Peer, frame: RawFrame, name: str) -> Array:
    """Clipped to [0, 1], where the truth lies."""
    withheld = np.empty((0, 0), np.float32)
    result = frame_of(chosen.run(Sample(name, frame, withheld)))
    if not isinstance(result, RawFrame) or result.mosaic.shape != frame.mosaic.shape:
        raise UnusableInput(f"{chosen.name} makes no raw of {name}'s size")
    return np.clip(result.mosaic, 0, 1)
