"""OpenID Connect over real HTTP: discovery, PKCE, keys that change, and every spoilt id_token is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.peers.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, new_key
from voting.identity import oidc
from voting.identity.base import ProviderFailed
from voting.identity.oidc import Oidc

BACK = "https://vote.example/sign-in/oidc/callback"
VERIFIER, NONCE = "v" * 64, "n" * 32


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def provider(issuer: Issuer) -> Iterator[Oidc]:
    with httpx.Client() as client:
        yield Oidc(issuer.url, CLIENT_ID, CLIENT_SECRET, client, "openid")


def code_of(issuer: Issuer, provider: Oidc) -> str:
    back = issuer.agree(provider.address(BACK, "state", NONCE, VERIFIER))
    return dict(parse_qsl(urlsplit(back).query))["code"]


def sign_in(issuer: Issuer, provider: Oidc) -> str:
    return provider.exchange(code_of(issuer, provider), BACK, NONCE, VERIFIER)


def test_the_sub_of_whoever_agreed(issuer: Issuer, provider: Oidc) -> None:
    assert sign_in(issuer, provider) == "citizen-1"
    issuer.person = "citizen-2"
    assert sign_in(issuer, provider) == "citizen-2"
    assert [asked.path for asked in issuer.asked].count("/.well-known/openid-configuration") == 1
    assert [asked.path for asked in issuer.asked].count("/keys") == 1


def test_a_client_that_must_post_its_secret(issuer: Issuer, provider: Oidc) -> None:
    issuer.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_in(issuer, provider) == "citizen-1"
    (asked,) = [asked for asked in issuer.asked if asked.path == "/token"]
    assert "authorization" not in asked.headers


def test_a_code_is_good_once_and_only_with_its_verifier(issuer: Issuer, provider: Oidc) -> None:
    code = code_of(issuer, provider)
    provider.exchange(code, BACK, NONCE, VERIFIER)
    with pytest.raises(ProviderFailed, match="invalid_grant") as failed:
        provider.exchange(code, BACK, NONCE, VERIFIER)
    assert failed.value.refused
    with pytest.raises(ProviderFailed, match="invalid_grant"):
        provider.exchange(code_of(issuer, provider), BACK, NONCE, "another verifier")


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": ["another client", "a third"]},
        {"aud": [CLIENT_ID, "another client"]},
        {"azp": "another client"},
        {"exp": NOW - 100},
        {"exp": None},
        {"iat": NOW + 600},
        {"iat": None},
        {"nonce": "another nonce"},
        {"nonce": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
    ],
    ids=lambda claims: f"{next(iter(claims))}-{type(next(iter(claims.values()))).__name__}",
)
def test_claims_that_are_not_for_us(issuer: Issuer, provider: Oidc, claims: dict[str, object]) -> None:
    issuer.claims = claims
    with pytest.raises(ProviderFailed, match="id_token") as failed:
        sign_in(issuer, provider)
    assert failed.value.refused


def test_several_audiences_with_us_as_the_authorized_party(issuer: Issuer, provider: Oidc) -> None:
    issuer.claims = {"aud": [CLIENT_ID, "another client"], "azp": CLIENT_ID}
    assert sign_in(issuer, provider) == "citizen-1"


@pytest.mark.parametrize("signer", ["nobody", "somebody else", "mac with the public key"])
def test_signatures_that_are_none(issuer: Issuer, provider: Oidc, signer: str) -> None:
    issuer.signer = signer
    with pytest.raises(ProviderFailed, match="id_token"):
        sign_in(issuer, provider)


def test_keys_may_change_but_are_not_fetched_for_every_forgery(
    issuer: Issuer, provider: Oidc, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in(issuer, provider) == "citizen-1"
    issuer.key = new_key("two")
    issuer.published = [issuer.key]
    with pytest.raises(ProviderFailed):
        sign_in(issuer, provider)
    assert [asked.path for asked in issuer.asked].count("/keys") == 1
    monkeypatch.setattr(oidc, "KEYS_APART_S", 0)
    assert sign_in(issuer, provider) == "citizen-1"


@pytest.mark.parametrize("about", [{"issuer": "https://evil.example"}, {"token_endpoint": None}, {"jwks_uri": 7}])
def test_a_discovery_that_is_not_of_this_issuer(issuer: Issuer, provider: Oidc, about: dict[str, object]) -> None:
    issuer.about = about
    with pytest.raises(ProviderFailed, match="discovery"):
        provider.address(BACK, "s", NONCE, VERIFIER)


def test_the_last_discovery_is_kept_while_the_provider_is_away(
    issuer: Issuer, provider: Oidc, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.status = 503
    with pytest.raises(ProviderFailed) as failed:
        provider.address(BACK, "s", NONCE, VERIFIER)
    assert not failed.value.refused
    issuer.status = 200
    address = provider.address(BACK, "s", NONCE, VERIFIER)
    monkeypatch.setattr(oidc, "DISCOVERED_S", 0)
    issuer.status = 503
    assert provider.address(BACK, "s", NONCE, VERIFIER) == address


def test_a_slow_provider(issuer: Issuer, provider: Oidc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "TIMEOUT_S", 0.2)
    code = code_of(issuer, provider)
    issuer.hold.clear()
    with pytest.raises(ProviderFailed, match="ReadTimeout"):
        provider.exchange(code, BACK, NONCE, VERIFIER)
