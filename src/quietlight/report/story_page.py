"""The story of a photo as one HTML file that needs nothing else: pictures inline, light and dark, sliders from before to after."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from quietlight.analysis import words
from quietlight.report.parts import detail, facts, figure, whole
from quietlight.report.pictures import RESIDUAL_GAIN
from quietlight.report.story import Histogram, Step, Story
from quietlight.report.style import html


def page(story: Story, name: str, ending: str = "") -> str:
    """The story of the photo `name` as HTML, and what is to be told at its end (HTML)."""
    steps = "".join(_step(number, step, story) for number, step in enumerate(story.steps, 1))
    return html(f"{name}: {words.found(story.record)}", f"{_start(story, name)}{steps}{_last_look(story)}{ending}")


def _start(story: Story, name: str) -> str:
    """What was found, the crop from first to last, and the way between them."""
    height, width = story.size
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
        f'<div class="start">{detail(story)}<div>'
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
    figures = [figure(step.before, f"{'before' if kept else 'as it stays'}, {100 * story.zoom}%", story)]
    if kept:
        figures += [
            figure(step.after, "after", story),
            figure(step.removed, f"what was removed, {RESIDUAL_GAIN} times", story),
        ]
    listed = (
        ("Level", words.measured(record)),
        ("Certainty", words.percent(record["certainty"])),
        ("Removed", f"deviation {record['removed']['deviation']:.3g} of 255"),
        ("Time", words.seconds(record["seconds"])),
        ("Changed", f"{words.percent(record['removed']['changed'])} of the pixels"),
        ("Denoiser", record["denoiser"]),
    )
    histogram = _histogram(step.histogram) if kept else ""
    return (
        f'<section>{head}<div class="row">{"".join(figures)}{_bars(record)}{facts(listed)}{histogram}</div></section>'
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
        f'</header><div class="row look">{_bars(left)}{whole(story)}</div></section>'
    )


def _end_sign(record: Mapping[str, Any]) -> str:
    end, sign = ("good", "✓") if record["stopped"] == "clean" else ("off", "■")
    return f'<span class="number {end}">{sign}</span>'
