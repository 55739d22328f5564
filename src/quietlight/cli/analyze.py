"""`quietlight analyze`."""

from __future__ import annotations

import json
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quietlight.cli import options as opt
from quietlight.cli.reports import finish, reports_of

if TYPE_CHECKING:
    from quietlight.analysis.calibrate import Calibration
    from quietlight.batch.reports import Reports
    from quietlight.io import RawFormat


def analyze(
    context: typer.Context,
    inputs: opt.Inputs,
    as_json: opt.Json = False,
    raw_format: opt.RawFormatFile = None,
    profile: opt.Profile = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Take INPUT as flat fields and measure the camera.")
    ] = False,
    dark: Annotated[
        list[str] | None,
        typer.Option("--dark", metavar="FILES", help="With --calibrate: dark frames; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.json", help="With --calibrate: the profile to write.")
    ] = None,
    burst: opt.Burst = opt.BurstChoice.auto,
    report: opt.Report = None,
    overwrite: opt.Overwrite = False,
    engine: opt.Engine = opt.ANY_ENGINE,
) -> None:
    """Say what noise files have, how much, and how sure that is. Of several shots of one scene, one is judged: see --burst.

    With --report each file is denoised as well, to show what that finds and removes; the result is not kept.

    With --calibrate the inputs are flat fields, two or more at each exposure, and the noise of the camera is measured from
    them by photon transfer.

    Examples:
      quietlight analyze IMG_0042.CR3 scan.png

      quietlight analyze --calibrate flats/*.dng --dark "darks/*.dng" --out my-camera.json
    """
    opt.use_engine(engine)
    layout = opt.load_raw_format(raw_format)
    if calibrate:
        if out is None:
            raise typer.BadParameter("--calibrate needs --out FILE.json to write the profile to")
        if report is not None:
            raise typer.BadParameter("--report belongs to analyze without --calibrate")
        _calibrate(inputs, dark or [], out, layout, overwrite)
        return
    if dark or out:
        raise typer.BadParameter("--dark and --out belong to --calibrate; analyze prints its report")
    _report(
        inputs,
        layout,
        opt.load_calibration(profile),
        burst,
        as_json,
        reports_of(context, report, overwrite),
    )


def _report(
    inputs: list[str],
    layout: RawFormat | None,
    calibration: Calibration | None,
    burst: opt.BurstChoice,
    as_json: bool,
    reports: Reports | None,
) -> None:
    from rich.console import Console
    from rich.table import Table

    from quietlight.batch import read_job
    from quietlight.batch.reports import Clock
    from quietlight.cli.progress import find_jobs
    from quietlight.frames import UnusableInput
    from quietlight.io import PHOTO_SUFFIXES, RAW_SUFFIXES, read_file
    from quietlight.io.burst import check_burst
    from quietlight.pipeline import analyze as run_analyze
    from quietlight.pipeline import denoise as run_denoise

    table = Table("file", "noise", "level", "from", "in words", box=None)
    found: list[dict[str, Any]] = []
    failed: list[tuple[str, str]] = []
    suffixes = None if layout else PHOTO_SUFFIXES | RAW_SUFFIXES
    for job in find_jobs(inputs, suffixes, reports.folder if reports else None, burst.value, layout):
        try:
            name, clock = PurePosixPath(job.folder, job.name or job.source.name), Clock()
            if reports:
                reports.planned(name)
            if job.frames:
                check_burst(job.frames, layout)
            report = run_analyze(read_file(job.source, layout), calibration)
            if reports:
                with clock.part("reading"):
                    frame = read_job(job, layout)
                with clock.part("denoising"):
                    result = run_denoise(frame, calibration=calibration, record=True)
                reports.write(name, job, None, (frame, result), clock)
        except (UnusableInput, OSError, MemoryError) as error:
            named = any(str(file) in str(error) for file in job.files)
            message = str(error) if named else f"{job.source}: {error or 'too large for memory'}"
            typer.echo(f"quietlight: {message}", err=True)
            found.append({"file": str(job.source), "error": message})
            failed.append((str(job.source), message))
            continue
        shots = [str(file) for file in job.frames]
        found.append({"file": str(job.source), "frames": shots, **json.loads(report.to_json())})
        for finding in report.findings or [None]:
            nature = finding.nature if finding else "none"
            level = f"{finding.level:.3g} {finding.unit}" if finding else ""
            table.add_row(job.title, nature, level, report.source, report.verdict)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif table.row_count:
        # Read by a person or by another program: lines are not cut where they are piped.
        Console(width=None if sys.stdout.isatty() else 240).print(table)
    finish(reports, failed)
    if failed:
        raise typer.Exit(1)


def _calibrate(flats: list[str], darks: list[str], out: Path, layout: RawFormat | None, overwrite: bool) -> None:
    from quietlight.analysis.calibrate import calibrate
    from quietlight.analysis.profile_file import to_json
    from quietlight.batch import find_inputs
    from quietlight.frames import RawFrame, UnusableInput
    from quietlight.io import RAW_SUFFIXES, read_file
    from quietlight.io.files import written_beside

    if out.exists() and not overwrite:
        raise UnusableInput(f"{out}: exists already: choose another name, or --overwrite")

    def load(names: list[str]) -> list[RawFrame]:
        frames = []
        for job in find_inputs(names, None if layout else RAW_SUFFIXES):
            frame = read_file(job.source, layout)
            if not isinstance(frame, RawFrame):
                raise UnusableInput(f"{job.source}: is a photo; a camera is calibrated on raw files")
            frames.append(frame)
        return frames

    calibration = calibrate(load(flats), load(darks) if darks else [])
    with written_beside(out) as beside:
        beside.write_text(to_json(calibration))
    for entry in calibration.entries:
        shot, read = (" ".join(f"{v:.3g}" for v in values) for values in (entry.noise.shot, entry.noise.read))
        typer.echo(
            f"{entry.camera or 'camera'} ISO {entry.iso or 'unknown'}: shot {shot}, read {read} (variances, white 1)"
        )
    typer.echo(str(out))
