"""My votes: the ballots of one voter, newest first, from the ledger and from the part of the stream not recorded yet.

The stream is read by place, not by voter. So each process remembers who cast what it has seen of the unrecorded tail,
and reads on from there: however many people look, and however long the tail is, an entry is read once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from redis.exceptions import ConnectionError, TimeoutError

from voting.identity.base import Identity
from voting.rules.voter import receipt_code
from voting.services.boxes import boxes
from voting.services.casting import voter_key_of, voter_secret
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.transactions import LEDGER_AWAY, reading
from voting.storage.ballots import ballots_of_voters, choices_of
from voting.tally.ballot_box import StreamId
from voting.tally.stream import Entry, find_entry, read_backlog, read_range

#: ballots shown; a voter of a campaign of some weeks has far fewer
MOST_SHOWN = 200
#: entries read on at one look, and entries remembered at most (some 25 MB): what is beyond is told, not hidden
READ_AT_ONCE = 20_000
MOST_REMEMBERED = 100_000
_EXTENSION = "voting_mine"


@dataclass(frozen=True, slots=True)
class MyBallot:
    """One ballot as its voter sees it; repeats are listed. ``state``: accepted, recorded or published."""

    ballot_id: str
    code: str
    accepted_ms: int
    candidates: tuple[CandidateView, ...]
    state: str


@dataclass(frozen=True, slots=True)
class MyVotes:
    """Newest first. Not ``complete``: some of the newest may be missing until they are recorded, or there are more."""

    ballots: tuple[MyBallot, ...]
    complete: bool


class _Tail:
    """Who cast which entries of the stream that are not recorded yet, as far as this process has read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: StreamId = (0, 0)
        self._order: deque[tuple[StreamId, bytes]] = deque()
        self._places: dict[bytes, list[StreamId]] = {}

    def places_of(self, campaign: int, voters: Sequence[bytes]) -> tuple[list[StreamId], bool]:
        """Where the unrecorded ballots of these voters stand, and whether the whole tail was looked at."""
        with self._lock:
            complete = self._catch_up(campaign)
            return [place for voter in voters for place in self._places.get(voter, ())], complete

    def _catch_up(self, campaign: int) -> bool:
        client = boxes().client
        backlog = read_backlog(client, campaign)
        if backlog is None:
            return True
        while self._order and backlog.acknowledged(self._order[0][0]):
            place, voter = self._order.popleft()
            rest = self._places[voter]
            rest.remove(place)
            if not rest:
                del self._places[voter]
        # What is acknowledged stands in the ledger: reading begins behind it.
        known = backlog.oldest_pending or backlog.delivered
        if backlog.oldest_pending:
            ms, seq = backlog.oldest_pending
            known = (ms, seq - 1) if seq else (ms - 1, 2**64 - 1)
        self._read = max(self._read, known)
        room = min(READ_AT_ONCE, MOST_REMEMBERED - len(self._order))
        for entry in read_range(client, campaign, after=self._read):
            if room <= 0:
                return False
            room -= 1
            self._read = entry.stream_id
            if isinstance(entry, Entry):
                self._order.append((entry.stream_id, entry.voter_key))
                self._places.setdefault(entry.voter_key, []).append(entry.stream_id)
        return True


def find_mine(campaign: CampaignView, identities: Sequence[Identity]) -> MyVotes:
    """What was cast in a campaign under any of these identities.

    While Redis is away only what is recorded, while SQL is away only what is not; neither is ``complete``.
    """
    voters = [voter_key_of(campaign, identity) for identity in identities]
    if not voters:
        return MyVotes((), True)
    # The stream first: what is recorded meanwhile is then met in the ledger, and met twice does no harm.
    waiting, complete = _unrecorded(campaign, voters)
    found: dict[str, MyBallot] = {entry.ballot_id: _accepted(campaign, entry) for entry in waiting}
    state = "published" if campaign.stage == "published" else "recorded"
    try:
        with reading() as session:
            rows = ballots_of_voters(session, campaign.id, voters, MOST_SHOWN + 1)
            choices = choices_of(session, [row.ballot_id for row in rows])
        for row in rows:
            chosen = tuple(campaign.by_id[id_] for id_, times in choices[row.ballot_id].items() for _ in range(times))
            found[row.ballot_id] = MyBallot(row.ballot_id, row.receipt, row.stream_ms, chosen, state)
    except LEDGER_AWAY:
        complete = False
    newest = sorted(found.values(), key=lambda ballot: ballot.accepted_ms, reverse=True)
    return MyVotes(tuple(newest[:MOST_SHOWN]), complete and len(newest) <= MOST_SHOWN)


def _unrecorded(campaign: CampaignView, voters: Sequence[bytes]) -> tuple[list[Entry], bool]:
    if campaign.stage not in ("open", "closed"):
        return [], True
    tails: dict[int, _Tail] = current_app.extensions.setdefault(_EXTENSION, {})
    try:
        places, complete = tails.setdefault(campaign.id, _Tail()).places_of(campaign.id, voters)
        entries = [find_entry(boxes().client, campaign.id, place) for place in places]
    except (ConnectionError, TimeoutError):
        return [], False
    return [entry for entry in entries if entry is not None], complete


def _accepted(campaign: CampaignView, entry: Entry) -> MyBallot:
    chosen = tuple(campaign.by_id[candidate] for candidate in entry.choices)
    code = receipt_code(voter_secret(), campaign.id, entry.ballot_id)
    return MyBallot(entry.ballot_id, code, entry.stream_id[0], chosen, "accepted")
