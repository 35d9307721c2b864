"""Signing in by a code for a mobile number, through the pages, against a gateway that speaks Tencent's protocol."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.peers.gateway import SmsGateway
from tests.web.pages import fields_of, text_of
from tests.web.phones import Made, Phone, ballots
from tests.world import World
from voting.services import campaigns
from voting.services.catalogue import forget


class TestSms:
    NUMBER = "138 1234 5678"

    @pytest.fixture
    def gateway(self) -> Iterator[SmsGateway]:
        pytest.importorskip("tencentcloud.sms", reason="the extra sms-tencent is not installed")
        with SmsGateway() as gateway:
            yield gateway

    @pytest.fixture
    def world(self, make: Made, gateway: SmsGateway) -> World:
        return make("sms", **gateway.config)

    def ask(self, phone: Phone, number: str = NUMBER, **more: str) -> TestResponse:
        page = phone.get(phone.way("sms"))
        assert page.status_code == 200
        form = fields_of(page, f"{phone.base}/sign-in/sms")
        form["number"] = number
        for name, value in more.items():
            form[name] = value
        return phone.client.post(f"{phone.base}/sign-in/sms", data=form)

    def enter(self, phone: Phone, page: TestResponse, code: str) -> TestResponse:
        form = fields_of(page, f"{phone.base}/sign-in/sms/code")
        form["code"] = code
        return phone.client.post(f"{phone.base}/sign-in/sms/code", data=form)

    def test_from_review_to_receipt(self, world: World, gateway: SmsGateway) -> None:
        phone = Phone(world)
        page = self.ask(phone)
        assert "138****5678" in text_of(page)
        (message,) = gateway.messages
        assert message.number == "+8613812345678"
        page = phone.follow(self.enter(phone, page, f" {message.code[:3]} {message.code[3:]} "))
        assert "已用手机短信确认身份" in text_of(page)
        assert phone.vote(page).status_code == 303

    def test_the_number_is_the_voter(self, world: World, gateway: SmsGateway) -> None:
        for number, already in (("13812345678", False), ("+86 138-1234-5678", True), ("13912345678", False)):
            world.valkey.delete(*world.valkey.keys("{codes}*") or ["none"])  # the minute between two codes
            phone = Phone(world)
            page = self.signed_in(phone, gateway, number)
            assert ("您已经投过" in text_of(page)) is already
            if not already:
                assert phone.vote(page).status_code == 303
        assert ballots(world) == 2

    def signed_in(self, phone: Phone, gateway: SmsGateway, number: str) -> TestResponse:
        page = self.ask(phone, number)
        return phone.follow(self.enter(phone, page, gateway.messages[-1].code))

    def test_nobody_is_sent_anything_when_there_is_no_ballot_to_send(self, world: World, gateway: SmsGateway) -> None:
        """Messages are paid for: a campaign that is over would stay a tap for as long as its pages stand."""
        phone = Phone(world)
        page = phone.get(phone.way("sms"))
        form = fields_of(page, f"{phone.base}/sign-in/sms")
        form["number"] = self.NUMBER
        world.do(campaigns.seal_campaign, world.slug)
        world.do(forget)
        answer = phone.client.post(f"{phone.base}/sign-in/sms", data=form)
        assert "截止，正在统计" in text_of(phone.follow(answer)), "and the page says why"
        assert "截止，正在统计" in text_of(phone.follow(phone.get(f"{phone.base}/sign-in/sms?{phone.query}")))
        assert gateway.messages == []

    def test_a_call(self, world: World, gateway: SmsGateway) -> None:
        self.ask(Phone(world), by="call")
        assert gateway.messages[0].called

    def test_wrong_codes_and_the_end_of_tries(self, world: World, gateway: SmsGateway) -> None:
        phone = Phone(world)
        page = self.ask(phone)
        right = gateway.messages[0].code
        wrong = "000000" if right != "000000" else "111111"
        for left in (4, 3, 2, 1):
            page = self.enter(phone, page, wrong)
            assert (page.status_code, f"还可以试 {left} 次" in text_of(page)) == (422, True)
            assert 'aria-invalid="true"' in page.text
        for code in (wrong, right):
            page = self.enter(phone, page, code)
            assert (page.status_code, "验证码已失效" in text_of(page)) == (422, True)
        assert phone.client.get_cookie("sms") is None

    def test_asking_again_too_soon_keeps_the_code_page(self, world: World, gateway: SmsGateway) -> None:
        phone = Phone(world)
        self.ask(phone)
        page = self.ask(phone)
        assert page.status_code == 429
        assert "验证码刚刚发过" in text_of(page)
        assert len(gateway.messages) == 1
        assert phone.follow(self.enter(phone, page, gateway.messages[0].code)).status_code == 200

    def test_numbers_that_are_none(self, world: World, gateway: SmsGateway) -> None:
        for number in ("12345", "", "+1 202 555 0100"):
            page = self.ask(Phone(world), number)
            assert (page.status_code, "这个手机号收不到验证码" in text_of(page)) == (422, True)
        assert gateway.asked == []
        gateway.status = "FailedOperation.PhoneNumberInBlacklist"
        assert self.ask(Phone(world)).status_code == 422

    def test_a_gateway_in_trouble_may_be_asked_again_at_once(self, world: World, gateway: SmsGateway) -> None:
        phone, gateway.error = Phone(world), "InternalError"
        page = self.ask(phone)
        assert (page.status_code, "手机短信暂时没有回应" in text_of(page)) == (503, True)
        gateway.error = ""
        assert self.ask(phone).status_code == 200

    def test_other_sites_can_neither_send_nor_enter(self, world: World, gateway: SmsGateway) -> None:
        phone = Phone(world)
        for path in ("sms", "sms/code", "forget"):
            answer = phone.client.post(
                f"{phone.base}/sign-in/{path}", data={"number": self.NUMBER}, headers={"Origin": "https://evil.example"}
            )
            assert (answer.status_code, "wrong_origin" in text_of(answer)) == (403, True)
        assert gateway.asked == []

    def test_only_a_form_of_ours_sends_or_enters(self, world: World, gateway: SmsGateway) -> None:
        """A page elsewhere could have messages sent at our cost, or sign a visitor in as somebody else."""
        phone, other = Phone(world), Phone(world)
        taken = fields_of(other.get(other.way("sms")), f"{other.base}/sign-in/sms")["csrf_token"]
        for path in ("sms", "sms/code", "forget"):
            address, form = f"{phone.base}/sign-in/{path}", {"number": self.NUMBER, "csrf_token": taken}
            assert "identity_missing" in text_of(phone.client.post(address, data=form))
        assert phone.get(f"{phone.base}/sign-in/sms").status_code == 200
        for path in ("sms", "sms/code", "forget"):
            address, form = f"{phone.base}/sign-in/{path}", {"number": self.NUMBER, "csrf_token": taken}
            for sent in (form, form | {"csrf_token": ""}):
                answer = phone.client.post(address, data=sent)
                assert (answer.status_code, "wrong_token" in text_of(answer)) == (403, True)
        assert gateway.asked == []

    def test_numbers_stay_out_of_everything(self, world: World, gateway: SmsGateway) -> None:
        phone = Phone(world)
        with capture_logs() as logs:
            page = self.ask(phone)
            kept = b"".join((world.valkey.dump(key) or b"") + key for key in world.valkey.scan_iter())
            phone.vote(phone.follow(self.enter(phone, page, gateway.messages[0].code)))
        world.record()
        kept += str(world.sql("SELECT * FROM ballots")).encode() + str(logs).encode()
        kept += "".join(cookie.value for cookie in phone.client._cookies.values()).encode()
        assert b"13812345678" not in kept
        assert b"5678" not in kept

    def test_the_console_says_the_code(self, make: Made) -> None:
        phone = Phone(make("sms", SMS_PROVIDER="console"))
        with capture_logs() as logs:
            page = self.ask(phone)
        (line,) = [line for line in logs if "code" in line]
        assert line["number"] == "138****5678"
        phone.follow(self.enter(phone, page, line["code"]))
