"""Laws of the public functions: type and shape kept, strength linear, bursts and arrays, what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quietlight as ql
from quietlight.camera.demosaic import demosaic
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.frames import BAYER, GainMap, Metadata
from quietlight.io.metadata import with_orientation
from quietlight.noise.sensor import ShotRead, upi_read

SHOT = 1e-2
Y, X = np.mgrid[:72, :90] / 30
SCENE = 0.5 + 0.3 * np.stack([np.sin(X), np.sin(Y), np.sin(X + Y)], axis=-1)


def noisy_array(dtype: str, channels: int | None) -> np.ndarray:
    clean = SCENE if channels else SCENE[..., 0]
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 25 / 255, clean.shape), 0, 1)
    full = 1 if dtype.startswith("float") else np.iinfo(dtype).max
    return (np.round(noisy * full) if full > 1 else noisy).astype(dtype)


def noisy_raw(cfa: str = "RGGB") -> ql.RawFrame:
    clean = unprocessed_frame(SCENE, fixed_camera("A"), cfa)
    noise = ShotRead(SHOT, upi_read(SHOT))
    mosaic = noise.sample(clean.mosaic, np.random.default_rng(1)).astype(np.float32)
    return replace(
        clean, mosaic=mosaic, noise=ql.NoiseProfile((SHOT,), (upi_read(SHOT),)), crop=(2, 2, 60, 80), iso=800
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [None, 3])
def test_arrays_come_back_as_they_were_but_cleaner(dtype: str, channels: int | None) -> None:
    noisy = noisy_array(dtype, channels)
    clean = ql.denoise(noisy)
    assert (clean.dtype, clean.shape) == (noisy.dtype, noisy.shape)
    full = 1 if dtype.startswith("float") else np.iinfo(dtype).max
    truth = SCENE if channels else SCENE[..., 0]
    assert np.mean((clean / full - truth) ** 2) < 0.25 * np.mean((noisy / full - truth) ** 2)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 4)),
        np.zeros((4, 4, 2)),
        np.zeros(4),
        np.full((4, 4), 2.0),
        np.full((4, 4), np.nan),
        np.zeros((4, 4), np.int64),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ql.UnusableInput):
        ql.denoise(array)


@pytest.mark.parametrize("cfa", BAYER)
def test_raws_keep_everything_but_their_noise(cfa: str) -> None:
    noisy = noisy_raw(cfa)
    result = ql.denoise(noisy, record=True)
    clean = result.frame
    assert clean.noise.shot[0] < noisy.noise.shot[0]
    assert result.record["noise_from"] == "DNG NoiseProfile"
    kept = replace(clean, mosaic=noisy.mosaic, noise=noisy.noise, metadata=noisy.metadata)
    assert all(
        np.array_equal(getattr(kept, f), getattr(noisy, f))
        for f in ("cfa", "white_balance", "crop", "iso", "orientation")
    )
    assert clean.mosaic.mean() == pytest.approx(noisy.mosaic.mean(), rel=1e-4)


def test_three_plane_raws_are_denoised() -> None:
    noisy = noisy_raw()
    linear = replace(noisy, mosaic=demosaic(noisy.mosaic, "RGGB"), cfa="RGB")
    assert ql.denoise(linear).mosaic.shape == (72, 90, 3)


@pytest.mark.parametrize("frame", [noisy_raw(), noisy_array("float32", 3)])
def test_strength_is_linear(frame: ql.RawFrame | np.ndarray) -> None:
    def pixels(strength: float, **more: float) -> np.ndarray:
        result = ql.denoise(frame, strength=strength, **more)
        return result.mosaic if isinstance(result, ql.RawFrame) else result

    source = frame.mosaic if isinstance(frame, ql.RawFrame) else frame
    np.testing.assert_array_equal(pixels(0.0), source)
    np.testing.assert_allclose(pixels(0.5), (source + pixels(1.0)) / 2, atol=1e-6)
    color_only = pixels(0.0, chroma=1.0) - source
    assert 0.01 < np.std(color_only) / np.std(pixels(1.0) - source) < 1


def noisy_burst(count: int = 4, **more: object) -> ql.Burst:
    clean = unprocessed_frame(SCENE, fixed_camera("A"))
    noise, rng = ShotRead(SHOT, upi_read(SHOT)), np.random.default_rng(3)
    frames = [
        replace(noisy_raw(), mosaic=noise.sample(clean.mosaic, rng).astype(np.float32), iso=100 + i)
        for i in range(count)
    ]
    return ql.Burst(tuple(replace(frame, **more) for frame in frames), reference=1)  # type: ignore[arg-type]


def error_of(frame: ql.RawFrame) -> float:
    truth = unprocessed_frame(SCENE, fixed_camera("A")).mosaic
    return float(np.mean((frame.mosaic - truth) ** 2))


def test_a_burst_of_raws_is_merged_onto_its_reference() -> None:
    burst = noisy_burst()
    shares: list[float] = []
    result = ql.denoise(burst, record=True, progress=shares.append)
    assert error_of(result.frame) < 0.5 * error_of(burst.frames[1])
    assert result.frame.iso == 101
    assert result.frame.noise.shot[0] < 0.5 * SHOT
    assert 50935 in result.frame.metadata.dng
    assert shares[-1] == 1
    record = {"frames", "reference", "effective_frames", "displacement", "misfit", "noise_from", "repaired_pixels"}
    assert record <= set(result.record)
    assert (result.record["system"], result.record["reference"]) == ("hdrplus-fan", 1)
    assert error_of(result.frame) < error_of(ql.denoise(burst, system="hdrplus"))
    np.testing.assert_allclose(
        ql.denoise(burst, strength=0.5).mosaic, (burst.frames[1].mosaic + result.frame.mosaic) / 2, atol=1e-6
    )


def test_of_a_burst_other_systems_get_the_reference_and_say_so() -> None:
    burst = noisy_burst(2)
    result = ql.denoise(burst, system="fan", record=True)
    np.testing.assert_array_equal(result.frame.mosaic, ql.denoise(burst.frames[1]).mosaic)
    assert result.record["burst"] == "only the reference frame of 2 was used"
    alone = ql.denoise(ql.Burst(burst.frames[:1]), record=True)
    np.testing.assert_array_equal(alone.frame.mosaic, ql.denoise(burst.frames[0]).mosaic)
    assert alone.record["system"] == "fan"
    assert "burst" not in alone.record


def test_every_frame_of_a_burst_is_repaired_and_noise_is_estimated_where_unknown() -> None:
    burst = noisy_burst(3)
    for index, frame in enumerate(burst.frames):
        frame.mosaic[20 + 10 * index, 30] = 1.0
    assert ql.denoise(burst, record=True).record["repaired_pixels"] == 3
    large = np.random.default_rng(2).normal(0.3, 0.04, (3, 400, 400)).astype(np.float32)
    frames = tuple(ql.RawFrame(mosaic, "RGGB") for mosaic in large)
    result = ql.denoise(ql.Burst(frames), system="hdrplus", record=True)
    assert result.record["noise_from"] == "frame"
    assert result.frame.white_balance is not None
    assert result.frame.noise.variance(0.3) == pytest.approx(0.04**2 / result.record["effective_frames"], rel=0.3)


def test_a_burst_without_measurable_noise_is_its_reference() -> None:
    clean = unprocessed_frame(SCENE, fixed_camera("A")).mosaic
    result = ql.denoise(noisy_burst(2, mosaic=clean, noise=None), record=True)
    np.testing.assert_array_equal(result.frame.mosaic, clean)
    assert result.record["noise"] == "too low to be measured"


def noisy_photos(dtype: str, channels: int, count: int = 4) -> ql.Burst:
    rng, full = np.random.default_rng(4), np.iinfo(dtype).max
    scene = np.tile(SCENE, (2, 2, 1))[..., :channels]
    noisy = np.clip(scene + rng.normal(0, 0.06, (count, *scene.shape)), 0, 1) * full
    alphas = rng.integers(0, full, (count, *scene.shape[:2]))
    frames = [
        ql.Image(np.rint(p).astype(dtype), alpha=a.astype(dtype), profile=bytes([i]), metadata=Metadata(xmp=bytes([i])))
        for i, (p, a) in enumerate(zip(noisy, alphas, strict=True))
    ]
    return ql.Burst(tuple(frames), reference=2)


@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("uint16", 1)])
def test_a_burst_of_photos_is_merged_into_a_photo(dtype: str, channels: int) -> None:
    burst = noisy_photos(dtype, channels)
    result = ql.denoise(burst, record=True)
    photo, reference = result.frame, burst.frames[2]
    assert (photo.pixels.dtype, photo.pixels.shape) == (reference.pixels.dtype, reference.pixels.shape)
    assert (photo.profile, photo.metadata) == (reference.profile, reference.metadata)
    np.testing.assert_array_equal(photo.alpha, reference.alpha)
    truth = np.tile(SCENE, (2, 2, 1))[..., :channels] * np.iinfo(dtype).max
    errors = [np.mean((pixels - truth) ** 2) for pixels in (photo.pixels, reference.pixels)]
    assert errors[0] < 0.5 * errors[1]
    # In linear light, which has another mean than the numbers of a photo.
    assert abs(np.mean(photo.pixels / truth) - 1) < 0.05
    assert (result.record["system"], result.record["reference"], result.record["frames"]) == ("hdrplus", 2, 4)
    half = ql.denoise(burst, strength=0.5).pixels
    np.testing.assert_allclose(half, (photo.pixels / 2 + reference.pixels / 2), atol=1)


def test_photos_without_measurable_noise_are_their_reference() -> None:
    clean = ql.Image(np.full((80, 80, 3), 128, np.uint8))
    result = ql.denoise(ql.Burst((clean, clean)), record=True)
    np.testing.assert_array_equal(result.frame.pixels, clean.pixels)
    assert result.record["noise"] == "too low to be measured"


def test_a_burst_is_developed_merged() -> None:
    burst = noisy_burst()
    photo = ql.develop(burst, record=True)
    merged = ql.denoise(burst)
    np.testing.assert_array_equal(photo.frame.pixels, ql.develop(merged, denoise="off").pixels)
    assert photo.record["frames"] == 4
    off = ql.develop(burst, denoise="off")
    np.testing.assert_array_equal(off.pixels, ql.develop(burst.frames[1], denoise="off").pixels)


def test_raws_without_measurable_noise_are_left_alone() -> None:
    frame = replace(noisy_raw(), mosaic=unprocessed_frame(SCENE, fixed_camera("A")).mosaic, noise=None)
    np.testing.assert_array_equal(ql.denoise(frame).mosaic, frame.mosaic)


def test_develop_denoises_where_it_would_be_seen() -> None:
    noisy = noisy_raw()
    auto, off = ql.develop(noisy, bits=8), ql.develop(noisy, denoise="off", bits=8)
    assert np.std(np.diff(auto.pixels.astype(int), axis=0)) < 0.5 * np.std(np.diff(off.pixels.astype(int), axis=0))
    quiet = replace(noisy, noise=ql.NoiseProfile((1e-6,), (0.0,)))
    np.testing.assert_array_equal(ql.develop(quiet).pixels, ql.develop(quiet, denoise="off").pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_developed_photo_is_turned_once(orientation: int, tmp_path: Path) -> None:
    """Written and read again by a reader that obeys the tag, it stays as it is."""
    exif = with_orientation(b"", orientation)
    frame = replace(noisy_raw(), orientation=orientation, metadata=Metadata(exif=exif))
    photo = ql.develop(frame, denoise="off")
    ql.write(photo, tmp_path / "photo.tif")
    np.testing.assert_array_equal(ql.read(tmp_path / "photo.tif").pixels, photo.pixels)
    assert photo.pixels.shape[:2] == ((60, 80) if orientation < 5 else (80, 60))


@pytest.mark.parametrize("scale", [0.5, 2.0, 4.0])
def test_what_is_left_is_never_more_than_there_was(scale: float) -> None:
    noisy = noisy_raw()
    left = ql.denoise(noisy, noise_scale=scale).noise
    assert left.shot[0] <= noisy.noise.shot[0]


def test_a_blended_raw_knows_its_noise_even_where_it_was_estimated() -> None:
    noisy = np.random.default_rng(2).normal(0.3, 0.04, (400, 400)).astype(np.float32)
    frame = ql.RawFrame(noisy, "RGGB", white_balance=(1.0, 1.0, 1.0))
    half, full = (ql.denoise(frame, strength=s).noise for s in (0.5, 1.0))
    assert half.variance(0.3) == pytest.approx(0.25 * 0.04**2, rel=0.6)
    assert full.variance(0.3) < half.variance(0.3)
    assert len(half.shot) == 1


def test_hot_pixels_are_repaired_and_counted() -> None:
    noisy = noisy_raw()
    hot = noisy.mosaic.copy()
    hot[20, 30] = 1.0
    result = ql.denoise(replace(noisy, mosaic=hot), record=True)
    assert result.record["repaired_pixels"] == 1
    assert result.frame.mosaic[20, 30] < 0.9


def test_exposure_is_judged_by_what_will_be_seen() -> None:
    """Behind lens shading and inside the crop."""
    frame = replace(noisy_raw(), baseline_exposure=None, crop=None)
    plain = ql.develop(frame, denoise="off", record=True).record["exposure_ev"]
    shading = GainMap((0, 0, 72, 90), (0, 0, 72, 90), (1, 1), (1.0, 1.0), (0.0, 0.0), np.full((1, 1, 1), 4.0))
    shaded = replace(frame, mosaic=frame.mosaic / 4, gain_maps=(shading,))
    assert ql.develop(shaded, denoise="off", record=True).record["exposure_ev"] == pytest.approx(plain, abs=0.1)
    bordered = replace(frame, mosaic=np.pad(frame.mosaic, 100), crop=(100, 100, 72, 90))
    assert ql.develop(bordered, denoise="off", record=True).record["exposure_ev"] == pytest.approx(plain, abs=0.1)


def test_history_is_written_only_where_something_was_done() -> None:
    noisy = noisy_raw()
    assert 50935 in ql.denoise(noisy).metadata.dng
    quiet = replace(noisy, mosaic=unprocessed_frame(SCENE, fixed_camera("A")).mosaic, noise=None)
    assert 50935 not in ql.denoise(quiet).metadata.dng


def test_a_raw_without_white_balance_is_given_one() -> None:
    assert ql.denoise(replace(noisy_raw(), white_balance=None)).white_balance is not None


def test_developed_photos_say_that_they_are_srgb() -> None:
    photo = ql.develop(noisy_raw())
    assert photo.profile
    assert photo.pixels.dtype == np.uint16
    assert photo.pixels.shape == (60, 80, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ql.develop(ql.Image(np.zeros((4, 4, 3), np.uint8))), "developed already"),
        (lambda: ql.develop(noisy_raw(), denoise="maybe"), "auto or off"),
        (lambda: ql.denoise(noisy_raw(), system="magic"), "unknown system"),
        (lambda: ql.denoise(noisy_raw(), strength=2), "between 0 and 1"),
        (lambda: ql.denoise("photo.png"), "not str"),
        (lambda: ql.develop(noisy_raw(), bits=12), "8 or 16"),
        (lambda: ql.develop(replace(noisy_raw(), cfa="MONO"), white_balance="blah"), "unknown white balance"),
        (lambda: ql.Burst(()), "no frame"),
        (lambda: ql.denoise(noisy_raw(), system="hdrplus"), "merges bursts of raws"),
        (lambda: ql.denoise(noisy_burst(2), local=True), "for photos that noisebreaker denoises"),
        (lambda: ql.denoise(noisy_burst(2), system="magic"), "unknown system"),
        (lambda: ql.develop(noisy_photos("uint8", 3, 3)), "developed already"),
        (
            lambda: ql.denoise(
                ql.Burst((ql.Image(np.zeros((4, 4, 3), np.uint8)), ql.Image(np.zeros((4, 5, 3), np.uint8))))
            ),
            "frame 2, .*, does not belong",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(call: object, words: str) -> None:
    with pytest.raises(ql.UnusableInput, match=words):
        call()  # type: ignore[operator]


def test_analyze_takes_everything() -> None:
    assert ql.analyze(noisy_raw()).deviation == pytest.approx(np.sqrt(SHOT * 0.18 + upi_read(SHOT)))
    assert ql.analyze(noisy_array("uint8", 3)).kind == "photo"
    assert ql.analyze(ql.Burst((noisy_raw(),))).kind == "raw"
