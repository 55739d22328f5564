"""`quietlight denoise`."""

from __future__ import annotations

from typing import Annotated

import typer

from quietlight.cli import options as opt
from quietlight.cli.reports import finished, reports_of


def denoise(
    context: typer.Context,
    inputs: opt.Inputs,
    out: opt.Results,
    strength: opt.Strength = 1.0,
    chroma: opt.Chroma = None,
    grain: Annotated[
        float, typer.Option(min=0, max=1, help="Photos: share of the grain to keep, without its colour.")
    ] = 0.0,
    local: Annotated[bool, typer.Option("--local", help="Photos: decide region by region, for uneven noise.")] = False,
    remove: Annotated[
        str,
        typer.Option(
            metavar="NATURE,...", help="Photos: remove these noises, in this order, whatever is found; such as camera."
        ),
    ] = "",
    noise_scale: opt.NoiseScale = 1.0,
    burst: opt.Burst = opt.BurstChoice.auto,
    template: Annotated[str, typer.Option(help="Name of the results.")] = "{stem}_clean{suffix}",
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
    """Remove the noise of photos and raws: a raw becomes a DNG, a photo keeps its format, and both keep their metadata.

    Several shots of one scene become one picture with less noise, called like the first of them: see --burst.

    Examples:
      quietlight denoise holiday/ --out clean

      quietlight denoise IMG_0042.CR3 --out clean --strength 0.8 --chroma 1

      quietlight denoise concert.jpg --out clean --remove camera --grain 0.2

      quietlight denoise IMG_0042.CR3 IMG_0043.CR3 IMG_0044.CR3 --out clean --burst on

      quietlight denoise archive/ --out clean --jobs 4
    """
    from quietlight.batch.denoise import Denoise
    from quietlight.cli.progress import find_jobs, run_with_progress
    from quietlight.io import PHOTO_SUFFIXES, RAW_SUFFIXES

    reports = reports_of(context, report, overwrite)
    layout = opt.load_raw_format(raw_format)
    task = Denoise(
        strength=strength,
        chroma=chroma,
        grain=grain,
        local=local,
        remove=tuple(nature.strip() for nature in remove.split(",") if nature.strip()),
        noise_scale=noise_scale,
        calibration=opt.load_calibration(profile),
        dark=opt.load_dark(dark, layout),
        banding=banding,
        engine=opt.use_engine(engine),
        raw_format=layout,
        reports=reports,
        template=template,
    )
    jobs = find_jobs(inputs, None if layout else PHOTO_SUFFIXES | RAW_SUFFIXES, out, burst.value, layout)
    run_with_progress(
        jobs,
        task,
        opt.place(out),
        overwrite=overwrite,
        as_json=as_json,
        runner=opt.runner(jobs_at_once, cluster),
        conclude=lambda outcomes: finished(reports, outcomes),
    )
