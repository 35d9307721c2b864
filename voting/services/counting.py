"""Close and publish: seal, drain, recount from the ledger, compare with the tally, rank, and keep every input.

SQL governs. A difference between the ledger and the tally is recorded and shown, never smoothed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from voting.rules.campaign import Stage, check_transition
from voting.rules.errors import BoxUnavailable, NotReadyToPublish
from voting.rules.ranking import rank
from voting.services.boxes import box_of
from voting.services.campaigns import check_version, now_ms, seal_campaign
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.recording import drain
from voting.services.trail import write_entry
from voting.services.transactions import writing
from voting.storage.ballots import count_ballots, counts_by_candidate, voids_by_reason
from voting.storage.campaigns import Campaign, bump_version, lock_by_slug
from voting.storage.database import AnyRow
from voting.storage.results import Result, find_latest_result, insert_result, list_standings


@dataclass(frozen=True, slots=True)
class Provisional:
    """A counted result: version, ballots behind it, and where ledger and tally differ: candidate -> (ledger, tally)."""

    version: int
    ballots: int
    voided: int
    difference: dict[int, tuple[int, int]]


def close_campaign(slug: str, drain_timeout_s: float = 60.0) -> Provisional:
    """Seal the box, record the rest, recount and rank: a provisional result. Again: the next version."""
    forget()
    if get_campaign(slug).stage not in ("closed", "provisional"):
        seal_campaign(slug)
    campaign = get_campaign(slug)
    drain(campaign, drain_timeout_s)
    return count_campaign(slug)


def count_campaign(slug: str, expected: int | None = None) -> Provisional:
    """Recount from the ledger and write the next version of the result; ``expected`` as in ``open_campaign``."""
    campaign = get_campaign(slug)
    tally = _tally(campaign)
    with writing() as session:
        row = lock_by_slug(session, slug)
        check_version(row, expected)
        row.stage = check_transition("count", row.stage)
        all_votes = counts_by_candidate(session, row.id)
        votes = counts_by_candidate(session, row.id, without_voided=True)
        ballots, valid = count_ballots(session, row.id), count_ballots(session, row.id, without_voided=True)
        difference = {} if tally is None else _difference(all_votes, tally)
        standings = _standings(campaign, votes)
        inputs = {
            "rules_hash": campaign.rules_hash,
            "seal": campaign.sealed_id,
            "ballots": ballots,
            "voided": ballots - valid,
            "void_reasons": voids_by_reason(session, row.id),
            "votes": sum(votes.values()),
            "tally_seen": tally is not None,
        }
        result = insert_result(
            session,
            row.id,
            "provisional",
            now_ms(),
            json.dumps(inputs, sort_keys=True),
            json.dumps({str(key): value for key, value in difference.items()}, sort_keys=True),
            standings,
        )
        bump_version(session, row.id)
        version = result.version
        figures = {"version": version, "ballots": ballots, "voided": ballots - valid, "differing": len(difference)}
        write_entry(session, "campaign.count", slug, slug, after=figures)
    forget()
    return Provisional(version, ballots, ballots - valid, difference)


def _tally(campaign: CampaignView) -> dict[int, int] | None:
    """The box's own count, or None when the box is away: the ledger does not need it."""
    try:
        return box_of(campaign.id, campaign.rules).counts().votes
    except BoxUnavailable:
        return None


def _difference(ledger: dict[int, int], tally: dict[int, int]) -> dict[int, tuple[int, int]]:
    keys = sorted(ledger.keys() | tally.keys())
    return {key: (ledger.get(key, 0), tally.get(key, 0)) for key in keys if ledger.get(key, 0) != tally.get(key, 0)}


def _standings(campaign: CampaignView, votes: dict[int, int]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for award in campaign.rules.awards:
        standing = [c.id for c in campaign.candidates if c.award == award.key and c.standing == "standing"]
        for line in rank({each: votes.get(each, 0) for each in standing}, award.seats, campaign.rules.ties):
            rows.append(
                {
                    "candidate_id": line.candidate,
                    "award": award.key,
                    "rank": line.rank,
                    "votes": line.votes,
                    "tied": line.tied,
                    "outcome": line.outcome,
                }
            )
    return rows


def publish_campaign(slug: str) -> None:
    """Make the provisional result final. Raises NotReadyToPublish with what stands against it."""
    with writing() as session:
        publish(session, lock_by_slug(session, slug))
    forget()


def publish(session: Session, row: Campaign, asked_by: str = "") -> None:
    """The same inside the transaction of whoever decides; ``asked_by`` is the first of the two people."""
    stage, result = check_publishable(session, row)
    row.stage, result.state = stage, "published"
    row.published_at = now_ms()
    both = {"version": result.version} | ({"asked by": asked_by} if asked_by else {})
    write_entry(session, "campaign.publish", row.slug, row.slug, after=both)
    bump_version(session, row.id)


def check_publishable(session: Session, row: Campaign) -> tuple[Stage, Result]:
    """The stage after publishing and the result it makes final; raises StageRefused or NotReadyToPublish."""
    stage = check_transition("publish", row.stage)
    result = find_latest_result(session, row.id)
    reasons = reasons_against(session, result)
    if reasons or result is None:
        raise NotReadyToPublish(tuple(reasons))
    return stage, result


def reasons_against(session: Session, result: Result | None) -> list[str]:
    """What stands against publishing a result."""
    if result is None:
        return ["nothing has been counted"]
    reasons = []
    difference = json.loads(result.difference)
    if difference:
        reasons.append(f"ledger and tally differ for {len(difference)} candidates: run flask ledger audit")
    tied: dict[str, int] = {}
    for line in list_standings(session, result.id):
        if line.outcome == "tie_at_last_seat":
            tied[line.award] = tied.get(line.award, 0) + 1
    for award, count in tied.items():
        reasons.append(
            f"award {award}: {count} candidates are tied across the last seat; the rules name nothing to settle it"
        )
    return reasons


def latest_standings(session: Session, campaign_id: int) -> tuple[Result, Sequence[AnyRow]] | None:
    """The latest counted result and its standings."""
    result = find_latest_result(session, campaign_id)
    return None if result is None else (result, list_standings(session, result.id))
