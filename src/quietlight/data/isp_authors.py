"""The data that CameraNet's authors prepared (github.com/zhetongliang/CameraNet_official), as they lie in their archives.

Relied on, by their code: HDRp/Train and HDRp/Test, or SID, with the folders input, middle and output; inputlist.txt, middlelist.txt
and outputlist.txt in Train and Test, or inputlist_train.txt and so on in SID, one name a line, the same line of the same scene.
input: float32, little-endian, height and width, then [H/2, W/2, 4]; of HDRp the two are those of the mosaic, of SID those of the
planes. middle: PNG of 16 bits. output: JPEG. Files of HDRp share a prefix of four characters.

Assumed, since nothing says it: the planes have the order of SID's authors, R, G, B, G clockwise around an RGGB block; middle is
XYZ, linear in HDRp, and by the power 1/2.2 in SID, as their training undoes it. Of the cameras' colours only HDRp's are known: the
Nexus 6P's, of their code.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from quietlight.camera.white_balance import estimate_white_balance
from quietlight.data.isp_frames import Area, StoredFrames
from quietlight.data.pack import VALIDATION_STEP, located
from quietlight.data.sets.scene import read_display
from quietlight.data.views import Size
from quietlight.frames import Array, ColorCalibration, Floats, Image, RawFrame, UnusableInput
from quietlight.io import read_file

KINDS = ("input", "middle", "output")
XYZ_FROM_NEXUS_6P: Floats = np.array([[1.2064, 0.1583, 0.3926], [0.3657, 0.7536, 0.1224], [-0.0359, -0.2928, 1.8871]])
_D65 = 21
_GAMMA = 2.2
_PREFIX = 4
_PLACES = ((0, 0), (0, 1), (1, 1), (1, 0))
"""(row, column) in the mosaic of each plane."""


class AuthorsFrames(StoredFrames):
    """Frames of HDR+ or SID as the authors give them.

    Args:
        source: the folder HDRp or SID, looked for in the folder QUIETLIGHT_DATA, too.
        patch, whole, prep, device: as for `StoredFrames`; SID has no camera colours, which the mode "xyz" needs.
        validation: every 16th of the training frames; those for tests are never taken.

    Raises UnusableInput for another folder, missing files, and as `StoredFrames` does.
    """

    def __init__(
        self,
        source: str,
        patch: int = 256,
        whole: bool = False,
        prep: str = "wb",
        *,
        device: torch.device,
        validation: bool,
    ) -> None:
        root = located(source)
        self.is_hdrplus = (root / "Train").is_dir()
        place, ending = (root / "Train", "list.txt") if self.is_hdrplus else (root, "list_train.txt")
        lists = [_names(place / f"{kind}{ending}") for kind in KINDS]
        if len({len(names) for names in lists}) > 1:
            raise UnusableInput(f"{place}: the lists of {', '.join(KINDS)} differ in length: {[len(x) for x in lists]}")
        rows = [
            [place / kind / name for kind, name in zip(KINDS, row, strict=True)] for row in zip(*lists, strict=True)
        ]
        self.files = [row for i, row in enumerate(rows) if (i % VALIDATION_STEP == 0) == validation]
        for row in self.files:
            self._check(row)
        self.gains: dict[int, tuple[float, float, float]] = {}
        super().__init__([_size(row[0]) for row in self.files], patch, whole, prep, device)

    def _check(self, row: list[Path]) -> None:
        if missing := next((path for path in row if not path.is_file()), None):
            raise UnusableInput(f"{missing}: is missing, and is in the list")
        if self.is_hdrplus and len({path.name[:_PREFIX] for path in row}) > 1:
            raise UnusableInput(f"{row[0]}: is listed with {row[1].name} and {row[2].name}, of other scenes")

    def _read(self, number: int, area: Area | None) -> tuple[RawFrame, Floats, Array]:
        source, middle, output = self.files[number]
        height, width = self.sizes[number]
        planes = np.memmap(source, "<f4", "r", 8, (height // 2, width // 2, 4))
        if number not in self.gains:
            self.gains[number] = estimate_white_balance(RawFrame(_mosaic(planes), "RGGB"))
        restored, enhanced = self._restored(middle), read_display(output)
        for path, picture in ((middle, restored), (output, enhanced)):
            if picture.shape != (height, width, 3):
                raise UnusableInput(
                    f"{path}: is {picture.shape[1]}x{picture.shape[0]}, not {width}x{height} as its input"
                )
        top, left, height, width = area or (0, 0, height, width)
        rows, columns = slice(top, top + height), slice(left, left + width)
        part = _mosaic(planes[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2])
        calibrations = (ColorCalibration(_D65, np.linalg.inv(XYZ_FROM_NEXUS_6P)),) if self.is_hdrplus else ()
        frame = RawFrame(part, "RGGB", white_balance=self.gains[number], calibrations=calibrations)
        return frame, restored[rows, columns], enhanced[rows, columns]

    def _restored(self, path: Path) -> Floats:
        image = read_file(path)
        if not isinstance(image, Image) or image.pixels.dtype != np.uint16 or image.pixels.shape[2] != 3:
            raise UnusableInput(f"{path}: is no colour PNG of 16 bits")
        restored = image.pixels.astype(np.float32) / np.float32(65535)
        return restored if self.is_hdrplus else restored ** np.float32(_GAMMA)


def _names(path: Path) -> list[str]:
    if not path.is_file():
        raise UnusableInput(f"{path}: is missing: name the authors' folder HDRp or SID")
    return [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]


def _size(path: Path) -> Size:
    """Height and width of the mosaic of a blob. Raises UnusableInput where its header and its length contradict each other."""
    numbers = (path.stat().st_size - 8) // 4
    header = np.fromfile(path, "<f4", 2)
    if header.size == 2 and np.isfinite(header).all() and (header >= 1).all() and (header == np.rint(header)).all():
        height, width = (int(n) for n in header)
        if height % 2 == width % 2 == 0 and height * width == numbers:
            return height, width
        if height * width * 4 == numbers:
            return 2 * height, 2 * width
    raise UnusableInput(
        f"{path}: is no blob of float32 [H, W, planes of H/2 x W/2 x 4]: its length does not fit its header"
    )


def _mosaic(planes: Array) -> Floats:
    """[h, w, 4] -> [2h, 2w]."""
    height, width = planes.shape[:2]
    mosaic = np.empty((2 * height, 2 * width), np.float32)
    for plane, (row, column) in enumerate(_PLACES):
        mosaic[row::2, column::2] = planes[..., plane]
    return mosaic
