"""Broken and lying files through the whole command: one line each, no traceback, no output, no memory on a header's word."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import quietlight as ql
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame


def good_dng(path: Path) -> bytes:
    y, x = np.mgrid[:64, :96] / 96
    ql.write(unprocessed_frame(np.stack([x, y, 0.5 * x], axis=-1), fixed_camera("A")), path / "good.dng")
    return (path / "good.dng").read_bytes()


def good(path: Path, name: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    PillowImage.fromarray(pixels).save(path / name)
    return (path / name).read_bytes()


def png_of(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def absurd_tiff(path: Path) -> bytes:
    tifffile.imwrite(path / "absurd.tif", np.zeros((4, 4), np.uint16), metadata=None)
    with tifffile.TiffFile(path / "absurd.tif", mode="r+") as file:
        for tag in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[tag].overwrite(60_000)
    return (path / "absurd.tif").read_bytes()


def garbage_tags(path: Path) -> bytes:
    """A DNG whose first directory is there, and says nonsense."""
    data = bytearray(good_dng(path))
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    for entry in range(count):
        data[start + 2 + 12 * entry + 2 : start + 14 + 12 * entry] = b"\xff" * 10
    return bytes(data)


BROKEN: dict[str, Callable[[Path], bytes]] = {
    "empty.dng": lambda _: b"",
    "nothing.png": lambda _: b"",
    "garbage.dng": lambda _: bytes(range(256)) * 40,
    "noise.jpg": lambda _: bytes(range(256)) * 40,
    "noise_too.cr3": lambda _: b"\0\0\0\x18ftypcrx " + bytes(500),
    "cut_dng.dng": lambda p: good_dng(p)[:3000],
    "cut_jpeg.jpg": lambda p: good(p, "a.jpg")[:700],
    "cut_png.png": lambda p: good(p, "a.png")[:900],
    "cut_tiff.tif": lambda p: good(p, "a.tif")[:900],
    "cut_webp.webp": lambda p: good(p, "a.webp")[:300],
    "dng_header_only.dng": lambda p: good_dng(p)[:8],
    "garbage_tags.dng": garbage_tags,
    "no_pixels.png": lambda _: png_of(0, 0),
    "absurd.png": lambda _: png_of(100_000, 100_000),
    "short.png": lambda _: png_of(4_000, 4_000),
    "absurd_tiff.tif": absurd_tiff,
    "text.nef": lambda _: b"I am no raw file.\n" * 50,
    "unknown.xyz": lambda _: b"I am nothing.\n" * 50,
}


@pytest.mark.parametrize("verb", ["analyze", "denoise", "develop"])
def test_broken_files_are_refused_in_one_line_each(verb: str, tmp_path: Path) -> None:
    """All in one run, under a limit of memory that no honest small file needs."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (tmp_path / "made").mkdir()
    for name, make in BROKEN.items():
        (folder / name).write_bytes(make(tmp_path / "made"))
    arguments = [verb, *sorted(str(p) for p in folder.iterdir())]
    if verb != "analyze":
        arguments += ["--out", str(out)]
    code = (
        "import resource, sys\n"
        "import quietlight.pipeline, quietlight.cli, quietlight.report.sheet\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize() if sys.platform == 'linux' else 0\n"
        "if used: resource.setrlimit(resource.RLIMIT_AS, (used + 600_000_000,) * 2)\n"
        "quietlight.cli.main()"
    )
    result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)
    lines = [line for line in result.stderr.splitlines() if line.startswith("quietlight: ")]
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "memory" not in result.stderr
    for name in BROKEN:
        assert sum(f"{name}:" in line for line in lines) == 1, (name, result.stderr)
    assert not list(out.rglob("[!.]*"))


@pytest.mark.parametrize("name", ["one.png", "one.dng", "one.tif"])
def test_a_single_pixel_is_a_picture(name: str, tmp_path: Path) -> None:
    if name.endswith(".dng"):
        ql.write(ql.RawFrame(np.full((1, 1), 0.3, np.float32), "RGGB"), tmp_path / name)
    else:
        PillowImage.fromarray(np.full((1, 1, 3), 90, np.uint8)).save(tmp_path / name)
    command = [sys.executable, "-m", "quietlight", "denoise", str(tmp_path / name), "--out", str(tmp_path / "out")]
    assert subprocess.run(command, capture_output=True, timeout=120).returncode == 0
    assert len(list((tmp_path / "out").glob("[!.]*"))) == 1


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(good(tmp_path, "a.png"))
    (tmp_path / "raw.tif").write_bytes(good_dng(tmp_path))
    assert isinstance(ql.read(tmp_path / "photo.jpg"), ql.Image)
    assert isinstance(ql.read(tmp_path / "raw.tif"), ql.RawFrame)
