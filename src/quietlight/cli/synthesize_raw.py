"""`quietlight synthesize raw`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from quietlight.cli import options as opt

if TYPE_CHECKING:
    from quietlight.data.raw_noise import RawNoise


def raw(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTOS...", help="Clean photos: a folder, files, or a quoted glob.")
    ],
    out: opt.Out,
    noise: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL[=...]",
            help="upi, upi=LOW..HIGH (shot variance), physics, physics=CAMERA or physics=ELD.json; upi if not given.",
        ),
    ] = None,
    profile: opt.Profile = None,
    iso: Annotated[
        str | None, typer.Option(metavar="ISO|LOW..HIGH", help="With --profile; all measured ISOs if not given.")
    ] = None,
    camera: Annotated[
        Literal["random", "A", "B", "C", "D"], typer.Option(help="Whose colours the raws have; one for each if random.")
    ] = "random",
    cfa: Annotated[Literal["RGGB", "GRBG", "GBRG", "BGGR"], typer.Option(help="Pattern of the raws.")] = "RGGB",
    seed: Annotated[int, typer.Option(min=0, help="Everything random follows from it, and from the files' names.")] = 0,
    suffix: Annotated[
        Literal["dng", "safetensors"], typer.Option("--format", help="16 bits, or float32 planes R, Gr, Gb, B.")
    ] = "dng",
    licence: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Of photos that no ATTRIBUTION.tsv or LICENSE beside speaks for.")
    ] = None,
    overwrite: opt.Overwrite = False,
) -> None:
    """Make pairs of noisy and clean raws out of photos, which are turned back into the raws of a camera.

    DIR gets noisy/NAME and clean/NAME, manifest.json with every parameter of each, and README.md, a data card. Noisy raws carry the
    NoiseProfile of the noise they got. An interrupted run goes on where it was, and new photos are added.

    Examples:
      quietlight synthesize raw photos/ --out pairs

      quietlight synthesize raw photos/ --noise upi=1e-3..1e-2 --camera A --out pairs

      quietlight synthesize raw photos/ --noise physics=sony-a7s2 --format safetensors --out pairs

      quietlight synthesize raw photos/ --profile my-camera.json --iso 800..12800 --out pairs
    """
    from quietlight.batch import find_inputs
    from quietlight.cli.pair_run import command_line, make_pairs
    from quietlight.data.licences import UNKNOWN
    from quietlight.data.raw_pairs import RawPairs
    from quietlight.io import PHOTO_SUFFIXES

    jobs = find_inputs(photos, PHOTO_SUFFIXES, out)
    given = {"--noise": noise, "--profile": profile, "--iso": iso, "--licence": licence}
    options = [word for option, value in given.items() if value is not None for word in (option, str(value))]
    options += ["--camera", camera, "--cfa", cfa, "--seed", str(seed), "--format", suffix]
    pairs = RawPairs(
        out,
        _noise(noise, profile, iso),
        seed,
        suffix=f".{suffix}",
        camera=camera,
        cfa=cfa,
        licence=licence or UNKNOWN,
        command=command_line("raw", photos, options, out),
        overwrite=overwrite,
    )
    make_pairs(jobs, pairs)


def _noise(noise: str | None, profile: Path | None, iso: str | None) -> RawNoise:
    from quietlight.data.raw_noise import CalibratedNoise, parse_range, parse_raw_noise

    calibration = opt.load_calibration(profile)
    if calibration is None:
        if iso is not None:
            raise typer.BadParameter("--iso belongs to --profile; --noise upi takes shot variances: upi=1e-4..1.2e-2")
        return parse_raw_noise(noise or "upi")
    if noise is not None:
        raise typer.BadParameter("the noise is given by one of --noise and --profile")
    low, high = parse_range(iso) if iso is not None else (0.0, 0.0)
    return CalibratedNoise.of(calibration, (round(low), round(high)) if iso is not None else None)
