"""A raw, or a photo that was not denoised in steps, before and after: one HTML file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from quietlight.analysis import words
from quietlight.frames import NoiseProfile, RawFrame
from quietlight.report.parts import detail, facts, figure, whole
from quietlight.report.pictures import RESIDUAL_GAIN, what_was_removed
from quietlight.report.style import html
from quietlight.report.view import View


def pair_page(view: View, name: str, about: str, record: Mapping[str, Any], ending: str = "") -> str:
    """The page of the result `name`.

    Args:
        view: of what is seen before and after.
        about: what kind of picture it is.
        record: of the result.
        ending: what is to be told at its end, as HTML.
    """
    height, width = view.size
    title = pair_title(record)
    start = (
        f'<div class="start">{detail(view)}<div><p class="about">{escape(name)} · {width} × {height}'
        f"{escape(about and f', {about}')}</p><h1>{escape(title)}</h1>"
        f'<p class="lead">{escape(words.raw_outcome(record))}</p>{facts(_done(record), "list")}</div></div>'
    )
    before, after = view.crops
    shown = [
        figure(before, f"before, {100 * view.zoom}%", view),
        figure(after, "after", view),
        figure(what_was_removed(before, after), f"what was removed, {RESIDUAL_GAIN} times", view),
    ]
    crops = f'<section><header><h2>What was removed</h2></header><div class="row">{"".join(shown)}</div>{whole(view)}</section>'
    return html(f"{name}: {title}", start + crops + ending)


def pair_title(record: Mapping[str, Any]) -> str:
    """One sentence on the noise: of a raw how much there was, of anything else what was done."""
    if "shot" in record:
        profile = NoiseProfile(tuple(record["shot"]), tuple(record["read"]))
        return words.raw_noise(math.sqrt(float(profile.variance(0.18))), record.get("noise_from", "file"))
    if "noise_from" in record:
        return "The noise of this raw is low: nothing was to be removed."
    return f"Denoised by {record['system']}." if "system" in record else "Before and after."


def about_raw(frame: RawFrame) -> str:
    """The camera, its settings, and what kind of raw it is."""
    speed = f"ISO {frame.iso}" if frame.iso else ""
    time = frame.exposure_time
    exposure = "" if not time else f"{time:g} s" if time >= 0.5 else f"1/{1 / time:.0f} s"
    return ", ".join(filter(None, (frame.camera, speed, exposure, f"{frame.cfa} raw")))


def _done(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Choices and repairs that a record names."""
    strength, repaired = record.get("strength", 1.0), record.get("repaired_pixels")
    return [
        ("System", str(record.get("system", ""))),
        ("Strength", f"{strength:g}" if strength != 1 else ""),
        ("Repaired", f"{repaired:,} hot or dead pixels" if repaired else ""),
        ("Look", str(record.get("look", ""))),
        ("Burst", str(record.get("burst", ""))),
    ]
