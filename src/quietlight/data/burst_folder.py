"""Photos -> a folder of bursts of noisy raws, each with the true frame: what training sees (`raw_bursts`), as files of any size.

A photo is the scene that a camera looks at; a pixel of a frame gathers 2x2 of its pixels, wherever they lie, so that shifts are by
any part of a pixel. Motion by `motion`, after Mildenhall et al., "Burst Denoising with Kernel Prediction Networks", CVPR 2018;
clean raws after Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019; noise by `raw_noise`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from quietlight import __version__
from quietlight.camera.align import Area
from quietlight.camera.develop import Rendering
from quietlight.camera.unprocess import mosaic, tagged, unprocess
from quietlight.data.bursts import SCALE
from quietlight.data.motion import Hands, Motion, Size, frames_of, moving_part, random_motion
from quietlight.data.pair_folder import MANIFEST, generator
from quietlight.data.raw_pairs import RawPairs, display_of
from quietlight.frames import Burst, Image, RawFrame, UnusableInput
from quietlight.io import write
from quietlight.io.burst import MOST_FRAMES
from quietlight.io.limits import MOST_PIXELS
from quietlight.io.sequence import REFERENCE, frame_name

SMALLEST = 16
"""Pixels of a frame's side."""
_BAND = 256
"""Rows of a photo that are unprocessed at once: what it takes on the way is several times as large."""


@dataclass
class BurstFolder(RawPairs):
    """Pairs of a noisy burst of Bayer raws and its first frame without noise; of a moving object there is a picture, too.

    Without a moving object that picture is left out. "noisy/NAME" is a folder of DNGs or one ".safetensors", "clean/NAME" with its
    suffix a file, "moving/NAME.png" an 8-bit picture of how much of a pixel of the first frame belongs to the object.

    Args:
        frames: of a burst, 1 to 64; the first is the reference.
        hands: how much they differ.
        crop: side in pixels of frames from a random place of the photo, even; None for frames as large as the photo allows.

    Raises UnusableInput for other numbers.
    """

    frames: int = field(default=8, kw_only=True)
    hands: Hands = field(default_factory=Hands, kw_only=True)
    crop: int | None = field(default=None, kw_only=True)

    many: ClassVar = "bursts"
    facts: ClassVar = {"height": int, "width": int, "area": list, "frames": list}
    formats: ClassVar = {
        ".dng": f"{RawPairs.formats['.dng'].removesuffix('.')}, by as much in all frames of a burst.",
        ".safetensors": "Format: safetensors with `planes`, float32 in the order R, Gr, Gb, B, not clipped, [N, 4, H/2, W/2] of a "
        "burst and [4, H/2, W/2] of a true frame; the metadata `frames` and `frame` are JSON.",
    }

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= MOST_FRAMES:
            raise UnusableInput(f"a burst has 1 to {MOST_FRAMES} frames, not {self.frames}")
        if self.crop is not None and (self.crop % 2 or self.crop < SMALLEST):
            raise UnusableInput(f"frames have an even side of {SMALLEST} pixels or more, not {self.crop}")

    @property
    def ending(self) -> str:
        """None of a folder of DNGs."""
        return "" if self.suffix == ".dng" else self.suffix

    def path(self, part: str, name: str) -> Path:
        """Where a part of a burst lies: "noisy", "clean" or "moving"."""
        endings = {"noisy": self.ending, "clean": self.suffix, "moving": ".png"}
        return self.folder / part / f"{name.removesuffix(self.ending)}{endings[part]}"

    def _is_there(self, name: str) -> bool:
        noisy = self.path("noisy", name)
        names = [*map(frame_name, range(self.frames)), REFERENCE]
        files = [noisy] if self.ending else [noisy / name for name in names]
        if self.entries.get(name, {}).get("object"):
            files.append(self.path("moving", name))
        return all(path.is_file() for path in (*files, self.path("clean", name)))

    def _settings(self) -> dict[str, Any]:
        more = {"frames": self.frames, "crop": self.crop, "motion": asdict(self.hands)}
        return super()._settings() | more

    def make(self, source: Path, name: str) -> dict[str, Any]:
        """Make one burst with what belongs to it. Raises UnusableInput as it does for pairs, and for photos that are too small."""
        entry = super().make(source, name)
        path, size = self.path("moving", name), (entry["height"], entry["width"])
        if entry["object"]:
            mask = moving_part(self._motion(entry["source"], size), size)
            write(Image(np.rint(255 * mask).astype(np.uint8)[..., None]), path)
        else:
            path.unlink(missing_ok=True)
        return entry

    def _motion(self, place: str, size: Size) -> Motion:
        return random_motion(self.frames, size, self.hands, generator(self.seed, place, "motion"))

    def _pictures(self, source: Path, entry: Mapping[str, Any]) -> tuple[Burst, RawFrame, dict[str, Any]]:
        """As for pairs; the scene goes beyond the frames as far as they move, so that none shows a border."""
        place = entry["source"]
        rendering, exposure = self._rendering(place), self.noise.draw(generator(self.seed, place, "noise"))
        scene, area = self._scene(source, place, rendering)
        size = area[2] // SCALE, area[3] // SCALE
        motion, rng = self._motion(place, size), generator(self.seed, place, "pixels")
        noisy, clean = list[RawFrame](), list[RawFrame]()
        for index, (picture, _) in enumerate(frames_of(scene, [motion], size)):
            frame = tagged(mosaic(picture[0].permute(1, 2, 0).numpy(), self.cfa), rendering, self.cfa)
            clean += [] if clean else [frame]
            noisy.append(exposure.noisy(frame, rng))
            self.progress((index + 1) / (self.frames + 1))
        facts = {"height": size[0], "width": size[1], "area": list(area), **_told(motion)}
        return Burst(tuple(noisy), reference=0), replace(clean[0], iso=noisy[0].iso), facts

    def _scene(self, source: Path, place: str, rendering: Rendering) -> tuple[Tensor, Area]:
        """What the frames look at, linear light [1, 3, H, W], and what of its photo the reference shows."""
        display = display_of(source)
        area = top, left, height, width = self._area(source, display.shape[:2], generator(self.seed, place, "crop"))
        rows, columns = (SCALE * side for side in self.hands.margin((height // SCALE, width // SCALE)))
        seen = display[top - rows : top + height + rows, left - columns : left + width + columns]
        bands = (torch.tensor(seen[first : first + _BAND]) for first in range(0, len(seen), _BAND))
        return torch.cat([unprocess(band, rendering).permute(2, 0, 1) for band in bands], 1)[None], area

    def _area(self, source: Path, photo: Size, rng: np.random.Generator) -> Area:
        """Top, left, height and width of the part of the photo that the reference shows, in pixels of the photo.

        Raises UnusableInput for a photo that is too small for it, and frames that are too many for their size.
        """
        wanted = (self.crop, self.crop) if self.crop else (photo[0] // SCALE, photo[1] // SCALE)
        margins = self.hands.margin(wanted)
        rooms = [side // SCALE - 2 * margin for side, margin in zip(photo, margins, strict=True)]
        size = wanted if self.crop else tuple(room // 2 * 2 for room in rooms)
        if any(room < max(side, SMALLEST) for room, side in zip(rooms, size, strict=True)):
            least = [SCALE * ((self.crop or SMALLEST) + 2 * margin) for margin in margins]
            raise UnusableInput(
                f"{source}: of {photo[0]}x{photo[1]} pixels is too small for such frames and their motion, which take "
                f"{least[0]}x{least[1]}: allow less motion, or a smaller crop"
            )
        if self.frames * math.prod(size) > MOST_PIXELS:
            raise UnusableInput(
                f"{source}: {self.frames} frames of {size[0]}x{size[1]} are more than {MOST_PIXELS / 1e6:.0f} megapixels: "
                "make fewer, or cut them out by --crop"
            )
        free = [side - SCALE * (s + 2 * m) for side, s, m in zip(photo, size, margins, strict=True)]
        first = [int(rng.integers(f + 1)) if self.crop else f // 2 for f in free]
        top, left = (f + SCALE * m for f, m in zip(first, margins, strict=True))
        return top, left, SCALE * size[0], SCALE * size[1]

    def _what(self, count: int) -> list[str]:
        last = frame_name(self.frames - 1)
        frames = f"noisy/NAME{self.ending}` holds" if self.ending else f"noisy/NAME/{frame_name(0)}` to `{last}` are"
        return [
            "# Bursts of noisy raws, with the true frame",
            "",
            f"{count} bursts of {self.frames} frames, made by quietlight {__version__}.",
            f"`{frames} the frames ({self.cfa}), the first of which is the reference. `clean/NAME{self.suffix}` is the",
            "reference without noise. `moving/NAME.png`, where something moves, shows how much of each of its pixels belongs to",
            "the moving object.",
        ]

    def _how(self) -> list[str]:
        hands = self.hands
        return [
            f"- Scenes: the photos. A pixel of a frame gathers {SCALE}x{SCALE} pixels of its photo, so that shifts are by any part",
            "  of a pixel. Frames have half the sides of their photo, less what they move: none shows a border.",
            f"- Shifts: by up to {hands.near:g} pixels of a frame; {hands.far_frames:g} frames of a burst, on average, by up to "
            f"{hands.far:g}.",
            f"- Turns: by up to {hands.rotation:g} degrees. Exposures: off by {hands.jitter:.1%}, as a standard deviation.",
            f"- Objects: in {hands.moving:.0%} of the bursts, an ellipse moves on its own way.",
            f"- `{MANIFEST}`: at p = (y, x), pixels down and right from its middle, a frame shows what the reference",
            "  shows at R(p) + shift, R(p) = (y cos r - x sin r, y sin r + x cos r), r being its rotation; multiplied by its",
            "  exposure. In frame i, counted from 0, the object has moved on from its middle in the reference by i velocities.",
        ]


def _told(motion: Motion) -> dict[str, Any]:
    """A motion as the manifest tells it: in pixels of a frame, degrees, and factors on the light."""
    poses = zip(motion.poses.tolist(), motion.exposures.tolist(), strict=True)
    frames = [
        {"shift": [down / SCALE, right / SCALE], "rotation": math.degrees(angle), "exposure": exposure}
        for (down, right, angle), exposure in poses
    ]
    *lengths, there = motion.thing.tolist()
    places = [length / SCALE for length in lengths]
    thing = {"middle": places[:2], "velocity": places[2:4], "radii": places[4:]} if there else None
    return {"frames": frames, "object": thing}
