"""The weights, and a made raw and photo from file to file, whose results are checked."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quietlight.doctor.check import Check

if TYPE_CHECKING:
    from numpy.typing import NDArray


def weights() -> Check:
    """All weights are as they were committed."""
    from quietlight import zoo
    from quietlight.frames import UnusableInput

    wrong = []
    for name in (names := sorted({*zoo.names(), *zoo.hashes()})):
        try:
            zoo.read(name)
        except UnusableInput as error:
            wrong.append(str(error))
    if wrong or not names:
        return Check("weights", "wrong", "; ".join(wrong) or "there are none", "install quietlight again")
    return Check("weights", "ok", f"{len(names)} as committed, by sha256")


def raw() -> Check:
    """A made DNG is read, denoised, written and read again; less than half of its noise is left."""
    import numpy as np

    import quietlight as ql

    rng = np.random.default_rng(20261)
    clean = _scene()[..., 1].astype(np.float32)
    noisy = clean + np.sqrt(_SHOT * clean + _READ) * rng.standard_normal(clean.shape)
    frame = ql.RawFrame(noisy.astype(np.float32), "RGGB", (1.0, 1.0, 1.0), noise=ql.NoiseProfile((_SHOT,), (_READ,)))

    def chain(folder: Path) -> NDArray[Any]:
        ql.write(frame, folder / "noisy.dng")
        ql.write(ql.denoise(ql.read(folder / "noisy.dng")), folder / "clean.dng")
        read: Any = ql.read(folder / "clean.dng")
        return np.asarray(read.mosaic)

    return _less_noise("a raw, end to end", noisy, clean, chain)


def photo() -> Check:
    """The same of a PNG."""
    import numpy as np

    import quietlight as ql

    clean = 255 * _scene()
    noisy = np.rint(clean + 25 * np.random.default_rng(20261).standard_normal(clean.shape)).clip(0, 255)

    def chain(folder: Path) -> NDArray[Any]:
        ql.write(ql.Image(noisy.astype(np.uint8)), folder / "noisy.png")
        ql.write(ql.denoise(ql.read(folder / "noisy.png")), folder / "clean.png")
        read: Any = ql.read(folder / "clean.png")
        return np.asarray(read.pixels, np.float64)

    return _less_noise("a photo, end to end", noisy, clean, chain)


_SHOT, _READ, _SIDE = 4e-3, 2e-5, 160


def _scene() -> NDArray[Any]:
    """Soft colours [H, W, 3] in [0.1, 0.7]."""
    import numpy as np

    y, x = np.mgrid[:_SIDE, :_SIDE] / 50
    return 0.4 + 0.3 * np.stack([np.sin(2 * x), np.sin(3 * y), np.sin(x + y)], axis=-1)


def _less_noise(name: str, noisy: Any, clean: Any, chain: Callable[[Path], Any]) -> Check:
    """Run a chain in a folder of its own, and see what it leaves of the noise."""
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="quietlight-") as folder:
        result = chain(Path(folder))
    seconds = time.perf_counter() - begin
    left = float(((result - clean) ** 2).mean() / ((noisy - clean) ** 2).mean()) ** 0.5
    found = f"{left:.0%} of the noise left, in {seconds:.1f} s"
    if not left < _LEFT:
        return Check(name, "wrong", found, "please report it, with all that stands above")
    return Check(name, "ok", found)


_LEFT = 0.6
