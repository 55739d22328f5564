"""`quietlight develop`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from quietlight.cli import options as opt
from quietlight.cli.repeat import command_of
from quietlight.cli.reports import Clock, Reports
from quietlight.systems import LOOKS


class Format(StrEnum):
    """What a developed photo is written as; JPEG in 8 bits, the others in 16."""

    jpg = "jpg"
    tif = "tif"
    png = "png"


class Denoising(StrEnum):
    """When a raw is denoised before it is developed."""

    auto = "auto"
    off = "off"


Look = StrEnum("Look", {name: name for name in LOOKS})  # type: ignore[misc]  # read from the registry
NEUTRAL = Look("neutral")


def develop(
    context: typer.Context,
    inputs: opt.Inputs,
    out: opt.Out,
    file_format: Annotated[
        Format, typer.Option("--format", "-f", help="jpg has 8 bits, tif and png have 16.")
    ] = Format.jpg,
    wb: Annotated[str, typer.Option(metavar="as-shot|auto|daylight|KELVIN", help="White balance.")] = "as-shot",
    exposure: Annotated[
        float, typer.Option(min=-10, max=10, metavar="EV", help="Added to the automatic exposure.")
    ] = 0.0,
    denoise: Annotated[Denoising, typer.Option(help="auto denoises where the noise would be seen.")] = Denoising.auto,
    look: Annotated[
        Look, typer.Option(help="neutral renders by formula; cameranet removes the noise and finishes by networks.")
    ] = NEUTRAL,
    enhance: Annotated[
        float | None, typer.Option(min=0, max=1, help="With --look cameranet: strength of its finish; 0 is plain.")
    ] = None,
    strength: opt.Strength = 1.0,
    chroma: opt.Chroma = None,
    noise_scale: opt.NoiseScale = 1.0,
    burst: opt.Burst = opt.BurstChoice.auto,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG files.")] = 95,
    template: Annotated[str, typer.Option(help="Name of the results.")] = "{stem}{suffix}",
    report: opt.Report = None,
    raw_format: opt.RawFormatFile = None,
    profile: opt.Profile = None,
    dark: opt.Dark = None,
    banding: opt.Banding = False,
    overwrite: opt.Overwrite = False,
    as_json: opt.Json = False,
    engine: opt.Engine = opt.ANY_ENGINE,
) -> None:
    """Develop raws into photos: exposed, white-balanced, in sRGB, upright, with the camera's metadata.

    Several shots of one scene become one photo with less noise, called like the first of them: see --burst.

    Examples:
      quietlight develop IMG_0042.CR3 --out photos

      quietlight develop night/ --out photos --format tif --wb 3200 --exposure 0.5

      quietlight develop tripod-shots/ --out photos --burst on

      quietlight develop IMG_0042.CR3 --out photos --look cameranet --enhance 0.7
    """
    from quietlight.batch import Job, read_job, target_of
    from quietlight.camera.develop import parse_white_balance
    from quietlight.cli.progress import READING, find_jobs, in_two, run_with_progress
    from quietlight.frames import Burst, Image, UnusableInput
    from quietlight.io import RAW_SUFFIXES, write
    from quietlight.pipeline import develop as run_develop
    from quietlight.systems import Result

    opt.use_engine(engine)
    balance = parse_white_balance(wb)
    bits = 8 if file_format is Format.jpg else 16
    layout = opt.load_raw_format(raw_format)
    calibration = opt.load_calibration(profile)
    dark_frame = opt.load_dark(dark, layout)
    reports = Reports(report, out, overwrite, command_of(context))

    def plan(job: Job) -> Path:
        return target_of(job, out, template, f".{file_format}")

    def work(job: Job, target: Path, progress: Callable[[float], None]) -> dict[str, Any]:
        pages, clock = reports.planned(job, target), Clock()
        reading, working = in_two(progress, READING if job.frames else 0)
        with clock.part("reading"):
            frame = read_job(job, layout, reading)
        if isinstance(frame, Image) or (isinstance(frame, Burst) and isinstance(frame.frames[0], Image)):
            raise UnusableInput(f"{job.source}: is a photo, so developed already: use quietlight denoise")
        with clock.part("developing"):
            result: Result = run_develop(
                frame,
                denoise=denoise.value,
                white_balance=balance,
                exposure=exposure,
                bits=bits,
                strength=strength,
                chroma=chroma,
                noise_scale=noise_scale,
                calibration=calibration,
                dark=dark_frame,
                banding=banding,
                look=str(look),
                enhance=enhance,
                record=True,
                progress=working,
            )
        with clock.part("writing"):
            write(result.frame, target, quality)
        if pages:
            merged = isinstance(frame, Burst) and "places" in result.record
            raw = frame.frames[result.record.get("reference", 0)] if isinstance(frame, Burst) else frame
            before = run_develop(raw, denoise="off", white_balance=balance, exposure=exposure, bits=bits)
            reports.write(pages, job, target, (frame if merged else before, result), clock, raw)
        return result.record

    suffixes = None if layout else RAW_SUFFIXES
    jobs = find_jobs(inputs, suffixes, out, burst.value, layout)
    run_with_progress(jobs, plan, work, overwrite, as_json, reports.finished)
