"""Changing rules after opening: what waits for a second person, the form for a draft, and the versions so far.

One person asks and another confirms exactly what the page shows: its form carries the version of the campaign and the
mark of the change that was read.
"""

from __future__ import annotations

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired, Length, Optional

from voting.rules.campaign import RuleSet
from voting.rules.change_errors import AlreadyAsked, BoxNotTold, RuleChangeRefused
from voting.rules.errors import Refusal, StageRefused
from voting.rules.rule_text import RuleTextError
from voting.rules.stage_errors import ChangedMeanwhile
from voting.services import rule_changes, stages
from voting.services.metering import count_refusal
from voting.services.rule_changes import ChangeView
from voting.web.change_wording import change_lines, notices
from voting.web.organizer.change_form import ChangeForm, form_for
from voting.web.organizer.finding_wording import finding_sentence
from voting.web.organizer.guard import allows, bp, holder
from voting.web.refusals import STATUS
from voting.web.wording import describe

DECISION = "<any(confirm, withdraw, finish):decision>"


class DecisionForm(Form):
    """What a decision carries: the version it was made on, the newest entry seen then, and the mark of the change."""

    version = IntegerField(validators=[InputRequired()])
    seen = IntegerField(validators=[Optional()])
    mark = StringField(validators=[Optional(), Length(max=64)])


@bp.get("/campaigns/<slug>/changes")
@allows("organizer", "auditor", "administrator")
def show_changes(slug: str) -> BaseResponse:
    """What is asked, and the rules there have been."""
    return _page(rule_changes.view_changes(slug))


@bp.post(f"/campaigns/<slug>/changes/{DECISION}")
@allows("organizer")
def decide_change(slug: str, decision: str) -> BaseResponse:
    """Confirm what another person asked, take it back, or tell the box what was decided."""
    form = DecisionForm(request.form)
    if not form.validate():
        # Not from our page: the page is what says what will happen.
        return redirect(f"/organizer/campaigns/{slug}/changes", 303)
    version = form.version.data or 0
    try:
        if decision == "confirm":
            rule_changes.confirm_change(slug, version, form.mark.data or "")
        elif decision == "withdraw":
            rule_changes.withdraw_change(slug, version)
        else:
            rule_changes.finish_change(slug)
    except Refusal as refused:
        return _page(rule_changes.view_changes(slug), refused, form.seen.data)
    return redirect(f"/organizer/campaigns/{slug}/changes?done={decision}", 303)


@bp.get("/campaigns/<slug>/changes/new")
@allows("organizer")
def draft_change(slug: str) -> BaseResponse:
    """The rules in force, in fields."""
    view = rule_changes.view_changes(slug)
    if (problem := _closed(view)) is not None:
        return _page(view, problem)
    rules = view.campaign.rules
    return _form(view, form_for(rules).of_rules(rules))


@bp.post("/campaigns/<slug>/changes/new")
@allows("organizer")
def ask_for_change(slug: str) -> BaseResponse:
    """Ask for the change, or only show what it would be."""
    view = rule_changes.view_changes(slug)
    if (problem := _closed(view)) is not None:
        return _page(view, problem)
    rules = view.campaign.rules
    form = form_for(rules)(request.form)
    fits = form.validate()
    if form.version.errors or form.version.data is None:
        return redirect(f"/organizer/campaigns/{slug}/changes/new", 303)
    only_look = "preview" in request.form
    if not fits and not (only_look and set(form.errors) == {"reason"}):
        return _form(view, form, status=422)
    try:
        after = rule_changes.rules_with(rules, form.changes(rules))
        if only_look:
            form.reason.errors = []
            findings = rule_changes.findings_against(view.campaign, after)
            if findings:
                raise RuleChangeRefused(tuple(findings))
            return _form(view, form, after)
        rule_changes.ask_for_change(slug, form.version.data, form.changes(rules), form.reason.data or "")
    except RuleTextError as error:
        form.blame("closes", gettext("规则不接受这样填写：%(why)s", why=str(error)))
        return _form(view, form, status=422)
    except (AlreadyAsked, BoxNotTold) as refused:
        return _page(rule_changes.view_changes(slug), refused)
    except Refusal as refused:
        return _form(rule_changes.view_changes(slug), form, problem=refused)
    return redirect(f"/organizer/campaigns/{slug}/changes?done=ask", 303)


def _closed(view: ChangeView) -> Refusal | None:
    """Why nothing can be drafted now."""
    if view.waiting:
        return BoxNotTold()
    if view.proposed is not None:
        return AlreadyAsked(view.proposed.by)
    return None if view.possible else StageRefused("change", view.phase)


def _form(
    view: ChangeView, form: ChangeForm, after: RuleSet | None = None, problem: Refusal | None = None, status: int = 200
) -> BaseResponse:
    campaign = view.campaign
    seen, meanwhile = form.seen.data, []
    if isinstance(problem, ChangedMeanwhile) and seen is not None:
        meanwhile = stages.entries_since(campaign.slug, seen)
    if problem is not None:
        count_refusal(problem.code)
        status = STATUS[type(problem)]
    body = render_template(
        "organizer/change_form.html",
        view=view,
        campaign=campaign,
        form=form,
        limits=form.limits(campaign.rules),
        seats=form.seats(campaign.rules),
        lines=change_lines(campaign.rules, after) if after else [],
        findings=[finding_sentence(one) for one in problem.findings] if isinstance(problem, RuleChangeRefused) else [],
        meanwhile=meanwhile,
        # Sending it once more after somebody else's act is a decision: the page has told what happened.
        seen=stages.newest_entry(campaign.slug),
        sentence=describe(problem, campaign) if problem else None,
        room="changes",
    )
    return Response(body, status, mimetype="text/html")


def _page(view: ChangeView, problem: Refusal | None = None, seen: int | None = None) -> BaseResponse:
    campaign, proposed = view.campaign, view.proposed
    if problem is not None:
        count_refusal(problem.code)
    told = seen if isinstance(problem, ChangedMeanwhile | StageRefused) else None
    body = render_template(
        "organizer/changes.html",
        view=view,
        campaign=campaign,
        proposed=proposed,
        lines=change_lines(proposed.before, proposed.after) if proposed else [],
        notices=notices(campaign.history),
        findings=[finding_sentence(one) for one in problem.findings] if isinstance(problem, RuleChangeRefused) else [],
        meanwhile=stages.entries_since(campaign.slug, told) if told is not None else [],
        seen=stages.newest_entry(campaign.slug),
        sentence=describe(problem, campaign) if problem else None,
        done=None if problem else _done(view),
        may_act=holder().may("organizer"),
        own=proposed is not None and proposed.by == holder().name,
        room="changes",
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")


#: what an address may claim was done -> the act of the trail that must be there
_ACTS = {"ask": "rules.ask", "withdraw": "rules.withdraw", "confirm": "rules.in_force", "finish": "rules.in_force"}


def _done(view: ChangeView) -> str | None:
    """What was just done, as the trail has it: an address alone can claim nothing."""
    asked = request.args.get("done", "")
    newest = next(iter(stages.entries_since(view.campaign.slug, 0)), None)
    if newest is None or newest.actor != holder().name or newest.act != _ACTS.get(asked):
        return None
    if asked == "ask":
        return gettext("已提出变更申请，请另一位组织者确认。确认以前，现行规则不变。")
    if asked == "withdraw":
        return gettext("已撤回变更申请，规则没有变。")
    return gettext("新规则已经生效，并已向市民公布变更前后的内容。")
