"""What the citizen home costs on a phone, with 40 candidates and photos; ``benchmarks/page_weight.py`` has every page.

Bytes and requests only: nothing timed lives in tests.
"""

from __future__ import annotations

from playwright.sync_api import Browser

from benchmarks.page_weight import HOME, MOST_BYTES, MOST_REQUESTS, MOST_SCRIPT, measure, with_photos
from tests.browser.pages import STOPS
from tests.browser.town import Town


def test_the_first_screen_is_light(browser: Browser, town: Town) -> None:
    with_photos(town)
    weight = measure(browser, town, next(stop for stop in STOPS if stop.name == HOME))
    assert 10_000 < weight.transferred <= MOST_BYTES
    assert 10 < weight.requests <= MOST_REQUESTS, "the photos in sight, and not all of them"
    assert 0 < weight.script <= MOST_SCRIPT
