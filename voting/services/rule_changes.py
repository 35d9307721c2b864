"""Rules changed while voting runs: one person drafts, another confirms exactly that, and everybody can read both.

SQL first, then the box, as when opening. The new version comes with a new epoch: once SQL has it, servers ask the box
under an epoch it does not know, and once the box has it, servers with the old rules are refused. What was cut off in
between refuses every ballot and is finished by doing it again. Quotas already used stay used.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from voting.rules.campaign import RuleSet, check_transition
from voting.rules.change_errors import AlreadyAsked, BoxNotTold, ChangeReasonRefused, RuleChangeRefused
from voting.rules.changes import change_findings
from voting.rules.errors import BoxUnavailable, StageRefused
from voting.rules.findings import Finding
from voting.rules.rule_text import parse_rules, write_rules
from voting.rules.stage_errors import ChangedMeanwhile, NothingAsked
from voting.services import second_person
from voting.services.boxes import box_of
from voting.services.campaigns import check_version, now_ms
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.identifying import configured_providers
from voting.services.rule_history import find_waiting, write_version
from voting.services.trail import changed, current_actor, write_entry
from voting.services.transactions import reading, writing
from voting.storage.campaigns import Campaign, bump_version, lock_by_slug
from voting.storage.candidates import count_standing
from voting.storage.requests import Request, find_open_request
from voting.storage.rule_versions import RuleProposal, find_proposal

ACT = "rules"
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change that waits for its second person. ``mark`` stands for exactly this content."""

    before: RuleSet
    after: RuleSet
    reason: str
    by: str
    at_ms: int
    mark: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """``possible``: the stage and the time allow changes; ``waiting``: decided, and the box does not have it yet."""

    campaign: CampaignView
    phase: str
    possible: bool
    waiting: bool
    proposed: Proposed | None


def view_changes(slug: str) -> ChangeView:
    """Everything the page of the changes shows, read anew; raises CampaignNotFound."""
    forget()
    view = get_campaign(slug)
    with reading() as session:
        proposed = _find_proposed(session, view.id, view.rules_hash) if view.stage == "open" else None
    waiting = bool(view.history) and view.history[-1].in_force_ms is None
    at_ms = now_ms()
    return ChangeView(view, view.phase(at_ms), _possible(view.stage, view.rules, at_ms), waiting, proposed)


def _possible(stage: str, rules: RuleSet, at_ms: int) -> bool:
    return stage == "open" and at_ms < rules.closes_ms


def rules_with(rules: RuleSet, changes: Mapping[str, Any]) -> RuleSet:
    """The rules with other values for some fields of their canonical form; raises RuleTextError."""
    return parse_rules(json.dumps(json.loads(write_rules(rules)) | dict(changes)))


def findings_against(view: CampaignView, after: RuleSet) -> list[Finding]:
    """What stands against these rules taking the place of the present ones."""
    with reading() as session:
        return _findings(session, view.id, view.rules, after)


def _findings(session: Session, campaign_id: int, before: RuleSet, after: RuleSet) -> list[Finding]:
    standing, grouped = count_standing(session, campaign_id)
    return change_findings(before, after, standing, grouped, now_ms(), configured_providers())


def ask_for_change(slug: str, expected: int, changes: Mapping[str, Any], reason: str) -> None:
    """Propose other values for some fields of the rule set. ``expected``: the version they were decided on.

    Raises ChangedMeanwhile, StageRefused, AlreadyAsked, ChangeReasonRefused, RuleChangeRefused or RuleTextError.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise ChangeReasonRefused
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        before = _check_changeable(session, campaign, expected)
        if (asked := _find_proposed(session, campaign.id, campaign.rules_hash)) is not None:
            raise AlreadyAsked(asked.by)
        after = rules_with(before, changes)
        if findings := _findings(session, campaign.id, before, after):
            raise RuleChangeRefused(tuple(findings))
        text = write_rules(after)
        subject = _mark(campaign.rules_hash or "", text, reason)
        request = second_person.ask(session, campaign.id, ACT, subject, now_ms())
        session.add(RuleProposal(request_id=request.id, replaced_hash=campaign.rules_hash, rules=text, reason=reason))
        old, new = changed(json.loads(campaign.rules), json.loads(text))
        write_entry(session, "rules.ask", slug, slug, old, new, reason)
        bump_version(session, campaign.id)
    forget()


def confirm_change(slug: str, expected: int, mark: str) -> None:
    """Put in force what another person asked for, and nothing else: ``mark`` is that of the change that was read.

    Raises SecondPersonNeeded, NothingAsked, RuleChangeRefused, StageRefused, ChangedMeanwhile, or BoxNotTold when it is
    decided and the box does not answer.
    """
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        waiting = find_waiting(session, campaign.id)
        if waiting is None or waiting.confirmed_by != current_actor():
            # Otherwise the same person presses again after the box did not answer.
            _decide(session, campaign, expected, mark)
    forget()
    finish_change(slug)


def _decide(session: Session, campaign: Campaign, expected: int, mark: str) -> None:
    before = _check_changeable(session, campaign, expected)
    request, proposal = _open_request(session, campaign)
    if request.subject != mark:
        raise ChangedMeanwhile(campaign.version)
    second_person.confirm(request, now_ms())
    after = parse_rules(proposal.rules)
    # What could be asked yesterday may be impossible today: a closing time that has passed meanwhile.
    if findings := _findings(session, campaign.id, before, after):
        raise RuleChangeRefused(tuple(findings))
    old = json.loads(campaign.rules) | {"rules_hash": campaign.rules_hash}
    people = (request.asked_by, current_actor())
    version = write_version(session, campaign, after, proposal.reason, people, now_ms(), secrets.token_hex(8))
    was, now = changed(old, json.loads(campaign.rules) | {"rules_hash": campaign.rules_hash})
    told = now | {"version": version.version, "asked by": request.asked_by}
    write_entry(session, "rules.change", campaign.slug, campaign.slug, was, told, proposal.reason)
    bump_version(session, campaign.id)


def finish_change(slug: str) -> bool:
    """Tell the box what two people have decided; False when it knows already. Raises BoxNotTold."""
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        version = find_waiting(session, campaign.id)
        if version is None:
            return False
        box = box_of(campaign.id, parse_rules(version.rules))
        try:
            since_ms = box.change(version.replaces or "", version.epoch)
        except BoxUnavailable:
            raise BoxNotTold from None
        version.in_force_ms = since_ms or version.decided_at
        in_force = {"version": version.version, "from": version.in_force_ms}
        write_entry(session, "rules.in_force", slug, slug, after=in_force)
        bump_version(session, campaign.id)
    forget()
    return True


def withdraw_change(slug: str, expected: int) -> None:
    """Take a proposal back, whoever made it. Raises NothingAsked or ChangedMeanwhile."""
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        request, proposal = _open_request(session, campaign)
        second_person.settle(request, "withdrawn", now_ms())
        _, asked = changed(json.loads(campaign.rules), json.loads(proposal.rules))
        write_entry(session, "rules.withdraw", slug, slug, before=asked | {"asked by": request.asked_by})
        bump_version(session, campaign.id)
    forget()


def _check_changeable(session: Session, campaign: Campaign, expected: int) -> RuleSet:
    """The rules in force, where they may be changed now."""
    check_version(campaign, expected)
    check_transition("change", campaign.stage)
    rules = parse_rules(campaign.rules)
    if not _possible(campaign.stage, rules, now_ms()):
        # Voting is over by the clock: nothing may open it again.
        raise StageRefused("change", "closed")
    if find_waiting(session, campaign.id) is not None:
        raise BoxNotTold
    return rules


def _find_proposed(session: Session, campaign_id: int, rules_hash: str | None) -> Proposed | None:
    """The proposal that may be confirmed; one that was made against other rules has lapsed."""
    request = find_open_request(session, campaign_id, ACT)
    proposal = find_proposal(session, request.id) if request else None
    if request is None or proposal is None or proposal.replaced_hash != rules_hash:
        return None
    campaign = session.get_one(Campaign, campaign_id)
    before, after = parse_rules(campaign.rules), parse_rules(proposal.rules)
    return Proposed(before, after, proposal.reason, request.asked_by, request.asked_at, request.subject)


def _open_request(session: Session, campaign: Campaign) -> tuple[Request, RuleProposal]:
    request = find_open_request(session, campaign.id, ACT)
    proposal = find_proposal(session, request.id) if request else None
    if request is None or proposal is None or proposal.replaced_hash != campaign.rules_hash:
        raise NothingAsked
    return request, proposal


def _mark(replaced: str, rules: str, reason: str) -> str:
    return sha256(json.dumps([replaced, rules, reason]).encode()).hexdigest()
