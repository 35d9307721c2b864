"""Pictures of every page, for ``docs/pages.md`` and for looking at them before calling a page done.

    python -m benchmarks.screenshots [--only NAME] [--whole] [--out FOLDER]

Starts the demonstration by itself, lets some people vote, and writes docs/images/pages/*.png (few colours, below
150 KB each) and docs/pages.md: every page on a phone of 360×780, there in large type, and on a desktop of 1440×900; the
screen at 1920×1080. ``--whole`` takes pages to their end instead of what is seen first; ``--out`` writes pictures
elsewhere, and no page.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launch_options
from tests.browser.pages import Stop, open_stop, standing
from tests.browser.town import DEMO, Town, start_town

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images" / "pages"
MOST_BYTES = 150_000
VOTERS = 120


@dataclass(frozen=True, slots=True)
class Look:
    """A way to look at a page."""

    name: str
    title: str
    width: int
    height: int
    scale: float = 1
    large: bool = False
    dark: bool = False


PHONE = Look("phone", "手机", 360, 780, 1.5)
LARGE = Look("large", "手机，大字版", 360, 780, 1.5, large=True)
DESKTOP = Look("desktop", "电脑", 1440, 900)
SCREEN = Look("screen", "大屏 1920×1080", 1920, 1080)
DARK = Look("dark", "手机，深色", 360, 780, 1.5, dark=True)
#: pages that are shown in dark as well
ALSO_DARK = ("campaign", "leaderboard")


def looks_at(stop: Stop) -> tuple[Look, ...]:
    if stop.is_screen:
        return (SCREEN,)
    if stop.is_desk:
        return (PHONE, DESKTOP)
    return (PHONE, LARGE, DESKTOP, *((DARK,) if stop.name in ALSO_DARK else ()))


def let_people_vote(town: Town) -> None:
    """Ballots of people with favourites, so that the leaderboard has a shape; the same ones every time."""
    chance = random.Random(7)
    for award in ("centres", "households"):
        codes = [each.code for each in town.candidates(DEMO, award)]
        weights = [chance.paretovariate(1.2) for _ in codes]
        for _ in range(VOTERS):
            chosen = set(chance.choices(codes, weights, k=chance.choice((1, 2, 3, 5))))
            answer = town.voter(DEMO).cast(*sorted(chosen))
            assert answer.status_code == 201, answer.text


def take(browser: Browser, town: Town, stop: Stop, look: Look, whole: bool) -> bytes:
    """One picture as PNG."""
    context = browser.new_context(
        base_url=town.url,
        viewport={"width": look.width, "height": look.height},
        device_scale_factor=look.scale,
        color_scheme="dark" if look.dark else "light",
        reduced_motion="reduce",
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    try:
        page = context.new_page()
        open_stop(page, town, stop, large=look.large)
        page.wait_for_load_state("load" if stop.is_screen else "networkidle")
        page.wait_for_timeout(1500 if stop.is_screen else 200)
        if whole:
            # Pictures that load when they are scrolled to are scrolled to.
            page.evaluate("() => document.querySelectorAll('img').forEach((img) => { img.loading = 'eager'; })")
            page.wait_for_timeout(500)
        return page.screenshot(full_page=whole and not stop.is_screen)
    finally:
        context.close()


def with_few_colours(png: bytes) -> bytes:
    """As many colours as fit into 150 KB, 128 at most; text and flat grounds need no more."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    packed = png
    for colours in (128, 64, 32):
        out = io.BytesIO()
        image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        packed = out.getvalue()
        if len(packed) < MOST_BYTES:
            return packed
    raise SystemExit(f"a picture of {image.width}×{image.height} takes {len(packed):,} bytes even with few colours")


def page_of(stops: list[Stop]) -> str:
    """docs/pages.md: every page with its pictures side by side."""
    lines = [
        "# 页面一览",
        "",
        "Every page as it looks with the demonstration's data. Made by `python -m benchmarks.screenshots`;",
        "do not edit by hand.",
    ]
    for stop in stops:
        looks = looks_at(stop)
        lines += ["", f"## {stop.title}", "", f"`{stop.rule}`", ""]
        lines += ["| " + " | ".join(look.title for look in looks) + " |", "|" + "---|" * len(looks)]
        pictures = [f"![{stop.title}，{look.title}](images/pages/{stop.name}-{look.name}.png)" for look in looks]
        lines += ["| " + " | ".join(pictures) + " |"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Take the pictures and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.screenshots",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", help="one page, by its name in tests/browser/pages.py")
    parser.add_argument("--whole", action="store_true", help="pages to their end")
    parser.add_argument("--out", type=Path, default=IMAGES)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, start_town(Path(folder)) as town, sync_playwright() as playwright:
        let_people_vote(town)
        browser = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        stops = standing(town)
        for stop in stops:
            if options.only in (None, stop.name):
                for look in looks_at(stop):
                    picture = take(browser, town, stop, look, options.whole)
                    path = options.out / f"{stop.name}-{look.name}.png"
                    path.write_bytes(picture if options.whole else with_few_colours(picture))
                    print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)
        browser.close()
    if options.only is None and options.out == IMAGES:
        (ROOT / "docs" / "pages.md").write_text(page_of(stops), encoding="utf-8")


if __name__ == "__main__":
    main()
