"""Citizens' pages for nominating: the way down to a village, the form, and the private page of what was sent.

All of it works without script. A campaign that takes nominations is a draft, of which these pages tell nothing but its
title, its awards and whom to ask. What was typed is kept on every refusal.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from flask_limiter.errors import RateLimitExceeded
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.errors import IdentityMissing, Refusal, TooManyRequests, WrongToken
from voting.rules.nomination_errors import NominationNotFound, NominationRefused
from voting.services.metering import count_refusal
from voting.services.nominating import (
    NominationView,
    amend_nomination,
    public_call,
    read_by_code,
    send_nomination,
)
from voting.services.nomination_calls import CallView, area_step
from voting.web import guard
from voting.web.limits import LOOK_UPS, NOMINATIONS, PAPERS, limiter
from voting.web.nomination_forms import MOST_DOTS, NominationForm, places_of, take_files
from voting.web.nomination_wording import STALE, state_words, wrong_fields
from voting.web.refusals import STATUS, retry_after_s
from voting.web.sharing import public_url
from voting.web.times import now_ms
from voting.web.wording import Sentence, describe

bp = Blueprint("nominations", __name__)


@bp.get("/c/<slug>/nominate")
@limiter.limit(PAPERS)
def nominate(slug: str) -> Response:
    """When and how, then county, town and village one after the other, then the form."""
    view = public_call(slug)
    assert view.call is not None
    if not view.call.opens_ms <= now_ms() < view.call.closes_ms:
        return _page("citizen/nominate_closed.html", view)
    area = request.args.get("area", "")
    step = area_step(area)
    if step.below and "here" not in request.args:
        return _area_page(view, area)
    return _form_page(view, NominationForm.fresh(area))


def _page(template: str, view: CallView, status: int = 200, **more: object) -> Response:
    """Never with the campaign itself: the frame would lead to pages that a draft does not have."""
    body = render_template(template, view=view, call=view.call, now=now_ms(), state_words=state_words, **more)
    response = Response(body, status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _area_page(view: CallView, area: str, form: NominationForm | None = None, action: str = "") -> Response:
    """Which county, town or village; with a form under way, its content goes along."""
    return _page(
        "citizen/nominate_area.html",
        view,
        step=area_step(area),
        form=form,
        action=action or f"/c/{view.slug}/nominate",
        csrf_token=guard.form_token(view.slug),
    )


def _form_page(
    view: CallView,
    form: NominationForm,
    refusal: Refusal | None = None,
    mine: NominationView | None = None,
    code: str = "",
) -> Response:
    """The form, or with ``mine`` the private page of a nomination with it, and what is wrong."""
    awards = list(view.awards)
    if mine is not None:
        awards = [each for each in view.rules.awards if each in awards or each.key == mine.values["award"]]
    places = places_of(awards)
    page = _page(
        "citizen/nomination.html" if mine else "citizen/nominate.html",
        view,
        status=STATUS[type(refusal)] if refusal else 200,
        form=form,
        mine=mine,
        code=code,
        address=public_url(f"/c/{view.slug}/nominations/{code}"),
        path=[area.name for area in area_step(form.area_code.data or "").path if area.level != "city"],
        places=places,
        dots=len(places) <= MOST_DOTS,
        wrong=wrong_fields(refusal),
        problem=_sentence(refusal) if refusal else None,
        csrf_token=guard.form_token(view.slug),
    )
    if refusal is not None:
        count_refusal(refusal.code, "")
        if (wait_s := retry_after_s(refusal, now_ms())) is not None:
            page.headers["Retry-After"] = str(wait_s)
    return page


def _sentence(refusal: Refusal) -> Sentence:
    if isinstance(refusal, WrongToken | IdentityMissing):
        return Sentence(str(STALE[0]), str(STALE[1]))
    return describe(refusal)


def _check(slug: str) -> Refusal | None:
    """What stands against reading this form any further; raises WrongOrigin, and whatever has no page to stand on."""
    take_files()
    try:
        with limiter.limit(NOMINATIONS):
            guard.check_form(slug)
    except (WrongToken, IdentityMissing) as refused:
        return refused
    except RateLimitExceeded as error:
        return TooManyRequests(int(error.limit.limit.get_expiry()) if error.limit else 60)
    return None


@bp.post("/c/<slug>/nominate")
def send(slug: str) -> BaseResponse:
    """Take a nomination, or go back to choosing the area with everything that was typed."""
    refusal = _check(slug)
    try:
        view = public_call(slug)
    except NominationNotFound:
        raise refusal or NominationNotFound from None
    form = NominationForm.read(request.form)
    if refusal is not None:
        return _form_page(view, form, refusal)
    if "pick" in request.form or "here" in request.form:
        return _picked(view, form)
    try:
        form.take_photo()
        code = send_nomination(slug, form.code.data or "", form.sent())
    except NominationNotFound:
        raise
    except Refusal as refused:
        return _form_page(view, form, refused)
    return redirect(f"/c/{slug}/nominations/{code}?new=1", 303)


def _picked(view: CallView, form: NominationForm, mine: NominationView | None = None, code: str = "") -> Response:
    """An area was pressed: what lies below it, or the form again; a photo that came along is kept."""
    refusal: Refusal | None = None
    try:
        form.take_photo()
    except NominationRefused as refused:
        refusal = refused
    area = request.form.get("here", request.form.get("pick", ""))
    if "here" not in request.form and area_step(area).below:
        return _area_page(view, area, form, request.path)
    form.area_code.data = area
    return _form_page(view, form, refusal, mine, code)


@bp.get("/c/<slug>/nominations/<code>")
@limiter.limit(LOOK_UPS)
def show(slug: str, code: str) -> Response:
    """What became of it, for whoever has the code; a returned one with the form."""
    mine = read_by_code(slug, code)
    return _form_page(mine.call, NominationForm.of(mine.values, mine.photo, mine.seen), mine=mine, code=code)


@bp.post("/c/<slug>/nominations/<code>")
def amend(slug: str, code: str) -> BaseResponse:
    """Send a returned nomination again."""
    refusal = _check(slug)
    try:
        mine = read_by_code(slug, code)
    except NominationNotFound:
        raise refusal or NominationNotFound from None
    form = NominationForm.read(request.form)
    if refusal is not None:
        return _form_page(mine.call, form, refusal, mine, code)
    if "pick" in request.form or "here" in request.form:
        return _picked(mine.call, form, mine, code)
    seen = form.seen.data or ""
    try:
        form.take_photo()
        amend_nomination(slug, code, int(seen) if seen.isdecimal() and len(seen) < 9 else 0, form.sent())
    except NominationNotFound:
        raise
    except Refusal as refused:
        # Whoever comes too late sees what it has become.
        return _form_page(mine.call, form, refused, read_by_code(slug, code), code)
    return redirect(f"/c/{slug}/nominations/{code}?again=1", 303)
