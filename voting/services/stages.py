"""The stages of a campaign as the desk shows them: where it stands, what may be done next, and what stands against it.

Also closing from the desk. What an act does is done by ``campaigns``, ``counting`` and ``publishing``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from voting.rules.campaign import TRANSITIONS
from voting.rules.checklist import rule_findings
from voting.rules.errors import BoxUnavailable
from voting.rules.findings import Finding
from voting.rules.stage_errors import RecordingUnfinished
from voting.services.boxes import box_of, boxes
from voting.services.campaigns import now_ms, seal_campaign
from voting.services.catalogue import CampaignView, forget, get_campaign
from voting.services.closing import CloseAsked, confirm_closing, find_close_asked
from voting.services.counting import Provisional, count_campaign, reasons_against
from voting.services.identifying import configured_providers
from voting.services.publishing import Asked, find_asked
from voting.services.recording import RecordingStopped, drain
from voting.services.trail import Entry, list_entries
from voting.services.transactions import reading
from voting.storage.ballots import count_ballots
from voting.storage.campaigns import Campaign
from voting.storage.candidates import count_standing
from voting.storage.results import find_latest_result
from voting.tally.ballot_box import BoxStatus
from voting.tally.stream import read_backlog

#: a request of the desk waits so long for the recorders; what is left then is counted by a second press
DRAIN_S = 20.0
TOLD = 6
_TOLD_ACTS = ("campaign.", "publish.", "close.", "rules.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BoxView:
    """The box as the desk sees it. ``state``: none (never put up), up, missing, foreign (another epoch), behind
    (waits for changed rules), away."""

    state: str
    accepted: int = 0
    paused: str | None = None
    waiting: int = 0
    now_ms: int | None = None


@dataclass(frozen=True, slots=True)
class StageView:
    """``acts`` are possible at this stage; ``findings`` stand against opening, ``blockers`` against publishing."""

    campaign: CampaignView
    phase: str
    box: BoxView
    recorded: int
    counted: int | None
    acts: Sequence[str]
    findings: Sequence[Finding]
    blockers: Sequence[str]
    asked: Asked | None
    close_asked: CloseAsked | None
    past: Sequence[Entry]


def view_stages(slug: str) -> StageView:
    """Everything the page of the stages shows, read anew; raises CampaignNotFound."""
    forget()
    view = get_campaign(slug)
    box = view_box(view)
    with reading() as session:
        recorded = count_ballots(session, view.id)
        result = find_latest_result(session, view.id)
        counted = result.version if result else None
        asked = find_asked(session, view.id) if view.stage == "provisional" else None
        close_asked = find_close_asked(session, session.get(Campaign, view.id)) if view.stage == "open" else None
        findings: Sequence[Finding] = ()
        blockers: Sequence[str] = ()
        if view.stage == "draft":
            standing, grouped = count_standing(session, view.id)
            found = rule_findings(view.rules, standing, grouped, now_ms(), configured_providers())
            findings = [one for one in found if one.blocks]
        elif view.stage == "provisional":
            blockers = reasons_against(session, result)
    past = [one for one in list_entries(slug, limit=60) if one.act.startswith(_TOLD_ACTS)][:TOLD]
    acts, phase = _acts(view, box, recorded, asked, close_asked), view.phase(now_ms())
    return StageView(view, phase, box, recorded, counted, acts, findings, blockers, asked, close_asked, past)


def view_box(view: CampaignView) -> BoxView:
    """The box, also while it is away: then that is what is said of it."""
    if view.epoch is None:
        return BoxView("none")
    try:
        status: BoxStatus | None = box_of(view.id, view.rules).status()
        if status is None:
            return BoxView("missing")
        backlog = read_backlog(boxes().client, view.id)
    except (BoxUnavailable, RedisError):
        return BoxView("away")
    state = "up" if status.epoch == view.epoch else "foreign"
    if state == "foreign" and view.history and view.history[-1].in_force_ms is None:
        # Two people have changed the rules, and the box was not told.
        state = "behind"
    return BoxView(state, status.accepted, status.paused, backlog.lag if backlog else 0, status.last_ms)


def _acts(
    view: CampaignView, box: BoxView, recorded: int, asked: Asked | None, close_asked: CloseAsked | None
) -> list[str]:
    # What is done with candidates and rules has pages of its own.
    elsewhere = ("import", "number", "withdraw", "nominate", "review", "change")
    acts = [act for act, (stages, _) in TRANSITIONS.items() if view.stage in stages and act not in elsewhere]
    if view.stage == "open":
        acts.remove("resume" if view.paused_reason is None else "pause")
        if box.state == "missing" and not recorded:
            # Opening was cut off before the box stood: opening again puts it up.
            acts.insert(0, "open")
        if now_ms() < view.rules.closes_ms:
            # Earlier than the rules say: one person may pause, two may close.
            acts.remove("close")
            acts += ["confirm_close", "withdraw_close"] if close_asked else ["ask_close"]
    if "publish" in acts:
        acts.remove("publish")
        acts += ["confirm", "withdraw"] if asked else ["ask"]
    return acts


def newest_entry(slug: str) -> int:
    """The number of a campaign's newest entry in the trail: what somebody had seen when a form was shown."""
    entries = list_entries(slug, limit=1)
    return entries[0].number if entries else 0


def entries_since(slug: str, number: int) -> list[Entry]:
    """What happened to a campaign after that entry, newest first."""
    return [one for one in list_entries(slug, limit=TOLD) if one.number > number]


def close(slug: str, expected: int) -> Provisional:
    """Seal, wait for the last recorded ballot, count.

    Raises EarlyCloseNeedsTwo, ChangedMeanwhile or RecordingUnfinished.
    """
    seal_campaign(slug, expected, in_time=True)
    # Sealing raised the version by one: whoever counts in between is not counted over.
    return count(slug, expected + 1)


def close_early(slug: str, expected: int) -> Provisional:
    """The same before its time, as another person asked. Raises also SecondPersonNeeded or NothingAsked."""
    confirm_closing(slug, expected)
    return count(slug, expected + 1)


def count(slug: str, expected: int) -> Provisional:
    """Count what the seal closed, or count it once more. Raises ChangedMeanwhile or RecordingUnfinished."""
    forget()
    campaign = get_campaign(slug)
    if campaign.stage in ("closed", "provisional"):
        try:
            drain(campaign, DRAIN_S)
        except RecordingStopped as stopped:
            log.warning("counting waits: %s", stopped)
            raise RecordingUnfinished from None
    return count_campaign(slug, expected)
