"""Signing in on the way to a ballot, through the pages, without script, against peers that speak the protocols."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.peers.issuer import Issuer
from tests.peers.wechat import WeChatPeer
from tests.web.pages import fields_of, text_of
from tests.web.phones import IN_WECHAT, Made, Phone, ballots
from tests.world import World
from voting.identity import wechat
from voting.rules.errors import NotReadyToOpen
from voting.services import identifying


@pytest.fixture
def account() -> Iterator[WeChatPeer]:
    with WeChatPeer() as peer:
        yield peer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


class TestWeChat:
    @pytest.fixture
    def world(self, make: Made, account: WeChatPeer) -> World:
        return make("wechat", **account.config)

    def test_from_review_to_receipt_and_the_quota_is_the_persons(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        page = phone.follow(phone.come_back(account.agree(phone.leave("wechat"))))
        assert "已用微信确认身份" in text_of(page)
        receipt = phone.vote(page)
        assert receipt.status_code == 303
        assert "投票成功" in text_of(phone.get(receipt.location))
        # The same person on another phone, cookies and all new: not another voter.
        other = Phone(world, **IN_WECHAT)
        page = other.follow(other.come_back(account.agree(other.leave("wechat"))))
        assert "您已经投过" in text_of(page)
        assert "投票成功" in text_of(other.get(receipt.location)), "and the receipt is the person's too"
        account.person = {"openid": "o-two"}
        third = Phone(world, **IN_WECHAT)
        page = third.follow(third.come_back(account.agree(third.leave("wechat"))))
        assert third.vote(page).status_code == 303
        assert third.get(receipt.location).status_code == 404
        assert ballots(world) == 2

    def test_a_visit_asks_nobody_anything(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        for path in ("", "/candidates/1", "/leaderboard", "/rules", f"/review?{phone.query}"):
            assert phone.get(phone.base + path).status_code == 200
        assert account.asked == []

    def test_openids_stay_out_of_everything(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        account.person = {"openid": "o-very-secret"}
        phone.vote(phone.follow(phone.come_back(account.agree(phone.leave("wechat")))))
        world.record()
        kept = b"".join((world.valkey.dump(key) or b"") + key for key in world.valkey.scan_iter())
        kept += str(world.sql("SELECT * FROM ballots")).encode()
        cookie = phone.client.get_cookie("wechat")
        assert cookie is not None
        assert cookie.http_only
        assert cookie.same_site == "Lax"
        for place in (kept, cookie.value.encode()):
            assert b"very-secret" not in place

    def test_outside_wechat_it_says_to_open_it_there(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world)
        page = phone.get(phone.way("wechat"))
        assert page.status_code == 200
        assert "请在微信中打开" in text_of(page)
        assert f"http://localhost/c/{world.slug}" in text_of(page)
        assert account.asked == []

    def test_the_same_call_back_again(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        back = account.agree(phone.leave("wechat"))
        for _ in range(3):
            phone.follow(phone.come_back(back))
        assert len([asked for asked in account.asked if asked.path.startswith("/sns")]) == 1

    def test_two_at_once_of_which_the_other_has_answered(
        self, world: World, account: WeChatPeer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        phone = Phone(world, **IN_WECHAT)
        back = account.agree(phone.leave("wechat"))
        pending = phone.client.get_cookie("sign_in")
        assert pending is not None
        twin = Phone(world, **IN_WECHAT)
        twin.client.set_cookie("sign_in", pending.value)
        phone.follow(phone.come_back(back))
        twin.follow(twin.come_back(back))
        # And where nothing of the first is known any more, the code is used: begin again, nothing lost.
        world.valkey.flushdb()
        monkeypatch.setattr(identifying, "TWIN_WAIT_S", 0.1)
        late = Phone(world, **IN_WECHAT)
        late.client.set_cookie("sign_in", pending.value)
        page = late.come_back(back)
        assert page.status_code == 403
        assert "sign_in_lost" in text_of(page)
        assert f"{late.base}/review?{late.query}" in page.text.replace("&amp;", "&")

    def test_a_call_back_of_another_browser_leads_nowhere(self, world: World, account: WeChatPeer) -> None:
        attacker, victim = Phone(world, **IN_WECHAT), Phone(world, **IN_WECHAT)
        back = account.agree(attacker.leave("wechat"))
        for _ in range(2):
            page = victim.come_back(back)
            assert page.status_code == 403
            assert "sign_in_lost" in text_of(page)
            assert victim.client.get_cookie("wechat") is None
            victim.leave("wechat")  # not even with a sign-in of its own under way
        assert not [asked for asked in account.asked if asked.path.startswith("/sns")]

    def test_a_snapshot_visitor_is_told_how_to_open_the_page(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        account.person = {"openid": "o-made-up", "is_snapshotuser": 1}
        page = phone.come_back(account.agree(phone.leave("wechat")))
        assert page.status_code == 403
        assert "使用完整服务" in text_of(page)
        assert "候选c1" in text_of(page)
        assert phone.client.get_cookie("wechat") is None

    def test_whoever_says_no_comes_back_without_a_code(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        back = account.agree(phone.leave("wechat"))
        page = phone.come_back(re.sub("code=[^&]*&", "", back))
        assert (page.status_code, "sign_in_denied" in text_of(page)) == (403, True)

    @pytest.mark.parametrize("error", [40013, 40125, 45011])
    def test_wechat_in_trouble(self, world: World, account: WeChatPeer, error: int) -> None:
        phone = Phone(world, **IN_WECHAT)
        account.errors = [error, error]
        with capture_logs() as logs:
            page = phone.come_back(account.agree(phone.leave("wechat")))
        assert (page.status_code, "微信暂时没有回应" in text_of(page)) == (503, True)
        assert {"event": "sign-in provider failed", "log_level": "warning", "provider": "wechat",
                "why": f"errcode {error}"} in logs  # fmt: skip

    def test_a_slow_wechat(self, world: World, account: WeChatPeer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wechat, "TIMEOUT_S", 0.2)
        phone = Phone(world, **IN_WECHAT)
        back = account.agree(phone.leave("wechat"))
        account.hold.clear()
        assert phone.come_back(back).status_code == 503

    def test_ballots_of_nobody_are_refused(self, world: World) -> None:
        voter = world.voter()
        refused = voter.client.get(f"{world.api}/ballot")
        assert (refused.status_code, refused.json["code"]) == (403, "sign_in_required")
        assert refused.json["facts"] == {"providers": ["wechat"]}
        voter.token = "x"
        assert voter.cast("c1").json["code"] == "sign_in_required"
        # An openid that a page sends is nothing: it is not even read.
        voter.client.set_cookie("wechat", "o-one")
        assert voter.cast("c1", headers={"X-Openid": "o-one"}).json["code"] == "sign_in_required"

    def test_a_device_cookie_is_not_enough(self, world: World, make: Made) -> None:
        device = make("device").voter()
        device.paper()
        stranger = world.voter()
        stranger.client.set_cookie("device", device.cookie)
        stranger.client.set_cookie("wechat", device.cookie)
        stranger.token = device.token
        assert stranger.cast("c1").json["code"] == "sign_in_required"

    def test_a_vote_asks_wechat_nothing(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        page = phone.follow(phone.come_back(account.agree(phone.leave("wechat"))))
        before = len(account.asked)
        assert phone.vote(page).status_code == 303
        assert len(account.asked) == before

    def test_somebody_else_on_the_same_phone(self, world: World, account: WeChatPeer) -> None:
        phone = Phone(world, **IN_WECHAT)
        page = phone.follow(phone.come_back(account.agree(phone.leave("wechat"))))
        paper = fields_of(page, f"{phone.base}/ballots")
        forget = f"{phone.base}/sign-in/forget"
        again = phone.follow(phone.client.post(forget, data=fields_of(page, forget)))
        assert "提交前，请先确认身份" in text_of(again)
        assert "sign_in_required" in text_of(phone.client.post(f"{phone.base}/ballots", data=paper))
        account.person = {"openid": "o-two"}
        phone.follow(phone.come_back(account.agree(phone.leave("wechat"))))
        # The paper was the first one's.
        assert "wrong_token" in text_of(phone.client.post(f"{phone.base}/ballots", data=paper))


class TestOidc:
    @pytest.fixture
    def world(self, make: Made, issuer: Issuer) -> World:
        return make("oidc", **issuer.config, PUBLIC_URL="https://vote.example")

    def test_from_review_to_receipt(self, world: World, issuer: Issuer) -> None:
        phone = Phone(world)
        back = issuer.agree(phone.leave("oidc"))
        assert back.startswith("https://vote.example/sign-in/oidc/callback?")
        page = phone.follow(phone.come_back(back))
        assert phone.vote(page).status_code == 303
        assert phone.come_back(back).status_code == 303, "a reload of the call-back is no harm"

    def test_the_person_declines(self, world: World, issuer: Issuer) -> None:
        phone, issuer.denies = Phone(world), True
        page = phone.come_back(issuer.agree(phone.leave("oidc")))
        assert (page.status_code, "sign_in_denied" in text_of(page)) == (403, True)
        assert "候选c1" in text_of(page)

    def test_forged_tokens_sign_nobody_in(self, world: World, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(identifying, "TWIN_WAIT_S", 0.05)
        for claims in ({"nonce": "another"}, {"aud": "another"}, {"iss": "https://evil.example"}):
            phone, issuer.claims = Phone(world), claims
            page = phone.come_back(issuer.agree(phone.leave("oidc")))
            assert (page.status_code, "sign_in_denied" in text_of(page)) == (403, True)
            assert phone.client.get_cookie("oidc") is None

    def test_the_provider_is_away(self, world: World, issuer: Issuer) -> None:
        phone, issuer.status = Phone(world), 503
        page = phone.get(phone.way("oidc"))
        assert (page.status_code, "统一身份认证暂时没有回应" in text_of(page)) == (503, True)
        assert page.headers["Retry-After"] == "2"
        issuer.status = 200
        back = issuer.agree(phone.leave("oidc"))
        issuer.status = 500
        assert phone.come_back(back).status_code == 503
        issuer.status = 200
        assert phone.come_back(back).status_code == 303, "and the same way back is good once it is there again"


class TestSeveral:
    def test_the_first_one_that_is_known_decides(self, make: Made, account: WeChatPeer) -> None:
        world = make("wechat", "device", **account.config)
        phone = Phone(world, **IN_WECHAT)
        device = phone.review()
        assert "提交前，请先确认身份" not in text_of(device), "a device may vote as well"
        assert phone.vote(device).status_code == 303
        answer = phone.get(f"{phone.base}/sign-in/wechat?{phone.query}")
        page = phone.follow(phone.come_back(account.agree(answer.location)))
        assert "已用微信确认身份" in text_of(page)
        assert "您已经投过" not in text_of(page)

    def test_every_way_is_offered_in_order(self, make: Made, account: WeChatPeer, issuer: Issuer) -> None:
        world = make("oidc", "wechat", **account.config, **issuer.config)
        page = Phone(world).review()
        words = text_of(page)
        assert words.index("用统一身份认证登录") < words.index("用微信确认身份")

    def test_a_provider_that_is_not_configured_cannot_open(self, make: Made) -> None:
        with pytest.raises(NotReadyToOpen) as refused:
            make("device", "wechat", "sms", "oidc")
        assert [issue for issue in refused.value.issues if "identity" in issue] == [
            f"identity {name} is not available" for name in ("wechat", "sms", "oidc")
        ]

    def test_ways_that_a_campaign_does_not_offer_are_no_pages(self, make: Made, account: WeChatPeer) -> None:
        world = make("device", **account.config)
        phone = Phone(world, **IN_WECHAT)
        for path in ("wechat", "oidc", "sms", "pigeon"):
            assert phone.get(f"{phone.base}/sign-in/{path}").status_code == 404
        token = fields_of(phone.review(), f"{phone.base}/ballots")["csrf_token"]
        assert phone.client.post(f"{phone.base}/sign-in/sms/code", data={"csrf_token": token}).status_code == 404


def test_a_phone_without_cookies_is_told_what_to_do(make: Made, account: WeChatPeer) -> None:
    """Nothing is kept between leaving and coming back: the page names the reason that this reader can change."""
    world = make("wechat", **account.config)
    back = account.agree(Phone(world, **IN_WECHAT).leave("wechat"))
    page = Phone(world, **IN_WECHAT).come_back(back)
    assert page.status_code == 403
    assert "请允许 Cookie" in text_of(page)


def test_the_rules_say_that_ways_are_not_known_to_be_one_person(make: Made, account: WeChatPeer) -> None:
    """Who signs in with WeChat and by telephone is two voters: nobody can tell, and the rules do not hide it."""
    world = make("wechat", "sms", SMS_PROVIDER="console", **account.config)
    page = world.get(f"/c/{world.slug}/rules")
    assert "票数按所用的方式分别计算，请每人只用一种" in text_of(page)
