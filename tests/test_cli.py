"""The verbs as a person uses them: files in, files out, one line when something is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rawpy
from PIL import Image as PillowImage
from typer.testing import CliRunner

import quietlight as ql
from quietlight.camera.unprocess import fixed_camera, unprocessed_frame
from quietlight.cli import app
from quietlight.noise.sensor import ShotRead, upi_read

SHOT = 4e-3


def picture(size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """Smooth coloured patches, display values."""
    y, x = np.mgrid[: size[0], : size[1]] / 64
    return 0.5 + 0.3 * np.stack([np.sin(2 * x), np.sin(3 * y), np.sin(x + y)], axis=-1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A noisy photo and a noisy DNG."""
    rng = np.random.default_rng(0)
    noisy = np.clip(picture() + rng.normal(0, 25 / 255, (96, 128, 3)), 0, 1)
    PillowImage.fromarray(np.round(noisy * 255).astype(np.uint8)).save(tmp_path / "photo.png")
    frame = unprocessed_frame(picture(), fixed_camera("A"))
    mosaic = ShotRead(SHOT, upi_read(SHOT)).sample(frame.mosaic, rng).astype(np.float32)
    profile = ql.NoiseProfile((SHOT,), (upi_read(SHOT),))
    frame = ql.RawFrame(mosaic, frame.cfa, frame.white_balance, frame.calibrations, profile, camera="Test Camera")
    ql.write(frame, tmp_path / "raw.dng")
    return tmp_path


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit | ql.UnusableInput):
        raise result.exception
    failed = isinstance(result.exception, ql.UnusableInput)
    assert (1 if failed else result.exit_code) == code, result.output
    return f"{result.output}{result.exception if failed else ''}"


def test_denoise_a_folder(folder: Path) -> None:
    out = folder / "out"
    report = json.loads(run("denoise", folder, "--out", out, "--json").partition("[")[2].join(["[", ""]))
    assert {entry["state"] for entry in report} == {"done"}
    before, after = (np.asarray(PillowImage.open(p)) / 255 for p in (folder / "photo.png", out / "photo_clean.png"))
    assert np.mean((after - picture()) ** 2) < 0.3 * np.mean((before - picture()) ** 2)
    noisy, clean = ql.read(folder / "raw.dng"), ql.read(out / "raw_clean.dng")
    assert isinstance(noisy, ql.RawFrame)
    assert isinstance(clean, ql.RawFrame)
    assert clean.noise is not None
    assert noisy.noise is not None
    assert clean.noise.shot[0] < noisy.noise.shot[0]
    assert "2 there from before" in run("denoise", folder, "--out", out)
    assert "2 skipped" in run("denoise", folder, "--out", out, "--strength", "0.5")


def test_develop_writes_photos_that_carry_what_they_are(folder: Path) -> None:
    run("develop", folder / "raw.dng", "--out", folder / "out")
    run(
        "develop", folder / "raw.dng", "--out", folder / "out", "--format", "tif", "--exposure", "1", "--denoise", "off"
    )
    with PillowImage.open(folder / "out" / "raw.jpg") as photo:
        assert photo.size == (128, 96)
        assert photo.info["icc_profile"]
    brighter = ql.read(folder / "out" / "raw.tif")
    assert isinstance(brighter, ql.Image)
    assert brighter.pixels.dtype == np.uint16


def test_analyze_says_what_the_noise_is(folder: Path) -> None:
    reports = json.loads(run("analyze", folder, "--json"))
    by_name = {Path(r["file"]).name: r for r in reports}
    assert by_name["photo.png"]["findings"][0]["level"] == pytest.approx(25, rel=0.15)
    assert by_name["raw.dng"]["profile"]["shot"][0] == pytest.approx(SHOT, rel=0.01)
    assert "photo.png" in run("analyze", folder / "photo.png")


def test_calibrate(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = ShotRead(1e-3, 1e-5)
    for index, level in enumerate([0.0, 0.1, 0.3, 0.6]):
        for take in (0, 1):
            flat = noise.sample(np.full((64, 64), level, np.float32), rng).astype(np.float32)
            name = f"{'dark' if level == 0 else 'flat'}{index}{take}.dng"
            ql.write(
                ql.RawFrame(flat, "RGGB", exposure_time=level + 0.01, iso=100, camera="Test Camera"), tmp_path / name
            )
    out = tmp_path / "profile.json"
    run("analyze", "--calibrate", tmp_path / "flat*.dng", "--dark", tmp_path / "dark*.dng", "--out", out)
    frame = tmp_path / "frame.dng"
    ql.write(ql.RawFrame(flat, "RGGB", iso=100, camera="Test Camera"), frame)
    report = json.loads(run("analyze", frame, "--profile", out, "--json"))[0]
    assert report["source"] == "calibration"
    assert report["profile"]["shot"][0] == pytest.approx(1e-3, rel=0.15)
    assert "exists already" in run("analyze", "--calibrate", tmp_path / "flat*.dng", "--out", out, code=1)


def test_strength_zero_changes_nothing(folder: Path) -> None:
    run("denoise", folder / "photo.png", "--out", folder / "out", "--strength", "0")
    np.testing.assert_array_equal(
        np.asarray(PillowImage.open(folder / "photo.png")),
        np.asarray(PillowImage.open(folder / "out" / "photo_clean.png")),
    )


def test_one_bad_file_does_not_stop_the_rest(folder: Path) -> None:
    (folder / "broken.dng").write_bytes(b"II*\0garbage")
    output = run("denoise", folder, "--out", folder / "out", code=1)
    assert "broken.dng" in output
    assert "Traceback" not in output
    assert sorted(p.name for p in (folder / "out").iterdir() if p.name[0] != ".") == [
        "photo_clean.png",
        "raw_clean.dng",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["denoise", "nowhere.dng", "--out", "o"], "no such file"),
        (["develop", "photo.png", "--out", "o"], "developed already"),
        (["denoise", "photo.png", "--out", "o", "--template", "{x}"], "template"),
        (["develop", "raw.dng", "--out", "o", "--wb", "sunny"], "white balance"),
        (["develop", "raw.dng", "--out", "o", "--enhance", "0.5"], "no finish to weaken"),
        (["analyze", "raw.dng", "--profile", "photo.png"], "photo.png"),
        (["denoise", "raw.dng", "--out", "o", "--dark", "photo.png"], "dark frame"),
        (["denoise", "raw.dng", "--out", "o", "--raw-format", "photo.png"], "photo.png"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(folder)
    output = run(*arguments, code=1)
    assert words in output
    assert len(output.strip().splitlines()) == 1
    assert not list(folder.glob("o/[!.]*"))


def test_the_result_opens_in_libraw(folder: Path) -> None:
    run("denoise", folder / "raw.dng", "--out", folder / "out")
    with rawpy.imread(str(folder / "out" / "raw_clean.dng")) as raw:
        assert raw.postprocess().shape == (96, 128, 3)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, quietlight; assert not {'torch', 'numpy', 'rawpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, quietlight.cli; assert not {'torch', 'rawpy', 'tifffile', 'pywt', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_verb_teaches_itself() -> None:
    for verb in ("analyze", "denoise", "develop", "train", "evaluate"):
        assert "Examples" in run(verb, "--help")
    assert ql.__all__
    assert "denoise" in run("--help")


def test_a_run_that_is_stopped_says_so_in_one_line_and_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quietlight.batch.denoise import Denoise

    def stopped(self: Denoise, read: ql.Image, progress: object) -> None:
        raise KeyboardInterrupt

    kept = Denoise.compute
    out = folder / "out"
    run("denoise", folder / "photo.png", "--out", out)
    monkeypatch.setattr(Denoise, "compute", stopped)
    result = CliRunner().invoke(app, ["denoise", str(folder), "--out", str(out)])
    assert result.exit_code == 130
    assert result.output.strip() == "quietlight: stopped, 1 there from before of 2; the same command goes on from there"
    monkeypatch.setattr(Denoise, "compute", kept)
    assert "1 done, 1 there from before" in run("denoise", folder, "--out", out)


def test_news_are_told_while_a_raw_is_read(capfd: pytest.CaptureFixture[str]) -> None:
    """In another thread, for whose sake LibRaw's complaints are muted."""
    from quietlight.cli.progress import _bar
    from quietlight.io import libraw

    with _bar() as bar, libraw.silenced():
        bar.console.print("news")
    assert "news" in capfd.readouterr().err


def test_several_jobs_at_once(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"nothing")
    output = run("denoise", folder, "--out", folder / "out", "--jobs", "2", code=1)
    assert "2 done, 1 failed" in output
    assert output.count("broken.png") == 2  # as it failed, and in the list at the end
