"""The story of a merged burst as one HTML file that needs nothing else."""

from __future__ import annotations

from html import escape

from quietlight.analysis import words
from quietlight.report.burst_story import BurstStory, Captioned, FrameLine, Kernels, Place
from quietlight.report.pictures import Picture, jpeg_in_base64, png_in_base64
from quietlight.report.style import html


def burst_page(story: BurstStory, name: str, ending: str = "") -> str:
    """The story of the result `name` as HTML, and what is to be told at its end (HTML)."""
    record = story.result.record
    boxes = "".join(_box(number, box) for number, box in enumerate(story.boxes, 1))
    frames = "".join(map(_frame, story.frames))
    start = (
        f'<div class="start"><div><p class="about">{escape(name)}</p><h1>{escape(words.merged(record))}</h1>'
        f'<p class="lead">{escape(words.merged_outcome(record))}</p><h3>Share of every frame that does not fit</h3>'
        f'<div class="bars burst">{frames}</div></div>'
        f'<figure style="flex:0 1 {story.whole.shape[1]}px"><div class="slider"><img alt="the merged picture" '
        f'src="data:image/jpeg;base64,{jpeg_in_base64(story.whole)}">{boxes}</div>'
        f"<figcaption>The merged picture, and the places below</figcaption></figure></div>"
    )
    return html(f"{name}: {words.merged(record)}", start + "".join(map(_place, range(1, 3), story.places)) + ending)


def _box(number: int, box: tuple[float, float, float, float]) -> str:
    top, left, bottom, right = (100 * edge for edge in box)
    place = f"top:{top:.2f}%;left:{left:.2f}%;height:{bottom - top:.2f}%;width:{right - left:.2f}%"
    return f'<span class="where" style="{place}"><span class="tag">{number}</span></span>'


def _frame(line: FrameLine) -> str:
    is_reference = line.about == "the reference"
    return _bar(f"{line.name}, {line.about}", line.misfit, chosen=is_reference)


def _bar(name: str, share: float, chosen: bool) -> str:
    mark = " chosen" if chosen else ""
    return (
        f'<span class="{mark}">{escape(name)}</span><span class="track{mark}"><span class="fill" '
        f'style="width:{100 * min(max(share, 0), 1):.1f}%"></span></span><span class="{mark}">{100 * share:.0f}%</span>'
    )


def _place(number: int, place: Place) -> str:
    strip = list(place.strip)
    kernels = ""
    if place.kernels is not None:
        strip.append(("how much is the reference’s", place.kernels.map))
        kernels = _kernels(place.kernels)
    return (
        f'<section><header><span class="number">{number}</span><h2>{place.title}</h2>'
        f'<span class="sure">{place.about}</span></header>'
        f'<div class="strip">{_figures([*strip, *place.scaled])}</div>{kernels}</section>'
    )


def _figures(pictures: list[Captioned]) -> str:
    return "".join(
        f'<figure class="crop">{_pixels(picture, caption)}<figcaption>{escape(caption)}</figcaption></figure>'
        for caption, picture in pictures
    )


def _pixels(picture: Picture, caption: str) -> str:
    """A small picture, as wide as there is room, with every pixel as a square."""
    return f'<img style="width:100%" alt="{escape(caption)}" src="data:image/png;base64,{png_in_base64(picture)}">'


def _kernels(kernels: Kernels) -> str:
    cells = zip(kernels.names, kernels.pictures, kernels.weights, strict=True)
    shown = _figures([(f"{name}, {100 * weight:.0f}%", picture) for name, picture, weight in cells])
    bars = "".join(_bar(n, mass, i == 0) for i, (n, mass) in enumerate(zip(kernels.names, kernels.masses, strict=True)))
    return (
        "<h3>The kernels of that pixel, and their mass. Blue adds, orange takes away.</h3>"
        f'<div class="strip kernels">{shown}</div>'
        f'<h3>The mass of all kernels of the crop</h3><div class="bars burst">{bars}</div>'
    )
