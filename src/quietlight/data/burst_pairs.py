"""Bursts of real raws -> a folder of noisy and clean raws: the first frame of each, and the mean of the others on it.

Abdelhamed et al., "A High-Quality Denoising Dataset for Smartphone Cameras", CVPR 2018, make clean raws so: many frames of a scene,
aligned and averaged. Ours move by whole periods of the Bayer pattern, so that nothing is interpolated. The first frame is left out
of the mean: its noise in both pictures would teach to keep some of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from quietlight import __version__
from quietlight.analysis import profile_file
from quietlight.analysis.calibrate import Calibration
from quietlight.analysis.estimate import estimate_raw
from quietlight.camera.align import Area, Shift, change, displacement, half_size, overlap, shift_between
from quietlight.camera.bayer import average, crop
from quietlight.data.licences import UNKNOWN, Licence, licence_lines, licence_of
from quietlight.data.pair_folder import CARD, MANIFEST, PairFolder, place_of
from quietlight.frames import BAYER, Floats, Metadata, NoiseProfile, RawFrame, UnusableInput
from quietlight.io import RAW_SUFFIXES, read_file
from quietlight.io.burst import MOST_FRAMES, difference

LARGEST_SHIFT = 0.25
"""Share of a side: phase correlation is not to be trusted above."""
LARGEST_DISPLACEMENT = 0.5
"""Pixels. Shifts by two pixels leave up to one in each direction, and 0.5 begins to blur the mean."""
LARGEST_CHANGE = 0.004
"""Of the contrast, as `change` measures it: noise alone gives less than a tenth of it, light that is 5% brighter more."""
SMALLEST = 32
FEWEST = 2
"""Frames of a mean."""


@dataclass
class BurstPairs(PairFolder):
    """Pairs of Bayer raws, ".dng" or ".safetensors"; the source of each is a folder of raws, of which the first is the noisy one.

    Args:
        calibration: the noise of the camera, for raws whose file does not tell it.
        licence: of bursts of which nothing beside them tells it.
    """

    calibration: Calibration | None = None
    suffix: str = field(default=".dng", kw_only=True)
    licence: str = field(default=UNKNOWN, kw_only=True)

    facts: ClassVar = {"height": int, "width": int, "averaged": int}

    def _settings(self) -> dict[str, Any]:
        profile = None if self.calibration is None else json.loads(profile_file.to_json(self.calibration))
        return {"source": "bursts", "format": self.suffix[1:], "profile": profile}

    def _planned(self, source: Path, name: str) -> dict[str, Any]:
        files = [path.name for path in _files(source)]
        licence = licence_of(source / "frame", len(Path(name).parts)) or Licence(self.licence)
        return {
            "source": place_of(source, name),
            "licence": licence.name,
            "credit": dict(licence.credit),
            "files": files,
        }

    def _pictures(self, source: Path, entry: Mapping[str, Any]) -> tuple[RawFrame, RawFrame, dict[str, Any]]:
        """Cut to what all frames show. Metadata are left behind."""
        files = [source / name for name in entry["files"]]
        if not FEWEST < len(files) <= MOST_FRAMES:
            raise UnusableInput(f"{source}: a burst has {FEWEST + 1} to {MOST_FRAMES} raws, not {len(files)}")
        reference = self._read(files[0])
        frames = [_compared(reference, self._read(path, reference), path) for path in files[1:]]
        used = [frame for frame in frames if frame["used"]]
        if len(used) < FEWEST:
            raise UnusableInput(
                f"{source}: of the {len(frames)} raws after the first, {len(used)} show the same to within {LARGEST_DISPLACEMENT} "
                f"pixels, and {FEWEST} are needed: use a tripod, or take more"
            )
        area = overlap([tuple(frame["shift"]) for frame in used], *reference.mosaic.shape)
        noisy = crop(reference, *area)
        mean = average(self._cuts(source, used, reference, area))
        clean = replace(noisy, mosaic=mean.mosaic, noise=mean.noise)
        facts = {
            "height": area[2],
            "width": area[3],
            "averaged": len(used),
            "area": list(area),
            "camera": reference.camera or None,
            "iso": reference.iso,
            "frames": frames,
            "noise_profile": _as_json(noisy.noise),
            "clean_noise_profile": _as_json(clean.noise),
        }
        return noisy, clean, facts

    def _read(self, path: Path, reference: RawFrame | None = None) -> RawFrame:
        """A frame with its noise profile: where its file has none that of the reference, and for that what is known or seen."""
        frame = read_file(path)
        if not isinstance(frame, RawFrame) or frame.cfa not in BAYER:
            raise UnusableInput(f"{path}: is no Bayer raw, and only bursts of such are aligned")
        if min(frame.mosaic.shape) < SMALLEST:
            raise UnusableInput(f"{path}: is smaller than {SMALLEST}x{SMALLEST}, too small to be aligned")
        if reference is None:
            return replace(frame, noise=estimate_raw(frame, self.calibration).profile, metadata=Metadata())
        if (found := difference(reference, frame)) is not None:
            raise UnusableInput(f"{path}: does not belong to the burst of its folder: {found}")
        return replace(frame, noise=frame.noise or reference.noise, metadata=Metadata())

    def _cuts(self, source: Path, used: list[dict[str, Any]], reference: RawFrame, area: Area) -> Iterator[RawFrame]:
        """The used frames, cut so that they lie on the area of the reference; read again, one at a time."""
        top, left, height, width = area
        for frame in used:
            rows, columns = frame["shift"]
            yield crop(self._read(source / frame["file"], reference), top + rows, left + columns, height, width)

    def _descriptions(self) -> dict[str, str]:
        return {CARD: self.card()}

    def card(self) -> str:
        """What the folder is, for people, in Markdown."""
        made = list(self.entries.values())
        lines = [
            "# Pairs of noisy and clean raws",
            "",
            f"{len(made)} pairs, made by quietlight {__version__} of bursts of real raws.",
            "`noisy/NAME` is the first frame of a burst, `clean/NAME` the mean of the others on it, both cut to what all show.",
            "",
            f"    {self.command}",
            "",
            "| pair | camera | ISO | frames | averaged |",
            "|---|---|---|---|---|",
            *(
                f"| {e['name']} | {e['camera'] or 'unknown'} | {e['iso'] or 'unknown'} | {len(e['files'])} | {e['averaged']} |"
                for e in sorted(made, key=lambda e: str(e["name"]))
            ),
            "",
            "- Frames are moved by even numbers of pixels: nothing is interpolated, and the Bayer pattern holds. Left out are",
            f"  those still off by more than {LARGEST_DISPLACEMENT} pixels, and those in which things moved or the light changed:",
            f"  `{MANIFEST}` has the shift of each, and whether it was used.",
            "- The first frame is not part of the mean, so the noise of both is independent. The NoiseProfile is that of the file,",
            "  else of the calibration, else as measured in the frame; that of a mean is divided by the number of its frames.",
            "- What all frames have in common is in both: hot pixels, the sensor's pattern, the lens. EXIF and GPS are not.",
            *licence_lines(made, MANIFEST),
        ]
        return "\n".join(lines) + "\n"


def _files(folder: Path) -> list[Path]:
    return (
        []
        if not folder.is_dir()
        else sorted(
            path for path in folder.iterdir() if path.suffix.lower() in RAW_SUFFIXES and not path.name.startswith(".")
        )
    )


def _compared(reference: RawFrame, frame: RawFrame, path: Path) -> dict[str, Any]:
    """Where a frame lies, how well it fits there, and whether it is good enough to be averaged."""
    first, second = half_size(reference), half_size(frame)
    shift = shift_between(first, second)
    entry: dict[str, Any] = {"file": path.name, "shift": list(shift), "used": False}
    if any(abs(s) > LARGEST_SHIFT * side for s, side in zip(shift, reference.mosaic.shape, strict=True)):
        return entry
    first, second = _on_each_other(first, second, shift)
    variance = 0.0 if reference.noise is None else float(np.mean(reference.noise.variance(first))) / 4
    off, changed = displacement(first, second), change(first, second, variance)
    used = off <= LARGEST_DISPLACEMENT and changed <= LARGEST_CHANGE
    return {**entry, "displacement": round(off, 3), "change": round(changed, 5), "used": used}


def _on_each_other(first: Floats, second: Floats, shift: Shift) -> tuple[Floats, Floats]:
    """The parts of two half-size pictures that show the same."""
    rows, columns = (s // 2 for s in shift)
    top, left, height, width = (side // 2 for side in overlap([shift], *(2 * side for side in first.shape)))
    return (
        first[top : top + height, left : left + width],
        second[top + rows : top + rows + height, left + columns : left + columns + width],
    )


def _as_json(profile: NoiseProfile | None) -> dict[str, list[float]] | None:
    return None if profile is None else {"shot": list(profile.shot), "read": list(profile.read)}
