"""The leaderboard: a snapshot of the tally at most a second old, or the counted result once there is one.

One thread of a process makes a snapshot while the others go on with the last one. Nothing here asks SQL per candidate;
after counting the box is not asked at all, so that published pages work with Redis off.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app

from voting.rules.errors import BoxUnavailable
from voting.rules.ranking import rank
from voting.services.boxes import box_of
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.counting import latest_standings
from voting.services.transactions import reading

FRESH_S = 1.0
_EXTENSION = "voting_boards"


@dataclass(frozen=True, slots=True)
class BoardRow:
    candidate: CandidateView
    rank: int
    votes: int
    tied: bool
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """Standings by award, all of one instant. ``final``: counted from the ledger; ``hidden``: counts are not shown."""

    as_of_ms: int
    ballots: int
    votes: int
    awards: Mapping[str, list[BoardRow]] = field(repr=False)
    final: bool
    hidden: bool
    etag: str
    voided: int = 0


class _Snapshot:
    """The last board of one campaign and the lock of the thread that makes the next."""

    __slots__ = ("board", "made_s", "making", "version")

    def __init__(self) -> None:
        self.board: Board | None = None
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
                self.board, self.version = _make_board(campaign), campaign.version
                self.made_s = time.monotonic()
            assert self.board is not None
            return self.board
        finally:
            self.making.release()


def get_board(campaign: CampaignView) -> Board:
    """The campaign's standings, at most a second old while voting runs; raises BoxUnavailable."""
    boards: dict[int, _Snapshot] = current_app.extensions.setdefault(_EXTENSION, {})
    return boards.setdefault(campaign.id, _Snapshot()).get(campaign)


def _make_board(campaign: CampaignView) -> Board:
    if campaign.stage in ("provisional", "published"):
        return _counted_board(campaign)
    if campaign.epoch is None:
        raise BoxUnavailable("missing")
    as_of_ms = time.time_ns() // 1_000_000
    if campaign.rules.display == "hidden":
        return Board(
            as_of_ms, 0, 0, {award.key: [] for award in campaign.rules.awards}, False, True, f"h{campaign.version}"
        )
    counts = box_of(campaign.id, campaign.rules).counts()
    awards: dict[str, list[BoardRow]] = {}
    for award in campaign.rules.awards:
        votes = {
            c.id: counts.votes.get(c.id, 0)
            for c in campaign.candidates
            if c.award == award.key and c.standing == "standing"
        }
        lines = rank(votes, award.seats)
        awards[award.key] = [BoardRow(campaign.by_id[x.candidate], x.rank, x.votes, x.tied) for x in lines]
    # Nothing but another ballot changes the counts, so their number names them.
    etag = f"{campaign.version}-{counts.ballots}"
    return Board(as_of_ms, counts.ballots, sum(counts.votes.values()), awards, False, False, etag)


def _counted_board(campaign: CampaignView) -> Board:
    with reading() as session:
        found = latest_standings(session, campaign.id)
        if found is None:
            raise BoxUnavailable("missing")
        result, lines = found
        inputs, created_ms, version = json.loads(result.inputs), result.created_at, result.version
    awards: dict[str, list[BoardRow]] = {award.key: [] for award in campaign.rules.awards}
    for x in lines:
        awards[x.award].append(BoardRow(campaign.by_id[x.candidate_id], x.rank, x.votes, x.tied, x.outcome))
    etag = f"r{version}-{campaign.version}"
    ballots, voided = inputs["ballots"] - inputs["voided"], inputs["voided"]
    return Board(created_ms, ballots, inputs["votes"], awards, True, False, etag, voided)
