"""The story of a photo as one HTML file that needs nothing else: pictures inline, light and dark, sliders from before to after."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from quietlight.analysis import words
from quietlight.report.pictures import RESIDUAL_GAIN, Picture, jpeg_in_base64, png_in_base64
from quietlight.report.story import Histogram, Step, Story

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #69727d; --line: #e2e5e9; --paper: #f6f7f8; --card: #fff;
  --bar: #c3d3e2; --mark: #c2410c; --good: #15803d }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #98a1ab; --line: #2f353c; --paper: #121417; --card: #1b1e22;
    --bar: #3b4e60; --mark: #fb923c; --good: #4ade80 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 2.5rem 20px 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums }
main { max-width: 1160px; margin: 0 auto }
h1, h2, h3, p, figure, ol, dl, dd { margin: 0; padding: 0 }
h1 { font-size: 1.9rem; line-height: 1.22; font-weight: 650; letter-spacing: -.02em; text-wrap: balance }
h2 { font-size: 1.15rem; line-height: 1.3; font-weight: 600 }
h3, dt, figcaption, .about { color: var(--soft); font-size: 13px; font-weight: 400 }
.about { margin-bottom: .6rem; overflow-wrap: anywhere }
.lead { margin: .7rem 0 1.4rem; font-size: 1.1rem; color: var(--soft) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 20px; margin-top: 20px }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem; margin-bottom: 16px }
header h2 { max-width: calc(100% - 3rem) } header .sure { margin-left: auto; color: var(--soft) }
.number { flex: none; width: 30px; height: 30px; border-radius: 50%; display: grid; place-items: center; font-weight: 650;
  background: var(--mark); color: var(--card) }
.good { background: var(--good) } .off { background: var(--soft) }
.class { border: 1px solid var(--line); border-radius: 99px; padding: 1px 10px; font-size: 13px; color: var(--soft) }
.start { display: flex; flex-wrap: wrap; gap: 24px 40px; align-items: center; margin-bottom: 32px }
.start > div { flex: 1 1 380px }
.path { list-style: none; position: relative }
.path::before { content: ""; position: absolute; left: 14px; top: 24px; bottom: 30px; border-left: 2px solid var(--line) }
.path li { position: relative; display: flex; gap: 16px; padding: 11px 0 }
.path b { font-weight: 600; display: block; line-height: 30px } .path small { color: var(--soft); font-size: 13px; display: block }
.row { display: grid; grid-template-columns: repeat(3, 256px) minmax(230px, 1fr); gap: 16px 20px }
.look { grid-template-columns: minmax(230px, 290px) 1fr; gap: 16px 40px }
.judged { grid-area: 1 / 4 / 3 } .look .judged { grid-area: auto }
figcaption { margin-top: 5px }
img { display: block; max-width: 100%; height: auto; border-radius: 6px; background: var(--line) }
.crop img { image-rendering: pixelated }
.bars { display: grid; grid-template-columns: auto 1fr auto; gap: 1px 10px; align-items: center; font-size: 13px; line-height: 20px;
  color: var(--soft); margin-top: 4px }
.bars span:nth-child(3n) { text-align: right; min-width: 4em }
.track { height: 9px; border-radius: 3px; background: color-mix(in srgb, var(--line) 55%, transparent) }
.fill { display: block; height: 100%; border-radius: 3px; background: var(--bar) }
.chosen { color: var(--ink) } .bars .chosen:nth-child(3n) { font-weight: 600 }
.chosen .fill { background: var(--mark) } .clean .chosen .fill { background: var(--good) }
.facts { grid-column: span 2; display: grid; grid: auto-flow / 1fr 1fr; gap: 5px 20px; align-content: start; font-size: 14px }
.facts div { display: flex; gap: 12px } .facts dt { flex: none; width: 4.5em; line-height: 21px }
.facts dd { overflow-wrap: anywhere }
@media (max-width: 1100px) {
  .row { grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)) } .judged, .facts { grid-area: auto }
}
@media (max-width: 600px) { .facts { grid-template-columns: 1fr } section { padding: 14px } h1 { font-size: 1.5rem } }
svg { display: block; width: 100%; max-width: 300px; height: auto; font: 11px system-ui, sans-serif; fill: var(--soft) }
.hill { fill: var(--bar); stroke: var(--soft); stroke-width: .8 }
.axis { stroke: var(--line); fill: none } .mid { text-anchor: middle } .end { text-anchor: end }
.slider { position: relative; overflow: hidden; border-radius: 10px; --at: 50%; max-width: 100%; line-height: 0 }
.slider img { width: 100%; border-radius: 0 }
.slider .after { position: absolute; inset: 0; clip-path: inset(0 0 0 var(--at)) }
.slider:has(input)::after { content: ""; position: absolute; inset: 0 auto 0 var(--at);
  border-left: 2px solid #fff; margin-left: -1px; box-shadow: 0 0 6px #0009; pointer-events: none }
.slider i { position: absolute; left: var(--at); top: 50%; width: 34px; height: 34px; margin: -17px; border-radius: 50%;
  background: #fff; box-shadow: 0 1px 6px #0007; z-index: 1; pointer-events: none }
.slider i::before, .slider i::after { content: ""; position: absolute; top: 11px; border: 6px solid transparent }
.slider i::before { right: 19px; border-right-color: #333 } .slider i::after { left: 19px; border-left-color: #333 }
.slider input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize; z-index: 2 }
.slider:focus-within { outline: 2px solid var(--mark); outline-offset: 2px }
.tag { position: absolute; top: 10px; padding: 3px 9px; border-radius: 99px; background: #000a; color: #fff;
  font-size: 12px; line-height: 18px }
.tag.l { left: 10px } .tag.r { right: 10px }
.where { position: absolute; border: 1.5px solid #fff; outline: 1px solid #0008; border-radius: 2px; pointer-events: none }
"""


def page(story: Story, name: str) -> str:
    """The story of the photo `name` as HTML."""
    heading = escape(words.found(story.record))
    steps = "".join(_step(number, step, story) for number, step in enumerate(story.steps, 1))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(name)}: {heading}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{_start(story, name)}{steps}{_last_look(story)}</main></body></html>\n"
    )


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
