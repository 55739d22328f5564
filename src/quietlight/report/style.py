"""What pages of reports look like: light and dark, on screens large and small; and what begins and ends them."""

from __future__ import annotations

from html import escape

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
.row + figure { margin-top: 20px }
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
.strip { display: grid; grid-template-columns: repeat(5, 1fr); gap: 16px 20px; margin-bottom: 20px }
.kernels { grid-template-columns: repeat(auto-fit, 104px); margin-top: 8px }
.burst { max-width: 560px } .where .tag { top: -4px; left: calc(100% + 4px); background: var(--mark) }
.list { display: grid; gap: 5px; font-size: 14px; margin-bottom: 14px } .list div { display: flex; gap: 12px }
.list dt { flex: none; width: 7em; line-height: 21px } .list dd { overflow-wrap: anywhere }
.short { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)) } .short dt { width: auto }
.hashes dt { width: 16em } .hashes dd, .command dd { font: 13px/21px ui-monospace, Consolas, monospace }
.command dd { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 9px 12px; margin-top: 5px;
  white-space: pre-wrap; overflow-wrap: anywhere; user-select: all }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 20px; margin-top: 24px }
.card { display: flex; flex-direction: column; gap: 4px; padding: 14px; color: inherit; text-decoration: none;
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow-wrap: anywhere }
.card:hover { border-color: var(--mark) }
.card span, .card small { color: var(--soft); font-size: 13px } .pair { display: flex; gap: 4px; margin-bottom: 8px }
.pair img { flex: 1 1 0; min-width: 0; aspect-ratio: 4 / 3; object-fit: cover } .failed { margin: 0; padding-left: 1.2em }
.curve { display: grid; grid-template-columns: minmax(280px, 620px) minmax(240px, 1fr); gap: 16px 40px }
.curve h3 { margin-bottom: 4px }
.plot { max-width: 620px } .dot { fill: var(--mark); opacity: .8 } .line { fill: none; stroke-width: 2; stroke: var(--ink) }
.line.red { stroke: #d1443a } .line.green { stroke: #2f9e4f } .line.blue { stroke: #3f74d1 }
@media (max-width: 760px) { .curve { grid-template-columns: 1fr } .hashes div { display: block } }
@media (max-width: 900px) { .strip { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)) } }
"""


def html(title: str, body: str) -> str:
    """A page of this style that needs nothing else; `body` is HTML."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>\n"
    )
