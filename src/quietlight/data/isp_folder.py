"""Scenes -> a folder that a camera pipeline is trained on: frames as raws, their truths, and a manifest.

`input/NAME.safetensors` is a raw (`io.packed`), `truth/NAME.safetensors` its restored and its enhanced picture (`data.truth`).
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from quietlight import __version__
from quietlight.camera.color import SRGB_FROM_XYZ
from quietlight.camera.finish import finish, finish_gain
from quietlight.data.licences import UNKNOWN, Licence, licence_lines, licence_of
from quietlight.data.pair_folder import CARD, MANIFEST, PairFolder, place_of
from quietlight.data.sets.scene import Item, Scene, eight_bits
from quietlight.data.truth import SCALE, write_truth
from quietlight.frames import Array, Floats, Image, RawFrame, UnusableInput
from quietlight.io import read_file, write
from quietlight.io.packed import write_packed

SET, FINISH = "set", "finish"
"""Experts without a command: whoever made the picture that the data set has; our own finish."""


@dataclass
class IspFrames(PairFolder):
    """Frames and their truths.

    Args:
        layout: a name of LAYOUTS, or "photos".
        items: the scenes.
        expert: who makes the enhanced picture: SET (FINISH where the set has none), FINISH, or a command with {input} and {output}.
        how: the settings of photos, as JSON gives them back; empty for others.
        licence: of scenes of which neither their layout nor anything beside them tells it.
    """

    layout: str
    items: Sequence[Item]
    expert: str = field(default=SET, kw_only=True)
    how: dict[str, Any] = field(default_factory=dict, kw_only=True)
    licence: str = field(default=UNKNOWN, kw_only=True)
    suffix: str = field(default=".safetensors", kw_only=True)

    parts: ClassVar = ("input", "truth")
    many: ClassVar = "frames"
    facts: ClassVar = {"height": int, "width": int, "part": str}

    def __post_init__(self) -> None:
        if self.expert not in (SET, FINISH):
            check_expert(self.expert)
        self._by_source = {item.source: item for item in self.items}

    def _settings(self) -> dict[str, Any]:
        return {"layout": self.layout, "expert": self.expert, **self.how}

    def _notes(self) -> dict[str, Any]:
        command = None if self.expert in (SET, FINISH) else provenance(self.expert)
        return {"restored_scale": SCALE, "expert_command": command}

    def _planned(self, source: Path, name: str) -> dict[str, Any]:
        item = self._by_source[source]
        said = licence_of(source, len(Path(name).parts) - 1) if self.layout == "photos" else None
        licence = said or Licence(item.licence or self.licence)
        return {
            "source": place_of(source, name),
            "part": item.part,
            "licence": licence.name,
            "credit": dict(licence.credit),
            **({"seed": self.how["seed"]} if self.how else {}),
        }

    def _pictures(
        self, source: Path, entry: Mapping[str, Any]
    ) -> tuple[RawFrame, tuple[Floats, Array], dict[str, Any]]:
        scene = self._by_source[source].load()
        enhanced, gain, maker = self._enhanced(scene, source)
        height, width = scene.frame.mosaic.shape
        facts = {
            "height": height,
            "width": width,
            "part": entry["part"],
            "enhanced_by": maker,
            "gain": gain,
            "camera": scene.frame.camera or None,
            "iso": scene.frame.iso,
            "white_balance": scene.frame.white_balance and list(scene.frame.white_balance),
            **scene.facts,
        }
        return scene.frame, (scene.restored, enhanced), facts

    def _enhanced(self, scene: Scene, source: Path) -> tuple[Array, list[float] | None, str]:
        """The enhanced picture, the gain if it is our finish, and who made it."""
        if self.expert == SET and scene.enhanced is not None:
            return scene.enhanced, None, SET
        linear = np.asarray(scene.restored @ SRGB_FROM_XYZ.T, np.float32)
        if self.expert in (SET, FINISH):
            gain = finish_gain(linear)
            return eight_bits(finish(linear, gain)), list(gain), FINISH
        return run_expert(self.expert, linear, source), None, "command"

    def _store(self, picture: Any, path: Path) -> None:
        if isinstance(picture, RawFrame):
            write_packed(picture, path)
        else:
            write_truth(path, *picture)

    def _descriptions(self) -> dict[str, str]:
        return {CARD: self.card()}

    def card(self) -> str:
        """What the folder is, for people, in Markdown."""
        made = list(self.entries.values())
        makers = {
            SET: "as the data set has it",
            FINISH: f"by quietlight's finish ({__version__}), with one gain for the whole frame",
            "command": f"by `{self.expert}`",
        }
        counts = {text: sum(e["enhanced_by"] == maker for e in made) for maker, text in makers.items()}
        parts = {part: sum(e["part"] == part for e in made) for part in sorted({e["part"] for e in made})}
        lines = [
            "# Frames for a learned camera pipeline",
            "",
            f"{len(made)} frames, made by quietlight {__version__} (layout {self.layout}): "
            f"{', '.join(f'{count} for {part}' for part, count in parts.items())}.",
            "",
            f"    {self.command}",
            "",
            "- `input/NAME`: the raw as the sensor saw it, safetensors with `planes`, float32 [4, H/2, W/2], R, Gr, Gb, B, black",
            "  0, white 1, bad pixels and lens shading corrected, not white-balanced; the metadata `frame` is JSON.",
            f"- `truth/NAME`: `restored`, uint16 [H, W, 3], XYZ (D65, white-balanced, sensor white 1) times {SCALE}, and",
            "  `enhanced`, uint8 [H, W, 3], display sRGB. Nothing is turned upright.",
            *(f"- Enhanced {text}: {count}." for text, count in counts.items() if count),
            f"- `{MANIFEST}` has the source, size, part, camera and gain of each.",
            *licence_lines(made, MANIFEST),
        ]
        return "\n".join(lines) + "\n"


def check_expert(command: str) -> list[str]:
    """The words of a command. Raises UnusableInput where it lacks {input} or {output}, or its program is not to be found."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UnusableInput(f"--expert {command!r}: {error}") from error
    if not any("{input}" in word for word in words) or not any("{output}" in word for word in words):
        raise UnusableInput(
            f"--expert {command!r}: a command has {{input}} and {{output}}, a linear TIFF to read and a TIFF to write"
        )
    if shutil.which(words[0]) is None:
        raise UnusableInput(f"--expert {command!r}: there is no program {words[0]}")
    return words


def provenance(command: str) -> dict[str, str]:
    """What is known of a command's program: its file, and the sha256 of that."""
    program = Path(shutil.which(check_expert(command)[0]) or "").resolve()
    with program.open("rb") as file:
        return {"command": command, "program": program.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def run_expert(command: str, linear: Floats, source: Path) -> Array:
    """Linear sRGB [H, W, 3] in [0, 1] -> what a command makes of it, uint8 [H, W, 3].

    {input} is a TIFF of 16 bits with a linear profile, {output} a TIFF to be written. Raises UnusableInput where the command
    fails or writes no picture of that size.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, wanted = Path(folder, "input.tif"), Path(folder, "output.tif")
        write(Image(np.rint(np.clip(linear, 0, 1) * 65535).astype(np.uint16), linear=True), given)
        words = [word.replace("{input}", str(given)).replace("{output}", str(wanted)) for word in check_expert(command)]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode or not wanted.is_file():
            said = " ".join((done.stderr or done.stdout).split())[-160:]
            raise UnusableInput(
                f"{source}: the expert {words[0]} failed ({done.returncode}): {said or 'it wrote nothing'}"
            )
        image = read_file(wanted)
        if not isinstance(image, Image) or image.pixels.shape != linear.shape:
            raise UnusableInput(
                f"{source}: the expert {words[0]} wrote no colour picture of {linear.shape[1]}x{linear.shape[0]}"
            )
        return eight_bits(image.pixels)
