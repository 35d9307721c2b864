"""My votes, as a page and as JSON: what this browser cast, what became of it, and what it may still cast.

Personal, so nothing of it is ever stored; which ballots these are is known to ``services/mine.py``.
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from pydantic import BaseModel

from voting.services.catalogue import CampaignView
from voting.services.mine import find_mine
from voting.services.standing import LeftLine
from voting.web import guard
from voting.web.limits import LOOK_UPS, limiter
from voting.web.openapi import Notes, documented
from voting.web.pages import private, public_campaign, standing_of
from voting.web.rule_wording import quota_sentence

bp = Blueprint("mine", __name__)


class MyBallotOut(BaseModel):
    """A ballot of this browser; ``state`` is accepted, recorded or published, times are epoch milliseconds."""

    ballot_id: str
    receipt: str
    accepted_at: int
    choices: list[int]
    state: str


class LeftOut(BaseModel):
    """What is used of one quota line, in the award or group that it names."""

    unit: str
    per: str
    period: str
    award: str | None
    group: str | None
    limit: int
    used: int
    left: int


class MineOut(BaseModel):
    """Newest ballots first. Not ``complete``: some of the newest may appear only when they are recorded."""

    campaign: str
    ballots: list[MyBallotOut]
    complete: bool
    left: list[LeftOut]


@bp.get("/c/<slug>/mine")
@limiter.limit(LOOK_UPS)
def my_votes(slug: str) -> Response:
    """What this browser cast in the campaign, and what it may still cast."""
    campaign = public_campaign(slug)
    mine = find_mine(campaign, guard.current_identities())
    return private(
        render_template("citizen/mine.html", campaign=campaign, mine=mine, lines=left_lines(campaign)), store=False
    )


@bp.get("/api/v1/campaigns/<slug>/mine")
@limiter.limit(LOOK_UPS)
@documented(Notes("voting", {200: MineOut}, (404, 429)))
def show_mine(slug: str) -> Response:
    """The ballots cast with these cookies, newest first, and what is left of the quotas."""
    campaign = public_campaign(slug)
    mine = find_mine(campaign, guard.current_identities())
    out = MineOut(
        campaign=slug,
        ballots=[
            MyBallotOut(
                ballot_id=ballot.ballot_id,
                receipt=ballot.code,
                accepted_at=ballot.accepted_ms,
                choices=[candidate.id for candidate in ballot.candidates],
                state=ballot.state,
            )
            for ballot in mine.ballots
        ],
        complete=mine.complete,
        left=[
            LeftOut(
                unit=line.quota.unit,
                per=line.quota.per,
                period=line.quota.period,
                award=line.award,
                group=line.group,
                limit=line.limit,
                used=line.used,
                left=line.left,
            )
            for line in standing_of(campaign).lines
        ],
    )
    return Response(out.model_dump_json(), headers={"Cache-Control": "no-store"}, mimetype="application/json")


def left_lines(campaign: CampaignView) -> list[tuple[str, LeftLine, str]]:
    """What is left of the quotas: the award or group a line is about ("" = all), the line, and the rule in words."""
    names = {award.key: award.name for award in campaign.rules.awards}
    names |= {group.key: group.name for group in campaign.rules.groups()}
    return [
        (names.get(line.award or line.group or "", ""), line, quota_sentence(line.quota))
        for line in standing_of(campaign).lines
    ]
