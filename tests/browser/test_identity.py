"""Every identity in a real browser, against peers that speak the protocols; effort and question; nothing inline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.chromium import require_browser
from tests.browser.walks import choose, enter, review, send, sending
from tests.databases import migrate_to
from tests.peers.gateway import SmsGateway
from tests.peers.issuer import Issuer
from tests.peers.wechat import WeChatPeer
from tests.servers import Server
from tests.world import World, application, rules_text
from voting import assets
from voting.tally import embedded

IN_WECHAT = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/116 Mobile Safari/537.36 MicroMessenger/8.0.49"
SIGNED_IN = re.compile("已用.*确认身份")


@dataclass
class Village:
    """A server that knows every provider, each by a peer of ours."""

    url: str
    account: WeChatPeer
    issuer: Issuer
    gateway: SmsGateway


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    require_browser()
    folder = tmp_path_factory.mktemp("village")
    assets.build()
    database_url = f"sqlite:///{folder / 'village.sqlite3'}"
    migrate_to(database_url)
    with ExitStack() as stack:
        account, issuer, gateway = (stack.enter_context(peer()) for peer in (WeChatPeer, Issuer, SmsGateway))
        config = account.config | issuer.config | gateway.config
        valkey = embedded.start(folder)
        stack.callback(valkey.stop)
        app = stack.enter_context(application(database_url, valkey.url, folder, **config))
        for slug, rules in (
            ("wechat", {"identity": ["wechat"]}),
            ("sms", {"identity": ["sms"]}),
            ("oidc", {"identity": ["oidc"]}),
            ("effort", {"challenge": "always"}),
        ):
            World(app, slug).put(rules_text(**rules))
        server = stack.enter_context(Server(folder, database_url, valkey.url, environment=config))
        yield Village(f"http://127.0.0.1:{server.port}", account, issuer, gateway)


@pytest.fixture
def citizen(browser: Browser, village: Village) -> Iterator[Any]:
    """``citizen()`` is the page of a new browser; what the content policy refused anywhere fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def new(**options: Any) -> Page:
        given = {"base_url": village.url, "viewport": {"width": 360, "height": 780}, "locale": "zh-CN"}
        context = browser.new_context(**(given | options))
        context.set_default_timeout(10_000)
        contexts.append(context)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        return context.new_page()

    yield new
    for context in contexts:
        context.close()
    assert not faults, faults


def to_review(page: Page, slug: str) -> None:
    enter(page, slug)
    choose(page, 1, 2)
    review(page)
    expect(page.locator(".chosen li")).to_have_count(2)


def back_on_review(page: Page) -> None:
    """Signed in, and the selection is still there."""
    expect(page.get_by_text(SIGNED_IN)).to_be_visible()
    expect(page.locator(".chosen li")).to_have_count(2)


class TestSigningIn:
    def test_wechat(self, citizen: Any, village: Village) -> None:
        page = citizen(user_agent=IN_WECHAT)
        to_review(page, "wechat")
        page.get_by_role("link", name="用微信确认身份").click()
        back_on_review(page)
        send(page)

    def test_wechat_elsewhere(self, citizen: Any) -> None:
        page = citizen()
        to_review(page, "wechat")
        page.get_by_role("link", name="用微信确认身份").click()
        expect(page.get_by_role("heading", name="请在微信中打开")).to_be_visible()

    def test_a_snapshot_visitor(self, citizen: Any, village: Village) -> None:
        page = citizen(user_agent=IN_WECHAT)
        to_review(page, "wechat")
        village.account.person = {"openid": "o-preview", "is_snapshotuser": 1}
        page.get_by_role("link", name="用微信确认身份").click()
        expect(page.get_by_text("使用完整服务")).to_be_visible()
        village.account.person = {"openid": "o-real"}
        page.get_by_role("link", name="重新打开确认页").click()
        page.get_by_role("link", name="用微信确认身份").click()
        back_on_review(page)
        send(page)

    def test_a_code_by_message(self, citizen: Any, village: Village) -> None:
        page = citizen()
        to_review(page, "sms")
        page.get_by_role("link", name="用手机短信确认身份").click()
        page.get_by_label("手机号").fill("138 0000 1111")
        page.get_by_role("button", name="获取短信验证码").click()
        expect(page.get_by_text("138****1111")).to_be_visible()
        page.get_by_label("6 位验证码").fill("12")
        page.get_by_role("button", name="确认，继续投票").click()
        expect(page.get_by_role("alert")).to_contain_text("还可以试 4 次")
        page.get_by_label("6 位验证码").fill(village.gateway.messages[-1].code)
        page.get_by_role("button", name="确认，继续投票").click()
        back_on_review(page)
        send(page)

    def test_unified_log_in_and_somebody_else_afterwards(self, citizen: Any, village: Village) -> None:
        page = citizen()
        village.issuer.person = "citizen-a"
        to_review(page, "oidc")
        page.get_by_role("link", name="用统一身份认证登录").click()
        back_on_review(page)
        send(page)
        enter(page, "oidc")
        choose(page, 3)
        review(page)
        expect(page.get_by_text(SIGNED_IN)).to_be_visible()
        page.get_by_role("button", name="换一个人投票").click()
        village.issuer.person = "citizen-b"
        page.get_by_role("link", name="用统一身份认证登录").click()
        expect(page.get_by_text(SIGNED_IN)).to_be_visible()
        expect(page.locator(".chosen li")).to_have_count(1)
        send(page)


class TestEffort:
    def test_it_is_made_while_the_page_is_read(self, citizen: Any) -> None:
        page = citizen()
        to_review(page, "effort")
        expect(page.get_by_text("已自动验证，可以提交了。")).to_be_visible()
        expect(page.get_by_label("请回答一个小问题")).to_be_hidden()
        send(page)

    def test_a_tap_that_comes_too_early_is_kept(self, citizen: Any) -> None:
        page = citizen()

        def slowly(route: Route) -> None:
            page.wait_for_timeout(1500)
            route.continue_()

        page.route("**/challenge", slowly)
        enter(page, "effort")
        choose(page, 1)
        page.get_by_role("button", name="去投票").click()
        expect(page.get_by_text("正在自动验证，请稍候…")).to_be_visible()
        sending(page).click(no_wait_after=True)
        expect(page.get_by_role("heading", name="投票成功")).to_be_visible()

    @pytest.mark.parametrize("broken", ["**/challenge", "**/effort-worker*"])
    def test_where_it_cannot_be_made_the_question_is_asked(self, citizen: Any, broken: str) -> None:
        page = citizen()
        page.route(broken, lambda route: route.abort())
        to_review(page, "effort")
        page.get_by_label("请回答一个小问题").fill(answer_on(page))
        send(page)

    def test_without_script_the_question_is_asked(self, citizen: Any) -> None:
        page = citizen(java_script_enabled=False)
        to_review(page, "effort")
        page.get_by_label("请回答一个小问题").fill("1000")
        sending(page).click()
        expect(page.get_by_role("heading", name="验证没有通过")).to_be_visible()
        page.get_by_label("请回答一个小问题").fill(answer_on(page))
        sending(page).click()
        expect(page.get_by_role("heading", name="投票成功")).to_be_visible()


def answer_on(page: Page) -> str:
    """The answer to the question on the page, as a citizen finds it."""
    asked = page.locator("label[for=answer]").inner_text()
    words = re.search(r"(\S+)([加减])(\S+)等于几|(\d+) 和 (\d+)，哪个数大", asked)
    assert words
    if words[4]:
        return str(max(int(words[4]), int(words[5])))
    numbers = ["零", *"一二三四五六七八九十", *(f"十{one}" for one in "一二三四五六七八九")]
    one, other = numbers.index(words[1].split("：")[-1]), numbers.index(words[3])
    return str(one + other if words[2] == "加" else one - other)
