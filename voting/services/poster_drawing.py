"""How a poster looks. Pure drawing: words and a picture file in, PNG bytes out; nothing is looked up here.

The typeface is Noto Serif SC, which comes with the front-end packages (``voting/assets.py``) and holds rare characters
such as 喆 垚 犇 彧 镕; the machine's own fonts have no say, so that a poster looks the same everywhere.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import segno
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from voting.services.posters import PosterWords

#: raised when the drawing changes: kept posters are then drawn anew
DESIGN = 1
FONTS = Path(__file__).resolve().parent.parent / "fonts"
WIDTH, HEIGHT, EDGE = 750, 1334, 48
RED, DEEP, GOLD, PAPER, INK, SOFT, CREAM = "#a81c17", "#7d1310", "#c8993c", "#faf5ec", "#2b211b", "#66574b", "#fff6e3"
TINTS = ("#f4e3cd", "#e3e9da", "#dfe7ea", "#f2dfd6")


class FontsMissing(RuntimeError):
    """The typeface of the posters is not installed."""


@lru_cache(maxsize=32)
def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    path = FONTS / f"NotoSerifSC_{weight}.ttf"
    if not path.is_file():
        raise FontsMissing(f"{path} is missing: build the front-end assets first (python3 run.py does it)")
    return ImageFont.truetype(path, size)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int, lines: int) -> list[str]:
    """A text cut into lines that fit; what does not fit ends in an ellipsis. Latin words are not broken."""
    found: list[str] = []
    line, rest = "", text.strip()
    while rest:
        space = rest.find(" ", 1)
        word = rest[0] if not rest[0].isascii() or not rest[0].isalnum() else rest[: space + 1 or len(rest)]
        if len(word) > 1 and font.getlength(word) > width:
            word = word[0]
        if line and font.getlength(line + word.rstrip()) > width:
            if len(found) == lines - 1:
                while line and font.getlength(f"{line}…") > width:
                    line = line[:-1]
                return [*found, f"{line.rstrip()}…"]
            found.append(line.rstrip())
            line = ""
        line += word if line or word.strip() else ""
        rest = rest[len(word) :]
    return [*found, line] if line else found


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    lines: list[str],
    font: ImageFont.FreeTypeFont,
    fill: str,
    middle: bool,
) -> int:
    """Lines of text from a point downwards; returns where the next thing may begin."""
    x, y = at
    step = round(font.size * 1.4)
    for line in lines:
        draw.text((x, y), line, font=font, fill=fill, anchor="ma" if middle else "la")
        y += step
    return y


def draw_poster(words: PosterWords, photo: Path | None, household: bool, tint: int) -> bytes:
    """The poster as PNG."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    inner = WIDTH - 2 * EDGE
    draw.rectangle((0, 0, WIDTH, 240), fill=DEEP)
    draw.rectangle((0, 240, WIDTH, 245), fill=GOLD)
    title = _font("700Bold", 38)
    y = _write(draw, (WIDTH // 2, 40), _wrap(words.title, title, inner, 2), title, CREAM, True)
    award = _font("400Regular", 27)
    _write(draw, (WIDTH // 2, y + 8), _wrap(words.award, award, inner, 1), award, "#e9c46f", True)

    high = inner * 10 // 16
    frame = (EDGE, 280, EDGE + inner, 280 + high)
    _place_photo(sheet, frame, photo, household, tint)
    draw.rectangle((frame[0] - 3, frame[1] - 3, frame[2] + 2, frame[3] + 2), outline=GOLD, width=3)
    number = _font("700Bold", 54)
    wide = max(100, round(number.getlength(words.number)) + 48)
    draw.rectangle((frame[0], frame[1], frame[0] + wide, frame[1] + 84), fill=RED)
    draw.text((frame[0] + wide // 2, frame[1] + 42), words.number, font=number, fill=CREAM, anchor="mm")

    name = _font("700Bold", 56 if len(words.name) <= 11 else 44)
    y = _write(draw, (EDGE, frame[3] + 28), _wrap(words.name, name, inner, 2), name, INK, False)
    area = _font("400Regular", 28)
    y = _write(draw, (EDGE, y + 2), _wrap(words.area, area, inner, 1), area, SOFT, False)
    slogan = _font("400Regular", 31)
    foot = HEIGHT - 300
    fits = max(0, (foot - 24 - (y + 14)) // round(31 * 1.4))
    _write(draw, (EDGE, y + 14), _wrap(words.slogan, slogan, inner, min(3, fits)) if fits else [], slogan, INK, False)

    draw.line((EDGE, foot, WIDTH - EDGE, foot), fill=GOLD, width=2)
    code = _qr(words.address, 220)
    sheet.paste(code, (WIDTH - EDGE - code.width, foot + 24))
    beside = inner - code.width - 32
    big, small = _font("700Bold", 31), _font("400Regular", 24)
    y = _write(draw, (EDGE, foot + 36), _wrap(words.invitation, big, beside, 2), big, RED, False)
    y = _write(draw, (EDGE, y + 10), _wrap(words.organizer, small, beside, 2), small, SOFT, False)
    if words.notice:
        _write(draw, (EDGE, y + 4), _wrap(words.notice, small, beside, 2), small, "#7c4a00", False)
    out = io.BytesIO()
    # 128 colours are a third of the bytes; a phone on a weak network saves it three times as fast.
    sheet.quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
    return out.getvalue()


def _qr(address: str, most: int) -> Image.Image:
    """A QR code on white that a phone reads from a screen and from paper, in whole pixels per module."""
    made = segno.make(address, error="m", micro=False)
    scale = max(2, most // made.symbol_size(border=3)[0])
    out = io.BytesIO()
    made.save(out, kind="png", scale=scale, border=3, dark=INK, light="#ffffff")
    return Image.open(out).convert("RGB")


def _place_photo(
    sheet: Image.Image, frame: tuple[int, int, int, int], photo: Path | None, household: bool, tint: int
) -> None:
    size = (frame[2] - frame[0], frame[3] - frame[1])
    if photo is not None:
        with Image.open(photo) as picture:
            sheet.paste(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS), frame[:2])
        return
    sheet.paste(_drawn(household, tint).resize(size, Image.Resampling.LANCZOS), frame[:2])


def _drawn(household: bool, tint: int) -> Image.Image:
    """The picture that stands in for a photo: a hall or a house between two trees, on a quiet ground."""
    picture = Image.new("RGB", (1280, 800), TINTS[tint % len(TINTS)])
    draw = ImageDraw.Draw(picture)
    draw.ellipse((930, 110, 1090, 270), fill="#e8b75a")
    draw.ellipse((-300, 520, 900, 1200), fill="#9db083")
    draw.ellipse((300, 570, 1700, 1300), fill="#7f976c")
    left, right, roof = (400, 880, 400) if household else (290, 990, 400)
    draw.rectangle((left, roof, right, 700), fill="#f6ead4")
    if household:
        draw.polygon([(left - 70, roof + 20), (640, 180), (right + 70, roof + 20)], fill="#a83a2b")
    else:
        eaves, ridge = (left - 70, right + 70), (left + 40, right - 40)
        corners = [(eaves[0], roof + 20), (ridge[0], roof - 90), (ridge[1], roof - 90), (eaves[1], roof + 20)]
        draw.polygon(corners, fill="#a83a2b")
        draw.polygon([(490, roof - 60), (640, 220), (790, roof - 60)], fill="#8f2a20")
        draw.rectangle((450, roof + 50, 830, roof + 104), fill="#b32a22")
    draw.rectangle((560, 530, 720, 700), fill="#8a5a36")
    draw.line((640, 530, 640, 700), fill="#f6ead4", width=6)
    for x in (left + 30, right - 150):
        draw.rectangle((x, 520, x + 120, 620), fill="#a9c3c6")
        draw.line((x + 60, 520, x + 60, 620), fill="#f6ead4", width=6)
    for x, radius in ((140, 90), (1140, 80)):
        draw.rectangle((x - 10, 500, x + 10, 700), fill="#7a5a3a")
        draw.ellipse((x - radius, 480 - radius, x + radius, 480 + radius), fill="#5c7d4c")
    return picture
