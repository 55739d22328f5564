"""Parts of which pages are made: sliders, figures, lists of facts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from quietlight.report.pictures import Picture, jpeg_in_base64, png_in_base64
from quietlight.report.view import View


def detail(view: View) -> str:
    """The crop before and after, with a line to drag between them."""
    before, after = (f"data:image/png;base64,{png_in_base64(crop)}" for crop in view.crops)
    return (
        f'<figure class="crop" style="flex:0 1 {2 * view.zoom * view.place[3]}px">{_slider(before, after)}'
        f"<figcaption>A detail at {200 * view.zoom}%</figcaption></figure>"
    )


def whole(view: View) -> str:
    """The whole photo before and after, where the crop is not all of it already."""
    if view.all_in_crops:
        return ""
    before, after = (f"data:image/jpeg;base64,{jpeg_in_base64(picture)}" for picture in view.whole)
    (top, left, height, width), (rows, columns) = view.place, view.size
    shares = {"top": top / rows, "left": left / columns, "height": height / rows, "width": width / columns}
    box = "".join(f"{side}:{100 * share:.2f}%;" for side, share in shares.items())
    frame = f'<span class="where" style="{box}"></span>'
    return (
        f'<figure style="max-width:{view.whole[0].shape[1]}px">{_slider(before, after, frame)}'
        "<figcaption>The whole photo; the frame is the detail above.</figcaption></figure>"
    )


def figure(picture: Picture, caption: str, view: View) -> str:
    """A crop above its caption."""
    height, width = (n * view.zoom for n in picture.shape[:2])
    return (
        f'<figure class="crop"><img width="{width}" height="{height}" alt="{caption}" '
        f'src="data:image/png;base64,{png_in_base64(picture)}"><figcaption>{caption}</figcaption></figure>'
    )


def facts(pairs: Iterable[tuple[str, str]], kind: str = "facts") -> str:
    """Names and values as a list; what has no value is left out."""
    lines = (f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in pairs if value)
    return f'<dl class="{kind}">{"".join(lines)}</dl>'


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
