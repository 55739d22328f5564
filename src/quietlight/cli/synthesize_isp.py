"""`quietlight synthesize isp`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from quietlight.cli import options as opt
from quietlight.cli import pair_options as pairs_opt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quietlight.batch import Job
    from quietlight.data.sets.scene import Item

PHOTOS = "photos"


def isp(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The folder of photos, or of the data set.")],
    out: opt.Out,
    layout: Annotated[
        Literal["photos", "hdrplus", "sid", "fivek", "sidd", "zrr"],
        typer.Option(help="What SOURCE is: photos, or a data set as its authors lay it out."),
    ] = "photos",
    expert: Annotated[
        str | None,
        typer.Option(
            metavar="finish|'COMMAND {input} {output}'",
            help="Who makes the enhanced truth, where not the data set: our finish, or a command, of a linear 16-bit TIFF.",
        ),
    ] = None,
    noise: pairs_opt.Noise = None,
    camera: pairs_opt.Camera = None,
    seed: pairs_opt.Seed = None,
    licence: pairs_opt.LicenceText = None,
    overwrite: opt.Overwrite = False,
) -> None:
    """Make what a camera pipeline (CameraNet) is trained on: frames, and the restored and the enhanced picture of each.

    DIR gets input/NAME and truth/NAME, manifest.json and README.md, a data card. --noise, --camera and --seed are for photos, which
    a camera captures then; data sets have their own. An interrupted run goes on where it was.

    Examples:
      quietlight synthesize isp photos/ --out frames

      quietlight synthesize isp 20171106_subset/ --layout hdrplus --out frames

      quietlight synthesize isp photos/ --expert 'rawtherapee-cli -p my.pp3 -t -Y -o {output} -c {input}' --out frames
    """
    from quietlight.cli.pair_run import command_line, make_pairs
    from quietlight.data.isp_folder import SET, IspFrames
    from quietlight.data.licences import UNKNOWN
    from quietlight.frames import UnusableInput

    options: dict[str, object] = {"--noise": noise, "--camera": camera, "--seed": seed}
    if layout != PHOTOS and (wrong := [option for option, value in options.items() if value is not None]):
        raise typer.BadParameter(f"{wrong[0]} belongs to photos; a data set has its own")
    if not source.is_dir():
        raise UnusableInput(f"{source}: there is no such folder")
    items, how = _photos(source, out, noise, camera, seed) if layout == PHOTOS else _set(source, layout)
    given = pairs_opt.words({"--layout": layout, "--expert": expert, **options, "--licence": licence})
    frames = IspFrames(
        out,
        layout,
        items,
        expert=expert or SET,
        how=how,
        licence=licence or UNKNOWN,
        command=command_line("isp", [str(source)], given, out),
        overwrite=overwrite,
    )
    make_pairs(_jobs(items), frames)


def _photos(
    source: Path, out: Path, noise: str | None, camera: str | None, seed: int | None
) -> tuple[list[Item], dict[str, object]]:
    from quietlight.batch import find_inputs
    from quietlight.data.sets.photos import Capture, items
    from quietlight.io import PHOTO_SUFFIXES

    capture = Capture(pairs_opt.raw_noise(noise, None, None), seed or 0, camera or "random")
    jobs = find_inputs([str(source)], PHOTO_SUFFIXES, out)
    how = {"noise": capture.noise.settings(), "seed": capture.seed, "camera": capture.cameras}
    return items([(job.source, job.folder) for job in jobs], capture), how


def _set(source: Path, layout: str) -> tuple[list[Item], dict[str, object]]:
    from quietlight.data.sets import LAYOUTS
    from quietlight.registry import resolve

    return resolve(LAYOUTS, layout, "layout")(source), {}


def _jobs(items: Sequence[Item]) -> list[Job]:
    from quietlight.batch import Job

    return [Job(item.source, item.folder) for item in items]
