"""Options of raws that are made of photos, alike for pairs and for bursts; None where not given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from quietlight.cli import options as opt

if TYPE_CHECKING:
    from quietlight.data.raw_noise import RawNoise

Noise = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL[=...]",
        help="upi, upi=LOW..HIGH (shot variance), physics, physics=CAMERA or physics=ELD.json; upi if not given.",
    ),
]
Iso = Annotated[
    str | None, typer.Option(metavar="ISO|LOW..HIGH", help="With --profile; all measured ISOs if not given.")
]
Camera = Annotated[
    Literal["random", "A", "B", "C", "D"] | None,
    typer.Option(help="Whose colours the raws have; random, a new one for each, if not given."),
]
Cfa = Annotated[
    Literal["RGGB", "GRBG", "GBRG", "BGGR"] | None, typer.Option(help="Pattern of the raws; RGGB if not given.")
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, help="Everything random follows from it, and from the files' names; 0 if not given."),
]
Format = Annotated[
    Literal["dng", "safetensors"], typer.Option("--format", help="16 bits, or float32 planes R, Gr, Gb, B.")
]
LicenceText = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Of files that no ATTRIBUTION.tsv or LICENSE beside speaks for.")
]


def raw_noise(noise: str | None, profile: Path | None, iso: str | None) -> RawNoise:
    """The noise that the options ask for. Raises typer.BadParameter for options that do not go together."""
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


def words(options: dict[str, object]) -> list[str]:
    """The options that were given, as they are typed."""
    return [word for option, value in options.items() if value is not None for word in (option, str(value))]
