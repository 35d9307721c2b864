"""Closing before the time that the rules say: a change of the rules, and so an act of two people.

What they close with becomes the campaign's next version of the rules, whose closing time is that of the seal. One
person alone can pause at once, and can close when the time is over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from voting.rules.campaign import check_transition
from voting.rules.change_errors import AlreadyAsked, ChangeReasonRefused
from voting.rules.rule_text import parse_rules
from voting.rules.stage_errors import ChangedMeanwhile, NothingAsked
from voting.services import second_person
from voting.services.campaigns import check_version, now_ms, seal
from voting.services.catalogue import forget
from voting.services.rule_history import find_waiting, write_version
from voting.services.trail import current_actor, write_entry
from voting.services.transactions import writing
from voting.storage.campaigns import Campaign, bump_version, lock_by_slug
from voting.storage.requests import Request, find_open_request
from voting.storage.rule_versions import RuleProposal, find_proposal

ACT = "close"
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class CloseAsked:
    """An open request to close early: why, who asked, and when."""

    reason: str
    by: str
    at_ms: int


def find_close_asked(session: Session, campaign: Campaign | None) -> CloseAsked | None:
    """The request that may be confirmed now; one made under other rules has lapsed."""
    found = _find(session, campaign) if campaign is not None else None
    if found is None:
        return None
    request, proposal = found
    return CloseAsked(proposal.reason, request.asked_by, request.asked_at)


def ask_to_close(slug: str, expected: int, reason: str) -> None:
    """Ask for voting to be closed now. Raises StageRefused, ChangedMeanwhile, ChangeReasonRefused or AlreadyAsked."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise ChangeReasonRefused
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        check_transition("close", campaign.stage)
        if found := _find(session, campaign):
            raise AlreadyAsked(found[0].asked_by)
        rules_hash = campaign.rules_hash or ""
        request = second_person.ask(session, campaign.id, ACT, rules_hash, now_ms())
        session.add(RuleProposal(request_id=request.id, replaced_hash=rules_hash, rules="", reason=reason))
        write_entry(session, "close.ask", slug, slug, reason=reason)
        bump_version(session, campaign.id)
    forget()


def confirm_closing(slug: str, expected: int) -> None:
    """Seal now, as another person asked. Cut off after the box was sealed, doing it again says so in SQL.

    Raises SecondPersonNeeded, NothingAsked, StageRefused, ChangedMeanwhile or BoxUnavailable.
    """
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        check_transition("close", campaign.stage)
        found = _find(session, campaign)
        if found is None:
            raise NothingAsked
        request, proposal = found
        asked_by = request.asked_by
        second_person.confirm(request, now_ms())
        if find_waiting(session, campaign.id) is not None:
            # A box that waits for changed rules is not the one these people look at.
            raise ChangedMeanwhile(campaign.version)
        seal(session, campaign, asked_by, proposal.reason)
        rules = parse_rules(campaign.rules)
        assert campaign.sealed_ms is not None
        if campaign.sealed_ms < rules.closes_ms:
            # Rules are written in whole seconds: the first one that nothing was accepted in.
            closed_ms = max(rules.opens_ms, -(-campaign.sealed_ms // 1000) * 1000)
            after, people = replace(rules, closes_ms=closed_ms), (asked_by, current_actor())
            epoch = campaign.epoch or ""
            version = write_version(session, campaign, after, proposal.reason, people, now_ms(), epoch)
            # The box is sealed: there is nobody to tell.
            version.in_force_ms = campaign.sealed_ms + 1
        bump_version(session, campaign.id)
    forget()


def withdraw_closing(slug: str, expected: int) -> None:
    """Take the request back, whoever made it. Raises NothingAsked or ChangedMeanwhile."""
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        found = _find(session, campaign)
        if found is None:
            raise NothingAsked
        request, proposal = found
        second_person.settle(request, "withdrawn", now_ms())
        write_entry(
            session, "close.withdraw", slug, slug, before={"asked by": request.asked_by, "reason": proposal.reason}
        )
        bump_version(session, campaign.id)
    forget()


def _find(session: Session, campaign: Campaign) -> tuple[Request, RuleProposal] | None:
    request = find_open_request(session, campaign.id, ACT)
    proposal = find_proposal(session, request.id) if request else None
    if request is None or proposal is None or proposal.replaced_hash != (campaign.rules_hash or ""):
        return None
    return request, proposal
