"""The story of a photo as one HTML file that needs nothing else: pictures inline, light and dark, sliders from before to after."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from quietlight.analysis import words
from quietlight.report.pictures import RESIDUAL_GAIN, Picture, jpeg_in_base64, png_in_base64
from quietlight.report.story import Histogram, Step, Story
from quietlight.report.style import html


def page(story: Story, name: str) -> str:
    """The story of the photo `name` as HTML."""
    steps = "".join(_step(number, step, story) for number, step in enumerate(story.steps, 1))
    return html(f"{name}: {words.found(story.record)}", f"{_start(story, name)}{steps}{_last_look(story)}")


def _start(story: Story, name: str) -> str:
    """What was found, the crop from first to last, and the way between them."""
    height, width = story.size
    before, after = (f"data:image/png;base64,{png_in_base64(crop)}" for crop in story.crops)
    points = [
        f'<li><span class="number{"" if step.record["kept"] else " off"}">{number}</span>'
        f"<div><b>{escape(_title(step.record))}</b><small>{escape(_removed(step.record))}</small></div></li>"
        for number, step in enumerate(story.steps, 1)
    ]
    left = story.record["left"]
    ending = "Clean" if story.record["stopped"] == "clean" else "Stopped"
    points.append(
        f"<li>{_end_sign(story.record)}<div><b>{ending}</b>"
        f"<small>the last look: {escape(left['class'])}, {words.percent(left['certainty'])} sure</small></div></li>"
    )
    return (
        f'<div class="start"><figure class="crop" style="flex:0 1 {2 * story.zoom * story.place[3]}px">{_slider(before, after)}'
        f"<figcaption>A detail at {200 * story.zoom}%</figcaption></figure><div>"
        f'<p class="about">{escape(name)} · {width} × {height}, {escape(story.about)}</p>'
        f"<h1>{escape(words.found(story.record))}</h1>"
        f'<p class="lead">{escape(words.outcome(story.record))}</p><ol class="path">{"".join(points)}</ol></div></div>'
    )


def _step(number: int, step: Step, story: Story) -> str:
    record = step.record
    kept = record["kept"]
    head = (
        f'<header><span class="number{"" if kept else " off"}">{number}</span><h2>{escape(_title(record))}</h2>'
        f'<span class="class">{escape(record["class"])}</span>'
        f'<span class="sure">{words.percent(record["certainty"])} sure</span></header>'
    )
    figures = [_figure(step.before, f"{'before' if kept else 'as it stays'}, {100 * story.zoom}%", story)]
    if kept:
        figures += [
            _figure(step.after, "after", story),
            _figure(step.removed, f"what was removed, {RESIDUAL_GAIN} times", story),
        ]
    facts = (
        ("Level", words.measured(record)),
        ("Certainty", words.percent(record["certainty"])),
        ("Removed", f"deviation {record['removed']['deviation']:.3g} of 255"),
        ("Time", words.seconds(record["seconds"])),
        ("Changed", f"{words.percent(record['removed']['changed'])} of the pixels"),
        ("Denoiser", record["denoiser"]),
    )
    listed = "".join(f"<div><dt>{key}</dt><dd>{escape(value)}</dd></div>" for key, value in facts if value)
    histogram = _histogram(step.histogram) if kept else ""
    return (
        f'<section>{head}<div class="row">{"".join(figures)}{_bars(record)}'
        f'<dl class="facts">{listed}</dl>{histogram}</div></section>'
    )


def _title(record: Mapping[str, Any]) -> str:
    title = words.noise(record)
    title = title[0].upper() + title[1:]
    return title if record["kept"] else f"{title}, taken back"


def _removed(record: Mapping[str, Any]) -> str:
    removed = record["removed"]
    return (
        f"{words.percent(record['certainty'])} sure · {words.percent(removed['changed'])} of the pixels changed · "
        f"{words.seconds(record['seconds'])}"
    )


def _figure(picture: Picture, caption: str, story: Story) -> str:
    height, width = (n * story.zoom for n in picture.shape[:2])
    return (
        f'<figure class="crop"><img width="{width}" height="{height}" alt="{caption}" '
        f'src="data:image/png;base64,{png_in_base64(picture)}"><figcaption>{caption}</figcaption></figure>'
    )


def _bars(judged: Mapping[str, Any]) -> str:
    """The probability of every class."""
    lines = []
    for name, probability in judged["probabilities"].items():
        chosen = " chosen" if name == judged["class"] else ""
        lines.append(
            f'<span class="{chosen}">{escape(name)}</span><span class="track{chosen}"><span class="fill" '
            f'style="width:{100 * probability:.2f}%"></span></span><span class="{chosen}">{100 * probability:.1f}%</span>'
        )
    clean = "" if judged["nature"] else " clean"
    return (
        f'<div class="judged"><h3>How probable each class is</h3><div class="bars{clean}">{"".join(lines)}</div></div>'
    )


_WIDTH, _HEIGHT = 256, 62


def _histogram(histogram: Histogram) -> str:
    """What was removed, as a curve; square roots of the counts, so that rare values are seen."""
    heights = (histogram.counts / max(histogram.counts.max(), 1e-9)) ** 0.5 * (_HEIGHT - 2)
    step = _WIDTH / len(heights)
    points = "".join(f"L{(i + 0.5) * step:.1f} {_HEIGHT - h:.1f}" for i, h in enumerate(heights))
    reach = f"{histogram.reach:.3g}"
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT + 16}" role="img" aria-label="histogram of what was removed">'
        f'<path class="axis" d="M{_WIDTH / 2} 0V{_HEIGHT}"/><path class="hill" d="M0 {_HEIGHT}{points}L{_WIDTH} {_HEIGHT}Z"/>'
        f'<text y="{_HEIGHT + 13}">−{reach}</text><text class="mid" x="{_WIDTH / 2}" y="{_HEIGHT + 13}">0</text>'
        f'<text class="end" x="{_WIDTH}" y="{_HEIGHT + 13}">+{reach}</text></svg>'
        f"<figcaption>histogram of it, roots of the counts</figcaption></figure>"
    )


def _last_look(story: Story) -> str:
    """What was judged at the end, beside the whole photo."""
    record, left = story.record, story.record["left"]
    return (
        f"<section><header>{_end_sign(record)}<h2>The last look: {escape(words.noise(left))}</h2>"
        f'<span class="class">{escape(left["class"])}</span><span class="sure">{words.percent(left["certainty"])} sure</span>'
        f'</header><div class="row look">{_bars(left)}{_whole(story)}</div></section>'
    )


def _end_sign(record: Mapping[str, Any]) -> str:
    end, sign = ("good", "✓") if record["stopped"] == "clean" else ("off", "■")
    return f'<span class="number {end}">{sign}</span>'


def _whole(story: Story) -> str:
    """The whole photo, where the crop is not all of it already."""
    top, left, height, width = story.place
    rows, columns = story.size
    if story.all_in_crops:
        return ""
    before, after = (f"data:image/jpeg;base64,{jpeg_in_base64(picture)}" for picture in story.whole)
    shares = {"top": top / rows, "left": left / columns, "height": height / rows, "width": width / columns}
    box = "".join(f"{side}:{100 * share:.2f}%;" for side, share in shares.items())
    frame = f'<span class="where" style="{box}"></span>'
    return (
        f'<figure style="max-width:{story.whole[0].shape[1]}px">{_slider(before, after, frame)}'
        "<figcaption>The whole photo; the frame is the detail above.</figcaption></figure>"
    )


def _slider(before: str, after: str, over: str = "") -> str:
    """Two pictures over each other, and a line to drag between them; one picture where they are equal."""
    if before == after:
        return f'<div class="slider"><img alt="the photo" src="{after}">{over}</div>'
    return (
        f'<div class="slider"><img alt="before" src="{before}"><img class="after" alt="after" src="{after}">{over}<i></i>'
        f'<span class="tag l">before</span><span class="tag r">after</span>'
        f'<input type="range" min="0" max="100" step="0.1" value="50" aria-label="from before to after" '
        f"oninput=\"this.parentNode.style.setProperty('--at',this.value+'%')\"></div>"
    )
