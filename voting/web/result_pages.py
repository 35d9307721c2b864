"""The announcement and the result: a page to read and to print, and the same as JSON. Redis is not needed for either.

The page is the same for every reader of one language, so it is rendered once per version of the campaign.
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from voting.rules.errors import CampaignNotFound
from voting.services import catalogue
from voting.services.catalogue import CampaignView
from voting.services.results import BoardRow, ResultView, get_result
from voting.web.api_models import ResultAwardOut, ResultOut, StandingOut
from voting.web.boards import Bodies
from voting.web.display_wording import tie_sentence
from voting.web.language import reader
from voting.web.openapi import Notes, documented

bp = Blueprint("results", __name__)
_bodies: Bodies[str] = Bodies()


def _campaign(slug: str) -> CampaignView:
    campaign = catalogue.get_campaign(slug)
    if campaign.stage == "draft":
        raise CampaignNotFound(slug)
    return campaign


@bp.get("/c/<slug>/result")
def result_page(slug: str) -> Response:
    """The provisional result while it is announced, the final one afterwards."""
    campaign = _campaign(slug)
    result = get_result(campaign)
    key = (slug, *reader())
    etag = f'W/"{campaign.version}-{result.version}-{"-".join(str(part) for part in key[1:])}"'

    def render() -> str:
        return render_template(
            "citizen/result.html",
            campaign=campaign,
            result=result,
            ties=tie_sentence(campaign.rules),
            fixed_address=f"/c/{slug}/result?",
        )

    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
    if request.headers.get("If-None-Match") == etag:
        return Response(status=304, headers=headers)
    etag, body = _bodies.get(key, etag, render)
    return Response(body, headers=headers | {"ETag": etag}, mimetype="text/html")


@bp.get("/api/v1/campaigns/<slug>/result")
@documented(Notes("campaigns", {200: ResultOut}, (404,)))
def show_result(slug: str) -> Response:
    """The counted result: who is selected, every figure behind it, and what proves it. 404 before it is counted.

    ``counts_hidden``: the rules show no count before publishing; figures are null and only names are listed then.
    """
    result = get_result(_campaign(slug))
    return Response(_result_out(slug, result).model_dump_json(), mimetype="application/json")


def _result_out(slug: str, result: ResultView) -> ResultOut:
    hidden = result.counts_hidden
    return ResultOut(
        campaign=slug,
        version=result.version,
        state=result.state,
        counted_at=result.counted_ms,
        counts_hidden=hidden,
        ballots=None if hidden else result.ballots,
        votes=None if hidden else result.votes,
        voided=None if hidden else result.voided,
        void_reasons={} if hidden else dict(result.void_reasons),
        differing=result.differing,
        seal=result.seal and f"{result.seal[0]}-{result.seal[1]}",
        rules_hash=result.rules_hash,
        awards={
            key: ResultAwardOut(
                selected=[_standing_out(row) for row in result.selected(key)],
                undecided=[_standing_out(row) for row in result.undecided(key)],
            )
            for key in result.awards
        },
    )


def _standing_out(row: BoardRow) -> StandingOut:
    candidate = row.candidate
    return StandingOut(
        id=candidate.id,
        number=candidate.number,
        name=candidate.name,
        rank=row.rank,
        votes=row.votes,
        tied=row.tied,
        outcome=row.outcome,
    )
