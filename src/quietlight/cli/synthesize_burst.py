"""`quietlight synthesize burst`."""

from __future__ import annotations

from typing import Annotated

import typer

from quietlight.cli import options as opt
from quietlight.cli import pair_options as pair


def burst(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTOS...", help="Clean photos: a folder, files, or a quoted glob.")
    ],
    out: opt.Out,
    frames: Annotated[int, typer.Option(metavar="NUMBER", help="Of a burst, 1 to 64; the first is the reference.")] = 8,
    near: Annotated[
        float, typer.Option(metavar="PIXELS", help="Frames are shifted by up to so much, down or up, right or left.")
    ] = 4.0,
    far: Annotated[float, typer.Option(metavar="PIXELS", help="Some frames are shifted by up to so much.")] = 16.0,
    far_frames: Annotated[
        float, typer.Option(metavar="NUMBER", help="How many frames of a burst are far, on average; 0 for none.")
    ] = 1.5,
    rotation: Annotated[
        float, typer.Option(metavar="DEGREES", help="Frames are turned by up to so much, 2 at most.")
    ] = 0.5,
    moving: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the bursts in which an object moves on its own way.")
    ] = 0.5,
    jitter: Annotated[
        float, typer.Option(metavar="SHARE", help="Exposures differ by so much, as a standard deviation.")
    ] = 0.02,
    crop: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS", help="Side of frames cut out anywhere; as large as the photo allows if not given."
        ),
    ] = None,
    noise: pair.Noise = None,
    profile: opt.Profile = None,
    iso: pair.Iso = None,
    camera: pair.Camera = None,
    cfa: pair.Cfa = None,
    seed: pair.Seed = None,
    suffix: pair.Format = "dng",
    licence: pair.LicenceText = None,
    overwrite: opt.Overwrite = False,
) -> None:
    """Make bursts of noisy raws with the true frame, out of photos: frames of shaking hands, in which something may move.

    DIR gets noisy/NAME/frame_000.dng, frame_001.dng, ..., clean/NAME.dng, which is the first frame without noise, moving/NAME.png,
    a mask of what moves, manifest.json with every parameter of each burst, and README.md, a data card. Frames have half the sides
    of their photo, less what they move. An interrupted run goes on where it was, and new photos are added.

    Examples:
      quietlight synthesize burst photos/ --out bursts

      quietlight synthesize burst photos/ --near 30 --far 60 --rotation 1 --noise physics=sony-a7s2 --out bursts

      quietlight synthesize burst photos/ --crop 128 --format safetensors --out bursts

      quietlight synthesize burst photos/ --far-frames 0 --rotation 0 --moving 0 --jitter 0 --out bursts
    """
    from quietlight.batch import find_inputs
    from quietlight.cli.pair_run import command_line, make_pairs
    from quietlight.data.burst_folder import BurstFolder
    from quietlight.data.licences import UNKNOWN
    from quietlight.data.motion import Hands
    from quietlight.data.raw_pairs import RANDOM
    from quietlight.io import PHOTO_SUFFIXES

    given: dict[str, object] = {
        "--frames": frames, "--near": f"{near:g}", "--far": f"{far:g}", "--far-frames": f"{far_frames:g}",
        "--rotation": f"{rotation:g}", "--moving": f"{moving:g}", "--jitter": f"{jitter:g}", "--crop": crop, "--noise": noise,
        "--profile": profile, "--iso": iso, "--camera": camera, "--cfa": cfa, "--seed": seed, "--format": suffix,
        "--licence": licence,
    }  # fmt: skip
    bursts = BurstFolder(
        out,
        pair.raw_noise(noise, profile, iso),
        seed or 0,
        suffix=f".{suffix}",
        camera=camera or RANDOM,
        cfa=cfa or "RGGB",
        licence=licence or UNKNOWN,
        command=command_line("burst", photos, pair.words(given), out),
        overwrite=overwrite,
        frames=frames,
        hands=Hands(rotation, moving, jitter, near, far, far_frames),
        crop=crop,
    )
    make_pairs(find_inputs(photos, PHOTO_SUFFIXES, out), bursts)
