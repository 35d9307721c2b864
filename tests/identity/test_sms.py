"""Codes for mobile numbers: numbers as people type them, few tries, windows, and Tencent's API over real HTTP."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis

from tests.peers.gateway import Message, SmsGateway
from voting.identity import tencent
from voting.identity.base import ProviderFailed
from voting.identity.sms import mask, new_code, read_code, read_mobile
from voting.identity.tencent import NotInstalled, TencentAccount, TencentSender
from voting.rules.identity_errors import CodeExpired, CodeLimited, CodeTooSoon, CodeWrong, ProviderUnavailable
from voting.tally.codes import PREFIX, CodeBook, CodeLimits
from voting.tally.connection import connect

NUMBER, OTHER, PLACE = b"n" * 16, b"o" * 16, b"p" * 16
RIGHT, WRONG = b"r" * 16, b"w" * 16


@pytest.mark.parametrize(
    ("typed", "number"),
    [("13812345678", "13812345678"), ("+86 138 1234 5678", "13812345678"), ("0086-138-1234-5678", "13812345678"),
     ("8613812345678", "13812345678"), ("１３８１２３４５６７８", "13812345678"), ("(138)12345678", "13812345678"),
     ("12812345678", None), ("1381234567", None), ("138123456789", None), ("", None), ("+1 202 555 0100", None),
     ("138123456٧8", None), ("x" * 500, None)],
)  # fmt: skip
def test_numbers_as_people_type_them(typed: str, number: str | None) -> None:
    assert read_mobile(typed) == number


def test_codes_are_six_figures_and_read_generously() -> None:
    assert all(len(code) == 6 and code.isdecimal() for code in (new_code() for _ in range(200)))
    assert read_code(" 01２ 345。") == "012345"
    assert mask("13812345678") == "138****5678"


class TestBook:
    @pytest.fixture
    def book(self, valkey: Redis) -> CodeBook:
        return CodeBook(valkey)

    def test_a_code_is_good_once(self, book: CodeBook) -> None:
        book.ask(NUMBER, PLACE, RIGHT)
        book.check(NUMBER, RIGHT)
        with pytest.raises(CodeExpired):
            book.check(NUMBER, RIGHT)

    def test_five_tries(self, book: CodeBook) -> None:
        book.ask(NUMBER, PLACE, RIGHT)
        for left in (4, 3, 2, 1):
            with pytest.raises(CodeWrong) as wrong:
                book.check(NUMBER, WRONG)
            assert wrong.value.left == left
        for code in (WRONG, RIGHT):
            with pytest.raises(CodeExpired):
                book.check(NUMBER, code)

    def test_the_fifth_try_may_be_right(self, book: CodeBook) -> None:
        book.ask(NUMBER, PLACE, RIGHT)
        for _ in range(4):
            with pytest.raises(CodeWrong):
                book.check(NUMBER, WRONG)
        book.check(NUMBER, RIGHT)

    def test_it_is_of_one_number_and_ends_after_five_minutes(self, book: CodeBook, valkey: Redis) -> None:
        book.ask(NUMBER, PLACE, RIGHT)
        with pytest.raises(CodeExpired):
            book.check(OTHER, RIGHT)
        with pytest.raises(CodeWrong):
            book.check(NUMBER, WRONG)
        kept_ms = int(valkey.pttl(f"{PREFIX}:code:{NUMBER.hex()}"))  # type: ignore[arg-type]
        assert 299_000 < kept_ms <= 300_000, "a wrong try must not make it live longer"

    def test_a_minute_between_two(self, book: CodeBook) -> None:
        book.ask(NUMBER, PLACE, RIGHT)
        with pytest.raises(CodeTooSoon) as soon:
            book.ask(NUMBER, PLACE, WRONG)
        assert 58_000 < soon.value.retry_ms - time.time() * 1000 <= 60_500
        book.check(NUMBER, RIGHT)

    def test_a_new_code_takes_the_place_of_the_old_one(self, valkey: Redis) -> None:
        book = CodeBook(valkey, CodeLimits(apart_ms=0))
        book.ask(NUMBER, PLACE, WRONG)
        book.ask(NUMBER, PLACE, RIGHT)
        with pytest.raises(CodeWrong):
            book.check(NUMBER, WRONG)
        book.check(NUMBER, RIGHT)

    def test_a_code_that_could_not_be_sent_frees_the_minute_but_not_the_window(self, valkey: Redis) -> None:
        book = CodeBook(valkey, CodeLimits(number_hourly=2))
        for _ in range(2):
            book.ask(NUMBER, PLACE, RIGHT)
            book.withdraw(NUMBER)
        with pytest.raises(CodeExpired):
            book.check(NUMBER, RIGHT)
        with pytest.raises(CodeLimited):
            book.ask(NUMBER, PLACE, RIGHT)

    @pytest.mark.parametrize(
        ("limits", "scope", "hours"),
        [
            (CodeLimits(apart_ms=0, number_hourly=3), "number", 1),
            (CodeLimits(apart_ms=0, number_daily=3), "number", 24),
            (CodeLimits(apart_ms=0, address_hourly=3), "address", 1),
        ],
    )
    def test_windows(self, valkey: Redis, limits: CodeLimits, scope: str, hours: int) -> None:
        book = CodeBook(valkey, limits)
        for _ in range(3):
            book.ask(NUMBER, PLACE, RIGHT)
        with pytest.raises(CodeLimited) as limited:
            book.ask(NUMBER, PLACE, RIGHT)
        assert limited.value.scope == scope
        assert abs(limited.value.retry_ms - time.time() * 1000 - hours * 3_600_000) < 5000
        # Another number from the same place, and the same number from another place.
        if scope == "number":
            book.ask(OTHER, PLACE, RIGHT)
        else:
            book.ask(NUMBER, b"q" * 16, RIGHT)
            with pytest.raises(CodeLimited):
                book.ask(OTHER, PLACE, RIGHT)

    def test_neither_number_nor_code_stands_in_redis(self, book: CodeBook, valkey: Redis) -> None:
        book.ask(NUMBER, b"", RIGHT)
        keys = sorted(valkey.keys())  # type: ignore[arg-type]
        assert keys == [f"{PREFIX}:{kind}:{NUMBER.hex()}".encode() for kind in ("code", "number")]

    def test_without_redis_nobody_signs_in_by_code(self) -> None:
        book = CodeBook(connect("redis://127.0.0.1:9/0"))
        for act in (lambda: book.ask(NUMBER, PLACE, RIGHT), lambda: book.check(NUMBER, RIGHT)):
            with pytest.raises(ProviderUnavailable):
                act()
        book.withdraw(NUMBER)
        book.remember("state", NUMBER)
        assert book.recall("state") is None


class TestTencent:
    @pytest.fixture
    def gateway(self) -> Iterator[SmsGateway]:
        pytest.importorskip("tencentcloud.sms", reason="the extra sms-tencent is not installed")
        with SmsGateway() as gateway:
            yield gateway

    @pytest.fixture
    def sender(self, gateway: SmsGateway) -> TencentSender:
        config = gateway.config
        names = ("SECRET_ID", "SECRET_KEY", "SMS_APP_ID", "SMS_SIGN", "SMS_TEMPLATE_ID", "REGION", "VOICE_APP_ID")
        return TencentSender(TencentAccount(*(config[f"TENCENT_{n}"] for n in names), config["TENCENT_ENDPOINT"]))

    def test_a_text_and_a_call(self, gateway: SmsGateway, sender: TencentSender) -> None:
        sender.send("13812345678", "012345", 5, call=False)
        sender.send("13812345678", "012345", 5, call=True)
        assert gateway.messages == [
            Message("+8613812345678", "012345", False),
            Message("+8613812345678", "012345", True),
        ]

    def test_without_a_voice_application_it_writes(self, gateway: SmsGateway, sender: TencentSender) -> None:
        silent = TencentSender(replace(sender._account, voice_app_id=""))
        assert not silent.can_call
        silent.send("13812345678", "012345", 5, call=True)
        assert not gateway.messages[0].called

    @pytest.mark.parametrize(
        ("status", "refused"),
        [
            ("FailedOperation.PhoneNumberInBlacklist", True),
            ("InvalidParameterValue.IncorrectPhoneNumber", True),
            ("LimitExceeded.PhoneNumberDailyLimit", False),
            ("FailedOperation.InsufficientBalanceInSmsPackage", False),
        ],
    )
    def test_answers_for_a_number(self, gateway: SmsGateway, sender: TencentSender, status: str, refused: bool) -> None:
        gateway.status = status
        with pytest.raises(ProviderFailed) as failed:
            sender.send("13812345678", "012345", 5, call=False)
        assert (failed.value.why, failed.value.refused) == (status, refused)

    def test_a_refused_request(self, gateway: SmsGateway, sender: TencentSender) -> None:
        gateway.error = "InternalError.Timeout"
        with pytest.raises(ProviderFailed, match=r"InternalError\.Timeout"):
            sender.send("13812345678", "012345", 5, call=False)

    def test_a_gateway_that_does_not_answer(
        self, gateway: SmsGateway, sender: TencentSender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tencent, "TIMEOUT_S", 0.2)
        hasty = TencentSender(sender._account)
        gateway.hold.clear()
        with pytest.raises(ProviderFailed):
            hasty.send("13812345678", "012345", 5, call=False)


def test_without_its_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("tencentcloud")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tencentcloud", None)
    with pytest.raises(NotInstalled, match="tencentcloud-sdk-python-sms"):
        TencentSender(TencentAccount("i", "k", "a", "s", "t"))
