"""Record accepted ballots in the ledger: read a batch, insert it, commit, acknowledge. Exactly once, whatever dies.

Between commit and acknowledgement a recorder may die: the next one is given the same entries, inserts nothing new,
compares, and acknowledges. What must not be skipped stops the recorder with a message for a person.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis.exceptions import ConnectionError, ResponseError, TimeoutError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from voting.rules.voter import receipt_code
from voting.services.boxes import box_of, boxes
from voting.services.casting import voter_secret
from voting.services.catalogue import CampaignView, all_campaigns
from voting.services.transactions import writing
from voting.storage.ballots import ballots_by_id, choices_of, insert_ballots
from voting.tally import stream
from voting.tally.stream import Entry, Seal, StreamDamaged

BATCH = 2000
BLOCK_MS = 500
STALE_MS = 30_000
TRIM_MARGIN_MS = 3_600_000
HOUSEKEEPING_S = 10.0
LONGEST_BACKOFF_S = 10.0

log = structlog.get_logger(__name__)


class RecordingStopped(Exception):
    """Something that must not be skipped. The message says what it is and what a person should do."""


@dataclass(slots=True)
class Recorder:
    """One of several that share the work; ``consumer`` is its name in the group."""

    consumer: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}")
    stale_ms: int = STALE_MS
    _housekept_s: float = float("-inf")
    _known: set[int] = field(default_factory=set)
    _interrupted: bool = False

    def step(self, block_ms: int = BLOCK_MS) -> int:
        """Record what is waiting, up to a batch per campaign; how many entries that were. Raises RecordingStopped."""
        campaigns = self._with_streams()
        if not campaigns:
            time.sleep(block_ms / 1000)
            return 0
        try:
            taken = self._take_over(campaigns)
            fresh = stream.read_new(boxes().client, list(campaigns), self.consumer, BATCH, 0 if taken else block_ms)
        except StreamDamaged as damage:
            raise RecordingStopped(str(damage)) from None
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            # A box was lost; rebuilding makes its stream again. The other campaigns go on with the next step.
            self._known.clear()
            return 0
        for campaign, entries in fresh.items():
            self._record(campaigns[campaign], entries)
        return taken + sum(map(len, fresh.values()))

    def _with_streams(self) -> dict[int, CampaignView]:
        """Campaigns that have a stream to read; one whose box is not up must not hold up the others."""
        campaigns = {view.id: view for view in all_campaigns() if view.stage in ("open", "closed")}
        for campaign in campaigns.keys() - self._known:
            if stream.read_backlog(boxes().client, campaign) is not None:
                self._known.add(campaign)
        return {campaign: view for campaign, view in campaigns.items() if campaign in self._known}

    def _take_over(self, campaigns: dict[int, CampaignView]) -> int:
        """Finish what an interruption left in our own hands; every few seconds, what dead recorders left in theirs."""
        if self._interrupted:
            for view in campaigns.values():
                while own := stream.read_own(boxes().client, view.id, self.consumer, BATCH):
                    self._record(view, own)
            self._interrupted = False
        if time.monotonic() - self._housekept_s < min(HOUSEKEEPING_S, self.stale_ms / 1000):
            return 0
        taken = 0
        for view in campaigns.values():
            stale = stream.claim(boxes().client, view.id, self.consumer, self.stale_ms, BATCH)
            self._record(view, stale)
            taken += len(stale)
            box_of(view.id, view.rules).run("trim", TRIM_MARGIN_MS)
        if not taken:
            self._housekept_s = time.monotonic()
        return taken

    def was_interrupted(self) -> None:
        """A store was away in the middle of a step: the next step begins with what could not be acknowledged."""
        self._interrupted = True

    def _record(self, campaign: CampaignView, entries: Sequence[Entry | Seal]) -> None:
        if not entries:
            return
        ballots = [entry for entry in entries if isinstance(entry, Entry)]
        seals = [entry for entry in entries if isinstance(entry, Seal)]
        _check_order(campaign, ballots, seals)
        commit_ballots(campaign, ballots)
        stream.acknowledge(boxes().client, campaign.id, [entry.stream_id for entry in entries])


def _check_order(campaign: CampaignView, ballots: Sequence[Entry], seals: Sequence[Seal]) -> None:
    """Nothing comes after the seal."""
    seal = campaign.sealed_id or (seals[0].stream_id if seals else None)
    late = [ballot for ballot in ballots if seal and ballot.stream_id > seal]
    if late:
        raise RecordingStopped(
            f"campaign {campaign.slug}: ballot {late[0].ballot_id} at {late[0].stream_id} stands after the seal {seal}."
            " It is not recorded. Keep the stream as it is and find out who wrote to it."
        )


def commit_ballots(campaign: CampaignView, ballots: Sequence[Entry]) -> None:
    """Insert ballots and commit; those already recorded must be the same. Raises RecordingStopped."""
    if not ballots:
        return
    secret = voter_secret()
    rows = [
        {
            "ballot_id": ballot.ballot_id,
            "campaign_id": campaign.id,
            "stream_ms": ballot.stream_id[0],
            "stream_seq": ballot.stream_id[1],
            "voter_key": ballot.voter_key,
            "receipt": receipt_code(secret, campaign.id, ballot.ballot_id),
            "network": ballot.network,
            "address_hash": ballot.address_hash,
            "marks": ballot.marks,
        }
        for ballot in ballots
    ]
    choices = [
        {"ballot_id": ballot.ballot_id, "candidate_id": candidate, "times": times}
        for ballot in ballots
        for candidate, times in Counter(ballot.choices).items()
    ]
    try:
        with writing() as session:
            if insert_ballots(session, rows, choices) != len(rows):
                _check_repeats(session, campaign, ballots)
    except (IntegrityError, DataError) as error:
        raise RecordingStopped(
            f"campaign {campaign.slug}: the ledger refused a batch of {len(rows)} ballots ({error.orig}). Nothing of "
            "it is recorded or acknowledged. Compare the stream with the ledger: flask ledger audit."
        ) from None


def _check_repeats(session: Session, campaign: CampaignView, ballots: Sequence[Entry]) -> None:
    """Ballots that were recorded before must be the very same ballots."""
    ids = [ballot.ballot_id for ballot in ballots]
    rows, choices = ballots_by_id(session, ids), choices_of(session, ids)
    for ballot in ballots:
        row = rows.get(ballot.ballot_id)
        expected = (campaign.id, *ballot.stream_id, ballot.voter_key, dict(Counter(ballot.choices)))
        recorded = row and (row.campaign_id, row.stream_ms, row.stream_seq, row.voter_key, choices.get(row.ballot_id))
        if recorded != expected:
            raise RecordingStopped(
                f"campaign {campaign.slug}: ballot {ballot.ballot_id} at {ballot.stream_id} is in the ledger with "
                f"other content or at another place ({row and (row.stream_ms, row.stream_seq)}). An old copy of Redis "
                "may have been put back: stop voting and run flask ledger audit."
            )


def follow(recorder: Recorder, stopping: Callable[[], bool]) -> None:
    """Record until told to stop; while Redis or SQL is away, wait and try again, ever more slowly."""
    waited = 0.0
    while not stopping():
        try:
            recorder.step()
            if waited:
                log.info("recording goes on", consumer=recorder.consumer)
            waited = 0.0
        except (ConnectionError, TimeoutError, OperationalError) as error:
            recorder.was_interrupted()
            waited = min(max(0.25, waited * 2), LONGEST_BACKOFF_S)
            log.warning("recording waits", cause=type(error).__name__, seconds=waited)
            _sleep(waited, stopping)


def _sleep(seconds: float, stopping: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopping():
        time.sleep(0.1)


def drain(campaign: CampaignView, timeout_s: float = 60.0) -> None:
    """Record everything the stream holds, taking over what other recorders do not finish; for closing and rebuilding.

    Raises RecordingStopped when something remains after ``timeout_s``, or must not be skipped.
    """
    try:
        _drain(campaign, timeout_s)
    except StreamDamaged as damage:
        raise RecordingStopped(str(damage)) from None


def _drain(campaign: CampaignView, timeout_s: float) -> None:
    recorder = Recorder(stale_ms=3_000)
    until = time.monotonic() + timeout_s
    client = boxes().client
    while (backlog := stream.read_backlog(client, campaign.id)) is not None and backlog.waiting:
        if time.monotonic() > until:
            raise RecordingStopped(f"campaign {campaign.slug}: {backlog.pending} entries are still not acknowledged")
        recorder._record(campaign, stream.claim(client, campaign.id, recorder.consumer, recorder.stale_ms, BATCH))
        fresh: dict[int, Any] = stream.read_new(client, [campaign.id], recorder.consumer, BATCH, 50)
        recorder._record(campaign, fresh.get(campaign.id, []))
