"""Signing in never takes the threads that ballots need: who would be one too many is told at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from tests.peers.issuer import Issuer
from tests.peers.wechat import WeChatPeer
from tests.world import application
from voting.identity.pending import Pending
from voting.rules.identity_errors import ProviderUnavailable
from voting.services import identifying

BACK = "https://vote.example/back"


@pytest.fixture
def account() -> Iterator[WeChatPeer]:
    with WeChatPeer() as peer:
        yield peer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as peer:
        yield peer


@pytest.fixture
def app(sqlite_url: str, valkey_url: str, tmp_path: Path, account: WeChatPeer, issuer: Issuer) -> Iterator[Flask]:
    with application(sqlite_url, valkey_url, tmp_path, **account.config, **issuer.config) as app:
        yield app


def come_back(app: Flask, code: str) -> bytes:
    with app.app_context():
        pending = Pending("wechat", "best")
        return identifying.come_back("wechat", pending, {"state": pending.state, "code": code}, BACK)


def wait_for(peer: WeChatPeer | Issuer, requests: int) -> None:
    until = time.monotonic() + 10
    while len(peer.asked) < requests and time.monotonic() < until:
        time.sleep(0.01)
    assert len(peer.asked) == requests


def test_a_slow_provider_leaves_threads_for_ballots(app: Flask, account: WeChatPeer) -> None:
    account.codes = {str(number): {"openid": f"o-{number}"} for number in range(identifying.AT_ONCE + 1)}
    account.hold.clear()
    with ThreadPoolExecutor(identifying.AT_ONCE) as pool:
        asking = [pool.submit(come_back, app, str(number)) for number in range(identifying.AT_ONCE)]
        wait_for(account, identifying.AT_ONCE)
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            come_back(app, str(identifying.AT_ONCE))
        assert time.monotonic() - began < 0.5
        account.hold.set()
        assert len({one.result() for one in asking}) == identifying.AT_ONCE
    assert len(account.asked) == identifying.AT_ONCE, "the code of whoever came too much was not used"
    assert come_back(app, str(identifying.AT_ONCE)), "and is good a moment later"


def test_a_discovery_that_hangs_leaves_them_too(app: Flask, issuer: Issuer) -> None:
    def leave() -> str:
        with app.app_context():
            return identifying.way_to(Pending("oidc", "best"), BACK)

    issuer.hold.clear()
    with ThreadPoolExecutor(16) as pool:
        asking = [pool.submit(leave) for _ in range(16)]
        until = time.monotonic() + 5
        while sum(one.done() for one in asking) < 16 - identifying.AT_ONCE and time.monotonic() < until:
            time.sleep(0.01)
        refused = [one for one in asking if one.done()]
        assert len(refused) == 16 - identifying.AT_ONCE
        issuer.hold.set()
        assert all(isinstance(one.exception(), ProviderUnavailable) for one in refused)
        assert all(one.result().startswith(issuer.url) for one in asking if one not in refused)
