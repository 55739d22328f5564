"""MIT-Adobe FiveK (Bychkovsky et al. 2011; for research only): DNGs of many cameras, and the pictures of its expert C.

Relied on: filesAdobe.txt and filesAdobeMIT.txt, one name a line without suffix, some with spaces; raw_photos/HQa1to700/photos with
NAME.dng and so on, whose folders are not named regularly; img/tiff16_c/NAME.tif or tiff16_c/NAME.tif, 16 bits, ProPhoto RGB.

Its raws have little noise: the restored picture is that of the raw as FAN denoises it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from quietlight.camera.color import D50, D65, SRGB_FROM_XYZ, adaptation
from quietlight.camera.tone import srgb_encode
from quietlight.data.sets.denoised import denoised
from quietlight.data.sets.scene import Item, Scene, eight_bits, laid_down, on_each_other, read_bayer, ready, restored_of
from quietlight.frames import Array, Floats, Image, UnusableInput
from quietlight.io import read_file

LISTS = {
    "filesAdobe.txt": "LicenseAdobe.txt of FiveK, research only",
    "filesAdobeMIT.txt": "LicenseAdobeMIT.txt of FiveK, research only",
}
EXPERT = "tiff16_c"
"""The one that CameraNet learns from."""
XYZ_FROM_PROPHOTO: Floats = np.array(
    [[0.7976749, 0.1351917, 0.0313534], [0.2880402, 0.7118741, 0.0000857], [0.0, 0.0, 0.8252100]]
)
"""Linear ProPhoto (ROMM) RGB -> XYZ D50, ISO 22028-2."""
_STRIP = 256


def items(root: Path) -> list[Item]:
    """A raw each, in the order of the lists."""
    names = {name: licence for file, licence in LISTS.items() for name in _names(root / file)}
    if not names:
        raise UnusableInput(
            f"{root}: has neither {' nor '.join(LISTS)}: name the folder fivek_dataset, which holds them"
        )
    raws = {unquote(path.stem): path for path in sorted(root.glob("raw_photos/HQa*to*/photos/*.dng"))}
    if not raws:
        raise UnusableInput(f"{root / 'raw_photos'}: no HQa...to.../photos/*.dng in it")
    missing = root / "raw_photos" / "HQa...to..." / "photos"
    return [
        Item(raws.get(name, missing / f"{name}.dng"), partial(_scene, root, name, raws), licence=licence)
        for name, licence in names.items()
    ]


def _names(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _scene(root: Path, name: str, raws: dict[str, Path]) -> Scene:
    if name not in raws:
        raise UnusableInput(f"{root / 'raw_photos'}: {name}.dng is missing")
    folders = (root / "img" / EXPERT, root / EXPERT)
    stems = {unquote(path.stem): path for folder in folders if folder.is_dir() for path in folder.glob("*.tif")}
    if name not in stems:
        raise UnusableInput(f"{folders[0] / name}.tif: is missing: the pictures of an expert are got one by one")
    raw = read_bayer(raws[name])
    frame = ready(raw)
    shown = laid_down(prophoto_to_srgb(stems[name]), raw.orientation)
    return on_each_other(frame, restored_of(denoised(frame)), shown, stems[name])


def prophoto_to_srgb(path: Path) -> Array:
    """A picture in ProPhoto RGB as display sRGB, uint8 [H, W, 3]. Raises UnusableInput for one that says it is in other colours."""
    image = read_file(path)
    if not isinstance(image, Image) or image.pixels.dtype != np.uint16 or image.pixels.shape[2] != 3:
        raise UnusableInput(f"{path}: is no colour picture of 16 bits, as FiveK's experts made")
    if image.profile and not any(word in image.profile for word in _said("ProPhoto", "ROMM")):
        raise UnusableInput(f"{path}: has a colour profile that is not ProPhoto's, as FiveK's have: export it again")
    matrix = (SRGB_FROM_XYZ @ adaptation(D50, D65) @ XYZ_FROM_PROPHOTO).astype(np.float32)
    out = np.empty(image.pixels.shape, np.uint8)
    for top in range(0, len(out), _STRIP):
        coded = image.pixels[top : top + _STRIP].astype(np.float32) / np.float32(65535)
        linear = np.where(coded < 1 / 32, coded / 16, coded ** np.float32(1.8))
        out[top : top + _STRIP] = eight_bits(np.clip(srgb_encode(linear @ matrix.T), 0, 1).astype(np.float32))
    return out


def _said(*words: str) -> list[bytes]:
    """As the texts of a profile have them, in ASCII or UTF-16."""
    return [word.encode(code) for word in words for code in ("ascii", "utf-16-be")]
