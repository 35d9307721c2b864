"""Signing in on the way to a ballot: off to a provider and back, or a code for a mobile number. Thin.

It begins when a ballot is to be sent, never on a visit, and it ends on the review page with the selection kept. All of
it works without script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from voting.identity.pending import GOOD_FOR_S, Pending, PendingSignIns
from voting.identity.wechat import in_wechat
from voting.rules.errors import Refusal
from voting.services import identifying
from voting.services.catalogue import CampaignView
from voting.services.metering import count_refusal
from voting.web import guard
from voting.web.forms import read_choices
from voting.web.limits import CODES, LOOK_UPS, limiter
from voting.web.pages import private, public_campaign
from voting.web.phase_wording import can_vote
from voting.web.refusals import STATUS, retry_after_s
from voting.web.sign_in_wording import action_of
from voting.web.times import now_ms
from voting.web.wording import describe

bp = Blueprint("sign_in", __name__)
_EXTENSION = "voting_pending"
AWAY = ("wechat", "oidc")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to sign in, as the review page offers it."""

    provider: str
    action: str
    address: str


def init_sign_in(app: Flask) -> None:
    """Give the application what writes and reads sign-ins under way."""
    app.extensions[_EXTENSION] = (PendingSignIns(app.config["SECRET_KEY"]), guard.cookie_name(app, "sign_in"))


def ways_in(campaign: CampaignView, choices: Sequence[int]) -> list[Way]:
    """The ways this campaign offers, the one that decides first; the selection goes along."""
    query = _query(choices)
    base = f"/c/{campaign.slug}/sign-in"
    return [
        Way(provider, action_of(provider), f"{base}/{provider}{query}")
        for provider in campaign.rules.identity
        if provider in guard.SIGN_INS
    ]


def _query(choices: Sequence[int]) -> str:
    return "?" + urlencode([("choice", choice) for choice in choices]) if choices else ""


def _back(slug: str, choices: Sequence[int]) -> BaseResponse:
    return redirect(f"/c/{slug}/review{_query(choices)}", 303)


def _campaign(slug: str, provider: str) -> CampaignView:
    """A campaign whose voters may sign in with that provider here; else there is no such page."""
    campaign = public_campaign(slug)
    if provider not in campaign.rules.identity or provider not in identifying.configured_providers():
        raise NotFound
    return campaign


def _way_back(provider: str) -> str:
    """The address that is registered with the provider."""
    base = current_app.config.get("PUBLIC_URL") or request.host_url.rstrip("/")
    return f"{base}/sign-in/{provider}/callback"


def _keep_pending(response: BaseResponse, pending: Pending) -> None:
    pendings, name = current_app.extensions[_EXTENSION]
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(name, pendings.write(pending), GOOD_FOR_S, httponly=True, samesite="Lax", secure=secure)


def _read_pending() -> Pending | None:
    pendings, name = current_app.extensions[_EXTENSION]
    pending: Pending | None = pendings.read(request.cookies.get(name, ""))
    return pending


@bp.get("/c/<slug>/sign-in/<any(wechat, oidc):provider>")
@limiter.limit(LOOK_UPS)
def leave(slug: str, provider: str) -> BaseResponse:
    """Off to the provider; a link and no form, because our content policy lets no form lead to another site."""
    campaign, choices = _campaign(slug, provider), read_choices(request.args.getlist("choice"))
    if not can_vote(campaign, now_ms()):
        return _back(slug, choices)
    if provider == "wechat" and not in_wechat(request.headers.get("User-Agent", "")):
        page = f"{current_app.config.get('PUBLIC_URL') or request.host_url.rstrip('/')}/c/{slug}"
        return private(
            render_template("sign_in/in_wechat.html", campaign=campaign, address=page, choices=choices), False
        )
    pending = Pending(provider, slug, tuple(choices))
    response = redirect(identifying.way_to(pending, _way_back(provider)), 302)
    _keep_pending(response, pending)
    # Whoever begins anew may be somebody else; and an identity of this provider then means that it has come back.
    guard.forget_sign_ins(response, (provider,))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/sign-in/<any(wechat, oidc):provider>/callback")
@limiter.limit(CODES)
def come_back(provider: str) -> BaseResponse:
    """Back from the provider, perhaps twice: phones reload, and some send the same call-back again by themselves."""
    pending = _read_pending()
    if pending is not None:
        g.about = (pending.slug, pending.choices)
        same = pending.provider == provider and pending.state == request.args.get("state")
        if same and any(identity.provider == provider for identity in guard.current_identities()):
            return _back(pending.slug, pending.choices)
    subject = identifying.come_back(provider, pending, request.args, _way_back(provider))
    assert pending is not None
    response = _back(pending.slug, pending.choices)
    guard.keep_identity(response, provider, subject=subject)
    response.headers["Cache-Control"] = "no-store"
    return response


def _code_page(campaign: CampaignView, step: str, refusal: Refusal | None = None) -> Response:
    """The form for the number, or the one for the code; what is wrong stands beside the field."""
    form = request.form if request.method == "POST" else request.args
    number = request.form.get("number", "")
    page = render_template(
        f"sign_in/{step}.html",
        campaign=campaign,
        number=number,
        shown=identifying.shown_number(number),
        can_call=identifying.can_call(),
        problem=describe(refusal, campaign) if refusal else None,
        choices=read_choices(form.getlist("choice")),
        csrf_token=guard.form_token(campaign.slug),
    )
    response = private(page, store=False)
    if refusal is not None:
        count_refusal(refusal.code, campaign.slug)
        response.status_code = STATUS[type(refusal)]
        if (wait_s := retry_after_s(refusal, now_ms())) is not None:
            response.headers["Retry-After"] = str(wait_s)
    return response


@bp.get("/c/<slug>/sign-in/sms")
def number_page(slug: str) -> BaseResponse:
    """Where a mobile number is typed in."""
    campaign = _campaign(slug, "sms")
    if not can_vote(campaign, now_ms()):
        return _back(slug, read_choices(request.args.getlist("choice")))
    return _code_page(campaign, "number")


@bp.post("/c/<slug>/sign-in/sms")
@limiter.limit(CODES)
def send_code(slug: str) -> BaseResponse:
    """Send a code, or another one, and ask for it. Every message is paid for: none without a ballot to send."""
    guard.check_form(slug)
    campaign, form = _campaign(slug, "sms"), request.form
    if not can_vote(campaign, now_ms()):
        return _back(slug, read_choices(form.getlist("choice")))
    try:
        identifying.send_code(form.get("number", ""), guard.client_address(), form.get("by") == "call")
    except Refusal as refusal:
        # A code that was sent a moment ago is still good: it can be typed in.
        return _code_page(campaign, "code" if refusal.code == "code_too_soon" else "number", refusal)
    return _code_page(campaign, "code")


@bp.post("/c/<slug>/sign-in/sms/code")
@limiter.limit(LOOK_UPS)
def check_code(slug: str) -> BaseResponse:
    """The code that was typed; right, it makes this browser the number's."""
    guard.check_form(slug)
    campaign, form = _campaign(slug, "sms"), request.form
    try:
        subject = identifying.check_code(form.get("number", ""), form.get("code", ""))
    except Refusal as refusal:
        return _code_page(campaign, "number" if refusal.code == "number_not_valid" else "code", refusal)
    response = _back(slug, read_choices(form.getlist("choice")))
    guard.keep_identity(response, "sms", subject=subject)
    return response


@bp.post("/c/<slug>/sign-in/forget")
def forget(slug: str) -> BaseResponse:
    """Somebody else is going to use this phone."""
    guard.check_form(slug)
    campaign = public_campaign(slug)
    response = _back(campaign.slug, read_choices(request.form.getlist("choice")))
    guard.forget_sign_ins(response)
    # Nor may a step back in the browser's history sign the first one in again.
    _, name = current_app.extensions[_EXTENSION]
    response.delete_cookie(
        name, httponly=True, samesite="Lax", secure=bool(current_app.config["SESSION_COOKIE_SECURE"])
    )
    return response
