"""Who sent this request, and is it theirs: client address, identity cookie, ballot paper, CSRF token and Origin.

The vote's defence rides in what is read anyway: one signed cookie and one keyed token, no session, no look-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, Response, after_this_request, current_app, request
from ulid import ULID
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response as BaseResponse

from voting.identity.base import Identity
from voting.identity.cookies import IdentityCookie
from voting.identity.device import PROVIDER as DEVICE
from voting.identity.device import DeviceIdentity
from voting.identity.tokens import BallotTokens
from voting.rules.errors import IdentityForged, IdentityMissing, WrongOrigin, WrongToken
from voting.rules.identity_errors import SignInRequired
from voting.services.catalogue import CampaignView

TOKEN_HEADER = "X-CSRF-Token"
TOKEN_FIELD = "csrf_token"
#: providers that vouch for a person, and for how long a browser is taken at its word
SIGN_INS = ("wechat", "sms", "oidc")
SIGNED_IN_DAYS = 30
_EXTENSION = "voting_guard"


@dataclass(frozen=True, slots=True)
class BallotPaper:
    """What a page or client needs to cast one ballot."""

    ballot_id: str
    csrf_token: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class _Jar:
    """One provider's cookies under their name in this environment."""

    name: str
    cookies: IdentityCookie


@dataclass(frozen=True, slots=True)
class _Guard:
    devices: DeviceIdentity
    jars: dict[str, _Jar]
    tokens: BallotTokens
    secure: bool
    public_host: str


def init_guard(app: Flask) -> None:
    """Production cookies carry the __Host- prefix: only this very host can set them, and only over HTTPS."""
    secure, secret = bool(app.config["SESSION_COOKIE_SECURE"]), app.config["SECRET_KEY"]
    public_host = (app.config.get("PUBLIC_URL") or "").partition("://")[2]
    devices = DeviceIdentity(secret)
    kinds = [devices, *(IdentityCookie(secret, provider, SIGNED_IN_DAYS) for provider in SIGN_INS)]
    jars = {kind.provider: _Jar(cookie_name(app, kind.provider), kind) for kind in kinds}
    app.extensions[_EXTENSION] = _Guard(devices, jars, BallotTokens(secret), secure, public_host)


def cookie_name(app: Flask, name: str) -> str:
    """The name of one of our cookies in this environment."""
    return f"__Host-{name}" if app.config["SESSION_COOKIE_SECURE"] else name


def _guard() -> _Guard:
    guard: _Guard = current_app.extensions[_EXTENSION]
    return guard


def client_address() -> str:
    """The address of the phone: the peer, or what our own proxies say (ProxyFix counts them); nothing made up."""
    return request.remote_addr or ""


def current_identity(campaign: CampaignView | None = None) -> Identity | None:
    """Who this browser is in a campaign (without one: which device), or None; a forged identity is none."""
    try:
        return _read_identity(campaign.rules.identity if campaign else (DEVICE,))
    except (IdentityMissing, IdentityForged, SignInRequired):
        return None


def current_identities() -> list[Identity]:
    """Everybody this browser is known as, for what was done under any of these names."""
    found = []
    for jar in _guard().jars.values():
        try:
            if cookie := request.cookies.get(jar.name):
                found.append(jar.cookies.read(cookie))
        except IdentityForged:
            pass
    return found


def _read_identity(providers: tuple[str, ...]) -> Identity:
    """The identity of the first provider that this browser has one of."""
    jars, forged = _guard().jars, False
    # Not request.cookies: it walks all headers first, and the vote passes here.
    cookies = parse_cookie(request.headers.get("Cookie", ""))
    for provider in providers:
        jar = jars.get(provider)
        cookie = cookies.get(jar.name) if jar else None
        if jar and cookie:
            try:
                return jar.cookies.read(cookie)
            except IdentityForged:
                forged = True
    if DEVICE not in providers:
        raise SignInRequired(providers)
    raise IdentityForged if forged else IdentityMissing


def keep_identity(response: BaseResponse, provider: str, cookie: str | None = None, subject: bytes = b"") -> None:
    """Give the browser the cookie of an identity that its provider has just vouched for."""
    guard = _guard()
    jar = guard.jars[provider]
    response.set_cookie(
        jar.name,
        cookie or jar.cookies.write(subject),
        jar.cookies.days * 86_400,
        httponly=True,
        samesite="Lax",
        secure=guard.secure,
    )


def forget_sign_ins(response: BaseResponse, providers: Sequence[str] = SIGN_INS) -> None:
    """Take identities from the browser, every one but the device's: somebody else is going to use this phone."""
    guard = _guard()
    for provider in providers:
        response.delete_cookie(guard.jars[provider].name, httponly=True, samesite="Lax", secure=guard.secure)


def new_ballot_paper(campaign: CampaignView) -> BallotPaper:
    """A fresh ballot id and the token for it; where devices may vote, the response gives one that has none its cookie.

    Raises SignInRequired where the voter has to sign in first.
    """
    guard = _guard()
    identity = current_identity(campaign)
    if identity is None:
        if DEVICE not in campaign.rules.identity:
            raise SignInRequired(campaign.rules.identity)
        identity = _new_device()
    return BallotPaper(str(ULID()), guard.tokens.make(identity, campaign.slug), identity)


def _new_device() -> Identity:
    """A browser that was nobody yet; its cookie goes with the response."""
    guard = _guard()
    value = guard.devices.issue()

    @after_this_request
    def keep(response: Response) -> Response:
        keep_identity(response, DEVICE, value)
        return response

    return guard.devices.read(value)


def form_token(slug: str) -> str:
    """The token of a form that is no ballot: for whoever this browser is, and a browser that is nobody becomes a
    device."""
    known = current_identities()
    return _guard().tokens.make(known[0] if known else _new_device(), slug)


def check_form(slug: str) -> None:
    """Refuse a form that no page of this campaign gave to this browser: it would sign somebody in, or have a paid
    message sent. Raises WrongOrigin, IdentityMissing or WrongToken."""
    check_origin()
    known = current_identities()
    if not known:
        raise IdentityMissing
    token = request.form.get(TOKEN_FIELD, "")
    if not any(_guard().tokens.fits(identity, slug, token) for identity in known):
        raise WrongToken


def check_origin() -> None:
    """Refuse what a page of another site sends. Programs send no Origin; every browser that can run our pages sends
    one with a POST."""
    origin = request.headers.get("Origin")
    if origin is not None:
        host = origin.partition("://")[2]
        if not host or host not in (request.host, _guard().public_host):
            raise WrongOrigin


def check_vote_request(campaign: CampaignView, token: str | None = None) -> Identity:
    """The voter's identity; refuses ballots from other sites' pages and without a token of this voter and campaign.

    ``token`` defaults to the form's own field. Raises IdentityMissing, IdentityForged, SignInRequired, WrongOrigin or
    WrongToken.
    """
    check_origin()
    identity = _read_identity(campaign.rules.identity)
    token = request.form.get(TOKEN_FIELD) if token is None else token
    if not token:
        raise WrongToken
    _guard().tokens.check(identity, campaign.slug, token)
    return identity
