"""`make demo`: the main job on a real photograph, with a sheet to look at.

A photograph is unprocessed into the raw file that a camera would have written, noise included; the DNG is denoised and developed.
Another is corrupted by a mixture of noises and denoised. Without a download: scikit-image brings free photographs in its wheel
(coffee, by Rachel Michetti, CC0; astronaut, by NASA, public domain).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import quietlight as ql
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.metrics import psnr
from quietlight.noise.nature import eight_bit
from quietlight.noise.natures import Bernoulli, Gaussian
from quietlight.noise.sensor import ShotRead, upi_read
from quietlight.report.pictures import to_eight_bits
from quietlight.report.sheet import write_sheet

SHOT = 4e-3
SEED = 20261


def noisy_raw(photo: NDArray[np.float64], rng: np.random.Generator) -> tuple[ql.RawFrame, ql.RawFrame]:
    """(clean, noisy) raw frames of a photo [H, W, 3] in [0, 1]."""
    clean = unprocessed_frame(photo, fixed_camera("A"))
    read = upi_read(SHOT)
    mosaic = ShotRead(SHOT, read).sample(clean.mosaic, rng).astype(np.float32)
    noise = ql.NoiseProfile((SHOT,), (read,))
    return clean, replace(clean, mosaic=mosaic, noise=noise, iso=6400, exposure_time=1 / 60)


def raw_story(photo: NDArray[np.float64], out: Path) -> list[tuple[str, NDArray[np.uint8]]]:
    """Photo -> noisy DNG -> denoised DNG -> photo; returns the pictures of the sheet."""
    clean, noisy = noisy_raw(photo, np.random.default_rng(SEED))
    ql.write(noisy, out / "raw_noisy.dng")
    frame = ql.read(out / "raw_noisy.dng")
    print(f"raw     {ql.analyze(frame).verdict}")
    begin = time.perf_counter()
    denoised = ql.denoise(frame)
    print(f"raw     denoised in {time.perf_counter() - begin:.1f} s")
    ql.write(denoised, out / "raw_clean.dng")
    truth = ql.develop(clean, denoise="off", bits=8)
    before = ql.develop(frame, denoise="off", bits=8)
    after = ql.develop(ql.read(out / "raw_clean.dng"), denoise="off", bits=8)
    ql.write(after, out / "raw_developed.jpg")
    return captioned(before.pixels, after.pixels, truth.pixels, "noisy raw, developed")


def photo_story(photo: NDArray[np.float64], out: Path) -> list[tuple[str, NDArray[np.uint8]]]:
    """Photo -> mixture of noises -> denoised photo; returns the pictures of the sheet."""
    rng = np.random.default_rng(SEED)
    noisy = eight_bit(Bernoulli(0.1).sample(Gaussian(20.0).sample(photo, rng), rng))
    image = ql.Image(np.round(noisy * 255).astype(np.uint8))
    ql.write(image, out / "photo_noisy.png")
    print(f"photo   {ql.analyze(image).verdict}")
    begin = time.perf_counter()
    clean = ql.denoise(image)
    print(f"photo   denoised in {time.perf_counter() - begin:.1f} s")
    ql.write(clean, out / "photo_clean.png")
    truth = np.round(photo * 255).astype(np.uint8)
    return captioned(image.pixels, clean.pixels, truth, "noisy photo (gaussian 20, 10% dropped)")


def captioned(
    noisy: NDArray[np.uint8], result: NDArray[np.uint8], truth: NDArray[np.uint8], name: str
) -> list[tuple[str, NDArray[np.uint8]]]:
    """The three pictures of one row of the sheet, with their PSNR."""
    before, after = (psnr(p / 255.0, truth / 255.0) for p in (noisy, result))
    return [(f"{name}: {before:.2f} dB", noisy), (f"quietlight: {after:.2f} dB", result), ("truth", truth)]


def sample(name: str) -> NDArray[np.float64]:
    """One of scikit-image's photographs, [H, W, 3] in [0, 1]."""
    import skimage.data

    return np.asarray(getattr(skimage.data, name)()[..., :3] / 255.0)


def own_photo(path: Path, out: Path) -> None:
    """The user's file: a photo or a raw, denoised, and developed if it is a raw."""
    frame = ql.read(path)
    print(f"{path.name}: {ql.analyze(frame).verdict}")
    clean = ql.denoise(frame)
    if isinstance(clean, ql.RawFrame):
        ql.write(clean, out / f"{path.stem}_clean.dng")
        before, after = ql.develop(frame, denoise="off", bits=8), ql.develop(clean, denoise="off", bits=8)
        ql.write(after, out / f"{path.stem}.jpg")
    else:
        before, after = frame, clean
        ql.write(clean, out / f"{path.stem}_clean.png")
    top, left = ((n - min(n, 800)) // 2 for n in before.pixels.shape[:2])
    crops = [to_eight_bits(picture)[top : top + 800, left : left + 800] for picture in (before, after)]
    write_sheet([[("as it was, 100%", crops[0]), ("quietlight, 100%", crops[1])]], out / "sheet.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    parser.add_argument("--photo", type=Path, help="your own photo or raw instead of the samples")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        if arguments.photo:
            own_photo(arguments.photo, arguments.out)
        else:
            rows = [raw_story(sample("coffee"), arguments.out), photo_story(sample("astronaut"), arguments.out)]
            for row in rows:
                print("        " + "; ".join(caption for caption, _ in row))
            write_sheet(rows, arguments.out / "sheet.png")
    except ql.UnusableInput as error:
        parser.exit(1, f"demo: {error}\n")
    print(f"The pictures are in {arguments.out.resolve()}: look at sheet.png first.")


if __name__ == "__main__":
    main()
