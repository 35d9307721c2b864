"""Nominations at the desk: the list, one of them with its nominator, and the decision. A reviewer has one area."""

from __future__ import annotations

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional, Regexp

from voting.rules.errors import Refusal
from voting.rules.nomination import STATES
from voting.rules.nomination_errors import NominationDecided, NominationNotFound
from voting.services.catalogue import forget
from voting.services.nomination_calls import read_call
from voting.services.nomination_review import decide, history_of, list_for, read_for
from voting.web.nomination_forms import places_of
from voting.web.nomination_wording import state_words
from voting.web.organizer.guard import allows, bp, holder
from voting.web.refusals import STATUS
from voting.web.times import now_ms
from voting.web.wording import describe

ROOM = "/campaigns/<slug>/nominations"


class ListForm(Form):
    """What of the list is asked for. What does not fit is left out."""

    state = StringField(validators=[Optional(), Regexp(rf"(?:{'|'.join(STATES)})\Z")])
    area = StringField(validators=[Optional(), Regexp(r"[0-9]{2,12}\Z")])
    page = IntegerField(validators=[Optional(), NumberRange(1, 100_000)])

    def asked(self) -> dict[str, str]:
        self.validate()
        return {name: "" if self[name].errors else str(self[name].data or "") for name in ("state", "area")}


class DecisionForm(Form):
    """``seen`` is the version of the nomination on the page with the buttons."""

    act = StringField(validators=[InputRequired(), Regexp(r"(?:return|decline|accept)\Z")])
    seen = IntegerField(validators=[InputRequired()])
    reason = TextAreaField()


@bp.get(ROOM)
@allows("organizer", "reviewer")
def list_nominations(slug: str) -> BaseResponse:
    """Fifty a page, newest first; a reviewer sees what lies in their area."""
    view = read_call(slug)
    form = ListForm(request.args)
    asked = form.asked()
    number = 1 if form.page.errors else form.page.data or 1
    body = render_template(
        "organizer/nominations.html",
        view=view,
        asked=asked,
        listed=list_for(holder(), slug, asked["state"], asked["area"], number),
        states=STATES,
        state_words=state_words,
        now=now_ms(),
        award_names={award.key: award.name for award in view.rules.awards},
    )
    return Response(body, mimetype="text/html")


@bp.get(f"{ROOM}/<int:nomination_id>")
@allows("organizer", "reviewer")
def show_nomination(slug: str, nomination_id: int) -> BaseResponse:
    return _page(slug, nomination_id)


def _page(slug: str, nomination_id: int, problem: Refusal | None = None, reason: str = "") -> BaseResponse:
    one = read_for(holder(), slug, nomination_id)
    place = "/".join(part for part in (one.view.values["award"], one.view.values["group_key"]) if part)
    body = render_template(
        "organizer/nomination.html",
        one=one,
        view=one.view.call,
        place=dict(places_of(one.view.call.rules.awards)).get(place, place),
        history=history_of(slug, nomination_id),
        reason=reason,
        sentence=describe(problem) if problem else None,
        state_words=state_words,
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")


@bp.post(f"{ROOM}/<int:nomination_id>/decide")
@allows("organizer", "reviewer")
def decide_nomination(slug: str, nomination_id: int) -> BaseResponse:
    """Return, decline or accept. The second of two people is told, and what they wrote is kept."""
    form = DecisionForm(request.form)
    reason = form.reason.data or ""
    try:
        if not form.validate():
            raise NominationDecided
        decide(holder(), slug, nomination_id, str(form.act.data), form.seen.data or 0, reason)
    except NominationNotFound:
        raise
    except Refusal as refused:
        return _page(slug, nomination_id, refused, reason)
    forget()
    return redirect(f"/organizer/campaigns/{slug}/nominations/{nomination_id}?done=1", 303)
