"""What a big screen shows, as one small document, and its way to every node: kept in Redis, published on change.

Every message is the whole picture, so that one that is missed never matters. Its figures come from the leaderboard
service alone, which decides what may be shown. Who listens, and over which wire, is not known here.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from typing import Any, cast

from voting.rules.errors import BoxUnavailable
from voting.services.activity import votes_per_hour
from voting.services.boxes import boxes
from voting.services.catalogue import CampaignView, all_campaigns
from voting.services.leaderboard import Board, BoardRow, get_board

#: rows of each award; a screen shows ten at a time, or all of them
ROWS = 100
#: screens move at most this often
EVERY_S = 2.0
#: without any change the time the figures are true for is still told
UNCHANGED_S = 10.0
KEPT_S = 3600
TURN_MS = 5000
_TURN = "screens:publisher"


def channel(campaign_id: int) -> str:
    """Where a campaign's pictures are published; the last one is kept under the same name."""
    return f"screens:{campaign_id}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def picture(campaign: CampaignView) -> dict[str, Any]:
    """All that a screen shows of this moment. Without figures (``board`` is null) while they cannot be had."""
    try:
        board = get_board(campaign)
    except BoxUnavailable:
        board = None
    at_ms = now_ms()
    return {
        "version": campaign.version,
        "now": at_ms,
        "phase": campaign.phase(at_ms),
        "opens": campaign.rules.opens_ms,
        "closes": campaign.rules.closes_ms,
        "zone": campaign.rules.time_zone,
        "board": _figures(campaign, board) if board else None,
    }


def _figures(campaign: CampaignView, board: Board) -> dict[str, Any]:
    if board.hidden:
        # Not even which candidates have votes: the awards are named, and nothing else.
        return {"hidden": True, "final": False, "etag": board.etag, "awards": [], "next": board.next_ms}
    activity = votes_per_hour(campaign, board)
    return {
        "hidden": False,
        "final": board.final,
        "etag": board.etag,
        "asOf": board.as_of_ms,
        "live": board.live,
        "frozen": board.frozen,
        "next": board.next_ms,
        "ballots": board.ballots,
        "votes": board.votes,
        "awards": [
            {"key": award.key, "rows": [_row(row) for row in board.awards.get(award.key, [])[:ROWS]]}
            for award in campaign.rules.awards
        ],
        "hours": {"from": activity.from_ms, "votes": activity.votes},
    }


def _row(row: BoardRow) -> list[Any]:
    """In the order the page reads it: id, number, name, place, rank, votes, tied, outcome."""
    candidate = row.candidate
    place = " ".join(candidate.area_path[:2])
    return [candidate.id, candidate.number, candidate.name, place, row.rank, row.votes, int(row.tied), row.outcome]


@dataclass(slots=True)
class Publisher:
    """One of several, a node each; the one that has the turn works, and when it is gone another takes over."""

    name: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}")
    _sent: dict[int, tuple[object, float]] = field(default_factory=dict)

    def step(self) -> int:
        """Publish what has changed for campaigns somebody watches; how many pictures that were. Raises RedisError."""
        if not self._has_turn():
            self._sent.clear()
            return 0
        return sum(self._publish(campaign) for campaign in self._watched())

    def _has_turn(self) -> bool:
        """Two for a moment, when a turn runs out just now, would only say the same thing twice."""
        client = boxes().client
        if client.set(_TURN, self.name, nx=True, px=TURN_MS):
            return True
        if client.get(_TURN) != self.name.encode():
            return False
        return bool(client.pexpire(_TURN, TURN_MS))

    def _watched(self) -> list[CampaignView]:
        campaigns = {channel(campaign.id): campaign for campaign in all_campaigns()}
        if not campaigns:
            return []
        counts = cast(list[tuple[bytes, int]], boxes().client.pubsub_numsub(*campaigns))
        return [campaigns[name.decode()] for name, listeners in counts if listeners]

    def _publish(self, campaign: CampaignView) -> bool:
        sent, sent_s = self._sent.get(campaign.id, (None, float("-inf")))
        waited_s = time.monotonic() - sent_s
        if waited_s < EVERY_S:
            return False
        shown = picture(campaign)
        if shown["board"] is None:
            return False  # the screens keep the last good figures
        key = (campaign.version, shown["phase"], shown["board"]["etag"])
        if key == sent and waited_s < UNCHANGED_S:
            return False
        publish(campaign.id, shown)
        self._sent[campaign.id] = (key, time.monotonic())
        return True


def publish(campaign_id: int, shown: dict[str, Any]) -> None:
    """Keep a picture for those who come later and send it to those who are there."""
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    with boxes().client.pipeline(transaction=True) as pipeline:
        pipeline.set(channel(campaign_id), text, ex=KEPT_S)
        pipeline.publish(channel(campaign_id), text)
        pipeline.execute()
