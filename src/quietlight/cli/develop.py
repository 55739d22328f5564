"""`quietlight develop`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from quietlight.cli import options as opt
from quietlight.cli.reports import finished, reports_of
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
    out: opt.Results,
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
    jobs_at_once: opt.Jobs = None,
    cluster: opt.Cluster = None,
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
    from quietlight.batch.develop import Develop
    from quietlight.camera.develop import parse_white_balance
    from quietlight.cli.progress import find_jobs, run_with_progress
    from quietlight.io import RAW_SUFFIXES

    reports = reports_of(context, report, overwrite)
    layout = opt.load_raw_format(raw_format)
    task = Develop(
        file_format=str(file_format),
        white_balance=parse_white_balance(wb),
        exposure=exposure,
        denoise=denoise.value,
        look=str(look),
        enhance=enhance,
        strength=strength,
        chroma=chroma,
        noise_scale=noise_scale,
        quality=quality,
        calibration=opt.load_calibration(profile),
        dark=opt.load_dark(dark, layout),
        banding=banding,
        engine=opt.use_engine(engine),
        raw_format=layout,
        reports=reports,
        template=template,
    )
    jobs = find_jobs(inputs, None if layout else RAW_SUFFIXES, out, burst.value, layout)
    run_with_progress(
        jobs,
        task,
        opt.place(out),
        overwrite=overwrite,
        as_json=as_json,
        runner=opt.runner(jobs_at_once, cluster),
        conclude=lambda outcomes: finished(reports, outcomes),
    )
