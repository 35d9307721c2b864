"""A citizen votes: the whole way, a full slate, a double tap, a dropped answer, the day's votes spent."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import CDPSession, Page, Request, expect

from tests.browser.conftest import Phone
from tests.browser.town import DEMO, Town
from tests.browser.walks import choose, enter, numbers, receipt_of, review, send, sending, vote


def test_a_new_citizen_votes_sees_it_counted_and_finds_it_again(phone: Phone, town: Town) -> None:
    page = phone()
    before = town.votes(DEMO)
    page.goto("/")
    page.get_by_role("link", name="阳江市十佳村(社区)党群服务中心").click()
    choose(page, 3, 5)
    expect(page.locator("[data-count]")).to_contain_text("已选 2/10")
    review(page)
    expect(page.locator(".chosen li")).to_have_count(2)
    code = send(page)
    expect(page.locator(".chosen li")).to_have_count(2)
    expect(page.locator("body")).to_contain_text("还剩 8")

    after = town.votes(DEMO)
    assert {n: after[n] - before.get(n, 0) for n in after if after[n] != before.get(n, 0)} == {3: 1, 5: 1}
    page.get_by_role("link", name="查看排行榜").click()
    board = page.locator("#rows")
    row = board.locator("li.place").filter(has=page.locator('a[href$="/candidates/3"]'))
    expect(row.locator(".place-votes")).to_contain_text(str(after[3]), timeout=10_000)  # the page asks again after 5 s

    page.get_by_role("link", name="查询回执").click()
    page.get_by_label("回执号").fill(f"{code[:4]} {code[4:8]}-{code[8:].lower()}")
    page.get_by_role("button", name="查询").click()
    assert receipt_of(page) == code
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("已入账")
    expect(page.locator("[data-chosen]")).to_have_count(0)
    enter(page)
    expect(page.locator("input[name=choice]:checked")).to_have_count(0)


def test_a_receipt_is_shown_to_nobody_else(phone: Phone, town: Town) -> None:
    code = vote(phone(), 4)
    stranger = phone()
    answer = stranger.goto(f"/receipts/{code}")
    assert answer is not None
    assert answer.status == 404
    expect(stranger.locator("body")).not_to_contain_text("投票成功")


def test_a_slate_of_ten_and_not_one_more(phone: Phone, town: Town) -> None:
    page = phone()
    enter(page)
    choose(page, *range(11, 22))
    expect(page.locator("[data-note]")).to_contain_text("多选了 1 个")
    review(page)
    expect(sending(page)).to_have_count(0)
    page.locator(".chosen li").filter(has_text="21").get_by_role("button", name=re.compile("去掉")).click()
    expect(page.locator(".chosen li")).to_have_count(10)
    send(page)
    expect(page.locator(".chosen li")).to_have_count(10)
    expect(page.locator("body")).to_contain_text("还剩 0")


def test_a_slate_over_both_awards(phone: Phone, town: Town) -> None:
    page = phone()
    enter(page)
    choose(page, 1, 2)
    page.locator(".tab").nth(1).click()
    page.wait_for_url(re.compile("award=households"))
    choose(page, *numbers(page)[:3])
    expect(page.locator("[data-tab=centres]")).to_have_text("2")
    expect(page.locator("[data-tab=households]")).to_have_text("3")
    review(page)
    send(page)
    expect(page.locator(".chosen li")).to_have_count(5)


def ballots_of(page: Page) -> list[Request]:
    """The ballots that this page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    return sent


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_double_tap_counts_once(phone: Phone, town: Town, script: bool) -> None:
    page = phone(java_script_enabled=script)
    number = 22 if script else 23
    before = town.votes(DEMO).get(number, 0)
    enter(page)
    choose(page, number)
    review(page)
    sent = ballots_of(page)
    sending(page).dblclick()
    receipt_of(page)
    assert len({request.post_data for request in sent}) == 1, "whatever was sent was one and the same ballot"
    if script:
        assert len(sent) == 1, "the second tap is caught before it is sent"
    assert town.votes(DEMO)[number] == before + 1


class LostAnswers:
    """Between the server and this page the answers to ballots get lost: the server has counted, nobody heard of it."""

    def __init__(self, page: Page, count: int = 1) -> None:
        self._left, self.lost = count, 0
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.on("Fetch.requestPaused", self._paused)
        # Playwright's own routes switch the browser's cache off, and going back must find the same page again.
        self._session.send("Fetch.enable", {"patterns": [{"urlPattern": "*/ballots", "requestStage": "Response"}]})

    def _paused(self, event: dict[str, str]) -> None:
        request = {"requestId": event["requestId"]}
        if self.lost < self._left:
            self.lost += 1
            self._session.send("Fetch.failRequest", request | {"errorReason": "ConnectionReset"})
        else:
            self._session.send("Fetch.continueRequest", request)


@pytest.mark.parametrize("again", ["step back", "reload"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_dropped_answer_is_asked_for_again_and_counts_once(
    phone: Phone, town: Town, again: str, script: bool
) -> None:
    page = phone(java_script_enabled=script)
    number = 31 + 2 * script + (again == "reload")
    before = town.votes(DEMO).get(number, 0)
    enter(page)
    choose(page, number)
    review(page)
    sent, lost = ballots_of(page), LostAnswers(page)
    sending(page).click(no_wait_after=True)
    for _ in range(200):
        if page.url.startswith("chrome-error"):
            break
        page.wait_for_timeout(50)
    assert lost.lost == 1, "the browser shows its own page of a lost connection"
    assert town.votes(DEMO)[number] == before + 1, "the server had counted it"
    if again == "step back":
        page.go_back()
        sending(page).click()
    else:
        page.reload()
    receipt_of(page)
    assert len(sent) == 2
    assert sent[0].post_data == sent[1].post_data, "the same ballot, not a second one"
    assert town.votes(DEMO)[number] == before + 1


def test_the_votes_of_the_day_are_spent(phone: Phone, town: Town) -> None:
    page = phone()
    vote(page, *range(1, 11))
    before = town.votes(DEMO)
    enter(page)
    expect(page.locator("[data-count]")).to_contain_text("今天还可投 0 票")
    choose(page, 12)
    review(page)
    if sending(page).count():
        sending(page).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("投完")
    expect(page.locator("main")).to_contain_text(re.compile("明天|0:00|今天"))
    time.sleep(0.2)
    assert town.votes(DEMO) == before
