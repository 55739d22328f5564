"""`quietlight denoise`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from quietlight.cli import options as opt
from quietlight.cli.repeat import command_of
from quietlight.cli.reports import Clock, Reports


def denoise(
    context: typer.Context,
    inputs: opt.Inputs,
    out: opt.Out,
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
    """
    from quietlight.batch import Job, read_job, target_of
    from quietlight.cli.progress import READING, find_jobs, in_two, run_with_progress
    from quietlight.frames import Burst, Image, UnusableInput
    from quietlight.io import PHOTO_SUFFIXES, RAW_SUFFIXES, is_photo, write
    from quietlight.io.kind import output_suffix
    from quietlight.pipeline import denoise as run_denoise
    from quietlight.systems import Result

    opt.use_engine(engine)
    layout = opt.load_raw_format(raw_format)
    calibration = opt.load_calibration(profile)
    dark_frame = opt.load_dark(dark, layout)
    reports = Reports(report, out, overwrite, command_of(context))

    def plan(job: Job) -> Path:
        photo = layout is None and job.source.is_file() and job.source.stat().st_size > 0 and is_photo(job.source)
        return target_of(job, out, template, output_suffix(job.source) if photo else ".dng")

    def work(job: Job, target: Path, progress: Callable[[float], None]) -> dict[str, Any]:
        pages, clock = reports.planned(job, target), Clock()
        reading, working = in_two(progress, READING if job.frames else 0)
        with clock.part("reading"):
            frame = read_job(job, layout, reading)
        if (local or remove) and isinstance(frame, Burst) and isinstance(frame.frames[0], Image):
            raise UnusableInput("--local and --remove are for single photos: add --burst off")
        with clock.part("denoising"):
            result: Result = run_denoise(
                frame,
                strength=strength,
                chroma=chroma,
                grain=grain,
                local=local and isinstance(frame, Image),
                remove=[nature.strip() for nature in remove.split(",") if remove and isinstance(frame, Image)],
                noise_scale=noise_scale,
                calibration=calibration,
                dark=dark_frame,
                banding=banding,
                record=True,
                progress=working,
            )
        with clock.part("writing"):
            write(result.frame, target)
        if pages:
            reports.write(pages, job, target, (frame, result), clock)
        return result.record

    suffixes = None if layout else PHOTO_SUFFIXES | RAW_SUFFIXES
    jobs = find_jobs(inputs, suffixes, out, burst.value, layout)
    run_with_progress(jobs, plan, work, overwrite, as_json, reports.finished)
