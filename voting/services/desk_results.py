"""Results as the desk reads them: every version whole, with its inputs, also while the rules hide counts elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voting.rules.errors import ResultNotReady
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.transactions import reading
from voting.storage.results import Result, list_results, list_standings


@dataclass(frozen=True, slots=True)
class Line:
    """A candidate's place; ``equals`` is how many have its votes, itself among them."""

    candidate: CandidateView
    rank: int
    votes: int
    equals: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Version:
    """One count: when, of how many ballots; ``difference``: candidate -> (ledger, tally) where they were not equal."""

    version: int
    state: str
    counted_ms: int
    ballots: int
    voided: int
    votes: int
    void_reasons: Mapping[str, int]
    tally_seen: bool
    seal: tuple[int, int] | None
    difference: Sequence[tuple[CandidateView | None, int, int]]
    lines: Mapping[str, list[Line]] = field(repr=False)


def list_versions(campaign: CampaignView) -> list[Version]:
    """Every version, newest first, without its lines."""
    with reading() as session:
        return [_version(campaign, result, {}) for result in list_results(session, campaign.id)]


def get_version(campaign: CampaignView, number: int | None = None) -> Version:
    """One version with all its lines, the newest by default; raises ResultNotReady."""
    with reading() as session:
        for result in list_results(session, campaign.id):
            if number in (None, result.version):
                break
        else:
            raise ResultNotReady(campaign.slug)
        rows = list_standings(session, result.id)
        equals = Counter((row.award, row.votes) for row in rows)
        lines: dict[str, list[Line]] = {award.key: [] for award in campaign.rules.awards}
        for row in rows:
            one = campaign.by_id[row.candidate_id]
            lines[row.award].append(Line(one, row.rank, row.votes, equals[row.award, row.votes], row.outcome))
        return _version(campaign, result, lines)


def _version(campaign: CampaignView, result: Result, lines: Mapping[str, list[Line]]) -> Version:
    inputs, difference = json.loads(result.inputs), json.loads(result.difference)
    return Version(
        version=result.version,
        state=result.state,
        counted_ms=result.created_at,
        ballots=inputs["ballots"],
        voided=inputs["voided"],
        votes=inputs["votes"],
        void_reasons=inputs.get("void_reasons", {}),
        tally_seen=inputs.get("tally_seen", True),
        seal=inputs["seal"] and (inputs["seal"][0], inputs["seal"][1]),
        difference=[(campaign.by_id.get(int(key)), ledger, tally) for key, (ledger, tally) in difference.items()],
        lines=lines,
    )
