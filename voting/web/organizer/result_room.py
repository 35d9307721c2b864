"""Results at the desk: every version, each rank explained, where ledger and tally differ. Reading only."""

from __future__ import annotations

from flask import Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, StringField
from wtforms.validators import NumberRange, Optional

from voting.services import desk_results, stages
from voting.web.organizer.blocker_wording import blockers_of
from voting.web.organizer.guard import allows, bp, holder
from voting.web.organizer.result_wording import explain, outcome_name

PAGE = 100


class ResultFilter(Form):
    """Which version, award and page."""

    version = IntegerField(validators=[Optional(), NumberRange(1)])
    award = StringField(validators=[Optional()])
    page = IntegerField(validators=[Optional(), NumberRange(1)])


@bp.get("/campaigns/<slug>/results")
@allows("organizer", "auditor", "administrator")
def show_results(slug: str) -> BaseResponse:
    """A version with its lines, a hundred a page; before the first count, what is still to do."""
    state, asked = stages.view_stages(slug), ResultFilter(request.args)
    asked.validate()
    campaign = state.campaign
    versions = desk_results.list_versions(campaign)
    number = None if asked.version.errors else asked.version.data
    shown = desk_results.get_version(campaign, number) if versions else None
    awards = {award.key: award for award in campaign.rules.awards}
    # A draft may have no award yet; what was counted has one.
    award = awards.get(asked.award.data or "") or next(iter(awards.values()), None)
    lines = shown.lines[award.key] if shown and award else []
    pages = max(1, -(-len(lines) // PAGE))
    page = min(1 if asked.page.errors else asked.page.data or 1, pages)
    body = render_template(
        "organizer/results.html",
        state=state,
        campaign=campaign,
        phase=state.phase,
        versions=versions,
        shown=shown,
        award=award,
        lines=[(line, explain(line, award)) for line in lines[(page - 1) * PAGE : page * PAGE] if award],
        page=page,
        pages=pages,
        outcome_name=outcome_name,
        blockers=blockers_of(state),
        may_act=holder().may("organizer"),
        room="results",
    )
    return Response(body, mimetype="text/html")
