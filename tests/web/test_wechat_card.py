"""WeChat's share card: signed with one shared ticket, only for our own pages, and only where an account is set up."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from tests.peers.wechat_js import APP_ID, SECRET, TICKET, WeChatJsPeer
from tests.world import application, new_world, rules_text
from voting.services import wechat_share

PATH = "/api/v1/wechat/signature"
PAGE = "http://localhost/c/best?from=share"


@pytest.fixture
def peer() -> Iterator[WeChatJsPeer]:
    with WeChatJsPeer() as made:
        yield made


@pytest.fixture
def app(sqlite_url: str, valkey_url: str, tmp_path: Path, peer: WeChatJsPeer, translations: None) -> Iterator[Flask]:
    account = {"WECHAT_APP_ID": APP_ID, "WECHAT_SECRET": SECRET, "WECHAT_API_BASE": peer.url}
    with application(sqlite_url, valkey_url, tmp_path, **account) as made:
        yield made


def test_the_signature_is_what_wechat_computes(app: Flask) -> None:
    answer = app.test_client().get(PATH, query_string={"url": f"{PAGE}#pick"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.json
    plain = f"jsapi_ticket={TICKET}&noncestr={said['nonceStr']}&timestamp={said['timestamp']}&url={PAGE}"
    assert said["signature"] == sha1(plain.encode()).hexdigest()
    assert said["appId"] == APP_ID
    assert SECRET not in answer.text
    assert TICKET not in answer.text


def test_one_ticket_serves_everybody(app: Flask, peer: WeChatJsPeer, valkey: Redis) -> None:
    for _ in range(5):
        assert app.test_client().get(PATH, query_string={"url": PAGE}).status_code == 200
    assert [asked.path for asked in peer.asked] == ["/cgi-bin/stable_token", "/cgi-bin/ticket/getticket"]
    left_s = valkey.ttl(f"wechat:{APP_ID}:ticket")
    assert 7200 - wechat_share.SPARE_S - 60 < left_s <= 7200 - wechat_share.SPARE_S


@pytest.mark.parametrize("errors", [[-1], [40125], [45009]])
def test_wechats_errors_cost_the_card_only_and_are_not_repeated(
    app: Flask, peer: WeChatJsPeer, valkey: Redis, errors: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    peer.errors = list(errors)
    for _ in range(3):
        assert app.test_client().get(PATH, query_string={"url": PAGE}).status_code == 503
    assert len(peer.asked) == 1, "an outage must not eat the day's allowance"
    assert SECRET not in caplog.text
    valkey.delete(f"wechat:{APP_ID}:ticket")
    assert app.test_client().get(PATH, query_string={"url": PAGE}).status_code == 200


def test_a_silent_wechat_is_not_waited_for(app: Flask, peer: WeChatJsPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wechat_share, "TIMEOUT_S", 0.2)
    peer.hold.clear()
    assert app.test_client().get(PATH, query_string={"url": PAGE}).status_code == 503


@pytest.mark.parametrize(
    "url", ["", "https://evil.example/c/best", "http://localhost.evil.example/", "javascript:x", "http://[", "x" * 3000]
)
def test_only_our_own_pages_are_signed(app: Flask, peer: WeChatJsPeer, url: str) -> None:
    assert app.test_client().get(PATH, query_string={"url": url}).status_code == 400
    assert peer.asked == []


def test_the_script_and_the_policy_only_where_it_is_set_up(app: Flask, lite_app: Flask) -> None:
    for made, there in ((app, True), (lite_app, False)):
        world = new_world(made).put(rules_text())
        page = made.test_client().get(f"/c/{world.slug}")
        assert ("res.wx.qq.com" in page.text) is there
        assert ("res.wx.qq.com" in page.headers["Content-Security-Policy"]) is there
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert lite_app.test_client().get(PATH, query_string={"url": PAGE}).status_code == 404
