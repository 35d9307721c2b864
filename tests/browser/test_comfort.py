"""What makes it comfortable: large type, my votes, the poster."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Phone
from tests.browser.town import DEMO, Town
from tests.browser.walks import SENT, card, choose, enter, review, send, vote

MINE, POSTER = "/c/<slug>/mine", "/c/<slug>/candidates/<int:number>/poster"


def text_px(page: Page) -> float:
    return float(page.locator("body").evaluate("el => parseFloat(getComputedStyle(el).fontSize)"))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_large_type_is_switched_on_and_stays(phone: Phone, town: Town, script: bool) -> None:
    chosen = town.candidates(DEMO, "centres")[7]
    page = phone(java_script_enabled=script)
    enter(page, query="" if script else f"?choice={chosen.id}")
    if script:
        choose(page, chosen.number)
    small = text_px(page) if script else 0.0
    page.get_by_role("link", name="大字版").click()
    expect(page.locator("html")).to_have_attribute("data-large", "1")
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(1)
    if script:
        sizes = [text_px(page)]
        assert sizes[0] >= 18 > 0
        assert sizes[0] > small
        left = page.locator(".card").evaluate_all("cards => cards.map(card => card.getBoundingClientRect().left)")
        assert len(set(left)) == 1, "one column"
        for level in ("2", "3"):
            page.get_by_role("link", name="字大一点").click()
            expect(page.locator("html")).to_have_attribute("data-large", level)
            sizes.append(text_px(page))
        assert sizes == sorted(sizes)
        assert sizes[-1] >= 30
    # Remembered, on other pages too, and one votes in it as in any other.
    page.goto("/c/upcoming")
    expect(page.locator("html")).to_have_attribute("data-large", re.compile("[123]"))
    enter(page)
    choose(page, 9)
    review(page)
    send(page)
    page.get_by_role("link", name="标准版").click()
    expect(page.locator("html")).not_to_have_attribute("data-large", re.compile("."))


def test_my_votes_shows_what_this_phone_has_cast(phone: Phone, town: Town) -> None:
    page = phone()
    codes = [vote(page, 13, 14), vote(page, 15)]
    page.get_by_role("link", name="我的", exact=True).click()
    expect(page.get_by_role("heading", name="我的投票记录")).to_be_visible()
    expect(page.locator("li.ballot")).to_have_count(2)
    expect(page.locator("li.ballot").filter(has_text=re.compile("已受理|已入账"))).to_have_count(2)
    for code in codes:
        expect(page.locator(f'a[href="/receipts/{code}"]')).to_be_visible()
    page.locator(f'a[href="/receipts/{codes[0]}"]').click()
    page.wait_for_url(SENT)
    stranger = phone()
    stranger.goto(f"/c/{DEMO}/mine")
    expect(stranger.locator("main")).to_contain_text("这部手机上还没有投过票")


def test_whom_one_has_voted_for_is_marked_and_not_offered_again(phone: Phone, town: Town) -> None:
    page = phone()
    vote(page, 16)
    enter(page)
    expect(card(page, 16)).to_contain_text("已投")
    expect(card(page, 16).locator("input[type=checkbox]")).to_have_count(0)


def test_the_poster_is_a_picture_to_keep(phone: Phone, town: Town) -> None:
    page = phone()
    page.goto(f"/c/{DEMO}/candidates/3")
    page.get_by_role("link", name="海报").click()
    picture = page.locator("img.poster")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("img => img.naturalWidth") >= 600
    assert "3" in (picture.get_attribute("alt") or "")
    answer = page.request.get(picture.get_attribute("src") or "")
    assert answer.headers["content-type"] == "image/png"
    assert answer.body()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("path", ["", "/candidates/3"])
def test_a_shared_link_says_what_it_is(phone: Phone, path: str) -> None:
    page = phone()
    page.goto(f"/c/{DEMO}{path}")
    title = page.locator('meta[property="og:title"]').get_attribute("content")
    assert title
    picture = page.locator('meta[property="og:image"]')
    if picture.count():
        source = picture.first.get_attribute("content") or ""
        assert source.startswith("http"), "who shows the card knows no base address"
        assert page.request.get(source).ok
