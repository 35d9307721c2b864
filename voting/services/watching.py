"""What organizers watch while voting goes on. Made at most every few seconds, by one thread; counts the rules hide too.

Nothing here is on the vote's path: the box is asked for its tally as the leaderboard asks, SQL for what changed lately,
and never more than a small part of the time. Which figures a citizen may see is decided elsewhere (``leaderboard``).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import current_app

from voting.rules.display import Counted, Hidden, visible
from voting.rules.errors import BoxUnavailable
from voting.rules.periods import MINUTE_MS
from voting.rules.stage_errors import AuditRunning
from voting.services.activity import Activity, all_votes_per_hour
from voting.services.auditing import Check, audit
from voting.services.boxes import box_of, boxes
from voting.services.campaigns import now_ms
from voting.services.catalogue import CampaignView, get_campaign
from voting.services.metering import Tallies, tallies_of
from voting.services.stages import BoxView, view_box
from voting.services.trail import write_entry
from voting.services.transactions import reading, writing
from voting.storage.ballots import ballots_by_minute, count_ballots

FRESH_S = 4.0
#: at most this part of the time goes into asking: stores that answer slowly are asked less often
SHARE = 0.05
MINUTES = 60
AUDIT_S = 900
_EXTENSION = "voting_watch"


@dataclass(frozen=True, slots=True)
class Figures:
    """All of one moment. ``votes`` is None while the box is away; ``areas``: county -> award -> votes.

    ``minutes``: ballots of consecutive minutes, the first beginning at ``minutes_from_ms``; ``marks``: ballots of these
    minutes by what the box noted about them, "" for nothing; ``counted``: what this machine counted in passing.
    ``hidden``: citizens do not see counts now.
    """

    at_ms: int
    box: BoxView
    recorded: int
    votes: int | None
    hours: Activity
    minutes_from_ms: int
    minutes: Sequence[int]
    marks: Mapping[str, int]
    areas: Mapping[str, Mapping[str, int]] = field(repr=False)
    counted: Tallies
    hidden: bool


class _Watch:
    """The last figures of one campaign and the lock of the thread that makes the next."""

    __slots__ = ("_figures", "_making", "_next_s", "_version")

    def __init__(self) -> None:
        self._figures: Figures | None = None
        self._making = threading.Lock()
        self._next_s = float("-inf")
        self._version = -1

    def get(self, campaign: CampaignView) -> Figures:
        figures = self._figures
        current = figures is not None and self._version == campaign.version
        if figures is not None and current and time.monotonic() < self._next_s:
            return figures
        # With figures in hand nobody waits; without, all wait for the first.
        if not self._making.acquire(blocking=not current):
            assert figures is not None
            return figures
        try:
            if self._figures is None or self._version != campaign.version or time.monotonic() >= self._next_s:
                started_s = time.monotonic()
                self._figures, self._version = _look(campaign), campaign.version
                self._next_s = started_s + max(FRESH_S, (time.monotonic() - started_s) / SHARE)
            return self._figures
        finally:
            self._making.release()


def watch(slug: str) -> tuple[CampaignView, Figures]:
    """A campaign and its figures, a few seconds old at most; raises CampaignNotFound."""
    campaign = get_campaign(slug)
    watches: dict[int, _Watch] = current_app.extensions.setdefault(_EXTENSION, {})
    return campaign, watches.setdefault(campaign.id, _Watch()).get(campaign)


def _look(campaign: CampaignView) -> Figures:
    at_ms, rules = now_ms(), campaign.rules
    box = view_box(campaign)
    until_ms = min(at_ms, rules.closes_ms)
    from_minute = until_ms // MINUTE_MS - MINUTES + 1
    with reading() as session:
        recorded = count_ballots(session, campaign.id)
        lately = ballots_by_minute(session, campaign.id, (from_minute * MINUTE_MS, until_ms + 1))
    minutes, marks = [0] * MINUTES, Counter[str]()
    for minute, marked, ballots in lately:
        minutes[minute - from_minute] += ballots
        marks.update(dict.fromkeys(marked.split(","), ballots))
    counts = _counts(campaign)
    may = visible(rules, campaign.stage, at_ms, campaign.sealed_id and campaign.sealed_id[0])
    return Figures(
        at_ms=at_ms,
        box=box,
        recorded=recorded,
        votes=None if counts is None else sum(counts.values()),
        hours=all_votes_per_hour(campaign, at_ms) if campaign.epoch else Activity(),
        minutes_from_ms=from_minute * MINUTE_MS,
        minutes=minutes,
        marks=marks,
        areas={} if counts is None else _by_area(campaign, counts),
        counted=tallies_of(campaign.slug),
        hidden=isinstance(may, Hidden) or not (isinstance(may, Counted) or may.live),
    )


def _counts(campaign: CampaignView) -> Mapping[int, int] | None:
    """The running tally by candidate; None while it cannot be had."""
    if campaign.epoch is None:
        return {}
    try:
        return box_of(campaign.id, campaign.rules).counts().votes
    except BoxUnavailable:
        return None


def _by_area(campaign: CampaignView, counts: Mapping[int, int]) -> dict[str, dict[str, int]]:
    """Votes by county ("" for candidates without an area) and award, in the order of the counties' codes."""
    found: dict[str, dict[str, int]] = {}
    for candidate in sorted(campaign.candidates, key=lambda one: one.area_code or "~"):
        of_county = found.setdefault(candidate.area_path[0] if candidate.area_path else "", {})
        of_county[candidate.award] = of_county.get(candidate.award, 0) + counts.get(candidate.id, 0)
    return found


def audit_now(slug: str) -> list[Check]:
    """Check every invariant, and put on record that somebody did and what was found.

    Raises AuditRunning, BoxUnavailable or StageRefused.
    """
    client, turn = boxes().client, f"desk:audit:{get_campaign(slug).id}"
    if not client.set(turn, "1", nx=True, ex=AUDIT_S):
        raise AuditRunning
    try:
        checks = audit(slug)
    finally:
        client.delete(turn)
    with writing() as session:
        failing = [check.name[:2] for check in checks if not check.holds]
        write_entry(session, "campaign.audit", slug, slug, after={"checked": len(checks), "failing": failing})
    return checks
