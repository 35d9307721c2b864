"""The counted result as the public reads it: every figure from the version that was kept, nothing counted again.

SQL only, read once per version of the campaign: announcements and results can be read with Redis off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app

from voting.rules.display import Counted, visible
from voting.rules.errors import ResultNotReady
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.counting import latest_standings
from voting.services.transactions import reading

_EXTENSION = "voting_results"


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A candidate's place. ``outcome`` is known once the result is counted."""

    candidate: CandidateView
    rank: int
    votes: int
    tied: bool
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class ResultView:
    """One version of a result. ``awards`` holds every standing, best first.

    ``counts_hidden``: the rules show no count before publishing. Then only who is selected stands here, by number, and
    every figure that tells of ballots is 0.
    """

    version: int
    state: str
    counted_ms: int
    ballots: int
    voided: int
    void_reasons: Mapping[str, int]
    votes: int
    seal: tuple[int, int] | None
    rules_hash: str | None
    differing: int
    counts_hidden: bool
    awards: Mapping[str, list[BoardRow]] = field(repr=False)

    def selected(self, award: str) -> list[BoardRow]:
        return [row for row in self.awards[award] if row.outcome == "selected"]

    def undecided(self, award: str) -> list[BoardRow]:
        """Those who are tied across the last seat, which the rules leave to be settled."""
        return [row for row in self.awards[award] if row.outcome == "tie_at_last_seat"]


def get_result(campaign: CampaignView) -> ResultView:
    """The latest counted result; raises ResultNotReady before there is one."""
    if campaign.stage not in ("provisional", "published"):
        raise ResultNotReady(campaign.slug)
    kept: dict[int, tuple[int, ResultView]] = current_app.extensions.setdefault(_EXTENSION, {})
    known = kept.get(campaign.id)
    # Whatever counts or publishes raises the campaign's version.
    if known is None or known[0] != campaign.version:
        known = kept[campaign.id] = (campaign.version, _read(campaign))
    return known[1]


def _read(campaign: CampaignView) -> ResultView:
    with reading() as session:
        found = latest_standings(session, campaign.id)
        if found is None:
            raise ResultNotReady(campaign.slug)
        result, lines = found
        inputs, differing = json.loads(result.inputs), len(json.loads(result.difference))
        version, state, counted_ms = result.version, result.state, result.created_at
    awards: dict[str, list[BoardRow]] = {award.key: [] for award in campaign.rules.awards}
    for x in lines:
        awards[x.award].append(BoardRow(campaign.by_id[x.candidate_id], x.rank, x.votes, x.tied, x.outcome))
    seal = inputs["seal"] and (inputs["seal"][0], inputs["seal"][1])
    # No clock is asked: after counting, what may be shown depends on the stage alone.
    hidden = not isinstance(visible(campaign.rules, campaign.stage, campaign.rules.closes_ms), Counted)
    if hidden:
        awards = {key: _names_only(rows) for key, rows in awards.items()}
    return ResultView(
        version=version,
        state=state,
        counted_ms=counted_ms,
        ballots=0 if hidden else inputs["ballots"] - inputs["voided"],
        voided=0 if hidden else inputs["voided"],
        void_reasons={} if hidden else inputs.get("void_reasons", {}),
        votes=0 if hidden else inputs["votes"],
        seal=seal,
        rules_hash=inputs["rules_hash"],
        differing=differing,
        counts_hidden=hidden,
        awards=awards,
    )


def _names_only(rows: list[BoardRow]) -> list[BoardRow]:
    """Who is selected, or tied for the last seat, by number: no rank, no votes."""
    named = [BoardRow(row.candidate, 0, 0, False, row.outcome) for row in rows if row.outcome != "not_selected"]
    return sorted(named, key=lambda row: row.candidate.number)
