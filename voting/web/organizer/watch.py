"""Watching a campaign: the figures as tables that need no script, the same as JSON for the charts, and the audit."""

from __future__ import annotations

from flask import Response, json, render_template
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.errors import Refusal
from voting.services import watching
from voting.services.auditing import Check
from voting.services.metering import count_refusal
from voting.web.organizer.guard import allows, bp, by_itself
from voting.web.organizer.watch_wording import check_name, words_of_figures
from voting.web.refusals import STATUS
from voting.web.times import now_ms
from voting.web.wording import describe


@bp.get("/campaigns/<slug>/watch")
@allows("organizer", "auditor", "administrator")
def show_watch(slug: str) -> BaseResponse:
    return _page(slug)


@bp.get("/campaigns/<slug>/watch/figures")
@by_itself
@allows("organizer", "auditor", "administrator")
def watch_figures(slug: str) -> BaseResponse:
    """What the page shows, for its script. The desk's answers are never kept by a cache."""
    return Response(json.dumps(words_of_figures(*watching.watch(slug))), mimetype="application/json")


@bp.post("/campaigns/<slug>/watch/audit")
@allows("organizer", "auditor", "administrator")
def run_audit(slug: str) -> BaseResponse:
    """Check the promises from the stores themselves; on demand, because it reads every ballot."""
    try:
        checks = watching.audit_now(slug)
    except Refusal as refused:
        count_refusal(refused.code)
        return _page(slug, problem=refused)
    return _page(slug, checks)


def _page(slug: str, checks: list[Check] | None = None, problem: Refusal | None = None) -> BaseResponse:
    campaign, figures = watching.watch(slug)
    body = render_template(
        "organizer/watch.html",
        campaign=campaign,
        phase=campaign.phase(now_ms()),
        shown=words_of_figures(campaign, figures),
        hidden=figures.hidden,
        checks=[(check_name(check), check.holds, check.figures) for check in checks or ()],
        sentence=describe(problem, campaign) if problem else None,
        room="watch",
    )
    return Response(body, STATUS[type(problem)] if problem else 200, mimetype="text/html")
