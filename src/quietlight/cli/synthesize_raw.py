"""`quietlight synthesize raw`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quietlight.cli import options as opt
from quietlight.cli import pair_options as pair

if TYPE_CHECKING:
    from quietlight.batch import Job
    from quietlight.data.pair_folder import PairFolder


def raw(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTOS...", help="Clean photos: a folder, files, or a quoted glob; with --bursts: folders."
        ),
    ],
    out: opt.Out,
    noise: pair.Noise = None,
    profile: opt.Profile = None,
    iso: pair.Iso = None,
    camera: pair.Camera = None,
    cfa: pair.Cfa = None,
    bursts: Annotated[
        bool, typer.Option("--bursts", help="Every folder with raws is a burst: align and average them.")
    ] = False,
    seed: pair.Seed = None,
    suffix: pair.Format = "dng",
    licence: pair.LicenceText = None,
    overwrite: opt.Overwrite = False,
) -> None:
    """Make pairs of noisy and clean raws: out of photos, turned back into the raws of a camera, or out of bursts of real raws.

    DIR gets noisy/NAME and clean/NAME, manifest.json with every parameter of each, and README.md, a data card. Noisy raws carry the
    NoiseProfile of the noise they got. An interrupted run goes on where it was, and new photos are added.

    Examples:
      quietlight synthesize raw photos/ --out pairs

      quietlight synthesize raw photos/ --noise upi=1e-3..1e-2 --camera A --out pairs

      quietlight synthesize raw photos/ --noise physics=sony-a7s2 --format safetensors --out pairs

      quietlight synthesize raw photos/ --profile my-camera.json --iso 800..12800 --out pairs

      quietlight synthesize raw bursts/ --bursts --out pairs
    """
    from quietlight.cli.pair_run import command_line, make_pairs
    from quietlight.data.burst_pairs import BurstPairs
    from quietlight.data.licences import UNKNOWN
    from quietlight.data.raw_pairs import RANDOM, RawPairs

    options: dict[str, object] = {"--noise": noise, "--iso": iso, "--camera": camera, "--cfa": cfa, "--seed": seed}
    if bursts and (wrong := [option for option, value in options.items() if value is not None]):
        raise typer.BadParameter(f"{wrong[0]} belongs to photos; --bursts takes raws as they are")
    options |= {"--profile": profile, "--format": suffix, "--licence": licence}
    given = pair.words(options)
    command = command_line("raw", photos, ["--bursts", *given] if bursts else given, out)
    pairs: PairFolder
    if bursts:
        pairs = BurstPairs(
            out,
            opt.load_calibration(profile),
            suffix=f".{suffix}",
            licence=licence or UNKNOWN,
            command=command,
            overwrite=overwrite,
        )
    else:
        pairs = RawPairs(
            out,
            pair.raw_noise(noise, profile, iso),
            seed or 0,
            suffix=f".{suffix}",
            camera=camera or RANDOM,
            cfa=cfa or "RGGB",
            licence=licence or UNKNOWN,
            command=command,
            overwrite=overwrite,
        )
    make_pairs(_jobs(photos, out, bursts), pairs)


def _jobs(photos: list[str], out: Path, bursts: bool) -> list[Job]:
    """The photos, or the folders that hold raws: a burst is named by its folder."""
    from quietlight.batch import Job, find_inputs
    from quietlight.frames import UnusableInput
    from quietlight.io import PHOTO_SUFFIXES, RAW_SUFFIXES

    if not bursts:
        return find_inputs(photos, PHOTO_SUFFIXES, out)
    if wrong := [name for name in photos if not Path(name).is_dir()]:
        raise UnusableInput(f"{wrong[0]}: is no folder; with --bursts, each folder of raws is a burst")
    raws = (job for job in find_inputs(photos, RAW_SUFFIXES, out) if job.source.is_file())
    found = {job.source.parent.resolve(): job for job in raws}
    if not found:
        raise UnusableInput(f"{photos[0]}: no raws in it, nor in the folders below")
    return [Job(folder, job.folder.parent) for folder, job in found.items()]
