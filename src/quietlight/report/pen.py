"""What draws pages of reports with Pillow alone: text, pictures under captions, lines of a page's width, and their colours."""

from __future__ import annotations

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from quietlight.report.pictures import Picture

INK, SOFT, LINE, BAR, MARK, GOOD, TRACK = "#1a1d21", "#69727d", "#e2e5e9", "#c3d3e2", "#c2410c", "#15803d", "#f0f2f4"
WIDTH, EDGE = 1200, 28
_TEXT = 15


def wrapped(text: str, size: int) -> list[str]:
    """Lines as long as the page is wide."""
    font, lines = ImageFont.load_default(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) < WIDTH - 2 * EDGE:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class Pen:
    """Draws on a page; the font is Pillow's own, which has no letters but ASCII and a few signs."""

    def __init__(self, page: Pillow.Image) -> None:
        self.page = page
        self.draw = ImageDraw.Draw(page)

    def text(
        self,
        left: float,
        top: float,
        text: str,
        fill: str = INK,
        size: int = _TEXT,
        bold: bool = False,
        end: bool = False,
    ) -> float:
        """Write from `left` on (or up to it, where `end`); where the text ends."""
        font = ImageFont.load_default(size)
        width = self.draw.textlength(text, font)
        start = left - width if end else left
        self.draw.text((start, top), text, fill, font, stroke_width=size / 60 if bold else 0, stroke_fill=fill)
        return start + width

    def picture(self, left: int, top: int, picture: Picture, zoom: int, caption: str) -> None:
        """Put a picture, every pixel `zoom` times, above its caption."""
        image = Pillow.fromarray(picture)
        image = image.resize((image.width * zoom, image.height * zoom), Pillow.Resampling.NEAREST)
        self.page.paste(image, (left, top))
        self.text(left, top + image.height + 4, caption, SOFT, 13)

    def number(self, left: int, top: int, text: str, fill: str) -> None:
        """A number in a disc."""
        disc = Pillow.new("L", (112, 112))
        ImageDraw.Draw(disc).ellipse((0, 0, 111, 111), 255)
        self.page.paste(
            fill, (left, top), disc.resize((28, 28), Pillow.Resampling.BOX)
        )  # smooth, which Pillow's own is not
        self.draw.text((left + 14, top + 14), text, "white", ImageFont.load_default(16), anchor="mm")
