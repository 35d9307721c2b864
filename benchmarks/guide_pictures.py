"""The pictures of the organizers' guide, ``docs/organizers.zh-CN.md``: ``python -m benchmarks.guide_pictures``.

Plays the walk of ``tests/browser/test_desk_walk.py`` on a system with nothing in it and looks over the shoulder of the
people at the desk. What is about to be pressed has a blue frame. Writes those of docs/images/guide/*.png that the
guide shows; takes two minutes.
"""

from __future__ import annotations

import argparse
import io
import itertools
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.browser import test_desk_walk as walk
from tests.browser.chromium import launch_options
from tests.browser.conftest import PATIENCE_MS, PHONE
from tests.browser.town import Town, system
from voting.services.demonstration import AREAS_FILE

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "images" / "guide"
COMPUTER = {"width": 1200, "height": 800}
#: a page longer than this is shown from its top
LONGEST = 1300
MARGIN = 28
MOST_BYTES = 150_000
FRAME = "el => { el.style.outline = '4px solid #0a66d6'; el.style.outlineOffset = '4px'; }"
NO_FRAME = "el => { el.style.outline = ''; el.style.outlineOffset = ''; }"


def shown() -> set[str]:
    """The pictures that the guide shows."""
    return set(re.findall(r"images/guide/([\w-]+)\.png", (DOCS / "organizers.zh-CN.md").read_text("utf-8")))


class Camera:
    """Takes the first picture of every name that is wanted."""

    def __init__(self, folder: Path, wanted: set[str]) -> None:
        self.folder, self.wanted = folder, wanted
        self.taken: dict[str, int] = {}

    def __call__(self, page: Page, name: str, pressed: Locator | None = None) -> None:
        if name in self.taken or name not in self.wanted:
            return
        if pressed is not None:
            pressed.evaluate(FRAME)
        page.wait_for_load_state("load")
        page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
        page.wait_for_timeout(300)
        clip = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": self._height(page, pressed)}
        picture = page.screenshot(full_page=True, clip=clip)
        if pressed is not None:
            pressed.evaluate(NO_FRAME)
        packed = small(picture)
        (self.folder / f"{name}.png").write_bytes(packed)
        self.taken[name] = len(packed)
        print(f"{name}.png: {len(packed):,} bytes", flush=True)

    @staticmethod
    def _height(page: Page, pressed: Locator | None) -> float:
        """As much of the page as there is something on, and what is pressed."""
        whole = page.evaluate("() => document.querySelector('main').getBoundingClientRect().bottom + window.scrollY")
        if page.viewport_size == PHONE:
            return PHONE["height"]
        box = pressed.bounding_box() if pressed is not None else None
        below = box["y"] + box["height"] + MARGIN if box else 0
        return min(whole + MARGIN, max(LONGEST, below)) if below < LONGEST * 1.3 else min(whole, LONGEST)


def small(png: bytes) -> bytes:
    """In as many colours as fit; text and flat grounds need few."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (96, 48, 24):
        out = io.BytesIO()
        image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if len(out.getvalue()) < MOST_BYTES:
            break
    return out.getvalue()


def phones(browser: Browser, town: Town) -> Callable[..., Page]:
    """Browsers of people, each with an address of its own."""
    numbers = itertools.count(1)

    def new(**options: Any) -> Page:
        at_desk = "viewport" in options
        context = browser.new_context(
            **(options | {"viewport": COMPUTER if at_desk else PHONE}),
            base_url=town.url,
            device_scale_factor=1 if at_desk else 1.5,
            reduced_motion="reduce",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            extra_http_headers={"X-Forwarded-For": f"2001:db8:{next(numbers):x}::1"},
        )
        context.set_default_timeout(PATIENCE_MS)
        return context.new_page()

    return new


def play(browser: Browser, town: Town, camera: Camera, folder: Path) -> None:
    """From the first account to the exports."""
    phone = phones(browser, town)
    chen, lin = walk.let_two_organizers_in(phone, town, camera)
    walk.prepare(chen)
    drawn = walk.bring_candidates(chen, folder)
    chen.to_candidates()
    camera(chen.page, "candidates")
    chen.to_campaign()
    camera(chen.page, "ready")
    walk.open_for_voting(chen)
    citizen = phone()
    walk.choose_by_number(citizen, (1, 2, 3))
    citizen.goto(f"/c/{walk.SLUG}")
    camera(citizen, "citizen-open")
    for numbers in walk.BEFORE_THE_PAUSE:
        walk.cast(phone, numbers)
    walk.see_on_the_watch(chen, walk.BEFORE_THE_PAUSE)
    walk.hold_votes_up(chen, phone)
    for numbers in walk.AFTER_THE_PAUSE:
        walk.cast(phone, numbers)
    walk.count_twice(chen, lin)
    walk.publish(chen, lin, phone)
    citizen = phone()
    walk.read_the_public_result(citizen, drawn)
    camera(citizen, "citizen-result")
    walk.check_every_export(chen, drawn, folder)
    chen.page.goto(f"/organizer/trail?campaign={walk.SLUG}")
    camera(chen.page, "trail")


def main() -> None:
    """Play it and take the pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.guide_pictures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    camera = Camera(options.out, shown())
    with tempfile.TemporaryDirectory() as name, system(Path(name)) as town, sync_playwright() as playwright:
        areas = town.server.run("campaign", "import-areas", str(AREAS_FILE))
        assert areas.returncode == 0, areas.stderr
        with town.server:
            browser = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
            play(browser, town, camera, Path(name))
            browser.close()
    missing = camera.wanted - camera.taken.keys()
    assert not missing, f"the walk does not come by {sorted(missing)}"
    print(f"{len(camera.taken)} pictures, {sum(camera.taken.values()):,} bytes")


if __name__ == "__main__":
    main()
