"""What the benchmarks of raws share: samples, how a result is scored and seen, and the systems that are compared."""

from __future__ import annotations

import numpy as np

from quietlight.camera.bayer import pack
from quietlight.camera.develop import Rendering, develop, neutral_rendering
from quietlight.evaluate.sample import Output, Sample, Values, as_floats, capped_psnr, frame_of
from quietlight.frames import Burst, Floats, RawFrame, UnusableInput
from quietlight.metrics import ssim

RAW_ROWS = ("noisy", "classical", "bm3d", "fan-teacher", "fan-plus", "fan")


def raw_sample(name: str, noisy: RawFrame | Burst, clean: RawFrame) -> Sample:
    """The sample of a noisy raw, or of a burst, and its truth, and, for what people see, the neutral rendering of the truth."""
    rendering = neutral_rendering(clean)
    return Sample(name, noisy, clean.mosaic, {"rendering": rendering, "seen": _developed(clean, rendering)})


def _developed(frame: RawFrame, rendering: Rendering) -> Floats:
    return as_floats(develop(frame, rendering, bits=16))


def raw_seen(output: Output | None, sample: Sample) -> Floats | None:
    """The raw developed, [H, W, 3] in [0, 1], with the rendering of the clean one, which is the truth."""
    truth: Floats = sample.info["seen"]
    if output is None:
        return truth
    frame = frame_of(output)
    return _developed(frame, sample.info["rendering"]) if isinstance(frame, RawFrame) else None


def reference_of(sample: Sample) -> RawFrame:
    """The raw that a system gets, or of a burst its reference. Raises UnusableInput for others."""
    given = sample.input.frames[sample.input.reference or 0] if isinstance(sample.input, Burst) else sample.input
    if not isinstance(given, RawFrame):
        raise UnusableInput("takes raws only")
    return given


def raw_made(output: Output, sample: Sample) -> RawFrame:
    """The raw that a system made of a sample. Raises UnusableInput for results of another kind or size."""
    frame = frame_of(output)
    if not isinstance(frame, RawFrame):
        raise UnusableInput("this benchmark takes systems that make raws")
    if frame.mosaic.shape != sample.truth.shape:
        raise UnusableInput(f"the result of {sample.name} is {frame.mosaic.shape}, not {sample.truth.shape}")
    return frame


def raw_score(output: Output, sample: Sample) -> Values:
    """Scores of a raw and of the picture developed from it.

    "psnr" in dB and "ssim" of its planes, "gain" in dB over the input, of a burst over its reference; of the developed picture
    "seen psnr", "seen ssim", and "gradient error", the mean error of its differences of neighbours, 0-255: where detail is lost,
    it rises.
    """
    frame = raw_made(output, sample)
    planes, true_planes = (np.moveaxis(pack(m, frame.cfa), 0, 2) for m in (frame.mosaic, sample.truth))
    seen, truth = raw_seen(output, sample), raw_seen(None, sample)
    assert seen is not None and truth is not None
    value = capped_psnr(frame.mosaic, sample.truth)
    return {
        "psnr": value,
        "ssim": ssim(planes, true_planes),
        "gain": value - capped_psnr(reference_of(sample).mosaic, sample.truth),
        "seen psnr": capped_psnr(seen, truth),
        "seen ssim": ssim(seen, truth),
        "gradient error": 255 * float(np.mean([np.abs(np.diff(seen - truth, axis=axis)).mean() for axis in (0, 1)])),
    }
