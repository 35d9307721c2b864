"""What leaves the desk as a table: candidates, standings, ballots without anybody's identity, the audit trail.

Rows are given one after the other; how they are worded and written is decided above. Every export is on record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from voting.rules.errors import BoxUnavailable
from voting.rules.periods import DAY_MS
from voting.services import trail
from voting.services.boxes import box_of
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.counting import latest_standings
from voting.services.trail import Entry, write_entry
from voting.services.transactions import reading, writing
from voting.storage.ballots import iter_anonymous

Kind = Literal["candidates", "standings", "ballots", "trail"]


@dataclass(frozen=True, slots=True)
class StandingLine:
    """A candidate's place. ``version`` is None for the running tally, which nobody has counted yet."""

    candidate: CandidateView
    rank: int | None
    votes: int
    tied: bool
    outcome: str
    version: int | None


@dataclass(frozen=True, slots=True)
class BallotLine:
    """A ballot as far as it may leave: its local day and its choices. No id, which carries the time; no receipt, which
    leads to it; nothing about the voter."""

    day: date
    choices: dict[int, int]
    void_reason: str | None


def standing_lines(campaign: CampaignView) -> Iterator[StandingLine]:
    """The newest counted result, or the running tally before there is one; raises BoxUnavailable."""
    with reading() as session:
        found = latest_standings(session, campaign.id)
        counted = None if found is None else (found[0].version, list(found[1]))
    if counted is not None:
        version, lines = counted
        for line in lines:
            candidate = campaign.by_id[line.candidate_id]
            yield StandingLine(candidate, line.rank, line.votes, bool(line.tied), line.outcome, version)
        return
    if campaign.stage == "closed":
        raise BoxUnavailable("missing")
    votes = box_of(campaign.id, campaign.rules).counts().votes if campaign.epoch else {}
    for candidate in campaign.candidates:
        yield StandingLine(candidate, None, votes.get(candidate.id, 0), False, "", None)


def ballot_lines(campaign: CampaignView) -> Iterator[BallotLine]:
    """Every recorded ballot, day by day, in an order of chance within each day."""
    local, rules = campaign.rules.local_time(), campaign.rules
    begin_ms = rules.opens_ms
    with reading() as session:
        while begin_ms < rules.closes_ms:
            end_ms = local.next_midnight(begin_ms)
            day = datetime.fromtimestamp(local.day(begin_ms) * DAY_MS / 1000, UTC).date()
            for choices, reason in iter_anonymous(session, campaign.id, (begin_ms, end_ms)):
                yield BallotLine(day, choices, reason)
            begin_ms = end_ms


def trail_lines(campaign: CampaignView) -> Iterator[Entry]:
    """The entries of a campaign, oldest first."""
    return (entry for entry in trail.all_entries() if entry.campaign == campaign.slug)


def record_export(slug: str, kind: Kind, form: str, rows: int) -> None:
    """Put on record who took what with them."""
    with writing() as session:
        write_entry(session, f"export.{kind}", slug, slug, after={"format": form, "rows": rows})
