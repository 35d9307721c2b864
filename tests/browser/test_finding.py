"""Finding a candidate: by number, by name, by area; the selection rides along, survives a reload, and the language."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Phone
from tests.browser.town import DEMO, Town
from tests.browser.walks import card, choose, enter, review


def find(page: Page, words: str) -> None:
    page.locator("#q").fill(words)
    page.locator("#q").press("Enter")
    page.wait_for_url(re.compile("[?&]q="))


@pytest.mark.parametrize("words", ["3", "03", "3号"])
def test_a_number_finds_its_candidate(phone: Phone, words: str) -> None:
    page = phone()
    enter(page)
    find(page, words)
    expect(card(page, 3)).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_search_and_filter_keep_the_selection(phone: Phone, town: Town, script: bool) -> None:
    """Chosen, then not on the page any more, and still on the ballot."""
    page = phone(java_script_enabled=script)
    wanted = next(each for each in town.candidates(DEMO, "centres") if "对岸村" in each.name)
    enter(page)
    others = [each.number for each in town.candidates(DEMO, "centres") if each.number != wanted.number][:2]
    choose(page, *others)
    find(page, "对岸村")
    expect(page.locator(".card")).to_have_count(1)
    choose(page, wanted.number)
    if script:
        expect(page.locator("[data-chosen]")).to_have_text("3")
    page.locator("#q").fill("")
    county = page.locator("#area option").nth(1)
    page.locator("#area").select_option(county.get_attribute("value"))
    page.locator("#q").press("Enter")
    page.wait_for_url(re.compile(r"area=\d+"))
    assert 0 < page.locator(".card").count() < 40
    page.get_by_role("button", name="查看全部").click()
    expect(page.locator(".card")).to_have_count(40)
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(3)
    review(page)
    expect(page.locator(".chosen li")).to_have_count(3)


def test_nothing_found_says_what_to_try(phone: Phone) -> None:
    page = phone()
    enter(page)
    find(page, "没有这个名字")
    expect(page.locator(".empty")).to_contain_text("没有找到")
    find(page, "101")
    page.get_by_role("button", name="「百佳党员中心户」中有 1 个").click()
    expect(card(page, 101)).to_be_visible()


def test_the_selection_survives_a_reload_and_another_page(phone: Phone) -> None:
    page = phone()
    enter(page)
    choose(page, 6, 7)
    page.reload()
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(2)
    page.get_by_role("link", name="规则").first.click()
    expect(page.get_by_role("heading", name="投票规则")).to_be_visible()
    page.get_by_role("link", name="首页").click()
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(2)
    card(page, 8).get_by_role("button", name="详细介绍").click()
    page.get_by_role("button", name="选 TA，加入我的选票").click()
    expect(page.locator("[data-added]")).to_be_visible()
    page.get_by_role("button", name="继续看其他候选对象").click()
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(3)


def test_the_language_is_switched_and_remembered(phone: Phone) -> None:
    page = phone()
    enter(page)
    choose(page, 9)
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(1)
    page.goto(f"/c/{DEMO}/rules")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="投票规则")).to_be_visible()


def test_an_english_phone_gets_english(phone: Phone) -> None:
    page = phone(locale="en-GB")
    enter(page)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="Choose").or_(page.get_by_text("Choose")).first).to_be_visible()
