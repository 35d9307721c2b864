"""The leaderboard: what of the counts may be shown now, and nothing else. Page, API, big screen and posters ask here.

``rules/display.py`` says of which instant counts may be shown; here they are had: the running tally (a snapshot at most
a second old), the counts of a past instant, or the counted result. One thread of a process makes a snapshot while the
others go on with the last one. After counting the box is not asked at all: published pages work with Redis off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app

from voting.rules.display import AsOf, Counted, Hidden, visible
from voting.rules.errors import BoxUnavailable, ResultNotReady
from voting.rules.ranking import rank
from voting.services.boxes import box_of
from voting.services.catalogue import CampaignView
from voting.services.instants import counts_before
from voting.services.results import BoardRow as BoardRow
from voting.services.results import get_result
from voting.tally.shown import ShownCounts

FRESH_S = 1.0
_EXTENSION = "voting_boards"


@dataclass(frozen=True, slots=True)
class Board:
    """Standings by award, all of one instant. ``final``: counted from the ledger; ``hidden``: counts are not shown.

    ``live``: as of now. When not, ``as_of_ms`` is the past instant that the rules allow, ``next_ms`` when newer counts
    come (hidden: when there will be some) and None when that is not before the result; ``frozen``: the rules end
    updates some hours before closing.
    """

    as_of_ms: int
    ballots: int
    votes: int
    awards: Mapping[str, list[BoardRow]] = field(repr=False)
    final: bool
    hidden: bool
    etag: str
    voided: int = 0
    live: bool = False
    frozen: bool = False
    next_ms: int | None = None


class _Snapshot:
    """The last board of one campaign and the lock of the thread that makes the next."""

    __slots__ = ("board", "made_s", "making", "ranked", "shown", "version")

    def __init__(self) -> None:
        self.board: Board | None = None
        self.shown: ShownCounts | None = None
        self.ranked: Mapping[str, list[BoardRow]] = {}
        self.made_s = float("-inf")
        self.version = -1
        self.making = threading.Lock()

    def get(self, campaign: CampaignView) -> Board:
        board = self.board
        if board is not None and self.version == campaign.version and time.monotonic() - self.made_s < FRESH_S:
            return board
        if not self.making.acquire(blocking=board is None or self.version != campaign.version):
            assert board is not None
            return board
        try:
            if self.version != campaign.version or time.monotonic() - self.made_s >= FRESH_S:
                self.board = self._make(campaign)
                self.version = campaign.version
                self.made_s = time.monotonic()
            assert self.board is not None
            return self.board
        finally:
            self.making.release()

    def _make(self, campaign: CampaignView) -> Board:
        now_ms = time.time_ns() // 1_000_000
        may = visible(campaign.rules, campaign.stage, now_ms, campaign.sealed_id and campaign.sealed_id[0])
        if isinstance(may, Counted):
            return _counted_board(campaign)
        if isinstance(may, Hidden):
            # Not even the box is asked: what is not known here cannot be told.
            awards: dict[str, list[BoardRow]] = {award.key: [] for award in campaign.rules.awards}
            etag = f"h{campaign.version}"
            return Board(now_ms, 0, 0, awards, False, True, etag, next_ms=may.until_ms)
        if campaign.epoch is None:
            raise BoxUnavailable("missing")
        if may.live:
            return _live_board(campaign, may)
        return self._past_board(campaign, may)

    def _past_board(self, campaign: CampaignView, may: AsOf) -> Board:
        """The counts of a past instant, ranked once until the next instant comes."""
        if self.version != campaign.version:
            self.shown = None
        shown = counts_before(campaign, may.at_ms, self.shown)
        if shown is not self.shown:
            self.shown, self.ranked = shown, _ranked(campaign, shown.votes)
        # Said of the instant, not of the counts: the tag tells nobody whether there are any.
        etag = f"{campaign.version}-at{shown.at_ms}"
        return Board(
            as_of_ms=shown.at_ms,
            ballots=shown.ballots,
            votes=sum(shown.votes.values()),
            awards=self.ranked,
            final=False,
            hidden=False,
            etag=etag,
            frozen=may.frozen,
            next_ms=may.next_ms,
        )


def get_board(campaign: CampaignView) -> Board:
    """The campaign's standings as far as they may be shown, a second behind at most; raises BoxUnavailable."""
    boards: dict[int, _Snapshot] = current_app.extensions.setdefault(_EXTENSION, {})
    return boards.setdefault(campaign.id, _Snapshot()).get(campaign)


def _ranked(campaign: CampaignView, counts: Mapping[int, int]) -> dict[str, list[BoardRow]]:
    awards: dict[str, list[BoardRow]] = {}
    for award in campaign.rules.awards:
        votes = {
            c.id: counts.get(c.id, 0) for c in campaign.candidates if c.award == award.key and c.standing == "standing"
        }
        lines = rank(votes, award.seats)
        awards[award.key] = [BoardRow(campaign.by_id[x.candidate], x.rank, x.votes, x.tied) for x in lines]
    return awards


def _live_board(campaign: CampaignView, may: AsOf) -> Board:
    counts = box_of(campaign.id, campaign.rules).counts()
    # Nothing but another ballot changes the counts, so their number names them.
    etag = f"{campaign.version}-{counts.ballots}"
    votes = sum(counts.votes.values())
    return Board(may.at_ms, counts.ballots, votes, _ranked(campaign, counts.votes), False, False, etag, live=True)


def _counted_board(campaign: CampaignView) -> Board:
    try:
        result = get_result(campaign)
    except ResultNotReady:
        raise BoxUnavailable("missing") from None
    etag = f"r{result.version}-{campaign.version}"
    return Board(
        result.counted_ms, result.ballots, result.votes, result.awards, True, False, etag, voided=result.voided
    )
