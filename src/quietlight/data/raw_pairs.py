"""Photos -> a folder of noisy and clean raws: each photo as the raw of a camera, and the same with a sensor's noise.

Young et al., "Feature-Align Network and Knowledge Distillation for Efficient Denoising", 2021, announce such an open data set; of
which only the abstract was available to us, so what is in ours is our choice. Clean raws after Brooks et al., "Unprocessing Images
for Learned Raw Denoising", CVPR 2019; noise by `raw_noise`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from quietlight import __version__
from quietlight.camera.develop import Rendering
from quietlight.camera.unprocess import fixed_camera, random_camera, unprocessed_frame
from quietlight.data.licences import UNKNOWN, Licence, licence_lines, licence_of
from quietlight.data.pair_folder import CARD, MANIFEST, PairFolder, generator, place_of
from quietlight.data.raw_noise import RawNoise
from quietlight.frames import Array, Floats, Frame, Image, UnusableInput
from quietlight.io import read_file

RANDOM = "random"
"""The camera that is a mix of those with a name, another one for each picture."""


@dataclass
class RawPairs(PairFolder):
    """Pairs of Bayer raws, ".dng" or ".safetensors".

    Args:
        noise: what is added.
        seed: everything random follows from it.
        camera: "random", or one of the four of `fixed_camera`, "A" to "D".
        cfa: the pattern.
        licence: of photos of which nothing beside them tells it.
    """

    noise: RawNoise
    seed: int
    suffix: str = field(default=".dng", kw_only=True)
    camera: str = field(default=RANDOM, kw_only=True)
    cfa: str = field(default="RGGB", kw_only=True)
    licence: str = field(default=UNKNOWN, kw_only=True)

    facts: ClassVar = {"height": int, "width": int}
    formats: ClassVar[Mapping[str, str]] = {
        ".dng": "Format: DNG, 16 bits, black 4096, so that noise below black survives down to -0.067; white is lowered so that "
        "noise above it survives, too.",
        ".safetensors": "Format: safetensors with `planes`, float32 [4, H/2, W/2] in the order R, Gr, Gb, B, not clipped; the "
        "metadata `frame` is JSON.",
    }
    """What the card says of the files."""

    def _settings(self) -> dict[str, Any]:
        return {
            "noise": self.noise.settings(),
            "seed": self.seed,
            "format": self.suffix[1:],
            "camera": self.camera,
            "cfa": self.cfa,
        }

    def _planned(self, source: Path, name: str) -> dict[str, Any]:
        place = place_of(source, name)
        exposure = self.noise.draw(generator(self.seed, place, "noise"))
        profile, rendering = exposure.profile(), self._rendering(place)
        licence = licence_of(source, len(Path(name).parts) - 1) or Licence(self.licence)
        return {
            "source": place,
            "licence": licence.name,
            "credit": dict(licence.credit),
            "seed": self.seed,
            "camera": {
                "white_balance": list(rendering.gains),
                "matrix": np.asarray(rendering.matrix).tolist(),
                "exposure": rendering.exposure,
            },
            "noise": exposure.parameters(),
            "noise_profile": {"shot": list(profile.shot), "read": list(profile.read)},
        }

    def _rendering(self, place: str) -> Rendering:
        return (
            random_camera(generator(self.seed, place, "camera")) if self.camera == RANDOM else fixed_camera(self.camera)
        )

    def _pictures(self, source: Path, entry: Mapping[str, Any]) -> tuple[Frame, Frame, dict[str, Any]]:
        """Cut to an even size. Of a gray photo all three colours are alike; metadata and alpha are left behind."""
        place = entry["source"]
        clean = unprocessed_frame(display_of(source), self._rendering(place), self.cfa)
        exposure = self.noise.draw(generator(self.seed, place, "noise"))
        noisy = exposure.noisy(clean, generator(self.seed, place, "pixels"))
        height, width = clean.mosaic.shape
        return noisy, replace(clean, iso=noisy.iso), {"height": height, "width": width}

    def _descriptions(self) -> dict[str, str]:
        return {CARD: self.card()}

    def card(self) -> str:
        """What the folder is, for people, in Markdown."""
        made = list(self.entries.values())
        camera = (
            "a random mix of four cameras, with random white balance and brightness"
            if self.camera == RANDOM
            else f"camera {self.camera} of its four"
        )
        lines = [
            *self._what(len(made)),
            "",
            f"    {self.command}",
            "",
            *self._how(),
            f"- Raws: the photo's tone curve, colours and white balance undone after Brooks et al. 2019, for {camera}.",
            f"- Noise: {self.noise.words()}",
            *_noise_lines(made),
            f"- {self.formats[self.suffix]}",
            "- Variances are those of values with black 0 and white 1. The NoiseProfile of a noisy raw is that of the noise",
            "  added; a clean raw has none: whatever noise its photo had is still there.",
            f"- Each follows from its photo, the photo's file name and the seed ({self.seed}). `{MANIFEST}` has every parameter.",
            *licence_lines(made, MANIFEST),
        ]
        return "\n".join(lines) + "\n"

    def _what(self, count: int) -> list[str]:
        """The card's head: what so many pairs are."""
        return [
            "# Pairs of noisy and clean raws",
            "",
            f"{count} pairs, made by quietlight {__version__}.",
            f"`clean/NAME` is a photo turned back into a camera's raw ({self.cfa}), `noisy/NAME` the same with a sensor's noise.",
        ]

    def _how(self) -> list[str]:
        """What the card says of how they are made, beside what it says of all raws."""
        return []


def display_of(source: Path) -> Floats:
    """A photo as [H, W, 3] in [0, 1], of even size. Raises UnusableInput for raws, photos in linear light, and smaller than 2x2."""
    image = read_file(source)
    if not isinstance(image, Image):
        raise UnusableInput(
            f"{source}: is a raw, and these pairs are made of photos: of raws, synthesize raw --bursts makes some"
        )
    if image.linear:
        raise UnusableInput(
            f"{source}: holds linear light, and no tone curve that could be undone: save it as an sRGB photo"
        )
    height, width = (side // 2 * 2 for side in image.pixels.shape[:2])
    if not height or not width:
        raise UnusableInput(f"{source}: is too small for a mosaic")
    pixels: Array = image.pixels[:height, :width]
    white = 1 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
    display = np.clip(pixels.astype(np.float32) / np.float32(white), 0, 1)
    return np.asarray(np.broadcast_to(display, (height, width, 3)))


def _noise_lines(made: list[dict[str, Any]]) -> list[str]:
    """How the noise of green is distributed over the pictures."""
    if not made:
        return []
    middle = [
        [entry["noise_profile"][key][len(entry["noise_profile"][key]) // 2] for entry in made]
        for key in ("shot", "read")
    ]
    cells = [" | ".join(f"{value:.2e}" for value in np.quantile(values, (0, 0.25, 0.5, 0.75, 1))) for values in middle]
    return [
        "",
        "| variance, green | least | quarter | median | three quarters | most |",
        "|---|---|---|---|---|---|",
        *(f"| {key} | {row} |" for key, row in zip(("shot", "read"), cells, strict=True)),
        "",
    ]
