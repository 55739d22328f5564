"""ICC profiles made for what files say of their colours in other words. Sources: ICC.1:2022, ITU-T H.273."""

from __future__ import annotations

import struct

import numpy as np

from quietlight.camera.color import D50, adaptation
from quietlight.frames import Floats, UnusableInput

SRGB_XY = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_CODED_XY = {
    1: SRGB_XY,
    9: ((0.3127, 0.3290), (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.3127, 0.3290), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_CODED_GAMMA = {1: None, 6: None, 13: None, 14: None, 15: None, 4: 2.2, 5: 2.8, 8: 1.0}


def coded_profile(primaries: int, transfer: int) -> bytes:
    """The ICC profile of a pair of code points of ITU-T H.273 (PNG cICP, AVIF nclx), empty for sRGB and for "unspecified" (2).

    The camera curve of BT.709 counts as sRGB's, as viewers do. Raises UnusableInput for PQ, HLG and other light.
    """
    if transfer not in (2, *_CODED_GAMMA) or primaries not in (2, *_CODED_XY):
        raise UnusableInput(
            f"its light is coded as primaries {primaries}, curve {transfer} (HDR?): convert it to sRGB or P3"
        )
    gamma, xy = _CODED_GAMMA.get(transfer), _CODED_XY.get(primaries, SRGB_XY)
    return b"" if gamma is None and xy is SRGB_XY else matrix_profile(gamma, xy)


def matrix_profile(
    gamma: float | None,
    xy: tuple[tuple[float, float], ...] = SRGB_XY,
    gray: bool = False,
    name: str = "from colour tags",
) -> bytes:
    """An ICC v4 display profile of one curve and three primaries (ICC.1:2022, sections 8.3, 8.4, 10.18).

    Args:
        gamma: exponent from numbers to light, None for sRGB's curve.
        xy: chromaticities of white, red, green, blue; sRGB's unless given.
        gray: make a gray profile, which has a curve only.
        name: what programs show of it.
    """
    white, *primaries = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in ((x, max(y, 1e-4)) for x, y in xy))
    adapt = adaptation(white, D50)
    try:
        matrix = np.stack(primaries, axis=1)
        matrix = adapt @ (matrix * np.linalg.solve(matrix, white))
    except np.linalg.LinAlgError as error:
        raise UnusableInput("its primaries lie on one line: they span no colours") from error
    curve = _fixed(
        np.array([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]) if gamma is None else np.array([gamma])
    )
    tone = b"para\0\0\0\0" + struct.pack(">HH", 0 if gamma else 3, 0) + curve
    text = name.encode("utf-16-be")
    named = b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    tags = {b"desc": named, b"cprt": named, b"wtpt": b"XYZ \0\0\0\0" + _fixed(D50)}
    tags |= {b"chad": b"sf32\0\0\0\0" + _fixed(adapt)}
    if gray:
        tags[b"kTRC"] = tone
    else:
        tags |= {c + b"XYZ": b"XYZ \0\0\0\0" + _fixed(matrix[:, i]) for i, c in enumerate((b"r", b"g", b"b"))}
        tags |= {c + b"TRC": tone for c in (b"r", b"g", b"b")}
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4xI4s4s4s", at + len(body), 0x04400000, b"mntr", b"GRAY" if gray else b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0") + _fixed(D50)
    return head.ljust(128, b"\0") + table + body


def _fixed(values: Floats) -> bytes:
    return np.round(values * 65536).clip(-(2**31), 2**31 - 1).astype(">i4").tobytes()


def srgb_profile(gray: bool = False) -> bytes:
    """The ICC profile of sRGB, or of gray with sRGB's curve."""
    return matrix_profile(None, gray=gray, name="sRGB gray" if gray else "sRGB")


def is_linear(profile: bytes) -> bool:
    """Whether all tone curves of an ICC profile are the identity, so that the numbers are proportional to light."""
    count = int.from_bytes(profile[128:132]) if len(profile) > 132 else 0
    tags = (
        struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(min(count, (len(profile) - 132) // 12, 100))
    )
    curves = [profile[at : at + size] for name, at, size in tags if name in (b"rTRC", b"gTRC", b"bTRC", b"kTRC")]
    return bool(curves) and all(
        (curve[:4] == b"curv" and (curve[8:12] == bytes(4) or curve[8:14] == b"\0\0\0\1\1\0"))
        or (curve[:4] == b"para" and curve[8:16] == b"\0\0\0\0\0\1\0\0")
        for curve in curves
    )
