"""Open our DNGs with other programs and compare their colours with the truth: the generator of docs/dng-matrix.md.

The scene is made: 24 patches and three ramps of known linear sRGB, seen by a camera of known matrices. Each
program renders it as plainly as it can (camera white balance, no tone curve), and its picture is compared with the scene.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np
import rawpy
import tifffile

from quietlight.camera.color import D65, XYZ_FROM_SRGB, adaptation, color_matrix, temperature_to_white
from quietlight.frames import BAYER, ColorCalibration, NoiseProfile, RawFrame
from quietlight.io.dng import write_dng
from quietlight.pipeline import denoise

TIMEOUT = 120
PATCH = 132
ROWS, COLUMNS = 4, 6

# Camera D of Brooks et al. 2019 under D65, and a warmer companion for the light of a lamp (A).
DAYLIGHT = np.array([[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.097, 0.1581, 0.5181]])
LAMP = DAYLIGHT * np.array([[1.08], [1.0], [0.9]]) + 0.02 * np.eye(3)


def scene() -> np.ndarray:
    """Linear sRGB, [656, 792, 3]: 6 x 4 patches, the last row gray, and below a gray, a red-green and a blue-yellow ramp."""
    rng = np.random.default_rng(7)
    colors = rng.uniform(0.12, 0.55, (ROWS, COLUMNS, 3))
    colors[-1] = np.geomspace(0.03, 0.8, COLUMNS)[:, None]
    patches = colors.repeat(PATCH, axis=0).repeat(PATCH, axis=1)
    ramp = np.linspace(0.1, 0.6, COLUMNS * PATCH)
    gray = np.stack([ramp, ramp, ramp], axis=1)
    red = np.stack([ramp, ramp[::-1], np.full_like(ramp, 0.3)], axis=1)
    blue = np.stack([ramp[::-1], ramp[::-1], ramp], axis=1)
    bands = np.stack([gray, red, blue]).repeat([44, 44, 40], axis=0)
    return np.concatenate([patches, bands])


def captured(truth: np.ndarray, cfa: str, kelvin: float | None = None, exposure: float = 0.9) -> RawFrame:
    """The scene as the camera records it, without noise, in daylight (D65) or in another light."""
    calibrations = (ColorCalibration(17, LAMP), ColorCalibration(21, DAYLIGHT))
    matrix, light = DAYLIGHT, D65
    if kelvin is not None:
        matrix, light = color_matrix(calibrations, kelvin), temperature_to_white(kelvin)
    camera = matrix @ adaptation(D65, light) @ XYZ_FROM_SRGB
    white = matrix @ light
    planes = (exposure * truth @ camera.T / white.max()).astype(np.float32)
    mosaic = planes
    if cfa == "MONO":
        mosaic = planes[..., 1]
    elif cfa != "RGB":
        mosaic = np.empty(planes.shape[:2], np.float32)
        for place, color in enumerate(cfa):
            row, column = divmod(place, 2)
            mosaic[row::2, column::2] = planes[row::2, column::2, "RGB".index(color)]
    return RawFrame(
        np.ascontiguousarray(mosaic),
        cfa,
        white_balance=None if cfa == "MONO" else (float(white[1] / white[0]), 1.0, float(white[1] / white[2])),
        calibrations=() if cfa == "MONO" else calibrations,
        noise=NoiseProfile((4e-4,), (1e-6,)),
        exposure_time=0.01,
        iso=200,
        baseline_exposure=0.0,
        camera="Quietlight Synthetic",
    )


# --- The programs: DNG -> linear sRGB


def call(*command: str | Path, cwd: Path | None = None) -> str:
    """Output of a program, errors included; raises RuntimeError with its last line where it fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, cwd=cwd, check=False)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"no end after {TIMEOUT} s") from error
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1:] or ["failed"])
    return done.stdout + done.stderr


def decoded(path: Path) -> np.ndarray:
    """A 16-bit TIFF in sRGB -> linear."""
    coded = np.atleast_3d(tifffile.imread(path)).astype(np.float64)[..., :3] / 65535
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def with_rawpy(path: Path, _: Path) -> np.ndarray:
    with rawpy.imread(str(path)) as raw:
        plain = raw.postprocess(use_camera_wb=True, no_auto_bright=True, gamma=(1, 1), output_bps=16, user_flip=0)
    return np.asarray(plain / 65535.0)


def with_darktable(path: Path, folder: Path) -> np.ndarray:
    out = folder / "darktable.tif"
    call(
        *("darktable-cli", path, out, "--hq", "1", "--apply-custom-presets", "0", "--icc-type", "SRGB"),
        *("--core", "--library", ":memory:", "--configdir", folder / "dt", "--cachedir", folder / "dtcache"),
        *("--conf", "plugins/darkroom/workflow=none", "--conf", "plugins/darkroom/chromatic-adaptation=legacy"),
        *("--conf", "plugins/imageio/format/tiff/bpp=16", "--conf", "opencl=FALSE"),
    )
    return decoded(out)


def with_rawtherapee(path: Path, folder: Path) -> np.ndarray:
    out = folder / "rawtherapee.tif"
    call("rawtherapee-cli", "-q", "-Y", "-b16", "-t", "-o", out, "-c", path)
    return decoded(out)


def with_dcraw(path: Path, folder: Path) -> np.ndarray:
    copy = folder / "dcraw.dng"
    shutil.copy(path, copy)
    call("dcraw", "-w", "-W", "-6", "-g", "1", "1", "-t", "0", "-T", copy)
    return np.atleast_3d(tifffile.imread(copy.with_suffix(".tiff"))).astype(np.float64)[..., :3] / 65535


@dataclass(frozen=True)
class Program:
    """One program: how it is called, the arguments that print its version, and how it renders (None: it only reads tags)."""

    command: str
    version: tuple[str, ...] = ()
    render: Callable[[Path, Path], np.ndarray] | None = None

    def found(self) -> str | None:
        """Its version, None where it is not installed."""
        if self.command == "rawpy":
            return f"{rawpy.__version__} (LibRaw {'.'.join(map(str, rawpy.libraw_version))})"
        if shutil.which(self.command) is None:
            return None
        done = subprocess.run(
            [self.command, *self.version], capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        number = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
        return number[0] if number else "unknown version"


PROGRAMS = {
    "rawpy": Program("rawpy", render=with_rawpy),
    "darktable": Program("darktable-cli", ("--version",), with_darktable),
    "RawTherapee": Program("rawtherapee-cli", ("-v",), with_rawtherapee),
    "dcraw": Program("dcraw", (), with_dcraw),
    "exiftool": Program("exiftool", ("-ver",)),
}

# --- The comparison


def lab(linear: np.ndarray) -> np.ndarray:
    """Linear sRGB -> CIE Lab, D65."""
    ratio = np.maximum(linear @ XYZ_FROM_SRGB.T / D65, 0)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def samples(picture: np.ndarray, margin: tuple[int, int]) -> np.ndarray:
    """Means over the middle of each patch and over squares of the ramps, [n, 3]; `margin` is what a program cut off at top left."""
    down, right = margin
    boxes = [(r * PATCH + 32, c * PATCH + 32, 64) for r in range(ROWS) for c in range(COLUMNS)]
    boxes += [(ROWS * PATCH + 16 + 44 * band, x, 12) for band in range(3) for x in range(32, COLUMNS * PATCH - 32, 64)]
    height, width = picture.shape[:2]
    boxes = [b for b in boxes if b[0] + b[2] <= height + down and b[1] + b[2] <= width + right]
    return np.array(
        [picture[y - down : y - down + n, x - right : x - right + n].mean(axis=(0, 1)) for y, x, n in boxes]
    )


def color_difference(picture: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance in the ab plane (in L for gray pictures) after one exposure gain was fitted."""
    cut = tuple((a - b) // 2 for a, b in zip(truth.shape[:2], picture.shape[:2], strict=True))
    if not all(0 <= c <= 16 for c in cut):
        raise RuntimeError(f"wrong size {picture.shape[1]}x{picture.shape[0]}")
    if picture.shape[2] == 1:
        picture = picture.repeat(3, axis=2)
    ours, true = samples(picture, (cut[0], cut[1])), samples(truth, (0, 0))
    if not ours.any():
        raise RuntimeError("black picture")
    gray = bool(np.ptp(true, axis=1).max() < 1e-9)
    difference = lab(ours * (ours * true).sum() / (ours * ours).sum()) - lab(true)
    return float(np.abs(difference[:, 0]).mean() if gray else np.hypot(difference[:, 1], difference[:, 2]).mean())


def cases() -> dict[str, tuple[RawFrame, np.ndarray, bool]]:
    """What is written: frame, truth, and whether imagecodecs is there."""
    truth = scene()
    found = {f"mosaic {cfa}, lossless JPEG": (captured(truth, cfa), truth, True) for cfa in BAYER}
    found["mosaic RGGB, uncompressed"] = (captured(truth, "RGGB"), truth, False)
    found["mosaic RGGB, a value of 1.3"] = (_with_highlight(captured(truth, "RGGB")), truth, True)
    for width in (512, 200):
        narrow = truth[:, :width]
        found[f"mosaic RGGB, {width} wide"] = (captured(narrow, "RGGB"), narrow, True)
    for cfa in ("RGGB", "GBRG"):
        found[f"mosaic {cfa}, denoised by fan"] = (_denoised(captured(truth, cfa)), truth, True)
    found["mosaic RGGB, lamp light (3500 K)"] = (captured(truth, "RGGB", 3500), truth, True)
    found["linear, lossless JPEG"] = (captured(truth, "RGB"), truth, True)
    found["linear, uncompressed"] = (captured(truth, "RGB"), truth, False)
    found["linear, a value of 1.3"] = (_with_highlight(captured(truth, "RGB")), truth, True)
    mono = captured(truth, "MONO")
    gray = np.repeat(mono.mosaic[..., None], 3, axis=2).astype(np.float64)
    found["monochrome, lossless JPEG"] = (mono, gray, True)
    found["monochrome, uncompressed"] = (mono, gray, False)
    return found


def _with_highlight(frame: RawFrame) -> RawFrame:
    mosaic = frame.mosaic.copy()
    mosaic[:2, :2] = 1.3
    return replace(frame, mosaic=mosaic)


def _denoised(frame: RawFrame) -> RawFrame:
    """With the noise that its profile tells, and without it again, as `quietlight denoise` does it."""
    if frame.noise is None:
        raise ValueError("the noise must be known")
    deviation = np.sqrt(frame.noise.variance(frame.mosaic))
    noise = deviation * np.random.default_rng(11).standard_normal(frame.mosaic.shape)
    clean = denoise(replace(frame, mosaic=(frame.mosaic + noise).astype(np.float32)), system="fan")
    if not isinstance(clean, RawFrame):
        raise TypeError("a raw becomes a raw")
    return clean


def written(frame: RawFrame, path: Path, codec: bool) -> None:
    with mock.patch.dict(sys.modules, {} if codec else {"imagecodecs": None}):
        write_dng(frame, path)


def cell(program: Program, path: Path, truth: np.ndarray) -> str:
    """What a program made of a file: the colour difference, or how it failed."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            if program.render is None:
                verdict = re.search(r"Validate\s*: (.*)", call("exiftool", "-validate", path))
                return verdict[1].strip() if verdict else "no verdict"
            return f"{color_difference(program.render(path, Path(folder)), truth):.2f}"
        except (RuntimeError, OSError, ValueError, rawpy.LibRawError, tifffile.TiffFileError) as error:
            return f"fails: {error}"


def dark_flat(folder: Path) -> str:
    """A dark noisy flat through rawpy: mean and deviation, written and read back."""
    rng = np.random.default_rng(3)
    mosaic = rng.normal(0.0005, 0.01, (512, 512)).astype(np.float32)
    path = folder / "dark.dng"
    write_dng(RawFrame(mosaic, "RGGB", camera="Quietlight Synthetic"), path)
    with rawpy.imread(str(path)) as raw:
        read = (raw.raw_image_visible.astype(np.float64) - raw.black_level_per_channel[0]) / (raw.white_level - 4096)
    return (
        f"A dark flat of mean {mosaic.mean():.7f} and deviation {mosaic.std():.6f} comes back through rawpy with mean "
        f"{read.mean():.7f} and deviation {read.std():.6f}; a step of the file is {1 / 61439:.7f}."
    )


def page() -> str:
    """The whole page as Markdown."""
    versions = {name: program.found() for name, program in PROGRAMS.items()}
    heads = [f"{name} {version}" if version else f"{name} (not installed)" for name, version in versions.items()]
    lines = [f"| file | {' | '.join(heads)} | MB |", "|---|" + "---|" * (len(PROGRAMS) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.dng"
        for name, (frame, truth, codec) in cases().items():
            written(frame, path, codec)
            row = [cell(p, path, truth) if versions[n] else "–" for n, p in PROGRAMS.items()]
            lines.append(f"| {name} | {' | '.join(row)} | {path.stat().st_size / 1e6:.2f} |")
            print(lines[-1], flush=True)
        flat = dark_flat(Path(folder))
    return TEXT.format(table="\n".join(lines), flat=flat)


TEXT = """# Which programs open our DNGs

Generated by `make dng-matrix`; do not edit.

Each DNG shows a made scene of known colours (24 patches, three ramps, 0.5 MP), written by `quietlight.io.dng.write_dng` and
rendered by each program with the camera's white balance and no tone curve. The number is the mean distance from the truth in the
ab plane of CIE Lab after one exposure gain was fitted (for the monochrome files the mean distance in L). The light is D65, where
all programs agree on what the tags mean; in lamp light the two colour matrices of the file would have to be interpolated, while
these programs, called like this, take the daylight one alone. exiftool's column is the verdict of `exiftool -validate`. What `fan`
denoised was made noisy before (shot 4e-4); its minor warning is about ImageHistory, a tag of TIFF/EP that says what was done.

{table}

{flat}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the Markdown file to write")
    options = parser.parse_args()
    text = page()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
