"""The stages of a campaign: what may be done, what will happen, what stands against it; and the press of a button.

Every button leads to a page that says what will happen. Its form carries the version of the campaign that was shown: if
anything changed since, nothing is done and the page tells what happened meanwhile. Only the emergency stop needs no
second press.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired, Length, Optional

from voting.rules.change_errors import ChangeReasonRefused
from voting.rules.errors import Refusal, StageRefused
from voting.rules.stage_errors import ChangedMeanwhile, PauseReasonRefused
from voting.services import campaigns, closing, publishing, stages
from voting.services.metering import count_refusal
from voting.services.stages import StageView
from voting.web.organizer.blocker_wording import blockers_of
from voting.web.organizer.guard import allows, bp, holder
from voting.web.organizer.stage_wording import (
    ACTS,
    EMERGENCY,
    act_button,
    act_done,
    act_title,
    box_sentence,
    consequences,
    needs_care,
    stage_line,
)
from voting.web.refusals import STATUS
from voting.web.wording import describe

LONGEST_REASON = 200
#: acts that citizens read a reason for, and what is said when there is none
WITH_REASON: dict[str, type[Refusal]] = {"pause": PauseReasonRefused, "ask_close": ChangeReasonRefused}
ACT = "<any(open, pause, resume, close, count, ask, confirm, withdraw, ask_close, confirm_close, withdraw_close):act>"


class StageForm(Form):
    """What a confirmation carries: the version it was decided on, the newest entry seen then, and a reason to pause."""

    version = IntegerField(validators=[InputRequired()])
    seen = IntegerField(validators=[Optional()])
    reason = StringField(validators=[Optional(), Length(max=LONGEST_REASON)])


@bp.get("/campaigns/<slug>/stages")
@allows("organizer", "auditor", "administrator")
def show_stages(slug: str) -> BaseResponse:
    """Where the campaign stands and what may be done next."""
    return _page(stages.view_stages(slug))


@bp.get(f"/campaigns/<slug>/stages/{ACT}")
@allows("organizer")
def confirm_act(slug: str, act: str) -> BaseResponse:
    """What will happen, before it does."""
    state = stages.view_stages(slug)
    if act not in state.acts:
        return _page(state, StageRefused(act, state.campaign.stage))
    return _confirm(state, act)


@bp.post(f"/campaigns/<slug>/stages/{ACT}")
@allows("organizer")
def do_act(slug: str, act: str) -> BaseResponse:
    """Do it, if the campaign still is what the confirmation showed."""
    form = StageForm(request.form)
    seen = form.seen.data if form.validate() else None
    if form.version.errors or form.version.data is None:
        # Not from our page: the page is what says what will happen.
        return redirect(f"/organizer/campaigns/{slug}/stages/{act}", 303)
    try:
        if act in WITH_REASON and (form.reason.errors or not (form.reason.data or "").strip()):
            raise WITH_REASON[act]
        _DO[act](slug, form.version.data, (form.reason.data or "").strip())
    except (PauseReasonRefused, ChangeReasonRefused) as refused:
        state = stages.view_stages(slug)
        if act not in state.acts:
            return _page(state, StageRefused(act, state.campaign.stage), seen)
        return _confirm(state, act, refused, form.reason.data or "")
    except Refusal as refused:
        return _page(stages.view_stages(slug), refused, seen)
    return redirect(f"/organizer/campaigns/{slug}/stages?done={act}", 303)


@bp.post("/campaigns/<slug>/stop")
@allows("organizer")
def emergency_stop(slug: str) -> BaseResponse:
    """Pause at once, with a standard reason; whoever comes second finds it paused."""
    try:
        stopped = campaigns.stop_campaign(slug, EMERGENCY)
    except Refusal as refused:
        return _page(stages.view_stages(slug), refused)
    return redirect(f"/organizer/campaigns/{slug}/stages?done={'pause' if stopped else 'stopped'}", 303)


_DO: dict[str, Callable[[str, int, str], object]] = {
    "open": lambda slug, version, _reason: campaigns.open_campaign(slug, version),
    "pause": lambda slug, version, reason: campaigns.pause_campaign(slug, reason, version),
    "resume": lambda slug, version, _reason: campaigns.resume_campaign(slug, version),
    "close": lambda slug, version, _reason: stages.close(slug, version),
    "count": lambda slug, version, _reason: stages.count(slug, version),
    "ask": lambda slug, version, _reason: publishing.ask_to_publish(slug, version),
    "confirm": lambda slug, version, _reason: publishing.confirm_publishing(slug, version),
    "withdraw": lambda slug, version, _reason: publishing.withdraw_request(slug, version),
    "ask_close": lambda slug, version, reason: closing.ask_to_close(slug, version, reason),
    "confirm_close": lambda slug, version, _reason: stages.close_early(slug, version),
    "withdraw_close": lambda slug, version, _reason: closing.withdraw_closing(slug, version),
}


def _page(state: StageView, problem: Refusal | None = None, seen: int | None = None) -> BaseResponse:
    if problem is not None:
        count_refusal(problem.code)
    campaign = state.campaign
    told = seen if isinstance(problem, ChangedMeanwhile | StageRefused) else None
    body = render_template(
        "organizer/stages.html",
        state=state,
        campaign=campaign,
        line=stage_line(state),
        box=box_sentence(state.box),
        acts=[(act, act_button(act), consequences(act, state), needs_care(act)) for act in state.acts],
        blockers=blockers_of(state, problem),
        meanwhile=stages.entries_since(campaign.slug, told) if told is not None else [],
        sentence=describe(problem, campaign) if problem else None,
        done=None if problem else _done(state),
        act_title=act_title,
        may_act=holder().may("organizer"),
        emergency=EMERGENCY,
        own_request=_own(state),
        room="stages",
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")


def _own(state: StageView) -> bool:
    """Whether what waits for a second person was asked by this one."""
    return any(asked is not None and asked.by == holder().name for asked in (state.asked, state.close_asked))


def _done(state: StageView) -> str | None:
    """What was just done, as the trail has it: an address alone can claim nothing."""
    asked = request.args.get("done", "")
    if asked == "stopped" and state.campaign.paused_reason is not None:
        return act_done("stopped", state)
    newest = state.past[0] if state.past else None
    if newest and newest.actor == holder().name and newest.act in ACTS.get(asked, ()):
        return act_done(asked, state)
    return None


def _confirm(state: StageView, act: str, problem: Refusal | None = None, reason: str = "") -> BaseResponse:
    body = render_template(
        "organizer/stage_confirm.html",
        state=state,
        campaign=state.campaign,
        act=act,
        title=act_title(act),
        button=act_button(act),
        lines=consequences(act, state),
        care=needs_care(act),
        blockers=blockers_of(state),
        seen=stages.newest_entry(state.campaign.slug),
        sentence=describe(problem) if problem else None,
        reason=reason,
        with_reason=act in WITH_REASON,
        longest=LONGEST_REASON,
        room="stages",
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")
