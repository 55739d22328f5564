"""Make the pictures of README and docs: `python tools/docs_pictures.py --out docs/pictures`.

The photographs come in scikit-image's wheel and are free: coffee by Rachel Michetti (CC0), chelsea the cat by Stéfan van der Walt
(CC0), rocket by SpaceX (CC0), astronaut by NASA (public domain). Everything else is done to them here, by fixed seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

import quietlight as ql
from quietlight.analysis.estimate import measured_points
from quietlight.camera.bayer import average
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.noise.camera import Camera
from quietlight.noise.nature import eight_bit
from quietlight.noise.natures import Bernoulli, Gaussian
from quietlight.noise.sensor import ShotRead, upi_read
from quietlight.report.noise_curve import NoiseCurve
from quietlight.report.noise_plot import noise_plot
from quietlight.report.story import story_of
from quietlight.report.story_sheet import sheet
from quietlight.systems.merge import hdrplus

Picture = NDArray[np.uint8]
SEED = 20269
PLOT_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#777}.mid{text-anchor:middle}.end{text-anchor:end}"
    ".axis{stroke:#ccc;fill:none}.line{stroke:#3b6ea5;stroke-width:2;fill:none}.dot{fill:#c2410c;opacity:.8}"
)


def photo(name: str) -> NDArray[np.float64]:
    """One of scikit-image's photographs, [H, W, 3] in [0, 1]."""
    import skimage.data

    return np.asarray(getattr(skimage.data, name)()[..., :3] / 255.0)


def noisy_raw(picture: NDArray[np.float64], shot: float, seed: int = SEED) -> ql.RawFrame:
    """What a camera would have written of it, with this shot noise."""
    clean = unprocessed_frame(picture, fixed_camera("A"))
    noise = ql.NoiseProfile((shot,), (upi_read(shot),))
    mosaic = ShotRead(shot, upi_read(shot)).sample(clean.mosaic, np.random.default_rng(seed))
    return replace(clean, mosaic=mosaic.astype(np.float32), noise=noise)


def developed(frame: Any) -> Picture:
    return np.asarray(ql.develop(frame, denoise="off", bits=8).pixels)


def side_by_side(pictures: Sequence[tuple[str, Picture]], path: Path, quality: int = 82) -> None:
    """Pictures beside each other, each with its name in a corner, as one JPEG."""
    gap, height = 6, max(len(p) for _, p in pictures)
    paper = Pillow.new("RGB", (sum(p.shape[1] + gap for _, p in pictures) - gap, height), "white")
    draw, font, left = ImageDraw.Draw(paper), ImageFont.load_default(15), 0
    for name, picture in pictures:
        paper.paste(Pillow.fromarray(picture), (left, 0))
        width = draw.textlength(name, font)
        draw.rounded_rectangle((left + 8, 8, left + 24 + width, 32), 12, "#202020")
        draw.text((left + 16, 11), name, "white", font)
        left += picture.shape[1] + gap
    paper.save(path, "JPEG", quality=quality, optimize=True)
    print(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


def before_after(out: Path) -> None:
    """README's: a raw of a dim room, developed before and after."""
    frame = noisy_raw(photo("coffee"), 8e-3)
    side_by_side(
        [("before", developed(frame)), ("quietlight", developed(ql.denoise(frame)))], out / "before-after.jpg", 78
    )


def jpeg(out: Path) -> None:
    """A photo with the noise that cameras leave in theirs."""
    rng = np.random.default_rng(SEED)
    noisy = np.round(255 * Camera(16.0).sample(photo("chelsea"), rng)).astype(np.uint8)
    side_by_side([("noisy JPEG", noisy), ("quietlight", ql.denoise(noisy))], out / "jpeg.jpg")


def night(out: Path) -> None:
    """A raw of a dusk, and its noise as a curve."""
    frame = noisy_raw(photo("rocket")[20:404, 60:540], 1.6e-2)
    side_by_side(
        [("raw, developed", developed(frame)), ("quietlight", developed(ql.denoise(frame)))], out / "night.jpg"
    )
    drawn = noise_plot(NoiseCurve(measured_points(frame), frame.noise, "DNG NoiseProfile"))
    path = out / "noise-curve.svg"
    alone = drawn.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    path.write_text(alone.replace(">", f"><style>{PLOT_STYLE}</style>", 1) + "\n", encoding="utf-8")
    print(path)


def burst(out: Path) -> None:
    """Handheld frames of one scene: one of them, their mean, and what is made of them."""
    rng, picture, shot = np.random.default_rng(SEED), photo("coffee"), 2.4e-2
    frames = []
    for number in range(6):
        top, left = rng.integers(0, 13, 2)
        frames.append(noisy_raw(picture[top : top + 384, left : left + 584], shot, SEED + number))
    taken = ql.Burst(tuple(frames), 0)
    detail = np.s_[60:360, 150:450]
    shown = [
        ("one frame", frames[0]),
        ("mean of six", average(frames)),
        ("merged", hdrplus(taken).frame),
        ("quietlight", ql.denoise(taken)),
    ]
    side_by_side([(name, developed(frame)[detail]) for name, frame in shown], out / "burst.jpg")


def report(out: Path) -> None:
    """The report of a photo with two noises, as `--report` draws it without a browser."""
    rng = np.random.default_rng(SEED)
    noisy = eight_bit(Bernoulli(0.08).sample(Gaussian(20.0).sample(photo("astronaut"), rng), rng))
    before = ql.Image(np.round(noisy * 255).astype(np.uint8))
    drawn = sheet(story_of(before, ql.denoise(before, record=True)))
    path = out / "report.jpg"
    drawn.resize((900, round(900 * drawn.height / drawn.width)), Pillow.Resampling.LANCZOS).save(
        path, "JPEG", quality=80, optimize=True
    )
    print(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


PICTURES = {"before-after": before_after, "jpeg": jpeg, "night": night, "burst": burst, "report": report}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PICTURES)}; all if none")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or PICTURES:
        PICTURES[name](arguments.out)


if __name__ == "__main__":
    main()
