"""Who sent this request, and is it theirs: client address, identity cookie, ballot paper, CSRF token and Origin.

The vote's defence rides in what is read anyway: one signed cookie and one keyed token, no session, no look-up.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, after_this_request, current_app, request
from ulid import ULID
from werkzeug.http import parse_cookie

from voting.identity.base import Identity
from voting.identity.device import COOKIE_DAYS, DeviceIdentity
from voting.rules.errors import IdentityForged, IdentityMissing, WrongOrigin, WrongToken
from voting.services.catalogue import CampaignView

TOKEN_HEADER = "X-CSRF-Token"
TOKEN_FIELD = "csrf_token"
COOKIE = "device"
_EXTENSION = "voting_guard"


@dataclass(frozen=True, slots=True)
class BallotPaper:
    """What a page or client needs to cast one ballot."""

    ballot_id: str
    csrf_token: str


@dataclass(frozen=True, slots=True)
class _Guard:
    devices: DeviceIdentity
    cookie: str
    secure: bool
    public_host: str


def init_guard(app: Flask) -> None:
    """Production cookies carry the __Host- prefix: only this very host can set them, and only over HTTPS."""
    secure = bool(app.config["SESSION_COOKIE_SECURE"])
    public_host = (app.config.get("PUBLIC_URL") or "").partition("://")[2]
    cookie = f"__Host-{COOKIE}" if secure else COOKIE
    app.extensions[_EXTENSION] = _Guard(DeviceIdentity(app.config["SECRET_KEY"]), cookie, secure, public_host)


def _guard() -> _Guard:
    guard: _Guard = current_app.extensions[_EXTENSION]
    return guard


def client_address() -> str:
    """The address of the phone: the peer, or what our own proxies say (ProxyFix counts them); nothing made up."""
    return request.remote_addr or ""


def current_identity() -> Identity | None:
    """The identity this request carries, or None; a forged one is none."""
    try:
        return _read_identity()
    except (IdentityMissing, IdentityForged):
        return None


def _read_identity() -> Identity:
    guard = _guard()
    # Not request.cookies: it walks all headers first, and the vote passes here.
    cookie = parse_cookie(request.headers.get("Cookie", "")).get(guard.cookie)
    if not cookie:
        raise IdentityMissing
    return guard.devices.read(cookie)


def new_ballot_paper(campaign: CampaignView) -> BallotPaper:
    """A fresh ballot id and the token for it; the response gets an identity cookie if there is none."""
    guard = _guard()
    identity = current_identity()
    if identity is None:
        value = guard.devices.issue()
        identity = guard.devices.read(value)

        @after_this_request
        def keep(response: Response) -> Response:
            response.set_cookie(
                guard.cookie, value, COOKIE_DAYS * 86_400, httponly=True, samesite="Lax", secure=guard.secure
            )
            return response

    return BallotPaper(str(ULID()), guard.devices.csrf_token(identity, campaign.slug))


def check_vote_request(slug: str, token: str | None = None) -> Identity:
    """The voter's identity; refuses ballots from other sites' pages and without a token of this voter and campaign.

    ``token`` defaults to the form's own field. Raises IdentityMissing, IdentityForged, WrongOrigin or WrongToken.
    """
    guard = _guard()
    origin = request.headers.get("Origin")
    # Programs send no Origin; every browser that can run our pages sends one with a POST.
    if origin is not None:
        host = origin.partition("://")[2]
        if not host or host not in (request.host, guard.public_host):
            raise WrongOrigin
    identity = _read_identity()
    token = request.form.get(TOKEN_FIELD) if token is None else token
    if not token:
        raise WrongToken
    guard.devices.check_csrf(identity, slug, token)
    return identity
