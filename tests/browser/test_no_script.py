"""Script is off: everything a citizen needs still works, as plain pages and forms."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Phone
from tests.browser.town import DEMO, Town
from tests.browser.walks import card, choose, enter, numbers, receipt_of, review, send


def test_the_whole_way_without_script(phone: Phone, town: Town) -> None:
    page = phone(java_script_enabled=False)
    before = town.votes(DEMO)
    page.goto("/")
    page.get_by_role("link", name="阳江市十佳村(社区)党群服务中心").click()
    choose(page, 24, 25)
    card(page, 26).get_by_role("button", name="详细介绍").click()
    page.get_by_role("button", name="选 TA，加入我的选票").click()
    expect(page.get_by_text("已加入您的选票。")).to_be_visible()
    page.get_by_role("button", name="继续看其他候选对象").click()
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(3)
    page.locator(".tab").nth(1).click()
    household = numbers(page)[0]
    choose(page, household)
    review(page)
    expect(page.locator(".chosen li")).to_have_count(4)
    dropped = page.locator(".chosen li").filter(has=page.locator(".number", has_text=re.compile(r"(^|\s)24$")))
    dropped.get_by_role("button", name="去掉").click()
    expect(page.locator(".chosen li")).to_have_count(3)
    code = send(page)
    after = town.votes(DEMO)
    gained = {n: after[n] - before.get(n, 0) for n in after if after[n] != before.get(n, 0)}
    assert gained == dict.fromkeys((25, 26, household), 1)

    page.get_by_role("link", name="查看排行榜").click()
    expect(page.locator(".place").first).to_be_visible()
    page.get_by_role("link", name="查询回执").click()
    page.get_by_label("回执号").fill(code)
    page.get_by_role("button", name="查询").click()
    assert receipt_of(page) == code


def test_a_refusal_offers_the_way_on_without_script(phone: Phone) -> None:
    page = phone(java_script_enabled=False)
    enter(page)
    review(page)
    expect(page.locator("main")).to_contain_text("还没有选择候选对象")
    page.get_by_role("button", name="去选择").click()
    expect(page.locator(".card").first).to_be_visible()
