"""Nominating at the desk: a reviewer sends on behalf of their county or town, and amends what came back."""

from __future__ import annotations

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.errors import Refusal
from voting.rules.nomination import check_call
from voting.rules.nomination_errors import NominationDecided, NominationNotFound
from voting.services.nominating import amend_for_area, send_for_area
from voting.services.nomination_calls import CallView, areas_below, read_call
from voting.services.nomination_review import Dossier, read_for
from voting.web.nomination_forms import MOST_DOTS, MOST_FIELDS, MOST_SENT, NominationForm, places_of
from voting.web.nomination_wording import wrong_fields
from voting.web.organizer.guard import allows, bp, holder, takes
from voting.web.refusals import STATUS
from voting.web.times import now_ms
from voting.web.wording import describe

ROOM = "/campaigns/<slug>/nominations"


@bp.get(f"{ROOM}/new")
@allows("reviewer")
def new_nomination(slug: str) -> BaseResponse:
    """The form, while the call is open for reviewers; raises as ``check_call`` where it is not."""
    view = read_call(slug)
    check_call(view.call, view.stage, "desk", now_ms())
    return _page(view, NominationForm.fresh(nominator=holder().full_name))


def _page(
    view: CallView, form: NominationForm, refusal: Refusal | None = None, one: Dossier | None = None
) -> BaseResponse:
    awards = list(view.awards)
    if one is not None:
        awards = [each for each in view.rules.awards if each in awards or each.key == one.view.values["award"]]
    places = places_of(awards)
    body = render_template(
        "organizer/nomination_form.html",
        view=view,
        form=form,
        one=one,
        places=places,
        dots=len(places) <= MOST_DOTS,
        areas=areas_below(holder().area or "-"),
        wrong=wrong_fields(refusal),
        sentence=describe(refusal) if refusal else None,
    )
    return Response(body, STATUS[type(refusal)] if refusal else 200, mimetype="text/html")


@bp.post(f"{ROOM}/new")
@allows("reviewer")
@takes(MOST_SENT, MOST_FIELDS, keeps=True)
def send_new_nomination(slug: str) -> BaseResponse:
    view, form = read_call(slug), NominationForm.read(request.form)
    try:
        check_call(view.call, view.stage, "desk", now_ms())
        form.take_photo()
        nomination_id = send_for_area(slug, holder(), form.code.data or "", form.sent())
    except NominationNotFound:
        raise
    except Refusal as refused:
        return _page(view, form, refused)
    return redirect(f"/organizer/campaigns/{slug}/nominations/{nomination_id}?sent=1", 303)


def _mine(slug: str, nomination_id: int) -> Dossier:
    """The reviewer's own nomination; raises NominationNotFound."""
    one = read_for(holder(), slug, nomination_id)
    if not one.own:
        raise NominationNotFound
    return one


@bp.get(f"{ROOM}/<int:nomination_id>/amend")
@allows("reviewer")
def amend_form(slug: str, nomination_id: int) -> BaseResponse:
    """The form with what was sent; raises NominationDecided when it was not returned."""
    one = _mine(slug, nomination_id)
    if "amend" not in one.acts:
        raise NominationDecided
    return _page(one.view.call, NominationForm.of(one.view.values, one.view.photo, one.view.seen), one=one)


@bp.post(f"{ROOM}/<int:nomination_id>/amend")
@allows("reviewer")
@takes(MOST_SENT, MOST_FIELDS, keeps=True)
def amend_nomination_at_desk(slug: str, nomination_id: int) -> BaseResponse:
    one, form = _mine(slug, nomination_id), NominationForm.read(request.form)
    seen = form.seen.data or ""
    try:
        form.take_photo()
        number = int(seen) if seen.isdecimal() and len(seen) < 9 else 0
        amend_for_area(slug, holder(), nomination_id, number, form.sent())
    except NominationNotFound:
        raise
    except Refusal as refused:
        return _page(one.view.call, form, refused, one)
    return redirect(f"/organizer/campaigns/{slug}/nominations/{nomination_id}?sent=1", 303)
