"""An organizer's acts on a campaign: create, open, pause, resume, close, and its state. SQL first when opening, the box
first when closing: whatever dies in between, no ballot is accepted that the ledger does not know the rules of."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from voting.rules.campaign import check_transition, rules_hash
from voting.rules.change_errors import EarlyCloseNeedsTwo
from voting.rules.checklist import issues_before_opening
from voting.rules.errors import NotReadyToOpen
from voting.rules.quota import Place
from voting.rules.rule_text import parse_rules, write_rules
from voting.rules.stage_errors import ChangedMeanwhile
from voting.services import second_person
from voting.services.boxes import box_of, boxes
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.identifying import configured_providers
from voting.services.rule_history import freeze_first
from voting.services.trail import write_entry
from voting.services.transactions import reading, writing
from voting.storage.ballots import count_ballots
from voting.storage.campaigns import Campaign, add_campaign, bump_version, find_by_slug, lock_by_slug
from voting.storage.candidates import count_standing
from voting.tally.ballot_box import BoxStatus
from voting.tally.stream import Backlog, read_backlog

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class CampaignRefused(ValueError):
    """A campaign that cannot be made like this; the message says why. ``problem``: malformed or taken."""

    def __init__(self, message: str, problem: str) -> None:
        super().__init__(message)
        self.problem = problem


def create_campaign(slug: str, title: str, rules_text: str, **texts: str) -> None:
    """Add a draft; the rule set is read and written back in its canonical form.

    Raises RuleTextError, or CampaignRefused for a slug that is taken or could not stand in an address.
    """
    canonical = write_rules(parse_rules(rules_text))
    if not _SLUG.fullmatch(slug):
        raise CampaignRefused(f"{slug!r} cannot stand in an address: use 2 to 64 of a-z, 0-9 and hyphens", "malformed")
    with writing() as session:
        if find_by_slug(session, slug) is not None:
            raise _taken(slug)
        try:
            add_campaign(session, slug=slug, title=title, rules=canonical, created_at=now_ms(), **texts)
        except IntegrityError as error:
            # Another database than SQLite lets two people look for it at the same moment; one of them is first.
            raise _taken(slug) from error
        write_entry(session, "campaign.create", slug, slug, after={"title": title, **texts, "rules": canonical})
    forget()


def _taken(slug: str) -> CampaignRefused:
    return CampaignRefused(f"{slug} is taken by another campaign: choose another slug", "taken")


def places_of(campaign: CampaignView) -> list[Place]:
    """The campaign's candidates as the rules and the box see them."""
    return [Place(c.id, c.award, c.group_key, c.standing == "standing") for c in campaign.candidates]


def check_version(campaign: Campaign, expected: int | None) -> None:
    """Raises ChangedMeanwhile unless the locked campaign is still the version on which somebody decided."""
    if expected is not None and campaign.version != expected:
        raise ChangedMeanwhile(campaign.version)


def open_campaign(slug: str, expected: int | None = None) -> None:
    """Freeze and hash the rules, then put up the box; voting begins when the rules say so.

    ``expected``, here and below: the version somebody saw when deciding. Raises NotReadyToOpen with everything that is
    missing. When the box could not be put up (Redis away), the campaign is open on paper and refuses ballots; calling
    again puts the box up.
    """
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        if not (campaign.stage == "open" and campaign.epoch and _box_missing(campaign)):
            check_transition("open", campaign.stage)
            _freeze(session, campaign)
            write_entry(session, "campaign.open", slug, slug, after={"rules_hash": campaign.rules_hash})
        epoch, campaign_id = campaign.epoch, campaign.id
        recorded = count_ballots(session, campaign_id)
    forget()
    view = get_campaign(slug)
    assert epoch is not None
    if recorded:
        # Ballots were accepted under a box that is gone: only a rebuild may put it up again.
        raise NotReadyToOpen(
            (f"the box is missing but {recorded} ballots are recorded: run flask ledger rebuild {slug}",)
        )
    box = box_of(campaign_id, view.rules)
    box.put_candidates(places_of(view))
    box.open(epoch)


def _box_missing(campaign: Campaign) -> bool:
    return box_of(campaign.id, parse_rules(campaign.rules)).status() is None


def _freeze(session: Session, campaign: Campaign) -> None:
    rules = parse_rules(campaign.rules)
    standing, grouped = count_standing(session, campaign.id)
    issues = issues_before_opening(rules, standing, grouped, now_ms(), configured_providers())
    if issues:
        raise NotReadyToOpen(tuple(issues))
    campaign.stage = "open"
    campaign.rules_hash = rules_hash(campaign.rules)
    campaign.epoch = secrets.token_hex(8)
    campaign.opened_at = now_ms()
    freeze_first(session, campaign, campaign.opened_at)
    bump_version(session, campaign.id)


def pause_campaign(slug: str, reason: str, expected: int | None = None) -> None:
    """Stop admitting ballots, with a reason that citizens read. The box first: it stops at once."""
    _set_pause(slug, reason.strip(), expected)


def resume_campaign(slug: str, expected: int | None = None) -> None:
    _set_pause(slug, None, expected)


def stop_campaign(slug: str, reason: str) -> bool:
    """Pause whatever anybody saw before; False when it was paused already, whose reason then stays."""
    return _set_pause(slug, reason, None, keep=True)


def _set_pause(slug: str, reason: str | None, expected: int | None, keep: bool = False) -> bool:
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        check_transition("resume" if reason is None else "pause", campaign.stage)
        box = box_of(campaign.id, parse_rules(campaign.rules))
        if keep and campaign.paused_reason is not None:
            # Said to the box once more: what matters in an emergency is that it holds.
            box.pause(campaign.paused_reason)
            return False
        if reason is None:
            box.resume()
        else:
            box.pause(reason)
        act = "campaign.resume" if reason is None else "campaign.pause"
        write_entry(session, act, slug, slug, reason=reason or "")
        campaign.paused_reason = reason
        bump_version(session, campaign.id)
    forget()
    return True


def seal_campaign(slug: str, expected: int | None = None, in_time: bool = False) -> None:
    """Close the box for good, then say so in SQL. Sealing again finishes what was cut off in between.

    ``in_time``: not before the rules say so; raises EarlyCloseNeedsTwo.
    """
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        check_version(campaign, expected)
        check_transition("close", campaign.stage)
        if in_time and now_ms() < parse_rules(campaign.rules).closes_ms:
            raise EarlyCloseNeedsTwo
        seal(session, campaign)
        bump_version(session, campaign.id)
    forget()


def seal(session: Session, campaign: Campaign, asked_by: str = "", reason: str = "") -> None:
    """The same inside the transaction of whoever decides. What still waits for a second person has lapsed with it."""
    campaign.stage = check_transition("close", campaign.stage)
    campaign.sealed_ms, campaign.sealed_seq = box_of(campaign.id, parse_rules(campaign.rules)).seal()
    campaign.sealed_at = now_ms()
    campaign.paused_reason = None
    second_person.lapse(session, campaign.id, ("rules", "close"), now_ms())
    sealed = {"seal": f"{campaign.sealed_ms}-{campaign.sealed_seq}"} | ({"asked by": asked_by} if asked_by else {})
    write_entry(session, "campaign.close", campaign.slug, campaign.slug, after=sealed, reason=reason)


@dataclass(frozen=True, slots=True)
class CampaignState:
    """What an operator asks first: the paper, the box, and how far recording is."""

    campaign: CampaignView
    phase: str
    box: BoxStatus | None
    backlog: Backlog | None
    recorded: int


def campaign_state(slug: str) -> CampaignState:
    """The state of a campaign in SQL and in the box; raises BoxUnavailable when Redis is away."""
    forget()
    view = get_campaign(slug)
    box = box_of(view.id, view.rules).status() if view.epoch else None
    backlog = read_backlog(boxes().client, view.id) if box else None
    with reading() as session:
        recorded = count_ballots(session, view.id)
    return CampaignState(view, view.phase(now_ms()), box, backlog, recorded)
