"""What citizens see when they cannot vote: not open yet, paused, closed, published, figures hidden; and errors."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Phone
from tests.browser.town import PAUSED_BECAUSE, Town
from tests.browser.walks import choose, enter, review, sending
from tests.world import rules_text
from voting.services import campaigns

SAYS = {
    "upcoming": "开始",
    "paused": PAUSED_BECAUSE,
    "closed": "初步结果正在公示",
    "published": "结果已经公布",
}


@pytest.mark.parametrize("slug", SAYS)
def test_who_cannot_vote_is_told_why_and_offered_no_button(phone: Phone, slug: str) -> None:
    page = phone()
    enter(page, slug)
    expect(page.locator("main .notice").first).to_contain_text(SAYS[slug])
    expect(page.locator("input[type=checkbox]")).to_have_count(0)
    expect(page.get_by_role("button", name="去投票")).to_have_count(0)
    page.locator(".card a").first.click()
    expect(page.locator("[data-add]")).to_have_count(0)


def test_a_ballot_from_an_old_page_is_refused_in_words(phone: Phone, town: Town) -> None:
    """Paused between choosing and sending: the refusal says so, keeps the choice, and counts nothing."""
    world = town.put("interrupted", rules_text())
    page = phone()
    enter(page, "interrupted")
    choose(page, 1)
    review(page)
    world.do(campaigns.pause_campaign, "interrupted", PAUSED_BECAUSE)
    sending(page).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("暂停")
    expect(page.locator("main")).to_contain_text("您选好的 1 个候选对象还在")
    assert town.votes("interrupted") == {}
    world.do(campaigns.resume_campaign, "interrupted")


def test_a_closed_campaign_shows_its_result(phone: Phone) -> None:
    page = phone()
    page.goto("/c/closed/leaderboard")
    expect(page.locator(".place").first).to_contain_text("3")
    expect(page.locator("main")).to_contain_text("依据逐张选票重新清点的结果")


def test_hidden_figures_are_nowhere_in_the_source(phone: Phone) -> None:
    page = phone()
    for path in ("", "/leaderboard", "/candidates/1"):
        page.goto(f"/c/hidden{path}")
        expect(page.locator(".card-votes, .place-votes, .measure")).to_have_count(0)


@pytest.mark.parametrize("path", ["/c/nowhere", "/c/paused/candidates/999", "/receipts/0000000000000000", "/nothing"])
def test_what_is_not_there_is_said_with_a_way_on(phone: Phone, path: str) -> None:
    page = phone()
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.locator("main a.button-main").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
