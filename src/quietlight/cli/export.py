"""`quietlight export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    name: Annotated[
        str, typer.Argument(help="Weights of the zoo, or a .safetensors file that quietlight train wrote.")
    ],
    onnx: Annotated[Path, typer.Option("--onnx", metavar="FILE", help="The model to write.")],
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help="Convolutions of 8 bits, for dense networks: calibrated on the photos that they learnt from (found by "
            "QUIETLIGHT_DATA), and refused where that loses 0.1 dB or more.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write a network as an ONNX model, for other programs: of any size, described in its metadata, and proven equal to torch.

    Examples:
      quietlight export unet-gray --onnx unet-gray.onnx

      quietlight export kpn-gray --onnx kpn-gray-int8.onnx --int8
    """
    from quietlight import zoo
    from quietlight.export import described, export_int8
    from quietlight.export import export as export_float
    from quietlight.frames import UnusableInput

    if onnx.exists() and not overwrite:
        raise UnusableInput(f"{onnx}: exists already: choose another name, or --overwrite")
    weights = zoo.read(name)
    if int8:
        result = export_int8(weights, onnx)
        typer.echo(
            f"int8 loses {result.lost:.3f} dB on {result.pictures}: {result.before:.3f} to {result.after:.3f} dB, "
            "scored as in its recipe"
        )
    else:
        for proof in export_float(weights, onnx):
            shapes = ", ".join("×".join(map(str, shape)) for shape in proof.shapes)
            typer.echo(f"input {shapes}: at most {proof.difference:.1e} off what torch computes")
    facts = described(weights)
    typer.echo(f"sides are multiples of {facts['multiple']}, channels {facts['channels']}, licence {facts['licence']}")
    typer.echo(f"{onnx} ({onnx.stat().st_size / 1e6:.1f} MB)")
