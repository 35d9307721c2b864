"""The setting of a campaign's call for nominations: from when to when, for which awards, who may send, and the text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, Form
from wtforms.validators import InputRequired

from voting.rules.campaign import RuleSet
from voting.rules.candidate_errors import ChangedMeanwhile
from voting.rules.errors import Refusal
from voting.rules.nomination import LONGEST_CONDITIONS, Call
from voting.rules.periods import DAY_MS
from voting.services.nomination_calls import CallView, read_call, save_call
from voting.web.nomination_wording import wrong_fields
from voting.web.organizer.fields import NEEDED, Moment, answers, text_field
from voting.web.organizer.guard import allows, bp
from voting.web.organizer.steps import Several
from voting.web.refusals import STATUS
from voting.web.sharing import public_url
from voting.web.times import now_ms
from voting.web.wording import describe

ROOM = "/campaigns/<slug>/nominations/settings"


class CallForm(Form):
    """Both boxes empty: no nominations are taken."""

    public = BooleanField(lazy_gettext("市民：有链接的人都可以推荐"))
    desk = BooleanField(lazy_gettext("县（市、区）和镇（街道）：由当地审核员在工作台推荐"))
    opens = Moment(lazy_gettext("推荐开始"), [InputRequired(NEEDED)])
    closes = Moment(lazy_gettext("推荐截止"), [InputRequired(NEEDED)])
    awards = Several(lazy_gettext("哪些奖项"))
    conditions = text_field(lazy_gettext("推荐条件"), LONGEST_CONDITIONS, lines=True)

    @classmethod
    def of(cls, view: CallView) -> CallForm:
        """What stands there now; a first call begins tomorrow, for two weeks, for every award."""
        rules, call = view.rules, view.call
        if call is None:
            tomorrow = rules.local(now_ms() + DAY_MS).replace(hour=9, minute=0)
            later = rules.local(now_ms() + 15 * DAY_MS).replace(hour=18, minute=0)
            values: dict[str, Any] = {"opens": tomorrow, "closes": later, "awards": [one.key for one in rules.awards]}
        else:
            values = {"opens": rules.local(call.opens_ms), "closes": rules.local(call.closes_ms)}
            values |= {name: getattr(call, name) for name in ("public", "desk", "conditions")}
            values["awards"] = list(call.awards)
        return cls(data=values).offer(rules)

    def offer(self, rules: RuleSet) -> CallForm:
        self.awards.choices = [(award.key, award.name) for award in rules.awards]
        return self

    def call(self, rules: RuleSet) -> Call:
        """The call as this valid form wants it, on the campaign's local clock."""
        return Call(
            _at(self.opens.data, rules),
            _at(self.closes.data, rules),
            bool(self.public.data),
            bool(self.desk.data),
            tuple(self.awards.data or ()),
            self.conditions.data or "",
        )


def _at(moment: datetime, rules: RuleSet) -> int:
    return int(moment.replace(tzinfo=rules.zone).timestamp() * 1000)


@bp.get(ROOM)
@allows("organizer")
def call_settings(slug: str) -> BaseResponse:
    view = read_call(slug)
    return _page(view, CallForm.of(view), view.seen)


def _page(view: CallView, form: CallForm, seen: str, problem: Refusal | None = None) -> BaseResponse:
    theirs: dict[str, str] = {}
    if isinstance(problem, ChangedMeanwhile):
        mine, now = answers(form), answers(CallForm.of(view))
        theirs = {label: text for label, text in now.items() if text != mine.get(label)}
    for name, words in wrong_fields(problem).items():
        form[name].errors = [*form[name].errors, words]
    body = render_template(
        "organizer/nomination_call.html",
        view=view,
        form=form,
        seen=seen,
        theirs=theirs,
        address=public_url(f"/c/{view.slug}/nominate"),
        sentence=describe(problem) if problem else None,
        now=now_ms(),
    )
    status = STATUS[type(problem)] if problem else 422 if form.errors else 200
    return Response(body, status, mimetype="text/html")


@bp.post(ROOM)
@allows("organizer")
def save_call_settings(slug: str) -> BaseResponse:
    """Save, only in a draft; whoever saves second sees both."""
    view, seen = read_call(slug), request.form.get("seen", "")
    form = CallForm(request.form).offer(view.rules)
    if not form.validate():
        return _page(view, form, seen)
    try:
        save_call(slug, form.call(view.rules), seen)
    except Refusal as refused:
        now = read_call(slug)
        # After a clash the form carries what is true now: pressing again is a decision.
        return _page(now, form, now.seen if isinstance(refused, ChangedMeanwhile) else seen, refused)
    return redirect(f"/organizer/campaigns/{slug}/nominations/settings?saved=1", 303)
