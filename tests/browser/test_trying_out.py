"""Signing in as somebody meets it who tries the system out: codes in the log, mistakes on the way, made-up call-backs.

The providers of production, against peers that speak their protocols, are in ``test_identity.py``.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Phone
from tests.browser.town import Town
from tests.browser.walks import choose, enter, review, send, sending


def begin(page: Page, slug: str, *numbers: int) -> None:
    """As far as the review page."""
    enter(page, slug)
    choose(page, *numbers)
    review(page)


def last_code(town: Town) -> str:
    """The code that the console provider wrote down last."""
    codes = re.findall(r"\bcode\W+(\d{6})\b", town.log())
    assert codes, "the console provider writes codes to the log"
    return str(codes[-1])


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_code_for_the_mobile_number(phone: Phone, town: Town, script: bool) -> None:
    page = phone(java_script_enabled=script)
    number = "13800138001" if script else "138 0013 8002"
    candidate = 1 if script else 2
    begin(page, "by-sms", candidate)
    expect(sending(page)).to_have_count(0)
    page.get_by_role("link", name="用手机短信确认身份").click()
    page.get_by_label("手机号").fill("12345")
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_role("alert")).to_contain_text("这个手机号收不到验证码")
    page.get_by_label("手机号").fill(number)
    page.get_by_role("button", name="获取短信验证码").click()
    right = last_code(town)
    page.get_by_label("6 位验证码").fill("000000" if right != "000000" else "111111")
    page.get_by_role("button", name="确认，继续投票").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不对")
    page.get_by_label("6 位验证码").fill(right)
    page.get_by_role("button", name="确认，继续投票").click()
    expect(page.locator(".chosen li")).to_have_count(1)
    send(page)
    assert town.votes("by-sms")[candidate] == 1


def test_a_made_up_call_back_signs_nobody_in(phone: Phone) -> None:
    page = phone()
    page.goto("/sign-in/oidc/callback?code=stolen&state=made-up")
    expect(page.get_by_role("heading", level=1)).to_contain_text("没有完成")
    begin(page, "by-oidc", 3)
    expect(sending(page)).to_have_count(0)
