"""Votes per hour, for the curve of the big screen: from the ledger, and never later than the counts that are shown.

A process asks SQL at most every ten seconds, and only about hours that may still change. Nothing is counted that the
board hides.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from flask import current_app

from voting.rules.campaign import RuleSet
from voting.rules.periods import HOUR_MS, MINUTE_MS
from voting.services.catalogue import CampaignView
from voting.services.leaderboard import Board
from voting.services.transactions import reading
from voting.storage.ballots import last_stream_id, votes_by_hour

FRESH_S = 10.0
#: at most this part of the time goes into asking: a ledger that answers slowly is asked less often
SHARE = 0.05
HOURS = 72
#: an hour changes no more once ballots this much younger are recorded; a recorder that died is relieved in far less
LATE_MS = 15 * MINUTE_MS
_EXTENSION = "voting_activity"
_UNCENSORED = "voting_activity_desk"


@dataclass(frozen=True, slots=True)
class Activity:
    """Votes of consecutive local hours; ``from_ms`` is when the first begins. The last may still be running."""

    from_ms: int = 0
    votes: tuple[int, ...] = ()


def votes_per_hour(campaign: CampaignView, board: Board) -> Activity:
    """The last hours up to the instant the board is true for; empty when the board hides its counts."""
    if board.hidden:
        return Activity()
    curves: dict[int, _Curve] = current_app.extensions.setdefault(_EXTENSION, {})
    return curves.setdefault(campaign.id, _Curve()).get(campaign, board.as_of_ms, board.final)


def all_votes_per_hour(campaign: CampaignView, at_ms: int) -> Activity:
    """The last hours whatever the rules hide: for the organizers' desk, and for nobody else."""
    curves: dict[int, _Curve] = current_app.extensions.setdefault(_UNCENSORED, {})
    return curves.setdefault(campaign.id, _Curve()).get(campaign, at_ms, campaign.stage in ("provisional", "published"))


class _Curve:
    """What is known of one campaign's hours, and which of them need not be asked for again."""

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._next_s = float("-inf")
        self._key: tuple[int, bool] | None = None
        self._until_ms = 0
        self._open_hour = 0
        self._votes: dict[int, int] = {}
        self._made = Activity()

    def get(self, campaign: CampaignView, as_of_ms: int, final: bool) -> Activity:
        until_ms = min(as_of_ms, campaign.rules.closes_ms)
        key = (campaign.version, final)
        with self._making:
            # Counts that were taken back (another version, an earlier instant) take their hours along.
            if key != self._key or until_ms < self._until_ms:
                self._votes, self._open_hour, self._next_s = {}, 0, float("-inf")
            if time.monotonic() >= self._next_s:
                started_s = time.monotonic()
                self._look(campaign, until_ms, final)
                self._key, self._until_ms = key, until_ms
                self._next_s = started_s + max(FRESH_S, (time.monotonic() - started_s) / SHARE)
            return self._made

    def _look(self, campaign: CampaignView, until_ms: int, final: bool) -> None:
        shift_ms = _shift_ms(campaign.rules, until_ms)
        last = (until_ms - 1 + shift_ms) // HOUR_MS
        first = max(last - HOURS + 1, (campaign.rules.opens_ms + shift_ms) // HOUR_MS)
        since = max(first, self._open_hour)
        with reading() as session:
            window = (since * HOUR_MS - shift_ms, until_ms)
            fresh = votes_by_hour(session, campaign.id, window, shift_ms, without_voided=final)
            newest = last_stream_id(session, campaign.id)
        kept = {hour: votes for hour, votes in self._votes.items() if first <= hour < since}
        self._votes = kept | fresh
        if newest is not None:
            self._open_hour = min((newest[0] - LATE_MS + shift_ms) // HOUR_MS, last)
        hours = range(first, last + 1)
        self._made = Activity(first * HOUR_MS - shift_ms, tuple(self._votes.get(hour, 0) for hour in hours))


def _shift_ms(rules: RuleSet, at_ms: int) -> int:
    """What a local clock is ahead of UTC, without whole hours: where local hours begin."""
    return rules.local_time().offset(at_ms) % HOUR_MS
