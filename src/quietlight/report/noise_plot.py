"""A noise curve as inline SVG, and the section of a page that holds it."""

from __future__ import annotations

import math
from html import escape

from quietlight.frames import NoiseProfile
from quietlight.report.noise_curve import NoiseCurve
from quietlight.report.parts import facts

_WIDTH, _HEIGHT, _LEFT, _BELOW, _ROOM = 560, 280, 52, 38, 14
_COLORS = ("red", "green", "blue")
_TICKS = 8


def curve_section(curve: NoiseCurve) -> str:
    """The curve and what its line says; nothing where there is neither a point nor a line."""
    if curve.profile is None and not curve.points:
        return ""
    return (
        '<section><header><h2>How the noise grows with the signal</h2></header><div class="curve">'
        f"<figure>{noise_plot(curve)}<figcaption>{escape(_caption(curve))}</figcaption></figure>{_numbers(curve)}</div></section>"
    )


def _caption(curve: NoiseCurve) -> str:
    dots = f"Dots: measured in this frame, {len(curve.points)} levels of signal. " if curve.points else ""
    if curve.profile is None:
        return f"{dots}The noise is too low for a line to be trusted: it could be the picture’s own texture."
    origin = "fitted to them" if curve.source == "frame" else f"by the {curve.source}"
    return f"{dots}Line: what the denoiser was told, {origin}."


def _numbers(curve: NoiseCurve) -> str:
    if curve.profile is None:
        return ""
    shot, read = curve.profile.shot, curve.profile.read
    names = _COLORS if len(shot) > 1 else ("all colours",)
    pairs = [(name, f"{s:.3g} · signal + {r:.3g}") for name, s, r in zip(names, shot, read, strict=True)]
    at_gray = math.sqrt(float(curve.profile.variance(0.18)))
    pairs += [("at mid-gray", f"deviation {at_gray:.2%} of full scale"), ("from", curve.source)]
    return f"<div><h3>variance = shot · signal + read</h3>{facts(pairs, 'list')}</div>"


def noise_plot(curve: NoiseCurve) -> str:
    """The SVG: signal to the right and variance upwards, both from 0."""
    signal, variance = curve.reach
    signal, variance = 1.04 * max(signal, 1e-6), 1.08 * max(variance, 1e-12)

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _ROOM) * value / signal

    def y(value: float) -> float:
        return (_HEIGHT - _BELOW) - (_HEIGHT - _BELOW - _ROOM) * value / variance

    below = _HEIGHT - _BELOW + 15
    parts = [f'<text class="mid" x="{x(tick):.1f}" y="{below}">{tick:g}</text>' for tick in _ticks(signal)]
    power = math.floor(math.log10(variance))
    for tick in _ticks(variance):
        parts.append(f'<path class="axis" d="M{_LEFT} {y(tick):.1f}H{_WIDTH - _ROOM}"/>')
        parts.append(f'<text class="end" x="{_LEFT - 6}" y="{y(tick) + 4:.1f}">{tick / 10**power:.3g}</text>')
    for kind, (start, end) in _lines(curve.profile, signal).items():
        parts.append(f'<path class="line {kind}" d="M{x(0):.1f} {y(start):.1f}L{x(signal):.1f} {y(end):.1f}"/>')
    parts += [f'<circle class="dot" cx="{x(s):.1f}" cy="{y(v):.1f}" r="4"/>' for s, v, _ in curve.points]
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="variance against signal">{"".join(parts)}'
        f'<text x="4" y="10">variance, 10{_raised(power)}</text>'
        f'<text class="end" x="{_WIDTH - _ROOM}" y="{_HEIGHT - 6}">signal, black 0, white 1</text></svg>'
    )


def _lines(profile: NoiseProfile | None, signal: float) -> dict[str, tuple[float, float]]:
    """Of each colour that has a line of its own, or of all, the variances at black and at `signal`."""
    if profile is None:
        return {}
    names = _COLORS if len(profile.shot) > 1 else ("all",)
    return {n: (float(profile.variance(0, i)), float(profile.variance(signal, i))) for i, n in enumerate(names)}


def _ticks(reach: float) -> list[float]:
    """Round numbers from 0 up to `reach`, about `_TICKS` of them.

    >>> _ticks(0.31)
    [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    """
    raw = reach / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(step for step in (1, 2, 5, 10) if step * power >= raw) * power
    return [round(step * n, 12) for n in range(int(reach / step + 1e-9) + 1)]


def _raised(power: int) -> str:
    """A power as it stands above the line: -4 as "⁻⁴"."""
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
