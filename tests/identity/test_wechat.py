"""WeChat's exchange over real HTTP: who it is, every documented error, time-outs, and secrets that stay secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.peers.http import Reply
from tests.peers.wechat import APP_ID, SECRET, WeChatPeer
from voting.identity import wechat
from voting.identity.base import ProviderFailed
from voting.identity.wechat import CodeUsed, WeChat, in_wechat
from voting.rules.identity_errors import SnapshotVisitor

BACK = "https://vote.example/sign-in/wechat/callback"


@pytest.fixture
def peer() -> Iterator[WeChatPeer]:
    with WeChatPeer() as peer:
        yield peer


@pytest.fixture
def account(peer: WeChatPeer) -> Iterator[WeChat]:
    with httpx.Client() as client:
        yield WeChat(APP_ID, SECRET, client, peer.url, f"{peer.url}/connect/oauth2/authorize")


def code_of(peer: WeChatPeer, account: WeChat, state: str = "abc123") -> str:
    back = peer.agree(account.address(BACK, state))
    query = dict(parse_qsl(urlsplit(back).query))
    assert back.startswith(BACK)
    assert query["state"] == state
    return query["code"]


def test_the_address_is_as_wechat_wants_it() -> None:
    with httpx.Client() as client:
        address = WeChat(APP_ID, SECRET, client).address(BACK, "abc")
    assert address == (
        f"https://open.weixin.qq.com/connect/oauth2/authorize?appid={APP_ID}"
        "&redirect_uri=https%3A%2F%2Fvote.example%2Fsign-in%2Fwechat%2Fcallback"
        "&response_type=code&scope=snsapi_base&state=abc#wechat_redirect"
    )


def test_the_unionid_when_there_is_one_else_the_openid(peer: WeChatPeer, account: WeChat) -> None:
    assert account.exchange(code_of(peer, account)) == "o-one"
    peer.person = {"openid": "o-one", "unionid": "u-one"}
    assert account.exchange(code_of(peer, account)) == "u-one"


def test_a_browser_cannot_ask_for_another_name_of_the_same_person(peer: WeChatPeer, account: WeChat) -> None:
    """The scope stands in an address that the browser may change, and with another one WeChat gives the unionid to
    somebody who was an openid before: one person, two voters."""
    assert account.exchange(code_of(peer, account)) == "o-one"
    peer.person, peer.scope = {"openid": "o-one", "unionid": "u-one"}, "snsapi_userinfo"
    with pytest.raises(ProviderFailed, match="scope") as failed:
        account.exchange(code_of(peer, account))
    assert failed.value.refused
    peer.scope = "snsapi_base,snsapi_userinfo"
    assert account.exchange(code_of(peer, account)) == "u-one"


def test_a_snapshot_visitor_is_nobody(peer: WeChatPeer, account: WeChat) -> None:
    peer.person = {"openid": "o-made-up", "is_snapshotuser": 1}
    with pytest.raises(SnapshotVisitor):
        account.exchange(code_of(peer, account))


def test_a_code_is_good_once(peer: WeChatPeer, account: WeChat) -> None:
    code = code_of(peer, account)
    account.exchange(code)
    for bad in (code, "made-up", ""):
        with pytest.raises(CodeUsed):
            account.exchange(bad)


def test_busy_is_asked_once_more(peer: WeChatPeer, account: WeChat) -> None:
    peer.errors = [-1]
    assert account.exchange(code_of(peer, account)) == "o-one"
    peer.errors = [-1, -1]
    with pytest.raises(ProviderFailed, match="errcode -1") as failed:
        account.exchange(code_of(peer, account))
    assert not failed.value.refused


@pytest.mark.parametrize("error", [40013, 40125, 40164, 50002, 48001])
def test_other_errors_are_for_operators(peer: WeChatPeer, account: WeChat, error: int) -> None:
    peer.errors = [error]
    with pytest.raises(ProviderFailed, match=f"^errcode {error}$") as failed:
        account.exchange(code_of(peer, account))
    assert not failed.value.refused
    assert not isinstance(failed.value, CodeUsed)


@pytest.mark.parametrize(
    "odd",
    [Reply(b"<html>"), Reply(b"[]"), Reply(b"{}"), Reply(b'{"openid": 7}'), Reply(b"{}", 502), Reply(status=302)],
)
def test_answers_that_are_none(peer: WeChatPeer, account: WeChat, odd: Reply) -> None:
    code, peer.odd = code_of(peer, account), odd
    with pytest.raises(ProviderFailed):
        account.exchange(code)


def test_a_wrong_secret_is_not_told_to_anybody(
    peer: WeChatPeer, account: WeChat, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("httpx").setLevel(logging.WARNING)  # as the application does
    with caplog.at_level(logging.INFO):
        account.exchange(code_of(peer, account))
        peer.odd = Reply(b"{}", 500)
        with pytest.raises(ProviderFailed) as failed:
            account.exchange("x")
    assert SECRET not in caplog.text
    assert SECRET not in str(failed.value)
    assert "secret" not in caplog.text


def test_a_slow_answer_and_none_at_all(peer: WeChatPeer, account: WeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wechat, "TIMEOUT_S", 0.2)
    code = code_of(peer, account)
    peer.hold.clear()
    with pytest.raises(ProviderFailed, match="ReadTimeout") as failed:
        account.exchange(code)
    assert not failed.value.refused
    peer.hold.set()
    with httpx.Client() as client, pytest.raises(ProviderFailed, match="ConnectError"):
        WeChat(APP_ID, SECRET, client, "http://127.0.0.1:9").exchange("x")


def test_wechat_is_told_by_its_browser() -> None:
    assert in_wechat("Mozilla/5.0 (Linux; Android 13) ... MicroMessenger/8.0.49.2600(0x28003137) WeChat/arm64")
    assert not in_wechat("Mozilla/5.0 (Linux; Android 13) Chrome/120 Mobile Safari/537.36")
