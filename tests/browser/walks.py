"""The steps of a citizen, in the words of the pages: open, choose, review, send, read the receipt."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.town import DEMO

SENT = re.compile(r"/receipts/[0-9A-Z]{16}$")


def enter(page: Page, slug: str = DEMO, query: str = "") -> None:
    """Open a campaign's own page."""
    page.goto(f"/c/{slug}{query}")
    expect(page.locator("main")).to_be_visible()


def card(page: Page, number: int) -> Locator:
    """The card of a candidate by its number."""
    return page.locator(".card").filter(has=page.locator(".number", has_text=re.compile(rf"(^|\s)0*{number}$")))


def choose(page: Page, *numbers: int) -> None:
    """Tap candidates on the page that is open."""
    for number in numbers:
        box = card(page, number).locator("input[type=checkbox]")
        if not box.is_checked():
            card(page, number).locator(".card-mark").click()
        expect(box).to_be_checked()


def numbers(page: Page) -> list[int]:
    """The candidates on the page that is open, in the order of this visitor."""
    return [int(text) for text in page.locator(".card .number").evaluate_all("all => all.map(el => el.lastChild.data)")]


def review(page: Page) -> None:
    page.get_by_role("button", name="去投票").click()
    expect(page.get_by_role("heading", name="确认选票")).to_be_visible()


def sending(page: Page) -> Locator:
    """The button that sends the ballot."""
    return page.locator("form[data-ballot] button")


def send(page: Page) -> str:
    """Send the ballot; the receipt code."""
    sending(page).click()
    return receipt_of(page)


def receipt_of(page: Page) -> str:
    """The code of the receipt that is shown."""
    page.wait_for_url(SENT)
    expect(page.get_by_role("heading", name="投票成功")).to_be_visible()
    code = page.url.rsplit("/", 1)[1]
    assert "".join(page.locator(".code b").inner_text().split()) == code
    return code


def vote(page: Page, *numbers: int, slug: str = DEMO, query: str = "") -> str:
    """All of it at once; the receipt code."""
    enter(page, slug, query)
    choose(page, *numbers)
    review(page)
    return send(page)
