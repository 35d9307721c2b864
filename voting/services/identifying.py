"""Sign voters in: which providers are configured, the way to each and back, and codes for mobile numbers.

A provider's own name for somebody (openid, number, sub) becomes a pseudonym here and goes no further. Nothing of this
is on the vote's path: a voter who has signed in carries a cookie.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from threading import BoundedSemaphore
from typing import Any

import httpx
import structlog
from flask import Flask, current_app

from voting.identity import oidc, sms, wechat
from voting.identity.base import ProviderFailed, pseudonym
from voting.identity.pending import Pending
from voting.identity.sms import CodeSender, ConsoleSender
from voting.identity.tencent import TencentAccount, TencentSender
from voting.rules.address import fold_address
from voting.rules.identity_errors import (
    NumberNotValid,
    ProviderUnavailable,
    SignInDenied,
    SignInLost,
)
from voting.services.boxes import boxes
from voting.tally.codes import CodeBook, CodeLimits

log = structlog.get_logger(__name__)
_EXTENSION = "voting_providers"
#: how long the second of two equal call-backs waits for what the first learns; it keeps a thread busy
TWIN_WAIT_S = 0.5
#: threads of a process that may wait for providers at the same time: half of them, the others are for ballots
AT_ONCE = 8


@dataclass(slots=True)
class Providers:
    """What this installation is configured for; the device needs nothing."""

    secret: str
    limits: CodeLimits
    wechat: wechat.WeChat | None = None
    oidc: oidc.Oidc | None = None
    sms: CodeSender | None = None
    _places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A place to wait for a provider in; raises ProviderFailed at once when all are taken."""
        if not self._places.acquire(blocking=False):
            raise ProviderFailed("too many wait for providers")
        try:
            yield
        finally:
            self._places.release()

    def names(self) -> frozenset[str]:
        given = {"wechat": self.wechat, "sms": self.sms, "oidc": self.oidc}
        return frozenset({"device", *(name for name, provider in given.items() if provider is not None)})


def init_identifying(app: Flask) -> None:
    """Make the providers that are configured; nothing is asked of them yet."""
    # At its usual level httpx writes every address it asks, and WeChat wants its secret in the address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = app.config
    found = Providers(config["VOTER_SECRET"], CodeLimits(**config.get("CODE_LIMITS", {})))
    away = config.get("WECHAT_APP_ID") or config.get("OIDC_ISSUER")
    client = httpx.Client(follow_redirects=False, limits=httpx.Limits(max_connections=32)) if away else None
    if config.get("WECHAT_APP_ID") and client:
        addresses = {"api": config["WECHAT_API_BASE"], "authorize": config["WECHAT_AUTHORIZE_URL"]}
        given = {name: address for name, address in addresses.items() if address}
        found.wechat = wechat.WeChat(config["WECHAT_APP_ID"], config["WECHAT_SECRET"], client, **given)
    if config.get("OIDC_ISSUER") and client:
        found.oidc = oidc.Oidc(
            config["OIDC_ISSUER"], config["OIDC_CLIENT_ID"], config["OIDC_CLIENT_SECRET"], client, config["OIDC_SCOPE"]
        )
    if config.get("SMS_PROVIDER"):
        found.sms = _code_sender(config)
    app.extensions[_EXTENSION] = found


def _code_sender(config: Mapping[str, Any]) -> CodeSender:
    if config["SMS_PROVIDER"] == "console":
        return ConsoleSender()
    names = (
        "SECRET_ID",
        "SECRET_KEY",
        "SMS_APP_ID",
        "SMS_SIGN",
        "SMS_TEMPLATE_ID",
        "REGION",
        "VOICE_APP_ID",
        "ENDPOINT",
    )
    return TencentSender(TencentAccount(*(config[f"TENCENT_{name}"] for name in names)))


def _providers() -> Providers:
    found: Providers = current_app.extensions[_EXTENSION]
    return found


def configured_providers() -> frozenset[str]:
    """The providers that a campaign may choose from here."""
    return _providers().names()


def can_call() -> bool:
    """Whether a code can also be read out over the telephone."""
    sender = _providers().sms
    return sender is not None and sender.can_call


def way_to(pending: Pending, redirect_uri: str) -> str:
    """Where the browser goes to sign in; raises ProviderUnavailable."""
    known = _providers()
    if pending.provider == wechat.PROVIDER and known.wechat:
        return known.wechat.address(redirect_uri, pending.state)
    if pending.provider == oidc.PROVIDER and known.oidc:
        try:
            with known.waiting():
                return known.oidc.address(redirect_uri, pending.state, pending.nonce, pending.verifier)
        except ProviderFailed as failed:
            raise _unavailable(pending.provider, failed) from None
    raise ProviderUnavailable(pending.provider)


def come_back(provider: str, pending: Pending | None, answer: Mapping[str, str], redirect_uri: str) -> bytes:
    """Whom the provider vouches for, as a subject, from the call-back's parameters; the same again for the same
    call-back. Raises SignInLost, SignInDenied, SnapshotVisitor or ProviderUnavailable.
    """
    if pending is None or pending.provider != provider:
        raise SignInLost(provider)
    if not hmac.compare_digest(pending.state.encode(), answer.get("state", "").encode("utf-8", "replace")):
        raise SignInLost(provider)
    codes = _codes()
    if (known := codes.recall(pending.state)) is not None:
        return known
    code = answer.get("code", "")[:2000]
    if not code:
        raise SignInDenied(provider)
    try:
        with _providers().waiting():
            name = _exchange(pending, code, redirect_uri)
    except wechat.CodeUsed as used:
        if (known := _of_twin(codes, pending.state)) is not None:
            return known
        log.info("sign-in code used before", provider=provider, why=used.why)
        raise SignInLost(provider) from None
    except ProviderFailed as failed:
        # At some providers a used code is but one more refusal: the first call-back may have been answered.
        if failed.refused and (known := _of_twin(codes, pending.state)) is not None:
            return known
        if failed.refused:
            log.warning("sign-in refused", provider=provider, why=failed.why)
            raise SignInDenied(provider) from None
        raise _unavailable(provider, failed) from None
    subject = pseudonym(_providers().secret, provider, name)
    codes.remember(pending.state, subject)
    return subject


def _exchange(pending: Pending, code: str, redirect_uri: str) -> str:
    known = _providers()
    if pending.provider == wechat.PROVIDER and known.wechat:
        return known.wechat.exchange(code)
    if pending.provider == oidc.PROVIDER and known.oidc:
        return known.oidc.exchange(code, redirect_uri, pending.nonce, pending.verifier)
    raise ProviderFailed("not configured")


def _of_twin(codes: CodeBook, state: str) -> bytes | None:
    """Phones sometimes come back twice at once: what the other call-back has learned, or learns in a moment."""
    until = time.monotonic() + TWIN_WAIT_S
    while (known := codes.recall(state)) is None and time.monotonic() < until:
        time.sleep(0.1)
    return known


def send_code(number_text: str, address: str, call: bool) -> str:
    """Send a code to a number; what may be shown of the number.

    Raises NumberNotValid, CodeTooSoon, CodeLimited or ProviderUnavailable.
    """
    known, number = _providers(), _mobile(number_text)
    if known.sms is None:
        raise ProviderUnavailable(sms.PROVIDER)
    subject, code, codes = pseudonym(known.secret, sms.PROVIDER, number), sms.new_code(), _codes()
    folded = fold_address(address)
    place = pseudonym(known.secret, "address", folded.key) if folded else b""
    codes.ask(subject, place, _digest(known.secret, subject, code))
    try:
        with known.waiting():
            known.sms.send(number, code, known.limits.good_ms // 60_000, call and known.sms.can_call)
    except ProviderFailed as failed:
        codes.withdraw(subject)
        if failed.refused:
            log.info("number cannot be reached", provider=sms.PROVIDER, why=failed.why)
            raise NumberNotValid from None
        raise _unavailable(sms.PROVIDER, failed) from None
    return sms.mask(number)


def check_code(number_text: str, typed: str) -> bytes:
    """The subject of a number whose code this is; the code is used up by that.

    Raises NumberNotValid, CodeWrong, CodeExpired or ProviderUnavailable.
    """
    secret = _providers().secret
    subject = pseudonym(secret, sms.PROVIDER, _mobile(number_text))
    _codes().check(subject, _digest(secret, subject, sms.read_code(typed)))
    return subject


def shown_number(number_text: str) -> str:
    """A number that was typed, as it may be shown; nothing when it is none."""
    number = sms.read_mobile(number_text)
    return sms.mask(number) if number else ""


def _mobile(number_text: str) -> str:
    number = sms.read_mobile(number_text)
    if number is None:
        raise NumberNotValid
    return number


def _codes() -> CodeBook:
    return CodeBook(boxes().client, _providers().limits)


def _digest(secret: str, subject: bytes, code: str) -> bytes:
    """Six digits are guessed in no time from a plain hash; from a keyed one they are not."""
    return hmac.digest(secret.encode(), b"code|" + subject + code.encode(), sha256)[:16]


def _unavailable(provider: str, failed: ProviderFailed) -> ProviderUnavailable:
    log.warning("sign-in provider failed", provider=provider, why=failed.why)
    return ProviderUnavailable(provider)
